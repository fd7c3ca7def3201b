"""Moving a visit by consent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from bookings import actions
from bookings.models import RescheduleProposal
from bookings.tests import make
from bookings.tests.make import DAY, HOUR, MINUTE, NOW
from common.refusals import Conflict, Invalid


@pytest.fixture
def session(alice, bob):
    """Alice booked Bob for tomorrow noon, at £60."""
    return make.visit(alice, bob)


def propose(session, by, *, later=DAY, now=NOW, **options):
    return actions.propose_reschedule(session, by=by, starts_at=session.starts_at + later, now=now, **options)


class TestConsent:
    @pytest.mark.parametrize(("asks", "agrees"), [("alice", "bob"), ("bob", "alice")])
    def test_either_side_proposes_and_the_other_agrees(self, session, asks, agrees, request):
        proposal = propose(session, request.getfixturevalue(asks))
        moved = actions.accept_reschedule(proposal, by=request.getfixturevalue(agrees), now=NOW + HOUR)
        kept = make.fresh(moved)
        assert kept.starts_at == session.starts_at + DAY
        assert kept.ends_at == session.ends_at + DAY
        assert kept.blocked_until == session.blocked_until + DAY
        assert kept.status == "pending"
        assert make.fresh(proposal).status == "accepted"
        assert make.fresh(proposal).answered_at == NOW + HOUR

    def test_the_move_is_in_the_history_with_what_it_was(self, session, alice, bob):
        actions.accept_reschedule(propose(session, alice), by=bob, now=NOW)
        row = session.history.last()
        assert (row.from_state, row.to_state) == ("pending", "pending")
        assert row.reason == "Moved by consent; it was Wed 12:00-13:00 GMT."

    def test_until_the_answer_nothing_moves(self, session, alice):
        propose(session, alice)
        assert make.fresh(session).starts_at == session.starts_at

    def test_nobody_agrees_with_themselves(self, session, alice):
        with pytest.raises(PermissionDenied, match="other side"):
            actions.accept_reschedule(propose(session, alice), by=alice, now=NOW)

    def test_a_no_leaves_the_visit_when_it_is(self, session, alice, bob):
        proposal = actions.decline_reschedule(propose(session, bob), by=alice, now=NOW)
        assert make.fresh(proposal).status == "declined"
        assert make.fresh(session).starts_at == session.starts_at

    def test_one_takes_back_ones_own_only(self, session, alice, bob):
        proposal = propose(session, alice)
        with pytest.raises(PermissionDenied):
            actions.withdraw_reschedule(proposal, by=bob, now=NOW)
        actions.withdraw_reschedule(proposal, by=alice, now=NOW)
        with pytest.raises(Conflict, match="withdrawn by now"):
            actions.accept_reschedule(proposal, by=bob, now=NOW)

    def test_nobody_declines_their_own(self, session, alice):
        with pytest.raises(PermissionDenied):
            actions.decline_reschedule(propose(session, alice), by=alice, now=NOW)

    @pytest.mark.parametrize("who", ["charlie", "dora", "ed"])
    def test_strangers_have_no_say(self, session, alice, who, request):
        stranger = request.getfixturevalue(who)
        proposal = propose(session, alice)
        with pytest.raises(PermissionDenied):
            propose(session, stranger)
        for answer in (actions.accept_reschedule, actions.decline_reschedule, actions.withdraw_reschedule):
            with pytest.raises(PermissionDenied):
                answer(proposal, by=stranger, now=NOW)

    def test_answering_twice_is_a_conflict(self, session, alice, bob):
        proposal = propose(session, alice)
        actions.accept_reschedule(proposal, by=bob, now=NOW)
        with pytest.raises(Conflict, match="agreed by now"):
            actions.decline_reschedule(proposal, by=bob, now=NOW)


class TestOneAtATime:
    def test_a_second_thought_replaces_ones_first(self, session, alice):
        first = propose(session, alice)
        second = propose(session, alice, later=2 * DAY)
        assert make.fresh(first).status == "withdrawn"
        assert RescheduleProposal.objects.get(status="proposed") == second

    def test_the_other_sides_wants_an_answer_first(self, session, alice, bob):
        propose(session, alice)
        with pytest.raises(Conflict, match="Answer that first"):
            propose(session, bob)

    def test_unless_it_has_lapsed(self, session, alice, bob):
        old = propose(session, alice)
        propose(session, bob, now=old.expires_at)
        assert make.fresh(old).status == "expired"


class TestTimes:
    def test_it_may_be_longer(self, session, alice, bob):
        start = session.starts_at + DAY
        proposal = propose(session, alice, ends_at=start + 3 * HOUR)
        assert actions.accept_reschedule(proposal, by=bob, now=NOW).ends_at == start + 3 * HOUR

    def test_the_past_is_refused(self, session, alice):
        with pytest.raises(Invalid, match="passed"):
            propose(session, alice, later=-2 * DAY)

    def test_the_same_time_is_no_proposal(self, session, alice):
        with pytest.raises(Invalid, match="the time it has already"):
            propose(session, alice, later=0 * DAY)

    def test_an_end_before_the_start_is_refused(self, session, alice):
        with pytest.raises(Invalid, match="end after it starts"):
            propose(session, alice, ends_at=session.starts_at)

    def test_once_checked_in_it_is_not_moved(self, session, alice, bob):
        make.waiting(session)
        for side in (alice, bob):
            with pytest.raises(Conflict):
                propose(session, side)

    def test_a_lapsed_proposal_is_not_accepted(self, session, alice, bob):
        proposal = propose(session, alice)
        with pytest.raises(Conflict, match="lapsed"):
            actions.accept_reschedule(proposal, by=bob, now=proposal.expires_at)

    def test_it_lapses_after_a_day_and_before_the_visit_in_any_case(self, alice, bob):
        session = make.visit(alice, bob, window_start=NOW + 9 * DAY, window_end=NOW + 10 * DAY)
        assert propose(session, alice).expires_at == NOW + DAY
        late = propose(session, alice, now=session.starts_at - HOUR)
        assert late.expires_at == session.starts_at

    def test_shifting_by_less_than_its_length_does_not_clash_with_itself(self, session, alice, bob):
        proposal = propose(session, alice, later=30 * MINUTE)
        moved = actions.accept_reschedule(proposal, by=bob, now=NOW)
        assert moved.starts_at == session.starts_at + 30 * MINUTE

    def test_a_time_the_technician_has_no_longer_is_refused(self, session, charlie, alice, bob):
        proposal = propose(session, alice)
        start = session.starts_at + DAY
        make.visit(charlie, bob, window_start=start, window_end=start + 3 * HOUR)
        with pytest.raises(Conflict, match="another visit at that time"):
            actions.accept_reschedule(proposal, by=bob, now=NOW)
        assert make.fresh(session).starts_at == session.starts_at
        assert make.fresh(proposal).status == "proposed"


class TestFee:
    def test_a_late_move_does_not_dodge_the_fee(self, session, alice, bob):
        """Three hours ahead Alice asks to move the visit a week on; then she cancels."""
        at = session.starts_at - 3 * HOUR
        proposal = propose(session, alice, later=7 * DAY, now=at)
        assert proposal.fee_floor == Decimal("15.00")
        actions.accept_reschedule(proposal, by=bob, now=at)
        booking = actions.cancel_booking(session.booking, by=alice, reason="plans_changed", now=at + HOUR)
        assert booking.fee_amount == Decimal("15.000")
        assert "when you asked to move" in booking.fee_explanation

    def test_a_move_in_good_time_costs_nothing(self, session, alice, bob):
        proposal = propose(session, alice, later=7 * DAY)
        actions.accept_reschedule(proposal, by=bob, now=NOW)
        assert not actions.quote_cancellation(make.fresh(session.booking), by=alice, now=NOW + DAY).money

    def test_the_technicians_wish_costs_the_customer_nothing(self, session, alice, bob):
        at = session.starts_at - 3 * HOUR
        actions.accept_reschedule(propose(session, bob, later=7 * DAY, now=at), by=alice, now=at)
        assert not actions.quote_cancellation(make.fresh(session.booking), by=alice, now=at).money

    def test_asking_and_cancelling_before_the_answer_pays_by_the_old_time(self, session, alice):
        at = session.starts_at - HOUR
        propose(session, alice, later=7 * DAY, now=at)
        assert actions.quote_cancellation(session.booking, by=alice, now=at).money.amount == Decimal("30.00")

    def test_a_second_move_keeps_the_higher_floor(self, session, alice, bob):
        at = session.starts_at - HOUR
        actions.accept_reschedule(propose(session, alice, later=7 * DAY, now=at), by=bob, now=at)
        again = propose(make.fresh(session), alice, later=8 * DAY, now=at + MINUTE)
        actions.accept_reschedule(again, by=bob, now=at + MINUTE)
        assert make.fresh(session.booking).fee_floor == Decimal("30.000")
