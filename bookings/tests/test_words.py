"""How times and ranks are said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from bookings.models import Session
from bookings.rules import words
from bookings.rules.steps import STEPS, next_action
from bookings.states import SessionStatus

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2027, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_span_is_said_in_the_jobs_zone_with_its_name():
    start = datetime(2027, 3, 2, 14, tzinfo=UTC)
    assert words.span(start, start + timedelta(hours=1), LONDON, now=NOW) == "Tue 14:00-15:00 GMT"


def test_in_summer_the_zone_has_its_summer_name():
    start = datetime(2027, 7, 6, 14, tzinfo=UTC)
    assert words.span(start, start + timedelta(hours=1), LONDON, now=start) == "Tue 15:00-16:00 BST"


def test_another_weeks_tuesday_has_its_date():
    start = datetime(2027, 3, 16, 14, tzinfo=UTC)
    assert words.span(start, start + timedelta(hours=1), LONDON, now=NOW) == "Tue 16 Mar 14:00-15:00 GMT"


def test_a_span_over_the_end_of_summer_time_names_both_zones():
    start = datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert words.span(start, start + timedelta(hours=1), LONDON, now=start) == "Sun 01:30 BST-01:30 GMT"


def test_clock_time_is_the_jobs():
    assert words.clock_time(datetime(2027, 7, 6, 12, 35, tzinfo=UTC), LONDON) == "13:35"


@pytest.mark.parametrize(
    ("worked", "said"),
    [
        (timedelta(0), "00:00"),
        (timedelta(minutes=32, seconds=59), "00:32"),
        (timedelta(hours=1), "01:00"),
        (timedelta(hours=26, minutes=5), "26:05"),
    ],
)
def test_worked_time_is_hours_and_minutes(worked, said):
    assert words.worked_time(worked) == said


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (102, "102nd"),
    ],
)
def test_ordinals(place, said):
    assert words.ordinal(place) == said


@pytest.mark.parametrize(
    ("mine", "amounts", "said"),
    [
        (50, [50], "the only one so far"),
        (40, [40, 50, 60, 70], "lowest of 4"),
        (50, [40, 50, 60, 70], "2nd lowest of 4"),
        (70, [40, 50, 60, 70], "4th lowest of 4"),
        (40, [40, 40, 60], "joint lowest of 3"),
        (60, [40, 60, 60], "joint 2nd lowest of 3"),
        (60, [40, 40, 60], "3rd lowest of 3"),
    ],
)
def test_ranks(mine, amounts, said):
    assert words.rank(Decimal(mine), [Decimal(amount) for amount in amounts]) == said


def test_equal_amounts_at_other_decimals_are_equal():
    assert words.rank(Decimal("45.000"), [Decimal("45.00"), Decimal("45.000")]) == "joint lowest of 2"


def test_offers_are_counted():
    assert words.offers(1) == "1 offer"
    assert words.offers(4) == "4 offers"


@pytest.mark.parametrize(
    ("role", "status", "verb"),
    [
        ("technician", "pending", "check_in"),
        ("technician", "waiting", "start_session"),
        ("technician", "live", "complete_session"),
        ("technician", "paused", "resume_session"),
        ("technician", "completed", None),
        ("technician", "cancelled", None),
        ("technician", "no_show", None),
        ("customer", "pending", None),
        ("customer", "waiting", "start_session"),
        ("customer", "live", None),
        ("customer", "completed", None),
        ("driver", "pending", None),
        ("admin", "waiting", None),
    ],
)
def test_there_is_one_button_for_the_next_transition(role, status, verb):
    step = next_action(Session(status=status), role)
    assert (step and step.verb) == verb


def test_every_active_state_has_a_button_for_the_technician():
    active = {SessionStatus.PENDING, SessionStatus.WAITING, SessionStatus.LIVE, SessionStatus.PAUSED}
    assert {status for role, status in STEPS if role == "technician"} == active


def test_a_step_names_its_page():
    step = next_action(Session(status="pending"), "technician")
    assert step is not None
    assert step.url_name == "bookings:check_in"
