"""Nobody was there: it takes an arrival, a wait and a contact attempt (rule 11)."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied

from bookings import actions
from bookings.tests import make
from bookings.tests.make import DAY, HOUR, MINUTE, NOW
from common.refusals import Conflict, Invalid


@pytest.fixture
def session(alice, bob):
    """Alice booked Bob for tomorrow noon."""
    return make.visit(alice, bob)


def tried(session, by, at, channel="call"):
    return actions.record_contact_attempt(session, by=by, channel=channel, now=at)


class TestCustomerAbsent:
    def test_arrived_waited_and_tried(self, session, bob):
        start = session.starts_at
        make.waiting(session)
        tried(session, bob, start + 5 * MINUTE)
        kept = make.fresh(actions.report_no_show(session, by=bob, now=start + 15 * MINUTE))
        booking = make.fresh(session.booking)
        assert (kept.status, booking.status, booking.no_show_party) == ("no_show", "no_show", "customer")
        assert booking.fee == session.bid.price
        assert "nobody was there" in booking.fee_explanation
        assert make.states(session) == ["pending", "waiting", "no_show"]

    def test_without_arriving_it_is_no_no_show(self, session, bob):
        tried(session, bob, session.starts_at)
        with pytest.raises(Conflict, match="Check in at the door first"):
            actions.report_no_show(session, by=bob, now=session.starts_at + HOUR)

    def test_without_the_wait_it_says_how_long_still(self, session, bob):
        make.waiting(session)
        tried(session, bob, session.starts_at)
        with pytest.raises(Conflict, match="wait 6 more minutes"):
            actions.report_no_show(session, by=bob, now=session.starts_at + 9 * MINUTE + MINUTE / 2)
        with pytest.raises(Conflict, match=r"wait 1 more minute first"):
            actions.report_no_show(session, by=bob, now=session.starts_at + 14 * MINUTE)

    def test_the_wait_of_an_early_bird_begins_at_the_agreed_start(self, session, bob):
        make.waiting(session, at=session.starts_at - HOUR)
        tried(session, bob, session.starts_at - 30 * MINUTE)
        with pytest.raises(Conflict, match="wait"):
            actions.report_no_show(session, by=bob, now=session.starts_at)

    def test_the_wait_of_a_late_comer_begins_when_they_came(self, session, bob):
        late = session.starts_at + 40 * MINUTE
        make.waiting(session, at=late)
        tried(session, bob, late)
        with pytest.raises(Conflict, match="wait"):
            actions.report_no_show(session, by=bob, now=late + 10 * MINUTE)

    def test_without_a_contact_attempt_it_is_no_no_show(self, session, bob):
        make.waiting(session)
        with pytest.raises(Conflict, match="Try to reach the other side first"):
            actions.report_no_show(session, by=bob, now=session.starts_at + HOUR)

    def test_an_attempt_before_arriving_does_not_count(self, session, bob):
        tried(session, bob, session.starts_at - HOUR)
        make.waiting(session)
        with pytest.raises(Conflict, match="Try to reach"):
            actions.report_no_show(session, by=bob, now=session.starts_at + HOUR)

    def test_the_other_sides_attempt_does_not_count(self, session, alice, bob):
        make.waiting(session)
        tried(session, alice, session.starts_at + MINUTE)
        with pytest.raises(Conflict, match="Try to reach"):
            actions.report_no_show(session, by=bob, now=session.starts_at + HOUR)

    def test_once_the_work_is_on_nobody_is_absent(self, session, bob):
        make.live(session)
        with pytest.raises(Conflict):
            actions.report_no_show(session, by=bob, now=session.starts_at + DAY)


class TestTechnicianAbsent:
    def test_the_customer_waited_and_tried(self, session, alice):
        start = session.starts_at
        tried(session, alice, start + 10 * MINUTE)
        actions.report_no_show(session, by=alice, now=start + 15 * MINUTE)
        booking = make.fresh(session.booking)
        assert (booking.status, booking.no_show_party) == ("no_show", "technician")
        assert not booking.fee
        assert make.states(booking) == ["open", "assigned", "no_show"]

    def test_before_the_wait_is_over_it_is_too_early(self, session, alice):
        tried(session, alice, session.starts_at)
        with pytest.raises(Conflict, match="wait 1 more minute"):
            actions.report_no_show(session, by=alice, now=session.starts_at + 14 * MINUTE)

    def test_a_call_the_day_before_is_no_attempt(self, session, alice):
        tried(session, alice, NOW)
        with pytest.raises(Conflict, match="Try to reach"):
            actions.report_no_show(session, by=alice, now=session.starts_at + HOUR)

    def test_who_checked_in_is_not_absent(self, session, alice):
        make.waiting(session)
        with pytest.raises(Conflict, match="checked in already"):
            actions.report_no_show(session, by=alice, now=session.starts_at + HOUR)


class TestContactAttempts:
    def test_each_side_notes_its_own(self, session, alice, bob):
        mine = tried(session, bob, NOW, "door")
        hers = tried(session, alice, NOW, "message")
        assert (mine.party, mine.channel) == ("technician", "door")
        assert (hers.party, hers.channel) == ("customer", "message")
        assert str(mine) == "Rang the bell 09:00 UTC"

    def test_a_way_of_trying_is_one_of_three(self, session, bob):
        with pytest.raises(Invalid, match="how you tried"):
            tried(session, bob, NOW, "pigeon")

    def test_while_the_work_is_on_there_is_nobody_to_reach(self, session, bob):
        make.live(session)
        with pytest.raises(Conflict):
            tried(session, bob, NOW)

    @pytest.mark.parametrize("who", ["charlie", "dora", "ed"])
    def test_strangers_note_and_report_nothing(self, session, who, request):
        stranger = request.getfixturevalue(who)
        with pytest.raises(PermissionDenied):
            tried(session, stranger, NOW)
        with pytest.raises(PermissionDenied):
            actions.report_no_show(session, by=stranger, now=session.starts_at + DAY)


def test_reporting_twice_is_a_conflict_and_one_row(session, alice):
    tried(session, alice, session.starts_at)
    at = session.starts_at + HOUR
    actions.report_no_show(session, by=alice, now=at)
    with pytest.raises(Conflict):
        actions.report_no_show(session, by=alice, now=at)
    assert make.states(session) == ["pending", "no_show"]


def test_a_no_show_frees_the_technicians_time(session, alice, charlie, bob):
    start = session.starts_at
    other = make.job(charlie)
    make.waiting(session)
    tried(session, bob, start)
    actions.report_no_show(session, by=bob, now=start + 15 * MINUTE)
    bid = make.offer(other, bob, starts_at=start + 20 * MINUTE, now=start + 16 * MINUTE)
    assert make.accept(bid, now=start + 17 * MINUTE).status == "pending"


class TestLongBeforeTheVisit:
    """A check-in of the day before, a slip or a trick, costs the customer nothing."""

    def test_cancelling_costs_what_it_cost_before(self, session, alice):
        make.waiting(session, at=NOW)
        before = actions.quote_cancellation(session.booking, by=alice, now=NOW + MINUTE)
        assert not before.money, before.sentence

    def test_from_half_an_hour_before_the_technician_is_there(self, session, alice):
        make.waiting(session, at=NOW)
        quote = actions.quote_cancellation(session.booking, by=alice, now=session.starts_at - 30 * MINUTE)
        assert quote.money == session.bid.price

    def test_once_the_customer_let_them_in_they_are_there_too(self, session, alice):
        make.live(session, at=NOW)
        assert actions.quote_cancellation(session.booking, by=alice, now=NOW + MINUTE).money == session.bid.price

    def test_an_attempt_of_the_day_before_is_none(self, session, bob):
        make.waiting(session, at=NOW)
        tried(session, bob, NOW)
        with pytest.raises(Conflict, match="Try to reach"):
            actions.report_no_show(session, by=bob, now=session.starts_at + HOUR)
        tried(session, bob, session.starts_at - 10 * MINUTE)
        assert actions.report_no_show(session, by=bob, now=session.starts_at + HOUR).status == "no_show"
