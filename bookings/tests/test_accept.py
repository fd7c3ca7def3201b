"""Accepting an offer, and everything that follows from it; and a technician who withdraws after winning."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError

from bookings import actions
from bookings.actions.bids import lost_race
from bookings.models import Session
from bookings.tests import make
from bookings.tests.make import DAY, HOUR, MINUTE, NOW
from common.refusals import Conflict, Invalid


class TestAccept:
    def test_it_assigns_the_booking_and_makes_the_visit(self, alice, bob):
        booking = make.job(alice)
        bid = make.offer(booking, bob)
        session = make.fresh(make.accept(bid))
        assert make.fresh(booking).status == "assigned"
        assert make.fresh(bid).status == "accepted"
        assert (session.status, session.technician_id) == ("pending", bob.pk)
        assert (session.starts_at, session.ends_at) == (bid.starts_at, bid.ends_at)
        assert session.blocked_until == bid.ends_at + 25 * MINUTE
        assert len(session.start_code) == 4
        assert session.start_code.isdigit()

    def test_each_machine_writes_one_history_row(self, alice, bob):
        session = make.visit(alice, bob)
        assert make.states(session.booking) == ["open", "assigned"]
        assert make.states(session.bid) == ["submitted", "accepted"]
        assert make.states(session) == ["pending"]
        row = session.booking.history.last()
        assert (row.from_state, row.actor, row.actor_role, row.at) == ("open", alice, "customer", NOW)

    def test_the_siblings_are_not_selected(self, alice, bob, dora):
        booking = make.job(alice)
        loser = make.offer(booking, dora)
        make.accept(make.offer(booking, bob))
        kept = make.fresh(loser)
        assert (kept.status, kept.outcome) == ("not_selected", "The customer chose another offer.")

    def test_siblings_that_had_ended_already_stay_as_they_were(self, alice, bob, dora):
        booking = make.job(alice)
        gone = make.offer(booking, dora)
        actions.withdraw_bid(gone, by=dora, now=NOW)
        make.accept(make.offer(booking, bob))
        assert make.fresh(gone).status == "withdrawn"

    def test_the_winners_overlapping_offers_elsewhere_are_withdrawn_with_a_notice(self, alice, charlie, bob):
        elsewhere = make.offer(make.job(charlie), bob)
        make.accept(make.offer(make.job(alice), bob))
        kept = make.fresh(elsewhere)
        assert kept.status == "withdrawn"
        assert kept.outcome == "Withdrawn: you won another job at that time."

    def test_the_other_customers_history_does_not_name_this_one(self, alice, charlie, bob):
        elsewhere = make.offer(make.job(charlie), bob)
        make.accept(make.offer(make.job(alice), bob))
        assert elsewhere.history.last().actor == bob

    def test_the_winners_offers_at_other_times_stand(self, alice, charlie, bob):
        booking = make.job(charlie)
        later = make.offer(booking, bob, starts_at=booking.window_start + 2 * HOUR)
        make.accept(make.offer(make.job(alice), bob))
        assert make.fresh(later).status == "submitted"

    @pytest.mark.parametrize(("gap", "status"), [(24, "withdrawn"), (25, "submitted")])
    def test_travel_decides_what_overlaps_after(self, alice, charlie, bob, gap, status):
        booking = make.job(charlie)
        other = make.offer(booking, bob, starts_at=booking.window_start + HOUR + gap * MINUTE)
        make.accept(make.offer(make.job(alice), bob))
        assert make.fresh(other).status == status

    @pytest.mark.parametrize(("gap", "status"), [(24, "withdrawn"), (25, "submitted")])
    def test_and_before(self, alice, charlie, bob, gap, status):
        booking = make.job(alice)
        other = make.offer(make.job(charlie), bob)
        make.accept(make.offer(booking, bob, starts_at=other.ends_at + gap * MINUTE))
        assert make.fresh(other).status == status

    def test_other_technicians_offers_elsewhere_are_none_of_its_business(self, alice, charlie, bob, dora):
        other = make.offer(make.job(charlie), dora)
        make.accept(make.offer(make.job(alice), bob))
        assert make.fresh(other).status == "submitted"

    def test_codes_differ_from_visit_to_visit(self, alice):
        codes = {make.visit(alice, make.technician(f"T{n}")).start_code for n in range(6)}
        assert len(codes) > 1


class TestRefusals:
    def test_a_price_changed_meanwhile_is_looked_at_again(self, alice, bob):
        bid = make.offer(make.job(alice), bob)
        actions.revise_bid(bid, by=bob, amount=Decimal(90), starts_at=bid.starts_at, now=NOW)
        with pytest.raises(Conflict, match=r"^The price changed, please look again\.$"):
            make.accept(bid, revision=1)
        assert make.fresh(bid).status == "submitted"

    def test_the_new_price_can_then_be_accepted(self, alice, bob):
        bid = make.offer(make.job(alice), bob)
        actions.revise_bid(bid, by=bob, amount=Decimal(90), starts_at=bid.starts_at, now=NOW)
        assert make.accept(bid, revision=2).bid.amount == 90

    def test_a_second_accept_of_another_offer_loses(self, alice, bob, dora):
        booking = make.job(alice)
        one, other = make.offer(booking, bob), make.offer(booking, dora)
        make.accept(one)
        with pytest.raises(Conflict, match="Taken by another technician a moment ago") as refused:
            make.accept(other)
        assert refused.value.next_label
        assert Session.objects.count() == 1

    def test_a_second_accept_of_the_same_offer_says_so(self, alice, bob):
        session = make.visit(alice, bob)
        with pytest.raises(Conflict, match=r"You accepted this offer a moment ago\. Bob is coming"):
            make.accept(session.bid)

    def test_a_withdrawn_offer_is_gone(self, alice, bob):
        bid = make.offer(make.job(alice), bob)
        actions.withdraw_bid(bid, by=bob, now=NOW)
        with pytest.raises(Conflict, match="Bob's offer is withdrawn by now"):
            make.accept(bid)

    def test_a_lapsed_offer_is_gone_even_before_the_clock_has_said_so(self, alice, bob):
        bid = make.offer(make.job(alice), bob, valid_until=NOW + HOUR)
        with pytest.raises(Conflict, match="lapsed"):
            make.accept(bid, now=NOW + HOUR)

    def test_a_cancelled_job_is_over(self, alice, bob):
        booking = make.job(alice)
        bid = make.offer(booking, bob)
        actions.cancel_booking(booking, by=alice, reason="mistake", now=NOW)
        with pytest.raises(Conflict, match="now cancelled"):
            make.accept(bid)

    def test_a_technician_who_lost_their_verification_does_not_come(self, alice, bob):
        bid = make.offer(make.job(alice), bob)
        bob.technician.verified_at = None
        bob.technician.save(update_fields=["verified_at"])
        with pytest.raises(Conflict, match="does not take jobs any more"):
            make.accept(bid)

    def test_nor_one_whose_account_was_closed(self, alice, bob):
        bid = make.offer(make.job(alice), bob)
        bob.is_active = False
        bob.save(update_fields=["is_active"])
        with pytest.raises(Conflict, match="does not take jobs any more"):
            make.accept(bid)

    @pytest.mark.parametrize("who", ["bob", "charlie", "dora", "ed"])
    def test_only_the_customer_accepts(self, alice, bob, who, request):
        bid = make.offer(make.job(alice), bob)
        with pytest.raises(PermissionDenied):
            make.accept(bid, by=request.getfixturevalue(who))

    def test_a_refused_accept_changes_nothing(self, alice, bob, dora):
        booking = make.job(alice)
        bid, sibling = make.offer(booking, bob), make.offer(booking, dora)
        with pytest.raises(Conflict):
            make.accept(bid, revision=7)
        assert make.fresh(sibling).status == "submitted"
        assert make.states(booking) == ["open"]


class TestOverlap:
    def overlapping(self, alice, charlie, bob):
        """Two jobs at the same time with an offer of Bob's on each, one accepted while the other was off."""
        bid = make.offer(make.job(charlie), bob)
        actions.withdraw_bid(bid, by=bob, now=NOW)
        make.accept(make.offer(make.job(alice), bob))
        bid = make.fresh(bid)
        bid.status = "submitted"
        bid.save(update_fields=["status"])
        return bid

    def test_a_technicians_visits_never_overlap(self, alice, charlie, bob):
        bid = self.overlapping(alice, charlie, bob)
        with pytest.raises(Conflict, match="Bob was booked for that time a moment ago"):
            make.accept(bid)
        assert Session.objects.count() == 1

    def test_an_admin_may_let_them_and_it_is_audited(self, alice, charlie, bob, frank):
        bid = self.overlapping(alice, charlie, bob)
        session = make.accept(bid, by=frank, overlap_allowed=True)
        assert session.overlap_allowed
        row = session.history.get()
        assert (row.reason, row.actor, row.actor_role) == ("Overlap allowed.", frank, "admin")

    def test_a_customer_may_not_let_them(self, alice, charlie, bob):
        bid = self.overlapping(alice, charlie, bob)
        with pytest.raises(PermissionDenied):
            make.accept(bid, overlap_allowed=True)

    def test_a_finished_visit_frees_its_time(self, alice, charlie, bob):
        booking = make.job(charlie)
        first = make.visit(alice, bob)
        make.finished(first, at=first.starts_at + 10 * MINUTE)
        starts = first.starts_at + 30 * MINUTE
        bid = make.offer(booking, bob, starts_at=starts, now=first.starts_at + 15 * MINUTE)
        assert make.accept(bid, now=first.starts_at + 16 * MINUTE).starts_at == starts

    def test_a_cancelled_visit_frees_its_time(self, alice, charlie, bob):
        booking = make.job(charlie)
        actions.cancel_booking(make.visit(alice, bob).booking, by=alice, reason="mistake", now=NOW)
        assert make.accept(make.offer(booking, bob)).status == "pending"

    def test_what_a_constraint_stopped_is_said_like_any_lost_race(self, alice, bob):
        bid = make.offer(make.job(alice), bob)
        busy = lost_race(bid, IntegrityError('violates exclusion constraint "session_no_overlap"'))
        assert "booked for that time" in busy.sentence
        taken = lost_race(bid, IntegrityError("bid_accepted_once_a_booking"))
        assert taken.sentence.startswith("Taken by another technician a moment ago.")


