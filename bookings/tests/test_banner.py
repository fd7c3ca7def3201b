"""The banner's one line, row by row of ui.md, for either side."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bookings import actions, due
from bookings.banner import banner_for, banners_for
from bookings.tests import make
from bookings.tests.make import BRIGHTON, DAY, HOUR, MINUTE, NOW


def line(user, now=NOW) -> str | None:
    """What the person reads."""
    banner = banner_for(user, now)
    return banner and banner.full_text(now)


def roles(*people) -> dict[int, str]:
    """Each person's role."""
    return {user.pk: user.role for user in people}


class TestCustomer:
    def test_nothing_is_going_on(self, alice):
        assert line(alice) is None

    def test_a_draft_is_nothing_yet(self, alice):
        make.draft(alice)
        assert line(alice) is None

    def test_open_without_offers(self, alice):
        booking = make.job(alice)
        banner = banner_for(alice, NOW)
        assert banner.text == "Finding technicians"
        assert banner.url_args == (booking.pk,)

    def test_open_with_offers(self, alice, bob, dora):
        booking = make.job(alice)
        make.offer(booking, bob, 60)
        assert line(alice) == "1 offer, best £60.00"
        make.offer(booking, dora, 45)
        assert line(alice) == "2 offers, best £45.00"

    def test_only_standing_offers_count(self, alice, bob, dora):
        booking = make.job(alice)
        make.offer(booking, bob, 60)
        actions.withdraw_bid(make.offer(booking, dora, 45), by=dora, now=NOW)
        assert line(alice) == "1 offer, best £60.00"

    def test_assigned(self, alice, bob):
        make.visit(alice, bob)
        assert line(alice) == "Bob is coming, Wed 12:00-13:00 GMT"

    def test_waiting_shows_the_code(self, alice, bob):
        session = make.waiting(make.visit(alice, bob))
        assert line(alice, session.starts_at) == f"Bob is at your door, code {session.start_code}"

    def test_live_counts(self, alice, bob):
        session = make.live(make.visit(alice, bob))
        now = session.starts_at + 32 * MINUTE
        banner = banner_for(alice, now)
        assert banner.text == "Work in progress"
        assert banner.clock_from == session.starts_at
        assert banner.full_text(now) == "Work in progress, 00:32"

    def test_paused_stands_still(self, alice, bob):
        session = make.live(make.visit(alice, bob))
        actions.pause_session(session, by=bob, reason="Tea", now=session.starts_at + 10 * MINUTE)
        banner = banner_for(alice, session.starts_at + HOUR)
        assert (banner.text, banner.clock_from) == ("Work paused, 00:10", None)

    def test_finished_until_it_is_put_away(self, alice, bob):
        session = make.finished(make.visit(alice, bob))
        assert line(alice) == "Finished"
        due.run_due(session.finished_at + 12 * HOUR)
        assert line(alice) is None

    @pytest.mark.parametrize("status", ["cancelled"])
    def test_what_is_over_is_not_spoken_of(self, alice, bob, status):
        make.in_state(alice, bob, status)
        assert line(alice) is None

    def test_a_reopened_booking_looks_for_technicians_again(self, alice, bob):
        session = make.visit(alice, bob)
        actions.release(session, by=bob, reason="Ill", now=NOW)
        assert line(alice) == "Finding technicians"

    def test_after_a_release_the_line_names_the_successor(self, alice, bob, dora):
        booking = make.job(alice)
        session = make.accept(make.offer(booking, bob))
        actions.release(session, by=bob, reason="Ill", now=NOW)
        make.accept(make.offer(make.fresh(booking), dora))
        assert line(alice).startswith("Dora is coming")


class TestUrgency:
    def test_of_several_bookings_the_most_urgent_speaks(self, alice, bob, dora):
        """Each next one outranks those before it."""
        make.finished(make.visit(alice, make.technician("Early"), now=NOW - 2 * DAY, **window(-1)))
        assert line(alice) == "Finished"
        make.job(alice, title="No offers yet")
        assert line(alice) == "Finding technicians"
        make.offer(make.job(alice), bob, 70)
        assert line(alice) == "1 offer, best £70.00"
        make.visit(alice, dora)
        assert line(alice).startswith("Dora is coming")
        make.waiting(make.visit(alice, make.technician("Gina")))
        assert line(alice).startswith("Gina is at your door")
        make.live(make.visit(alice, make.technician("Hal")))
        assert banner_for(alice, NOW).text == "Work in progress"

    def test_of_two_visits_the_sooner_one(self, alice, bob, dora):
        make.visit(alice, bob, **window(3))
        make.visit(alice, dora, **window(2))
        assert line(alice).startswith("Dora is coming, Thu")


def window(days: int) -> dict:
    """A window that many days from now."""
    start = NOW + days * DAY
    return {"window_start": start, "window_end": start + 4 * HOUR}


