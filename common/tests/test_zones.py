"""Local times on the days when the clocks move, in zones that do it differently."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from common.zones import LocalTimeProblem, half_hour_after, instant, validate_zone, zone_names

LONDON = "Europe/London"
SPRING, AUTUMN = datetime(2027, 3, 28, 1, 30), datetime(2027, 10, 31, 1, 30)


def test_an_ordinary_time_is_one_instant():
    assert instant(datetime(2027, 7, 1, 14, 0), LONDON) == datetime(2027, 7, 1, 13, 0, tzinfo=UTC)
    assert instant(datetime(2027, 1, 1, 14, 0), LONDON) == datetime(2027, 1, 1, 14, 0, tzinfo=UTC)


def test_a_skipped_time_is_refused_with_the_times_around_the_gap():
    with pytest.raises(LocalTimeProblem) as refused:
        instant(SPRING, LONDON)
    assert "01:30 does not exist on 28 March 2027 in Europe/London" in str(refused.value)
    assert refused.value.choices == [
        datetime(2027, 3, 28, 0, 30, tzinfo=UTC),
        datetime(2027, 3, 28, 1, 30, tzinfo=UTC),
    ]


@pytest.mark.parametrize("fold", [0, 1])
def test_saying_which_does_not_make_a_skipped_time_exist(fold):
    with pytest.raises(LocalTimeProblem, match="does not exist"):
        instant(SPRING, LONDON, fold=fold)


def test_a_repeated_time_asks_which():
    with pytest.raises(LocalTimeProblem, match="happens twice") as refused:
        instant(AUTUMN, LONDON)
    assert refused.value.choices == [
        datetime(2027, 10, 31, 0, 30, tzinfo=UTC),
        datetime(2027, 10, 31, 1, 30, tzinfo=UTC),
    ]


def test_a_repeated_time_with_an_answer():
    first, second = instant(AUTUMN, LONDON, fold=0), instant(AUTUMN, LONDON, fold=1)
    assert second - first == timedelta(hours=1)


@pytest.mark.parametrize(
    ("local", "problem"),
    [
        (datetime(2027, 3, 28, 0, 59), ""),
        (datetime(2027, 3, 28, 1, 0), "does not exist"),
        (datetime(2027, 3, 28, 1, 59), "does not exist"),
        (datetime(2027, 3, 28, 2, 0), ""),
        (datetime(2027, 10, 31, 0, 59), ""),
        (datetime(2027, 10, 31, 1, 0), "twice"),
        (datetime(2027, 10, 31, 1, 59), "twice"),
        (datetime(2027, 10, 31, 2, 0), ""),
    ],
)
def test_the_edges_to_the_minute(local, problem):
    if not problem:
        assert instant(local, LONDON).tzinfo is not None
        return
    with pytest.raises(LocalTimeProblem, match=problem):
        instant(local, LONDON)


def test_a_zone_that_moves_by_half_an_hour():
    with pytest.raises(LocalTimeProblem) as refused:
        instant(datetime(2027, 4, 4, 1, 45), "Australia/Lord_Howe")
    first, second = refused.value.choices
    assert second - first == timedelta(minutes=30)


def test_a_zone_that_never_moves():
    assert instant(SPRING, "Asia/Kolkata") == datetime(2027, 3, 27, 20, 0, tzinfo=UTC)


def test_a_day_that_a_zone_left_out():
    with pytest.raises(LocalTimeProblem, match="does not exist"):
        instant(datetime(2011, 12, 30, 12, 0), "Pacific/Apia")


@pytest.mark.parametrize("name", ["Europe/London", "UTC", "Asia/Kolkata"])
def test_zones(name):
    validate_zone(name)
    assert name in zone_names()


@pytest.mark.parametrize("name", ["", "GMT+25", "Europe/Atlantis", "../../etc/passwd", "europe/london"])
def test_what_is_no_zone(name):
    with pytest.raises(ValidationError, match="not a time zone"):
        validate_zone(name)


@pytest.mark.parametrize(
    ("minute", "hour", "expected"),
    [(0, 9, (9, 0)), (1, 9, (9, 30)), (30, 9, (9, 30)), (31, 9, (10, 0)), (59, 23, (0, 0))],
)
def test_the_next_half_hour(minute, hour, expected):
    after = half_hour_after(datetime(2027, 3, 2, hour, minute, tzinfo=UTC))
    assert (after.hour, after.minute) == expected
