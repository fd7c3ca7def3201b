"""What happens by the clock, and what does not."""

from __future__ import annotations

import logging
from decimal import Decimal

import pytest

from bookings import actions, due
from bookings.actions import moves
from bookings.models import Booking
from bookings.tests import make
from bookings.tests.make import DAY, HOUR, MINUTE, NOW


@pytest.fixture(autouse=True)
def no_target(settings) -> None:
    """Jobs may wait as long as they like here: the target has tests of its own."""
    settings.BOOKINGS = {**settings.BOOKINGS, "TARGET_MINUTES": 1_000_000}


class TestBids:
    def test_an_offer_lapses_when_its_validity_runs_out(self, alice, bob):
        bid = make.offer(make.job(alice), bob, valid_until=NOW + HOUR)
        assert due.run_due(NOW + HOUR - MINUTE) == 0
        assert due.run_due(NOW + HOUR) == 1
        kept = make.fresh(bid)
        assert kept.status == "expired"
        assert "You may offer again" in kept.outcome
        row = bid.history.last()
        assert (row.actor, row.actor_role, row.at) == (None, "clock", NOW + HOUR)

    def test_and_may_come_back_as_a_revision(self, alice, bob):
        bid = make.offer(make.job(alice), bob, valid_until=NOW + HOUR)
        due.run_due(NOW + HOUR)
        again = actions.revise_bid(bid, by=bob, amount=Decimal(55), starts_at=bid.starts_at, now=NOW + 2 * HOUR)
        assert again.status == "submitted"

    def test_what_was_decided_before_does_not_lapse(self, alice, bob):
        bid = make.visit(alice, bob).bid
        due.run_due(bid.valid_until)
        assert make.fresh(bid).status == "accepted"


class TestBookings:
    def test_an_open_booking_expires_and_its_offers_close(self, alice, bob):
        booking = make.job(alice)
        bid = make.offer(booking, bob, starts_at=booking.expires_at)
        due.run_due(booking.expires_at)
        assert make.fresh(booking).status == "expired"
        assert make.fresh(bid).status == "closed"
        assert make.states(booking) == ["open", "expired"]

    def test_not_a_minute_early(self, alice):
        booking = make.job(alice)
        assert due.run_due(booking.expires_at - MINUTE) == 0
        assert make.fresh(booking).status == "open"

    @pytest.mark.parametrize("status", ["draft", "assigned", "in_progress", "cancelled"])
    def test_only_open_ones_expire(self, alice, bob, status):
        booking = make.in_state(alice, bob, status)
        due.run_due(NOW + 2 * DAY)
        assert make.fresh(booking).status == status

    def test_a_booking_that_opened_again_expires_by_its_new_time(self, alice, bob):
        session = make.visit(alice, bob)
        late = session.starts_at + 3 * HOUR
        booking = actions.release(session, by=bob, reason="Ill", now=late)
        assert due.run_due(late + HOUR) == 0
        assert due.run_due(late + 2 * HOUR) == 1
        assert make.fresh(booking).status == "expired"


class TestProposals:
    def test_a_proposal_nobody_answered_lapses(self, alice, bob):
        session = make.visit(alice, bob)
        proposal = actions.propose_reschedule(session, by=alice, starts_at=session.starts_at + DAY, now=NOW)
        due.run_due(proposal.expires_at - MINUTE)
        assert make.fresh(proposal).status == "proposed"
        due.run_due(proposal.expires_at)
        assert make.fresh(proposal).status == "expired"
        assert make.fresh(session).starts_at == session.starts_at


class TestNoShows:
    def test_an_unreported_no_show_of_the_customer_is_called_after_an_hour(self, alice, bob):
        session = make.waiting(make.visit(alice, bob))
        actions.record_contact_attempt(session, by=bob, channel="call", now=session.starts_at)
        assert due.run_due(session.starts_at + 59 * MINUTE) == 0
        assert due.run_due(session.starts_at + 60 * MINUTE) == 1
        booking = make.fresh(session.booking)
        assert (booking.status, booking.no_show_party) == ("no_show", "customer")
        assert session.history.last().actor_role == "clock"

    def test_an_unreported_no_show_of_the_technician_too(self, alice, bob):
        session = make.visit(alice, bob)
        actions.record_contact_attempt(session, by=alice, channel="message", now=session.starts_at + MINUTE)
        assert due.run_due(session.starts_at + 60 * MINUTE) == 1
        assert make.fresh(session.booking).no_show_party == "technician"

    def test_without_a_contact_attempt_nobody_is_called_absent(self, alice, bob, dora):
        make.visit(alice, bob)
        waiting = make.waiting(make.visit(alice, dora))
        assert due.run_due(waiting.starts_at + 30 * DAY) == 0

    def test_the_absent_sides_own_attempt_is_none(self, alice, bob):
        session = make.waiting(make.visit(alice, bob))
        actions.record_contact_attempt(session, by=alice, channel="call", now=session.starts_at)
        assert due.run_due(session.starts_at + DAY) == 0

    def test_several_attempts_are_one_no_show(self, alice, bob):
        session = make.waiting(make.visit(alice, bob))
        for n in range(3):
            actions.record_contact_attempt(session, by=bob, channel="call", now=session.starts_at + n * MINUTE)
        assert due.run_due(session.starts_at + DAY) == 1

    def test_work_that_began_after_all_is_left_alone(self, alice, bob):
        session = make.waiting(make.visit(alice, bob))
        actions.record_contact_attempt(session, by=bob, channel="door", now=session.starts_at)
        actions.start_session(session, by=alice, now=session.starts_at + MINUTE)
        assert due.run_due(session.starts_at + DAY) == 0