class TestTechnician:
    def test_nothing_near(self, alice, bob):
        make.job(alice, latitude=BRIGHTON.latitude, longitude=BRIGHTON.longitude)
        make.job(alice, category=make.category("socket", "electrics"))
        assert line(bob) is None

    def test_a_new_job_near(self, alice, bob):
        make.job(alice)
        newest = make.job(alice, now=NOW + MINUTE)
        banner = banner_for(bob, NOW + MINUTE)
        assert (banner.text, banner.url_args) == ("New job near you", (newest.pk,))

    def test_a_job_with_offers_is_no_longer_new(self, alice, bob, dora):
        make.offer(make.job(alice), dora)
        assert line(bob) is None

    def test_a_job_one_has_answered_already_is_not_new(self, alice, bob):
        actions.withdraw_bid(make.offer(make.job(alice), bob), by=bob, now=NOW)
        assert line(bob) is None

    def test_ones_offer_has_a_rank(self, alice, bob, dora):
        booking = make.job(alice)
        make.offer(booking, bob, 60)
        assert line(bob) == "Your offer: the only one so far"
        make.offer(booking, dora, 45)
        make.offer(booking, make.technician("Gina"), 70)
        make.offer(booking, make.technician("Hal"), 80)
        assert line(bob) == "Your offer: 2nd lowest of 4"
        assert line(dora) == "Your offer: lowest of 4"

    def test_a_cheaper_revision_moves_up(self, alice, bob, dora):
        booking = make.job(alice)
        bid = make.offer(booking, bob, 60)
        make.offer(booking, dora, 45)
        actions.revise_bid(bid, by=bob, amount=Decimal(40), starts_at=bid.starts_at, now=NOW)
        assert line(bob) == "Your offer: lowest of 2"

    def test_booked_says_when_to_leave(self, alice, bob):
        session = make.visit(alice, bob)
        assert line(bob) == "Leave by Wed 11:35"
        assert line(bob, session.starts_at - 3 * HOUR) == "Leave by 11:35"

    def test_waiting(self, alice, bob):
        make.waiting(make.visit(alice, bob))
        assert line(bob) == "Ask for the code"

    def test_live(self, alice, bob):
        session = make.live(make.visit(alice, bob))
        assert line(bob, session.starts_at + 32 * MINUTE) == "Working, 00:32"

    def test_paused_and_finished(self, alice, bob):
        session = make.live(make.visit(alice, bob))
        actions.pause_session(session, by=bob, reason="Tea", now=session.starts_at + 5 * MINUTE)
        assert line(bob) == "Paused, 00:05"
        actions.complete_session(session, by=bob, note="Done.", now=session.starts_at + HOUR)
        assert line(bob) == "Finished"

    def test_the_start_code_is_never_the_technicians_to_read(self, alice, bob):
        session = make.waiting(make.visit(alice, bob))
        assert session.start_code not in line(bob)

    def test_the_visit_speaks_before_offers_and_new_jobs(self, alice, charlie, bob):
        make.job(charlie)
        make.offer(make.job(charlie, **window(2)), bob)
        make.visit(alice, bob)
        assert line(bob).startswith("Leave by")

    def test_a_new_job_speaks_before_what_is_finished(self, alice, charlie, bob):
        make.finished(make.visit(alice, bob))
        make.job(charlie)
        assert line(bob) == "New job near you"


class TestMany:
    def test_drivers_and_admins_have_none(self, alice, ed, frank):
        make.job(alice)
        assert banners_for(roles(ed, frank), NOW) == {}

    def test_a_closed_account_has_none(self, alice):
        make.job(alice)
        alice.is_active = False
        alice.save(update_fields=["is_active"])
        assert line(alice) is None

    def test_everybody_reads_their_own(self, alice, bob, charlie, dora):
        make.visit(alice, bob)
        make.job(charlie)
        lines = banners_for(roles(alice, bob, charlie, dora), NOW)
        texts = {pk: banner.text for pk, banner in lines.items()}
        assert texts == {
            alice.pk: "Bob is coming, Wed 12:00-13:00 GMT",
            bob.pk: "Leave by Wed 11:35",
            charlie.pk: "Finding technicians",
            dora.pk: "New job near you",
        }

    def test_the_number_of_queries_does_not_grow(self, db, django_assert_max_num_queries):
        people = []
        for n in range(4):
            customer, worker = make.person(f"C{n}"), make.technician(f"T{n}")
            make.visit(customer, worker, **window(n + 1))
            bidder = make.technician(f"B{n}")
            make.offer(make.job(make.person(f"D{n}")), bidder)
            people += [customer, worker, bidder, make.technician(f"I{n}")]
        make.job(make.person("Last"))
        with django_assert_max_num_queries(10):
            few = banners_for(roles(*people[:4]), NOW)
        with django_assert_max_num_queries(10):
            many = banners_for(roles(*people), NOW)
        assert (len(few), len(many)) == (4, 16)

    def test_every_tone_is_one_of_the_tokens(self, alice, bob):
        tones = {"quiet", "info", "accent", "wait", "good", "bad"}
        session = make.visit(alice, bob)
        for stage in (lambda s: s, make.waiting):
            stage(session)
            assert {banner.tone for banner in banners_for(roles(alice, bob), NOW).values()} <= tones