class TestRelease:
    def release(self, session, by, **options):
        return make.fresh(actions.release(session, by=by, reason="Van broke down", now=NOW + HOUR, **options))

    def test_the_booking_opens_again(self, alice, bob):
        session = make.visit(alice, bob)
        booking = self.release(session, bob)
        assert booking.status == "open"
        assert make.states(booking) == ["open", "assigned", "open"]
        assert make.fresh(session).status == "cancelled"
        assert make.fresh(session.bid).status == "released"
        assert booking.fee is None

    def test_nobodys_old_offer_revives_by_itself(self, alice, bob, dora):
        booking = make.job(alice)
        loser = make.offer(booking, dora)
        self.release(make.accept(make.offer(booking, bob)), bob)
        assert make.fresh(loser).status == "not_selected"

    def test_those_not_selected_may_offer_anew_and_win(self, alice, bob, dora):
        booking = make.job(alice)
        loser = make.offer(booking, dora, 70)
        self.release(make.accept(make.offer(booking, bob)), bob)
        again = actions.revise_bid(loser, by=dora, amount=Decimal(65), starts_at=loser.starts_at, now=NOW + 2 * HOUR)
        assert (again.status, again.revision) == ("submitted", 2)
        session = make.accept(again, now=NOW + 2 * HOUR)
        assert session.technician_id == dora.pk
        assert Session.objects.active().get() == session

    def test_who_released_does_not_come_back(self, alice, bob):
        session = make.visit(alice, bob)
        self.release(session, bob)
        with pytest.raises(Conflict):
            actions.revise_bid(session.bid, by=bob, amount=Decimal(10), starts_at=session.starts_at, now=NOW + HOUR)

    def test_a_late_release_leaves_time_to_find_somebody(self, alice, bob):
        """The window is nearly over: it is made longer, so that others can still offer."""
        session = make.visit(alice, bob)
        late = session.starts_at + 3 * HOUR
        booking = make.fresh(actions.release(session, by=bob, reason="Flat tyre", now=late))
        assert booking.expires_at == late + 2 * HOUR
        assert booking.window_end > booking.expires_at

    def test_a_reason_is_asked_for(self, alice, bob):
        with pytest.raises(Invalid, match="tell the customer why"):
            actions.release(make.visit(alice, bob), by=bob, reason=" ", now=NOW)

    def test_at_the_door_it_is_too_late_to_release(self, alice, bob):
        session = make.waiting(make.visit(alice, bob))
        with pytest.raises(Conflict):
            self.release(session, bob)

    @pytest.mark.parametrize("who", ["alice", "dora", "charlie"])
    def test_nobody_else_releases(self, alice, bob, who, request):
        with pytest.raises(PermissionDenied):
            self.release(make.visit(alice, bob), request.getfixturevalue(who))

    def test_the_fee_of_an_earlier_move_is_forgotten(self, alice, bob):
        session = make.visit(alice, bob, window_start=NOW + 5 * HOUR, window_end=NOW + 9 * HOUR)
        moved = actions.propose_reschedule(
            session, by=alice, starts_at=session.starts_at + 3 * DAY, now=NOW + 10 * MINUTE
        )
        actions.accept_reschedule(moved, by=bob, now=NOW + 20 * MINUTE)
        assert make.fresh(session.booking).fee_floor > 0
        assert self.release(session, bob).fee_floor == 0