class TestPutAway:
    def test_a_finished_job_is_put_away_after_twelve_hours(self, alice, bob):
        session = make.finished(make.visit(alice, bob))
        assert due.run_due(session.finished_at + 12 * HOUR - MINUTE) == 0
        assert due.run_due(session.finished_at + 12 * HOUR) == 1
        assert make.fresh(session.booking).put_away_at == session.finished_at + 12 * HOUR
        assert due.run_due(session.finished_at + DAY) == 0


class TestOldDrafts:
    def test_a_month_after_it_was_written_last_a_draft_goes_with_its_photos(
        self, alice, media, django_capture_on_commit_callbacks
    ):
        draft = make.draft(alice, now=NOW - 31 * DAY)
        actions.add_photo(draft, make.picture(), by=alice)
        with django_capture_on_commit_callbacks(execute=True):
            assert due.run_due(NOW) == 1
        assert not type(draft).objects.exists()
        assert not [path for path in media.rglob("*") if path.is_file()]

    def test_whoever_goes_on_writing_keeps_it(self, alice):
        draft = make.draft(alice, now=NOW - 31 * DAY)
        actions.save_draft(draft, by=alice, now=NOW - DAY, title="Still dripping")
        assert due.run_due(NOW) == 0

    def test_a_placed_job_is_no_draft(self, alice):
        make.job(alice, now=NOW - 31 * DAY, window_start=NOW + DAY, window_end=NOW + DAY + 4 * HOUR)
        assert due.run_due(NOW) == 0


class TestTheLoop:
    def test_a_quiet_tick_is_twelve_questions(self, alice, bob, django_assert_num_queries):
        make.visit(alice, bob)
        due.run_due(NOW)  # the first of a process looks at the days too
        with django_assert_num_queries(12):
            assert due.run_due(NOW) == 0

    def test_a_row_that_fails_does_not_stop_the_others(self, alice, charlie, monkeypatch, caplog):
        broken, fine = make.job(alice), make.job(charlie)
        real = due.expire_booking

        def sometimes(booking: Booking, **options) -> None:
            if booking.pk == broken.pk:
                raise RuntimeError("odd row")
            real(booking, **options)

        monkeypatch.setattr(due, "expire_booking", sometimes)
        with caplog.at_level(logging.ERROR):
            assert due.run_due(NOW + 3 * DAY) == 1
        assert make.fresh(fine).status == "expired"
        assert make.fresh(broken).status == "open"
        assert f"booking {broken.pk} failed" in caplog.text

    def test_a_failed_row_is_rolled_back_whole(self, alice, bob, monkeypatch):
        booking = make.job(alice)
        bid = make.offer(booking, bob, starts_at=booking.expires_at)
        monkeypatch.setattr("bookings.actions.booking.close_bids", lambda *args, **options: 1 / 0)
        due.expire_bookings(booking.expires_at)
        assert make.fresh(booking).status == "open"
        assert make.states(booking) == ["open"]
        assert make.fresh(bid).status == "submitted"

    def test_what_was_settled_in_between_is_left(self, alice, bob, monkeypatch):
        """The row was due when it was listed, and no longer when its lock was won."""
        booking = make.job(alice)
        bid = make.offer(booking, bob, valid_until=NOW + HOUR)
        real = moves.lock_bid

        def accepted_meanwhile(pk, held):
            make.accept(bid)
            return real(pk, held)

        monkeypatch.setattr(due, "lock_bid", accepted_meanwhile)
        assert due.expire_bids(NOW + HOUR) == 0
        assert make.fresh(bid).status == "accepted"

    def test_a_backlog_is_worked_off_over_several_ticks(self, alice, monkeypatch):
        monkeypatch.setattr(due, "BATCH", 2)
        for _ in range(5):
            make.job(alice)
        assert [due.run_due(NOW + 3 * DAY) for _ in range(4)] == [2, 2, 1, 0]
