"""Until when somebody wants to be left alone: over midnight, and where the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from common.refusals import Invalid
from notifications.actions import pause, resume, set_quiet_hours
from notifications.models import Quiet
from notifications.quiet import silent_until

LONDON = "Europe/London"


def hours(starts: str, ends: str, paused_until: datetime | None = None) -> Quiet:
    """Quiet hours, as a row that is nowhere."""
    return Quiet(starts=time.fromisoformat(starts), ends=time.fromisoformat(ends), paused_until=paused_until)


def local(text: str, fold: int = 0) -> datetime:
    """An instant by London's clocks."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(LONDON), fold=fold)


@pytest.mark.parametrize(
    ("starts", "ends", "at", "until"),
    [
        ("09:00", "10:00", "2026-01-10 08:59", None),
        ("09:00", "10:00", "2026-01-10 09:00", "2026-01-10 10:00"),
        ("09:00", "10:00", "2026-01-10 10:00", None),
        ("22:00", "07:00", "2026-01-10 21:59", None),
        ("22:00", "07:00", "2026-01-10 22:00", "2026-01-11 07:00"),
        ("22:00", "07:00", "2026-01-11 06:59", "2026-01-11 07:00"),
        ("22:00", "07:00", "2026-01-11 07:00", None),
        ("22:00", "00:00", "2026-01-10 23:00", "2026-01-11 00:00"),
        # The clocks go forward at 01:00 on 29 March and back at 02:00 on 25 October.
        ("22:00", "07:00", "2026-03-28 23:00", "2026-03-29 07:00"),
        ("22:00", "07:00", "2026-10-24 23:00", "2026-10-25 07:00"),
    ],
)
def test_quiet_hours(starts, ends, at, until):
    assert silent_until(hours(starts, ends), LONDON, local(at)) == (local(until) if until else None)


def test_a_night_in_which_the_clocks_go_forward_is_an_hour_shorter():
    end = silent_until(hours("22:00", "07:00"), LONDON, local("2026-03-28 22:00"))
    assert end is not None and end - local("2026-03-28 22:00").astimezone(UTC) == timedelta(hours=8)


def test_an_end_that_the_clocks_skip_is_after_the_gap():
    end = silent_until(hours("22:00", "01:30"), LONDON, local("2026-03-29 00:30"))
    assert end == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 02:30 by the new time


@pytest.mark.parametrize("fold", [0, 1])
def test_an_end_that_the_clocks_repeat_is_the_second_one(fold):
    end = silent_until(hours("22:00", "01:30"), LONDON, local("2026-10-25 01:10", fold))
    assert end == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_the_hours_are_those_of_the_persons_zone():
    at = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
    assert silent_until(hours("20:00", "22:00"), "Asia/Tokyo", at) == at + timedelta(hours=1)
    assert silent_until(hours("20:00", "22:00"), LONDON, at) is None


def test_a_pause_that_ends_in_quiet_hours_goes_on_to_their_end():
    at = local("2026-01-10 21:30")
    assert silent_until(hours("22:00", "07:00", at + timedelta(hours=1)), LONDON, at) == local("2026-01-11 07:00")


def test_a_pause_ends_and_none_is_none():
    at = local("2026-01-10 12:00")
    paused = Quiet(paused_until=at + timedelta(hours=1))
    assert silent_until(paused, LONDON, at) == at + timedelta(hours=1)
    assert silent_until(paused, LONDON, at + timedelta(hours=1)) is None
    assert silent_until(None, LONDON, at) is None


def test_hours_without_one_end_or_without_length_are_refused(alice):
    for starts, ends in ((time(9), None), (None, time(9)), (time(9), time(9))):
        with pytest.raises(Invalid):
            set_quiet_hours(alice, starts=starts, ends=ends)
    assert not Quiet.objects.exists()


def test_hours_are_kept_and_dropped_and_a_pause_resumed(alice):
    at = local("2026-01-10 12:00")
    set_quiet_hours(alice, starts=time(22), ends=time(7))
    pause(alice, now=at)
    kept = Quiet.objects.get()
    assert (kept.starts, kept.ends, kept.paused_until) == (time(22), time(7), at + timedelta(hours=1))
    resume(alice)
    set_quiet_hours(alice, starts=None, ends=None)
    kept.refresh_from_db()
    assert (kept.starts, kept.ends, kept.paused_until) == (None, None, None)
