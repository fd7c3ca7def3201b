"""What happens in conversations by the clock: who left and opened no other page is offline by now."""

from __future__ import annotations

from datetime import datetime, timedelta

from chat.live import person
from realtime.fragments import touch
from realtime.presence import gone_quiet

AT_START = timedelta(minutes=1)  # how far back the first look of a clock goes: the one before may have died

_looked: datetime | None = None


def run_due(as_of: datetime) -> int:
    """Have open pages look again at the people who became offline since the last look; returns how many.

    While somebody goes from one page to the next they still count as here, so their leaving alone tells nothing.
    """
    global _looked
    since, _looked = _looked or as_of - AT_START, as_of
    gone = gone_quiet(since, as_of)
    if gone:
        touch(person, gone)
    return len(gone)
