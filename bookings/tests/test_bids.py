"""Making, changing, withdrawing and declining offers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from bookings import actions
from bookings.models import Bid
from bookings.tests import make
from bookings.tests.make import DAY, HOUR, MINUTE, NOW
from common.refusals import Conflict, Invalid


class TestPlace:
    def test_an_offer_stands_with_its_first_revision(self, alice, bob):
        booking = make.job(alice)
        bid = make.fresh(make.offer(booking, bob, "59.50", message="I can be there at noon."))
        assert (bid.status, bid.revision, str(bid.price)) == ("submitted", 1, "£59.50")
        assert bid.technician_id == bob.pk
        assert bid.currency == booking.currency
        assert [row.revision for row in bid.revisions.all()] == [1]
        assert make.states(bid) == ["submitted"]

    def test_it_takes_as_long_as_the_booking_says(self, alice, bob):
        bid = make.offer(make.job(alice, duration_minutes=90), bob)
        assert bid.ends_at - bid.starts_at == 90 * MINUTE

    def test_it_may_say_its_own_end(self, alice, bob):
        booking = make.job(alice)
        bid = make.offer(booking, bob, ends_at=booking.window_start + 2 * HOUR)
        assert bid.ends_at - bid.starts_at == 2 * HOUR

    def test_it_is_valid_for_48_hours(self, alice, bob):
        booking = make.job(alice, window_start=NOW + 5 * DAY, window_end=NOW + 5 * DAY + 4 * HOUR)
        assert make.offer(booking, bob).valid_until == NOW + 48 * HOUR

    def test_but_never_longer_than_until_its_own_start(self, alice, bob):
        bid = make.offer(make.job(alice), bob)
        assert bid.valid_until == bid.starts_at

    def test_a_second_offer_is_a_revision_instead(self, alice, bob):
        booking = make.job(alice)
        make.offer(booking, bob)
        with pytest.raises(Conflict, match="already"):
            make.offer(booking, bob, 50)
        assert Bid.objects.count() == 1

    def test_the_unverified_may_look_but_not_offer(self, alice):
        newcomer = make.technician("Newcomer", verified=False)
        with pytest.raises(PermissionDenied, match="look, but not offer yet"):
            make.offer(make.job(alice), newcomer)

    def test_the_wrong_skill_is_refused(self, alice):
        sparks = make.technician("Sparks", "electrics")
        with pytest.raises(PermissionDenied, match="skill"):
            make.offer(make.job(alice), sparks)

    @pytest.mark.parametrize("who", ["alice", "charlie", "ed", "frank"])
    def test_only_technicians_offer(self, alice, who, request):
        with pytest.raises(PermissionDenied):
            make.offer(make.job(alice), request.getfixturevalue(who))

    def test_working_hours_are_advice_and_no_guard(self, alice, bob):
        """The job is at night; Bob named no hours at all. He may still offer."""
        night = NOW.replace(hour=23)
        booking = make.job(alice, window_start=night, window_end=night + 3 * HOUR)
        assert make.offer(booking, bob).status == "submitted"

    @pytest.mark.parametrize("amount", ["0", "-5", "10.005", "1000000", "NaN", "Infinity"])
    def test_a_price_is_positive_and_in_whole_pence(self, alice, bob, amount):
        with pytest.raises(Invalid, match="price above zero"):
            make.offer(make.job(alice), bob, amount)

    def test_a_start_outside_the_window_is_refused_with_the_window(self, alice, bob):
        booking = make.job(alice)
        for start in (booking.window_start - MINUTE, booking.window_end):
            with pytest.raises(Invalid, match="12:00-16:00 GMT"):
                make.offer(booking, bob, starts_at=start)

    def test_a_start_in_the_past_is_refused(self, alice, bob):
        booking = make.job(alice, window_start=NOW - HOUR, window_end=NOW + 4 * HOUR)
        with pytest.raises(Invalid, match="passed"):
            make.offer(booking, bob, starts_at=NOW - MINUTE)

    def test_an_end_before_the_start_and_a_visit_of_days_are_refused(self, alice, bob):
        booking = make.job(alice)
        for end in (booking.window_start, booking.window_start + 2 * DAY):
            with pytest.raises(Invalid, match="end after it starts"):
                make.offer(booking, bob, ends_at=end)

    def test_a_validity_in_the_past_is_refused(self, alice, bob):
        with pytest.raises(Invalid, match="validity"):
            make.offer(make.job(alice), bob, valid_until=NOW - MINUTE)

    def test_ones_own_visit_in_the_way_is_said_at_once(self, alice, charlie, bob):
        make.visit(alice, bob)
        booking = make.job(charlie)
        with pytest.raises(Conflict, match="You have a visit Wed 12:00-13:00 GMT"):
            make.offer(booking, bob, starts_at=booking.window_start + 30 * MINUTE)

    def test_the_travel_after_a_visit_counts_too(self, alice, charlie, bob):
        """A visit from 12 to 13 with 25 minutes of travel: 13:24 is too early, 13:25 is not."""
        session = make.visit(alice, bob)
        booking = make.job(charlie)
        with pytest.raises(Conflict):
            make.offer(booking, bob, starts_at=session.ends_at + 24 * MINUTE)
        assert make.offer(booking, bob, starts_at=session.ends_at + 25 * MINUTE).status == "submitted"

    def test_a_job_that_is_gone_names_what_else_is_near(self, alice, charlie, bob, dora):
        booking = make.job(alice)
        make.accept(make.offer(booking, dora))
        make.job(charlie, title="Bath")
        make.job(charlie, title="Sink")
        with pytest.raises(Conflict, match=r"Taken by another technician a moment ago\. 2 similar jobs nearby\."):
            make.offer(booking, bob)

    def test_without_similar_jobs_it_still_says_what_to_do(self, alice, bob, dora):
        booking = make.job(alice)
        make.accept(make.offer(booking, dora))
        with pytest.raises(Conflict, match="See what else is open") as refused:
            make.offer(booking, bob)
        assert refused.value.next_label == "See open jobs"

    def test_a_cancelled_job_takes_no_offers(self, alice, bob):
        booking = make.in_state(alice, bob, "cancelled")
        with pytest.raises(Conflict, match="no longer takes offers"):
            make.offer(booking, bob)

    def test_an_expired_job_takes_none_even_before_the_clock_has_said_so(self, alice, bob):
        booking = make.job(alice)
        with pytest.raises(Conflict):
            make.offer(booking, bob, now=booking.expires_at)

    def test_nobody_offers_on_a_draft(self, alice, bob):
        with pytest.raises(PermissionDenied):
            make.offer(make.draft(alice), bob)


class TestRevise:
    def test_an_edit_makes_the_next_revision_and_keeps_the_old_one(self, alice, bob):
        bid = make.offer(make.job(alice), bob, 60)
        revised = actions.revise_bid(bid, by=bob, amount=Decimal(50), starts_at=bid.starts_at, now=NOW + MINUTE)
        assert (revised.revision, revised.amount) == (2, Decimal(50))
        assert [(row.revision, row.amount) for row in bid.revisions.all()] == [(1, 60), (2, 50)]
        assert make.fresh(bid).revised_at == NOW + MINUTE
        assert bid.history.last().reason == "Revision 2."

    def test_the_validity_starts_anew(self, alice, bob):
        booking = make.job(alice, window_start=NOW + 5 * DAY, window_end=NOW + 5 * DAY + 4 * HOUR)
        bid = make.offer(booking, bob)
        revised = actions.revise_bid(bid, by=bob, amount=Decimal(60), starts_at=bid.starts_at, now=NOW + DAY)
        assert revised.valid_until == NOW + 3 * DAY

    @pytest.mark.parametrize("who", ["alice", "dora", "frank"])
    def test_an_offer_is_its_technicians_word(self, alice, bob, who, request):
        bid = make.offer(make.job(alice), bob)
        with pytest.raises(PermissionDenied):
            actions.revise_bid(
                bid, by=request.getfixturevalue(who), amount=Decimal(1), starts_at=bid.starts_at, now=NOW
            )

    def test_a_withdrawn_offer_may_come_back(self, alice, bob):
        bid = make.offer(make.job(alice), bob)
        actions.withdraw_bid(bid, by=bob, now=NOW)
        again = actions.revise_bid(bid, by=bob, amount=Decimal(58), starts_at=bid.starts_at, now=NOW)
        assert (again.status, again.revision, again.outcome) == ("submitted", 2, "")
        assert make.states(bid) == ["submitted", "withdrawn", "submitted"]

    def test_a_declined_offer_may_not(self, alice, bob):
        bid = make.offer(make.job(alice), bob)
        actions.reject_bid(bid, by=alice, now=NOW)
        with pytest.raises(Conflict):
            actions.revise_bid(bid, by=bob, amount=Decimal(58), starts_at=bid.starts_at, now=NOW)

    def test_an_accepted_offer_is_not_edited(self, alice, bob):
        session = make.visit(alice, bob)
        with pytest.raises(Conflict):
            actions.revise_bid(session.bid, by=bob, amount=Decimal(99), starts_at=session.starts_at + 2 * HOUR, now=NOW)
        assert make.fresh(session.bid).amount == 60

    def test_a_loser_reads_that_it_is_taken(self, alice, bob, dora):
        booking = make.job(alice)
        bid = make.offer(booking, bob)
        make.accept(make.offer(booking, dora))
        with pytest.raises(Conflict, match="Taken by another technician a moment ago"):
            actions.revise_bid(bid, by=bob, amount=Decimal(40), starts_at=bid.starts_at, now=NOW)


class TestWithdrawAndReject:
    def test_a_technician_takes_it_back(self, alice, bob):
        bid = make.fresh(actions.withdraw_bid(make.offer(make.job(alice), bob), by=bob, reason="Ill", now=NOW))
        assert bid.status == "withdrawn"
        assert bid.history.last().reason == "Ill"

    def test_the_customer_declines_one_and_the_others_stand(self, alice, bob, dora):
        booking = make.job(alice)
        one, other = make.offer(booking, bob), make.offer(booking, dora)
        actions.reject_bid(one, by=alice, reason="Too dear", now=NOW)
        assert make.fresh(one).status == "rejected"
        assert make.fresh(one).outcome == "The customer declined it."
        assert make.fresh(other).status == "submitted"

    @pytest.mark.parametrize("who", ["alice", "charlie", "dora", "ed"])
    def test_nobody_else_withdraws(self, alice, bob, who, request):
        with pytest.raises(PermissionDenied):
            actions.withdraw_bid(make.offer(make.job(alice), bob), by=request.getfixturevalue(who), now=NOW)

    @pytest.mark.parametrize("who", ["bob", "charlie", "dora", "ed"])
    def test_nobody_else_declines(self, alice, bob, who, request):
        with pytest.raises(PermissionDenied):
            actions.reject_bid(make.offer(make.job(alice), bob), by=request.getfixturevalue(who), now=NOW)

    def test_an_accepted_offer_is_neither_withdrawn_nor_declined(self, alice, bob):
        bid = make.visit(alice, bob).bid
        with pytest.raises(Conflict):
            actions.withdraw_bid(bid, by=bob, now=NOW)
        with pytest.raises(Conflict):
            actions.reject_bid(bid, by=alice, now=NOW)

    def test_twice_is_a_conflict_and_one_history_row(self, alice, bob):
        bid = make.offer(make.job(alice), bob)
        actions.withdraw_bid(bid, by=bob, now=NOW)
        with pytest.raises(Conflict, match="now withdrawn"):
            actions.withdraw_bid(bid, by=bob, now=NOW)
        assert make.states(bid) == ["submitted", "withdrawn"]


def test_offers_are_ranked_by_price_and_then_by_age(alice, bob, dora):
    booking = make.job(alice)
    late = make.offer(booking, bob, 50, now=NOW + MINUTE)
    early = make.offer(booking, dora, 50)
    cheap = make.offer(booking, make.technician("Gina"), 45)
    assert list(booking.bids.standing().ranked()) == [cheap, early, late]


def test_a_revision_is_named_by_its_price(alice, bob):
    bid = make.offer(make.job(alice), bob, 45)
    assert str(bid) == "£45.00 (revision 1)"
    assert str(bid.revisions.get()) == "£45.00 (revision 1)"


def test_nobody_offers_on_their_own_job(alice, bob):
    """The desk may make a customer a technician."""
    booking = make.job(alice)
    booking.customer = bob
    booking.save(update_fields=["customer"])
    with pytest.raises(PermissionDenied, match="your own"):
        make.offer(booking, bob)


def test_who_is_no_technician_any_more_is_not_chosen(alice, bob):
    bid = make.offer(make.job(alice), bob)
    bob.role = "driver"
    bob.save(update_fields=["role"])
    with pytest.raises(Conflict, match="does not take jobs any more"):
        make.accept(bid)
