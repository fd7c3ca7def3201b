"""Who may fetch what: strangers get 404, the wrong role 403 (rule 13); who may read the address (rule 9)."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from bookings import access, actions
from bookings.models import CompletionPhoto
from bookings.tests import make
from bookings.tests.make import DAY, HOUR, NOW

EVERYBODY = ["alice", "bob", "charlie", "dora", "ed", "frank"]
SEEN, FORBIDDEN, HIDDEN = "seen", "403", "404"


@pytest.fixture
def cast(alice, bob, charlie, dora, ed, frank):
    return {"alice": alice, "bob": bob, "charlie": charlie, "dora": dora, "ed": ed, "frank": frank}


def answers(cast, fetch, pk) -> dict[str, str]:
    """What everybody gets from `fetch`."""
    return {name: answer(fetch, user, pk) for name, user in cast.items()}


def answer(fetch, user, pk) -> str:
    try:
        assert fetch(user, pk).pk == pk
    except PermissionDenied:
        return FORBIDDEN
    except Http404:
        return HIDDEN
    return SEEN


def only(**given: str) -> dict[str, str]:
    """Those named get that, everybody else 404."""
    return {name: given.get(name, HIDDEN) for name in EVERYBODY}


class TestBooking:
    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            ("draft", only(alice=SEEN)),
            ("open", only(alice=SEEN, bob=SEEN, dora=SEEN, frank=SEEN)),
            ("assigned", only(alice=SEEN, bob=SEEN, frank=SEEN)),
            ("in_progress", only(alice=SEEN, bob=SEEN, frank=SEEN)),
            ("completed", only(alice=SEEN, bob=SEEN, frank=SEEN)),
            ("cancelled", only(alice=SEEN, frank=SEEN)),
        ],
    )
    def test_who_may_see_it(self, cast, status, expected):
        booking = make.in_state(cast["alice"], cast["bob"], status)
        assert answers(cast, access.booking_for, booking.pk) == expected

    def test_who_lost_may_see_what_became_of_it(self, cast):
        booking = make.job(cast["alice"])
        make.offer(booking, cast["dora"])
        make.accept(make.offer(booking, cast["bob"]))
        assert answer(access.booking_for, cast["dora"], booking.pk) == SEEN

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            ("draft", only(alice=SEEN)),
            ("open", only(alice=SEEN, bob=FORBIDDEN, dora=FORBIDDEN, frank=FORBIDDEN)),
            ("assigned", only(alice=SEEN, bob=FORBIDDEN, frank=FORBIDDEN)),
        ],
    )
    def test_whose_it_is(self, cast, status, expected):
        booking = make.in_state(cast["alice"], cast["bob"], status)
        assert answers(cast, access.own_booking, booking.pk) == expected

    def test_one_that_does_not_exist_looks_like_a_strangers(self, cast):
        assert answers(cast, access.booking_for, 10**9) == only()

    def test_the_last_draft_is_found_again(self, cast):
        alice = cast["alice"]
        assert access.draft_of(alice) is None
        make.draft(alice, now=NOW)
        last = make.draft(alice, now=NOW + HOUR)
        make.job(alice, now=NOW + HOUR)
        assert access.draft_of(alice) == last
        assert access.draft_of(cast["charlie"]) is None


class TestBid:
    def test_technicians_do_not_see_each_others(self, cast):
        booking = make.job(cast["alice"])
        make.offer(booking, cast["dora"])
        bid = make.offer(booking, cast["bob"])
        assert answers(cast, access.bid_for, bid.pk) == only(alice=SEEN, bob=SEEN, frank=SEEN)

    def test_whose_it_is(self, cast):
        bid = make.offer(make.job(cast["alice"]), cast["bob"])
        assert answers(cast, access.own_bid, bid.pk) == only(alice=FORBIDDEN, bob=SEEN, frank=FORBIDDEN)

    def test_whose_it_is_to_accept(self, cast):
        bid = make.offer(make.job(cast["alice"]), cast["bob"])
        assert answers(cast, access.bid_on_own_booking, bid.pk) == only(alice=SEEN, bob=FORBIDDEN, frank=FORBIDDEN)


class TestVisit:
    def test_its_two_sides_and_admins(self, cast):
        session = make.visit(cast["alice"], cast["bob"])
        assert answers(cast, access.session_for, session.pk) == only(alice=SEEN, bob=SEEN, frank=SEEN)

    def test_whose_work_it_is(self, cast):
        session = make.visit(cast["alice"], cast["bob"])
        assert answers(cast, access.own_session, session.pk) == only(alice=FORBIDDEN, bob=SEEN, frank=FORBIDDEN)

    def test_proposals_are_between_the_two(self, cast):
        session = make.visit(cast["alice"], cast["bob"])
        proposal = actions.propose_reschedule(session, by=cast["bob"], starts_at=session.starts_at + DAY, now=NOW)
        assert answers(cast, access.proposal_for, proposal.pk) == only(alice=SEEN, bob=SEEN, frank=SEEN)


class TestPhotos:
    def test_a_picture_is_for_who_may_see_the_job(self, cast, media):
        booking = make.job(cast["alice"])
        photo = actions.add_photo(booking, make.picture(), by=cast["alice"])
        everyone_on_the_market = only(alice=SEEN, bob=SEEN, dora=SEEN, frank=SEEN)
        assert answers(cast, access.photo_for, photo.pk) == everyone_on_the_market
        make.accept(make.offer(booking, cast["bob"]))
        assert answers(cast, access.photo_for, photo.pk) == only(alice=SEEN, bob=SEEN, frank=SEEN)

    def test_a_drafts_picture_is_its_customers_alone(self, cast, media):
        photo = actions.add_photo(make.draft(cast["alice"]), make.picture(), by=cast["alice"])
        assert answers(cast, access.photo_for, photo.pk) == only(alice=SEEN)

    def test_a_picture_of_the_work_is_for_the_visits_two_sides(self, cast, media):
        booking = make.job(cast["alice"])
        make.offer(booking, cast["dora"])
        session = make.live(make.accept(make.offer(booking, cast["bob"])))
        actions.complete_session(session, by=cast["bob"], note="Done.", photos=[make.picture()])
        photo = CompletionPhoto.objects.get()
        assert answers(cast, access.completion_photo_for, photo.pk) == only(alice=SEEN, bob=SEEN, frank=SEEN)


class TestContact:
    def readers(self, cast, booking) -> set[str]:
        return {name for name, user in cast.items() if access.contact_visible(booking, user)}

    def test_before_assignment_the_customer_and_admins_alone(self, cast):
        booking = make.job(cast["alice"])
        make.offer(booking, cast["bob"])
        assert self.readers(cast, booking) == {"alice", "frank"}

    def test_once_assigned_the_winner_too_and_no_other_bidder(self, cast):
        booking = make.job(cast["alice"])
        make.offer(booking, cast["dora"])
        make.accept(make.offer(booking, cast["bob"]))
        assert self.readers(cast, booking) == {"alice", "bob", "frank"}

    @pytest.mark.parametrize("stage", [make.waiting, make.live, make.finished])
    def test_during_the_visit_and_while_the_finished_job_is_on_show(self, cast, stage):
        session = stage(make.visit(cast["alice"], cast["bob"]))
        assert "bob" in self.readers(cast, session.booking)

    def test_not_after_the_job_is_put_away(self, cast):
        booking = make.finished(make.visit(cast["alice"], cast["bob"])).booking
        booking.put_away_at = NOW
        booking.save(update_fields=["put_away_at"])
        assert self.readers(cast, booking) == {"alice", "frank"}

    def test_not_after_a_release(self, cast):
        session = make.visit(cast["alice"], cast["bob"])
        actions.release(session, by=cast["bob"], reason="Ill", now=NOW)
        assert self.readers(cast, session.booking) == {"alice", "frank"}

    def test_not_after_a_cancellation(self, cast):
        session = make.visit(cast["alice"], cast["bob"])
        actions.cancel_booking(session.booking, by=cast["alice"], reason="mistake", now=NOW)
        assert self.readers(cast, session.booking) == {"alice", "frank"}

    def test_the_successor_reads_it_and_the_predecessor_no_longer(self, cast):
        booking = make.job(cast["alice"])
        session = make.accept(make.offer(booking, cast["bob"]))
        actions.release(session, by=cast["bob"], reason="Ill", now=NOW)
        make.accept(make.offer(make.fresh(booking), cast["dora"]))
        assert self.readers(cast, booking) == {"alice", "dora", "frank"}


class TestTopicsMembers:
    def among(self, cast, rule, booking) -> set[str]:
        ids = {user.pk: name for name, user in cast.items()}
        return {ids[pk] for pk in rule(set(ids), booking.pk)}

    def test_once_assigned_the_winner_alone(self, cast):
        booking = make.job(cast["alice"])
        make.offer(booking, cast["dora"])
        assert self.among(cast, access.assigned_among, booking) == set()
        make.accept(make.offer(booking, cast["bob"]))
        assert self.among(cast, access.assigned_among, booking) == {"bob"}

    def test_a_closed_account_knows_nothing(self, cast):
        booking = make.visit(cast["alice"], cast["bob"]).booking
        cast["bob"].is_active = False
        cast["bob"].save(update_fields=["is_active"])
        assert self.among(cast, access.assigned_among, booking) == set()

    def test_it_is_one_query(self, cast, django_assert_num_queries):
        booking = make.visit(cast["alice"], cast["bob"]).booking
        with django_assert_num_queries(1):
            access.assigned_among({user.pk for user in cast.values()}, booking.pk)
