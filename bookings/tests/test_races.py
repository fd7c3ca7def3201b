"""Races with real threads, on either database: whoever loses reads a sentence, and nothing happens twice."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError

from bookings import actions, due
from bookings.models import Bid, BidHistory, Booking, BookingHistory, RescheduleProposal, Session, SessionHistory
from bookings.tests import make
from bookings.tests.make import DAY, HOUR, MINUTE, NOW
from common.refusals import Conflict, Invalid
from common.tests.race import at_once, split

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice():
    return make.person("Alice")


@pytest.fixture
def bob():
    return make.technician("Bob")


@pytest.fixture
def dora():
    return make.technician("Dora")


@pytest.fixture
def charlie():
    return make.person("Charlie")


def all_conflicts(errors) -> bool:
    return all(isinstance(error, Conflict) for error in errors)


def test_of_twenty_accepts_of_different_offers_one_wins(alice):
    booking = make.job(alice)
    bids = [make.offer(booking, make.technician(f"T{n}"), 50 + n) for n in range(20)]
    won, lost = split(at_once([partial(make.accept, bid) for bid in bids]))
    assert len(won) == 1
    assert len(lost) == 19
    assert all_conflicts(lost), lost
    assert all("moment ago" in error.sentence for error in lost)
    assert Session.objects.count() == 1
    assert Bid.objects.filter(status="accepted").get() == won[0].bid
    assert Bid.objects.filter(status="not_selected").count() == 19
    assert BookingHistory.objects.filter(to_state="assigned").count() == 1
    assert BidHistory.objects.filter(to_state="accepted").count() == 1
    assert BidHistory.objects.filter(to_state="not_selected").count() == 19
    assert SessionHistory.objects.count() == 1
    assert make.fresh(booking).status == "assigned"


def test_of_twenty_accepts_of_the_same_offer_one_wins(alice, bob):
    bid = make.offer(make.job(alice), bob)
    won, lost = split(at_once([partial(make.accept, bid)] * 20))
    assert (len(won), len(lost)) == (1, 19)
    assert all_conflicts(lost)
    assert make.states(bid) == ["submitted", "accepted"]


def test_two_customers_want_the_same_technician_at_the_same_time(bob):
    """Both accept; the technician comes to one of them."""
    for n in range(5):
        start = NOW + (n + 1) * DAY
        window = {"window_start": start, "window_end": start + 4 * HOUR}
        bids = [make.offer(make.job(make.person(f"C{n}{side}"), **window), bob) for side in "ab"]
        won, lost = split(at_once([partial(make.accept, bid) for bid in bids]))
        assert len(won) == 1
        assert all_conflicts(lost), lost
        assert Session.objects.active().filter(starts_at=start).count() == 1
        [loser] = [bid for bid in bids if bid.pk != won[0].bid_id]
        assert make.fresh(loser).status == "withdrawn"


def test_crosswise_accepts_do_not_wait_for_each_other_for_ever(bob, dora):
    """Bob and Dora have offers on both jobs: each accept touches the other's rows. Nobody deadlocks."""
    for n in range(5):
        start = NOW + (n + 1) * DAY
        window = {"window_start": start, "window_end": start + 4 * HOUR}
        one, other = (make.job(make.person(f"C{n}{side}"), **window) for side in "ab")
        bids = {(job.pk, who.pk): make.offer(job, who) for job in (one, other) for who in (bob, dora)}
        chosen = [bids[one.pk, bob.pk], bids[other.pk, dora.pk]]
        won, lost = split(at_once([partial(make.accept, bid) for bid in chosen]))
        assert (len(won), lost) == (2, [])
        assert {make.fresh(bid).status for bid in bids.values() if bid not in chosen} <= {"withdrawn", "not_selected"}


