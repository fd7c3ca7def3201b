"""The cancellation rule, case by case: domain.md rule 11 and its numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.rules.fees import Policy, Times, cancellation_fee, no_show_fee
from common.money import Money

POLICY = Policy()
START = datetime(2027, 3, 2, 14, 0, tzinfo=UTC)
PRICE = Money(Decimal("86.40"), "GBP")
LONG_AGO = START - timedelta(days=7)


def times(before_start: timedelta, *, booked: timedelta | None = None, arrived: bool = False) -> Times:
    """Now is `before_start` ahead of the visit, which was booked `booked` ago (or a week before)."""
    now = START - before_start
    booked_at = LONG_AGO if booked is None else now - booked
    return Times(now, booked_at, START, now if arrived else None)


def fee(at: Times | None, actor: str = "customer", reason: str = "plans_changed", floor: str = "0"):
    return cancellation_fee(POLICY, at, actor, reason, price=PRICE, floor=Decimal(floor))


@pytest.mark.parametrize(
    ("before", "amount"),
    [
        (timedelta(days=3), "0.00"),
        (timedelta(hours=24, seconds=1), "0.00"),
        (timedelta(hours=24), "21.60"),  # "more than 24 h ahead" is free; exactly 24 h is not more
        (timedelta(hours=23, minutes=59), "21.60"),
        (timedelta(hours=2), "21.60"),
        (timedelta(hours=2) - timedelta(seconds=1), "43.20"),
        (timedelta(0), "43.20"),
        (-timedelta(hours=1), "43.20"),
    ],
)
def test_the_fee_grows_as_the_visit_comes_nearer(before, amount):
    assert fee(times(before)).money == Money(Decimal(amount), "GBP")


@pytest.mark.parametrize(
    ("booked", "amount"),
    [
        (timedelta(seconds=1), "0.00"),
        (timedelta(minutes=5), "0.00"),
        (timedelta(minutes=5, seconds=1), "43.20"),
    ],
)
def test_five_minutes_after_booking_are_free_however_soon_the_visit_is(booked, amount):
    assert fee(times(timedelta(hours=1), booked=booked)).money.amount == Decimal(amount)


@pytest.mark.parametrize("reason", ["plans_changed", "mistake", "technician_late", "unsafe", "other"])
def test_a_technician_at_the_door_is_paid_whatever_the_reason(reason):
    result = fee(times(timedelta(0), booked=timedelta(minutes=1), arrived=True), reason=reason)
    assert result.money == PRICE
    assert "already there" in result.sentence


@pytest.mark.parametrize(
    ("late", "amount"),
    [(timedelta(minutes=14), "43.20"), (timedelta(minutes=15), "43.20"), (timedelta(minutes=16), "0.00")],
)
def test_a_technician_who_is_really_late_may_be_called_off_for_nothing(late, amount):
    assert fee(times(-late), reason="technician_late").money.amount == Decimal(amount)


def test_saying_late_before_the_start_changes_nothing():
    assert fee(times(timedelta(hours=1)), reason="technician_late").money.amount == Decimal("43.20")


def test_a_late_technician_is_free_only_when_that_is_the_reason():
    assert fee(times(-timedelta(minutes=30)), reason="plans_changed").money.amount == Decimal("43.20")


@pytest.mark.parametrize("actor", ["technician", "admin", "clock"])
@pytest.mark.parametrize("before", [timedelta(days=2), timedelta(minutes=10), -timedelta(hours=1)])
def test_nobody_but_the_customer_makes_the_customer_pay(actor, before):
    assert not fee(times(before), actor=actor).money


def test_before_anybody_is_booked_it_is_free():
    result = fee(None)
    assert not result.money
    assert result.sentence == "Free: nobody has been booked yet."


def test_a_move_does_not_dodge_the_fee():
    """It cost £43.20 when the customer asked to move the visit; a week ahead it still does."""
    result = fee(times(timedelta(days=7)), floor="43.20")
    assert result.money.amount == Decimal("43.20")
    assert "when you asked to move" in result.sentence


def test_the_floor_is_a_least_and_never_added():
    assert fee(times(timedelta(hours=1)), floor="21.60").money.amount == Decimal("43.20")


def test_the_floor_does_not_bind_when_the_technician_is_late():
    assert not fee(times(-timedelta(minutes=40)), reason="technician_late", floor="43.20").money


def test_the_floor_does_not_bind_when_the_technician_cancels():
    assert not fee(times(timedelta(days=1)), actor="technician", floor="43.20").money


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        (timedelta(days=2), "Free: more than 24 hours ahead."),
        (timedelta(hours=5), "£21.60, 25% of £86.40: less than 24 hours ahead."),
        (timedelta(minutes=5), "£43.20, 50% of £86.40: less than 2 hours ahead."),
    ],
)
def test_every_fee_explains_itself(before, sentence):
    assert fee(times(before)).sentence == sentence


def test_the_policy_of_the_booking_counts_and_not_todays():
    """The figures stored at booking time rule, whatever the defaults become."""
    strict = Policy(free_hours=48, late_percent=80)
    kept = Policy.from_json(strict.as_json())
    assert kept == strict
    result = cancellation_fee(kept, times(timedelta(hours=30)), "customer", "other", price=PRICE)
    assert result.money.amount == Decimal("69.12")


def test_a_policy_written_before_a_figure_existed_has_its_default():
    assert Policy.from_json({"free_hours": 12, "unknown": 3}) == Policy(free_hours=12)


def test_the_policy_is_said_in_words_with_its_own_figures():
    words = " ".join(Policy(free_minutes=7, late_percent=33).in_words())
    assert "7 minutes" in words
    assert "33%" in words


def test_a_customer_who_is_not_there_pays_and_one_who_was_left_waiting_does_not():
    absent = no_show_fee(POLICY, "customer", price=PRICE)
    assert absent.money == PRICE
    assert "nobody was there" in absent.sentence
    assert not no_show_fee(POLICY, "technician", price=PRICE).money


@given(
    before=st.integers(-600, 6000),
    booked=st.integers(0, 10_000),
    pence=st.integers(1, 10_000_000),
    floor=st.integers(0, 100_000),
    arrived=st.booleans(),
    actor=st.sampled_from(["customer", "technician", "admin"]),
    reason=st.sampled_from(["plans_changed", "technician_late", "other"]),
)
def test_the_fee_is_never_negative_and_never_over_the_price_or_the_floor(
    before, booked, pence, floor, arrived, actor, reason
):
    price = Money(Decimal(pence) / 100, "GBP")
    at = times(timedelta(minutes=before), booked=timedelta(minutes=booked), arrived=arrived)
    least = Decimal(floor) / 100
    result = cancellation_fee(POLICY, at, actor, reason, price=price, floor=least)
    assert 0 <= result.money.amount <= max(price.amount, least)
    assert result.money.currency == "GBP"
    assert result.sentence.endswith(".")


@given(before=st.integers(-600, 6000), later=st.integers(0, 600))
def test_waiting_longer_never_makes_it_cheaper(before, later):
    sooner = fee(times(timedelta(minutes=before)))
    nearer = fee(times(timedelta(minutes=before - later)))
    assert nearer.money.amount >= sooner.money.amount
