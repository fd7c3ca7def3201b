"""Quiet hours and pauses: until when a person wants to be left alone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from notifications.models import Quiet


def silent_until(quiet: Quiet | None, zone: str, at: datetime) -> datetime | None:
    """The end of the silence that `at` falls in, or None.

    A pause may end in the quiet hours, and they in a pause: the silence goes on to the end of both.
    """
    if quiet is None:
        return None
    end = at = at.astimezone(UTC)
    while (later := max(end, quiet.paused_until or end, hours_end(quiet.starts, quiet.ends, zone, end) or end)) > end:
        end = later
        if end - at > timedelta(days=8):  # never: but no choice of hours may hang the clock
            break
    return end if end > at else None


def hours_end(starts: time | None, ends: time | None, zone: str, at: datetime) -> datetime | None:
    """When the quiet hours around `at` end, or None outside of them. `starts` after `ends` goes over midnight."""
    if starts is None or ends is None:
        return None
    local = at.astimezone(ZoneInfo(zone))
    clock, day = local.time(), local.date()
    if starts <= ends:
        inside = starts <= clock < ends
    else:
        inside = clock >= starts or clock < ends
        day += timedelta(days=1 if clock >= starts else 0)
    return local_instant(datetime.combine(day, ends), zone) if inside else None


def local_instant(local: datetime, zone: str) -> datetime:
    """The last instant that `local` may mean: after a gap of the clocks, the second where they repeat it."""
    place = ZoneInfo(zone)
    # In UTC: two times of one zone are compared by their clocks, which go back.
    return max(local.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))