def test_an_accept_never_takes_a_price_that_was_not_seen(alice, bob):
    for n in range(8):
        booking = make.job(alice, window_start=NOW + (n + 1) * DAY, window_end=NOW + (n + 2) * DAY)
        bid = make.offer(booking, bob, 60)
        dearer = partial(actions.revise_bid, bid, by=bob, amount=Decimal(90), starts_at=bid.starts_at, now=NOW + MINUTE)
        accepted, revised = at_once([partial(make.accept, bid, revision=1), dearer])
        kept = make.fresh(bid)
        if isinstance(accepted, Conflict):
            assert accepted.sentence == "The price changed, please look again."
            assert (kept.status, kept.amount) == ("submitted", 90)
        else:
            assert isinstance(revised, Conflict)
            assert (kept.status, kept.amount) == ("accepted", 60)


def test_of_two_first_offers_of_one_technician_one_stands(alice, bob):
    booking = make.job(alice)
    won, lost = split(at_once([partial(make.offer, booking, bob, amount) for amount in (50, 60, 70, 80)]))
    assert len(won) == 1
    assert all_conflicts(lost), lost
    assert booking.bids.count() == 1


@pytest.mark.postgresql
def test_the_database_itself_refuses_two_overlapping_visits(alice, charlie, bob):
    """Without any of our locks: the exclusion constraint is behind them."""
    first = make.visit(alice, bob)
    times = {"starts_at": first.starts_at, "ends_at": first.ends_at, "blocked_until": first.blocked_until}
    actions.cancel_booking(first.booking, by=alice, reason="mistake", now=NOW)
    booking = make.job(charlie)
    other = Bid.objects.create(
        booking=booking,
        technician_id=bob.pk,
        amount=50,
        status="withdrawn",
        valid_until=first.starts_at,
        starts_at=first.starts_at,
        ends_at=first.ends_at,
    )

    def insert(bid):
        return Session.objects.create(
            booking=bid.booking, bid=bid, technician_id=bob.pk, travel_minutes=25, start_code="1234", **times
        )

    won, lost = split(at_once([partial(insert, first.bid), partial(insert, other)]))
    assert len(won) == 1
    assert isinstance(lost[0], IntegrityError)
    assert "session_no_overlap" in str(lost[0])


def test_two_agreed_moves_into_the_same_hour(charlie, alice, bob):
    """Bob has two visits; both customers agree at once to move theirs to the same time."""
    start = NOW + 5 * DAY
    sessions = [
        make.visit(customer, bob, window_start=NOW + (n + 1) * DAY, window_end=NOW + (n + 2) * DAY)
        for n, customer in enumerate((alice, charlie))
    ]
    proposals = [actions.propose_reschedule(session, by=bob, starts_at=start, now=NOW) for session in sessions]
    calls = [
        partial(actions.accept_reschedule, proposal, by=who, now=NOW)
        for proposal, who in zip(proposals, (alice, charlie), strict=True)
    ]
    won, lost = split(at_once(calls))
    assert len(won) == 1
    assert all_conflicts(lost), lost
    assert Session.objects.filter(starts_at=start).count() == 1
    assert sorted(RescheduleProposal.objects.values_list("status", flat=True)) == ["accepted", "proposed"]


def test_a_cancellation_and_a_check_in_at_once(alice, bob):
    for n in range(6):
        session = make.visit(alice, bob, window_start=NOW + (n + 1) * DAY, window_end=NOW + (n + 2) * DAY)
        at = session.starts_at
        at_once(
            [
                partial(actions.cancel_booking, session.booking, by=alice, reason="plans_changed", now=at),
                partial(actions.check_in, session, by=bob, now=at),
            ]
        )
        booking, kept = make.fresh(session.booking), make.fresh(session)
        assert (booking.status, kept.status) == ("cancelled", "cancelled")
        arrived = "waiting" in make.states(session)
        assert (booking.fee == session.bid.price) is arrived, "the fee follows what had happened when the lock was won"


