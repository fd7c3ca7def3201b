"""How long somebody still takes, and how it is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from common.geo import Point
from tracking.rules import eta as rules
from tracking.rules.ages import ago, state_of

DOOR = Point(51.5390, -0.1426)
NOON = datetime(2027, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def north(km: float) -> Point:
    """A place so far north of the door."""
    return Point(DOOR.latitude + km / 111.195, DOOR.longitude)


class TestEstimate:
    def test_the_road_is_longer_than_the_line(self) -> None:
        assert rules.road_metres(north(1), DOOR) == pytest.approx(1300, rel=0.001)

    def test_without_a_recent_speed_the_usual_one(self) -> None:
        assert rules.eta(north(2), DOOR, pace=None).total_seconds() == pytest.approx(2600 / (24 / 3.6), rel=0.001)

    def test_the_recent_speed_holds_for_ten_minutes_and_not_for_ever(self) -> None:
        slow = rules.eta(north(10), DOOR, pace=2.0)
        usual = 24 / 3.6
        assert slow.total_seconds() == pytest.approx(600 + (13_000 - 1200) / usual, rel=0.001)

    def test_faster_is_sooner(self) -> None:
        assert rules.eta(north(3), DOOR, pace=15) < rules.eta(north(3), DOOR, pace=5)

    def test_who_stands_at_a_red_light_still_arrives(self) -> None:
        assert rules.eta(north(0.2), DOOR, pace=0.0).total_seconds() == pytest.approx(260, rel=0.001)

    def test_at_the_door_it_is_nothing(self) -> None:
        assert rules.eta(DOOR, DOOR, pace=None) == timedelta()

    def test_what_a_routing_server_said_goes_before_our_guess(self) -> None:
        assert rules.eta(north(9), DOOR, pace=1, route_seconds=500) == timedelta(seconds=500)

    def test_and_counts_down_until_it_is_asked_again(self) -> None:
        answer = rules.eta(north(9), DOOR, pace=1, route_seconds=500, route_age=timedelta(seconds=30))
        assert answer == timedelta(seconds=470)
        assert rules.eta(DOOR, DOOR, pace=1, route_seconds=10, route_age=MINUTE) == timedelta()

    def test_a_site_may_drive_faster(self, settings) -> None:
        before = rules.eta(north(3), DOOR, pace=None)
        settings.TRACKING = {"SPEED_USUAL_KMH": 48}
        assert rules.eta(north(3), DOOR, pace=None) == before / 2


class TestWords:
    @pytest.mark.parametrize(
        ("seconds", "minutes"), [(0, 0), (1, 1), (60, 1), (61, 2), (12 * 60, 12), (12 * 60 + 1, 13)]
    )
    def test_minutes_are_rounded_up(self, seconds: int, minutes: int) -> None:
        assert rules.minutes_of(timedelta(seconds=seconds)) == minutes

    @pytest.mark.parametrize(
        ("minutes", "words"),
        [
            (0, "less than a minute"),
            (1, "about 1 min"),
            (12, "about 12 min"),
            (60, "about 1 h"),
            (65, "about 1 h 5 min"),
        ],
    )
    def test_in_words(self, minutes: int, words: str) -> None:
        assert rules.minutes_words(minutes) == words

    def test_the_window_is_whole_five_minutes_around_it(self) -> None:
        start, end = rules.window(NOON, 12 * MINUTE)
        assert (start, end) == (NOON + 10 * MINUTE, NOON + 20 * MINUTE)

    def test_and_never_empty(self) -> None:
        assert rules.window(NOON, timedelta()) == (NOON, NOON + 5 * MINUTE)

    def test_it_keeps_the_zone_of_the_instant(self) -> None:
        assert rules.window(NOON, MINUTE)[0].tzinfo is UTC

    @pytest.mark.parametrize(
        ("minutes", "step"),
        [(None, None), (40, None), (16, None), (15, 15), (11, 15), (10, 10), (5, 5), (1, 5), (0, 5)],
    )
    def test_steps_that_are_read_out(self, minutes: int | None, step: int | None) -> None:
        assert rules.step_of(minutes) == step


class TestAges:
    @pytest.mark.parametrize(
        ("seconds", "state"),
        [(0, "live"), (30, "live"), (30.5, "stale"), (300, "stale"), (301, "lost"), (90_000, "lost")],
    )
    def test_live_stale_lost(self, seconds: float, state: str) -> None:
        assert state_of(timedelta(seconds=seconds)) == state

    def test_the_limits_are_settings(self, settings) -> None:
        settings.TRACKING = {"LIVE_SECONDS": 2, "STALE_SECONDS": 4}
        assert [state_of(timedelta(seconds=n)) for n in (2, 3, 5)] == ["live", "stale", "lost"]

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [(-3, "just now"), (2, "just now"), (8, "8 s ago"), (59, "59 s ago"), (60, "1 min ago"), (3599, "59 min ago"),
         (7200, "2 h ago")],
    )  # fmt: skip
    def test_in_words(self, seconds: int, words: str) -> None:
        assert ago(timedelta(seconds=seconds)) == words