def test_a_release_and_a_cancellation_at_once_do_not_deadlock(alice, bob):
    for n in range(6):
        session = make.visit(alice, bob, window_start=NOW + (n + 1) * DAY, window_end=NOW + (n + 2) * DAY)
        results = at_once(
            [
                partial(actions.cancel_booking, session.booking, by=alice, reason="plans_changed", now=NOW),
                partial(actions.release, session, by=bob, reason="Ill", now=NOW),
            ]
        )
        assert all_conflicts(split(results)[1]), results
        assert make.fresh(session.booking).status == "cancelled"
        assert make.states(session).count("cancelled") == 1


def test_wrong_codes_at_once_are_all_counted(alice, bob):
    session = make.waiting(make.visit(alice, bob))
    wrong = "0000" if session.start_code != "0000" else "1111"
    results = at_once([partial(actions.start_session, session, by=bob, code=wrong)] * 12)
    assert sum(isinstance(result, Invalid) for result in results) == 5
    assert sum(isinstance(result, Conflict) for result in results) == 7
    assert make.fresh(session).code_failures == 5


def test_the_code_and_the_tap_at_once_start_it_once(alice, bob):
    session = make.waiting(make.visit(alice, bob))
    calls = [
        partial(actions.start_session, session, by=bob, code=session.start_code, now=session.starts_at),
        partial(actions.start_session, session, by=alice, now=session.starts_at),
    ]
    won, lost = split(at_once(calls))
    assert (len(won), len(lost)) == (1, 1)
    assert all_conflicts(lost)
    assert make.states(session) == ["pending", "waiting", "live"]


class TestTwoClocks:
    """Several clocks tick at the same moment: every row is moved once."""

    @pytest.fixture(autouse=True)
    def no_target(self, settings):
        """Jobs may wait as long as they like here: the target has tests of its own."""
        settings.BOOKINGS = {**settings.BOOKINGS, "TARGET_MINUTES": 1_000_000}

    def tick(self, as_of, clocks=4):
        won, lost = split(at_once([partial(due.run_due, as_of)] * clocks))
        assert lost == []
        return sum(won)

    def test_bids_lapse_once(self, alice):
        booking = make.job(alice)
        for n in range(12):
            make.offer(booking, make.technician(f"T{n}"), valid_until=NOW + HOUR)
        moved = self.tick(NOW + HOUR)
        moved += due.run_due(NOW + HOUR)  # what a clock skipped because another held the booking
        assert moved == 12
        assert BidHistory.objects.filter(to_state="expired").count() == 12

    def test_bookings_expire_once(self, alice):
        for _ in range(12):
            make.job(alice)
        as_of = NOW + 3 * DAY
        assert self.tick(as_of) + due.run_due(as_of) == 12
        assert BookingHistory.objects.filter(to_state="expired").count() == 12

    def test_a_no_show_is_called_once(self, alice, bob):
        session = make.waiting(make.visit(alice, bob))
        actions.record_contact_attempt(session, by=bob, channel="call", now=session.starts_at)
        as_of = session.starts_at + 2 * HOUR
        assert self.tick(as_of) + due.run_due(as_of) == 1
        assert make.states(session) == ["pending", "waiting", "no_show"]

    def test_a_clock_does_not_wait_for_a_row_that_somebody_holds(self, alice, bob):
        """An accept and an expiry at once: one of them happens, whole."""
        for n in range(6):
            start = NOW + (n + 1) * DAY
            booking = make.job(alice, window_start=start, window_end=start + 2 * HOUR)
            bid = make.offer(booking, bob, valid_until=NOW + HOUR)
            accepted, _ = at_once([partial(make.accept, bid), partial(due.run_due, NOW + HOUR)])
            status = make.fresh(bid).status
            assert status == ("expired" if isinstance(accepted, Conflict) else "accepted")
            assert Booking.objects.get(pk=booking.pk).status in ("open", "assigned")
