"""The banner moves on every page of whoever a change concerns, and the toast tells only what others did."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, Technician, User
from bookings import actions, due
from bookings.live.banner import load_strips, strips
from bookings.live.news import News, news_for
from bookings.tests import make
from bookings.tests.follow import audience, keys_of, sent, touched_by
from bookings.tests.make import BRIGHTON, HOUR, MINUTE, NOW
from realtime.fragments import site_wide_for

pytestmark = pytest.mark.django_db


def moved(act) -> set[str]:
    """The first names of those whose banner is looked at again."""
    keys = keys_of(touched_by(act), "bookings.banner")
    return {user.first_name for user in User.objects.filter(pk__in=keys)}


def line(user: User) -> str:
    """What a person's banner says."""
    found = load_strips([str(user.pk)])[str(user.pk)]
    return found.line.text if found.line else ""


def news(user: User, now=NOW) -> News | None:
    """What a person's toast would say."""
    return news_for({user.pk: user.role}, now).get(user.pk)


def told(user: User, now=NOW) -> str:
    found = news(user, now)
    return found.text if found else ""


class TestWhereItStands:
    def test_customers_and_technicians_have_one_on_every_page(self, alice, bob, ed, frank) -> None:
        for person in (alice, bob):
            assert [(f.name, key, topic) for f, key, topic in site_wide_for(person) if f is strips] == [
                ("bookings.banner", str(person.pk), f"user.{person.pk}")
            ]
        for person in (ed, frank):
            assert strips not in [fragment for fragment, *_ in site_wide_for(person)]

    def test_it_is_there_empty_so_that_the_page_follows_its_topic(self, client: Client, alice) -> None:
        client.force_login(alice)
        page = client.get(reverse("profile")).content.decode()
        assert f'id="bookings-banner-{alice.pk}"' in page and f'data-topic="user.{alice.pk}"' in page
        assert 'class="banner ' not in page

    def test_an_unrelated_page_shows_the_job(self, client: Client, alice) -> None:
        booking = make.job(alice)
        client.force_login(alice)
        page = client.get(reverse("profile")).content.decode()
        assert "Finding technicians" in page and f'href="/jobs/{booking.pk}/"' in page and "Kitchen tap leaks" in page

    def test_a_closed_account_has_none(self, alice) -> None:
        make.job(alice)
        alice.is_active = False
        alice.save(update_fields=["is_active"])
        assert load_strips([str(alice.pk)]) == {}

    def test_the_running_clock_is_drawn_from_its_start(self, alice, bob) -> None:
        visit = make.live(make.visit(alice, bob))
        strip = load_strips([str(alice.pk)])[str(alice.pk)]
        html = strips.render(str(alice.pk), strip, f"user.{alice.pk}", "1")
        assert f'data-since="{visit.starts_at.isoformat()}"' in html

    def test_ones_banner_is_delivered_to_nobody_else(self, alice, bob, charlie, dora, ed, frank) -> None:
        booking = make.job(alice)
        found = [t for t in touched_by(lambda: make.offer(booking, bob)) if t.key == str(alice.pk)]
        assert audience(found, "bookings.banner", alice, bob, charlie, dora, ed, frank) == {"Alice"}


class TestWhoseBannerMoves:
    @pytest.fixture
    def far(self, db) -> User:
        return make.technician("Far", base=BRIGHTON)

    @pytest.fixture
    def sparks(self, db) -> User:
        return make.technician("Sparks", "electrics")

    def test_a_new_job_the_customers_and_those_near_with_the_skill(
        self, alice, charlie, bob, dora, far, sparks
    ) -> None:
        draft = make.draft(alice)
        assert moved(lambda: actions.open_booking(draft, by=alice, now=NOW)) == {"Alice", "Bob", "Dora"}
        assert line(bob) == "New job near you" == line(dora) and not line(far) and not line(sparks)

    def test_a_draft_nobodys(self, alice, bob) -> None:
        assert not moved(lambda: make.draft(alice))

    def test_the_first_offer_takes_the_job_from_the_others_banners(self, alice, bob, dora) -> None:
        booking = make.job(alice)
        assert moved(lambda: make.offer(booking, bob)) == {"Alice", "Bob", "Dora"}
        assert line(alice) == "1 offer, best £60.00" and line(dora) == ""

    def test_and_the_last_one_withdrawn_brings_it_back(self, alice, bob, dora) -> None:
        bid = make.offer(make.job(alice), bob)
        assert moved(lambda: actions.withdraw_bid(bid, by=bob, now=NOW)) == {"Alice", "Bob", "Dora"}
        assert line(dora) == "New job near you"

    def test_later_offers_move_the_ranks_of_those_who_offered_and_nobody_else(self, alice, bob, dora, far) -> None:
        third = make.technician("Third")
        booking = make.job(alice)
        make.offer(booking, bob, 50)
        assert moved(lambda: make.offer(booking, dora, 40)) == {"Alice", "Bob", "Dora"}
        assert line(bob) == "Your offer: 2nd lowest of 2" and line(third) == ""

    def test_a_revision_too(self, alice, bob, dora) -> None:
        booking = make.job(alice)
        bid = make.offer(booking, bob, 50)
        make.offer(booking, dora, 40)
        terms = {"amount": Decimal(30), "starts_at": bid.starts_at, "now": NOW}
        assert moved(lambda: actions.revise_bid(bid, by=bob, **terms)) == {"Alice", "Bob", "Dora"}
        assert line(dora) == "Your offer: 2nd lowest of 2"

    def test_accepting_moves_the_winner_the_losers_and_the_customer(self, alice, bob, dora, charlie) -> None:
        booking = make.job(alice)
        bid = make.offer(booking, bob)
        make.offer(booking, dora)
        assert moved(lambda: make.accept(bid)) == {"Alice", "Bob", "Dora"}
        assert line(alice).startswith("Bob is coming") and line(bob).startswith("Leave by") and line(dora) == ""

    def test_every_step_of_the_visit_moves_both_sides(self, alice, bob, dora) -> None:
        visit = make.visit(alice, bob)
        start = visit.starts_at
        steps = [
            lambda: actions.check_in(visit, by=bob, now=start),
            lambda: actions.start_session(visit, by=alice, now=start),
            lambda: actions.pause_session(visit, by=bob, reason="Lunch", now=start + MINUTE),
            lambda: actions.resume_session(visit, by=bob, now=start + 2 * MINUTE),
            lambda: actions.complete_session(visit, by=bob, note="Done.", now=start + HOUR),
        ]
        for step in steps:
            assert moved(step) == {"Alice", "Bob"}
        assert line(alice) == "Finished" == line(bob)

    def test_putting_it_away_empties_both(self, alice, bob) -> None:
        visit = make.finished(make.visit(alice, bob))
        assert moved(lambda: due.put_finished_away(visit.starts_at + 24 * HOUR)) == {"Alice", "Bob"}
        assert line(alice) == "" == line(bob)

    def test_a_job_given_back_is_near_again(self, alice, bob, dora) -> None:
        visit = make.visit(alice, bob)
        assert moved(lambda: actions.release(visit, by=bob, reason="Ill", now=NOW)) == {"Alice", "Bob", "Dora"}
        assert line(alice) == "Finding technicians" and line(dora) == "New job near you" and line(bob) == ""

    def test_an_expired_job_leaves_all(self, alice, bob, dora) -> None:
        booking = make.job(alice)
        assert moved(lambda: due.expire_bookings(booking.expires_at)) == {"Alice", "Bob", "Dora"}
        assert line(alice) == line(bob) == ""

    def test_a_cancelled_visit_leaves_both(self, alice, bob) -> None:
        visit = make.visit(alice, bob)
        cancel = {"by": alice, "reason": "mistake", "now": NOW}
        assert {"Alice", "Bob"} <= moved(lambda: actions.cancel_booking(visit.booking, **cancel))
        assert line(alice) == line(bob) == ""

    def test_another_name_reaches_the_customers_who_read_it(self, alice, bob, charlie) -> None:
        make.visit(alice, bob)

        def rename() -> None:
            bob.name = "Robert Test"
            bob.save(update_fields=["name"])

        assert moved(rename) == {"Alice", "Robert"}
        assert line(alice).startswith("Robert is coming")

    def test_another_radius_brings_other_jobs(self, alice, bob, far) -> None:
        make.job(alice)

        def widen() -> None:
            technician = Technician.objects.get(pk=far.pk)
            technician.radius_km = 100
            technician.save(update_fields=["radius_km"])

        assert moved(widen) == {"Far"} and line(far) == "New job near you"

    def test_another_role_takes_the_banner_away(self, alice, bob) -> None:
        make.job(alice)

        def promote() -> None:
            bob.role = Role.DRIVER
            bob.save(update_fields=["role"])

        assert sent(touched_by(promote), bob)[f"bookings-banner-{bob.pk}"] is None


class TestNews:
    """What the toast says. Each fixture person reads only what somebody else did."""

    def test_an_offer_and_its_revision(self, alice, bob) -> None:
        bid = make.offer(make.job(alice), bob, 45)
        assert told(alice) == "Bob offers £45.00" and told(bob) == ""
        actions.revise_bid(bid, by=bob, amount=Decimal(40), starts_at=bid.starts_at, now=NOW + MINUTE)
        assert told(alice, NOW + MINUTE) == "Bob now offers £40.00"

    def test_it_links_to_the_job(self, alice, bob) -> None:
        bid = make.offer(make.job(alice), bob, 45, now=timezone.now())
        strip = load_strips([str(alice.pk)])[str(alice.pk)]
        html = strips.render(str(alice.pk), strip, f"user.{alice.pk}", "1")
        assert f'data-toast="Bob offers £45.00" data-toast-href="/jobs/{bid.booking_id}/"' in html

    def test_what_one_did_oneself_is_no_news_and_brings_no_old_news_back(self, alice, bob, dora) -> None:
        booking = make.job(alice)
        make.offer(booking, bob, 45)
        bid = make.offer(booking, dora, 40, now=NOW + MINUTE)
        assert told(alice, NOW + MINUTE) == "Dora offers £40.00"
        for act in (
            lambda: actions.reject_bid(bid, by=alice, now=NOW + 2 * MINUTE),
            lambda: make.accept(booking.bids.get(technician=bob.pk), now=NOW + 3 * MINUTE),
            lambda: actions.cancel_booking(booking, by=alice, reason="mistake", now=NOW + 4 * MINUTE),
        ):
            act()
            assert told(alice, NOW + 5 * MINUTE) == "Dora offers £40.00"

    def test_the_visit_as_the_customer_hears_of_it(self, alice, bob) -> None:
        visit = make.visit(alice, bob)
        at = visit.starts_at
        actions.check_in(visit, by=bob, now=at)
        assert told(alice, at) == "Bob is at your door"
        actions.start_session(visit, by=bob, code=visit.start_code, now=at + MINUTE)
        assert told(alice, at + MINUTE) == "Bob has begun the work" and told(bob, at) == ""
        actions.pause_session(visit, by=bob, reason="Lunch", now=at + 2 * MINUTE)
        assert told(alice, at + 2 * MINUTE) == "Bob paused the work"
        actions.resume_session(visit, by=bob, now=at + 3 * MINUTE)
        assert told(alice, at + 3 * MINUTE) == "Bob goes on with the work"
        actions.complete_session(visit, by=bob, note="Done.", now=at + 4 * MINUTE)
        assert told(alice, at + 4 * MINUTE) == "Bob has finished the work"

    def test_the_customers_own_tap_is_news_to_the_technician_alone(self, alice, bob) -> None:
        visit = make.live(make.visit(alice, bob))
        assert told(bob, visit.starts_at) == "The customer let the work begin"
        assert told(alice, visit.starts_at) == "Bob is at your door"

    def test_winning_and_losing(self, alice, bob, dora) -> None:
        booking = make.job(alice)
        bid = make.offer(booking, bob, 45)
        make.offer(booking, dora, 40)
        make.accept(bid)
        assert told(bob) == "Your offer of £45.00 was accepted"
        assert told(dora) == "Another offer was chosen for a job of yours"

    def test_a_declined_and_a_lapsed_offer(self, alice, bob, dora) -> None:
        booking = make.job(alice)
        actions.reject_bid(make.offer(booking, bob, 45), by=alice, now=NOW)
        assert told(bob) == "Your offer of £45.00 was declined"
        bid = make.offer(booking, dora, 40)
        due.expire_bids(bid.valid_until)
        assert told(dora, bid.valid_until) == "Your offer of £40.00 has lapsed"

    def test_a_job_given_back_called_off_and_expired(self, alice, bob) -> None:
        visit = make.visit(alice, bob)
        actions.release(visit, by=bob, reason="Ill", now=NOW + MINUTE)
        assert told(alice, NOW + MINUTE).startswith("Your technician can no longer come")
        booking = make.fresh(visit.booking)
        due.expire_bookings(booking.expires_at)
        assert told(alice, booking.expires_at).startswith("No offer was accepted in time")

    def test_a_cancelled_visit_is_news_to_the_other_side(self, alice, bob) -> None:
        visit = make.visit(alice, bob)
        actions.cancel_booking(visit.booking, by=alice, reason="mistake", now=NOW + MINUTE)
        assert told(bob, NOW + MINUTE) == "The visit was called off"

    @pytest.mark.parametrize("by_customer", [True, False])
    def test_a_wish_to_move_and_its_answers(self, alice, bob, by_customer: bool) -> None:
        visit = make.visit(alice, bob)
        by, other = (alice, bob) if by_customer else (bob, alice)
        name = {True: "The customer", False: "Bob"}
        before = told(by)
        wish = actions.propose_reschedule(visit, by=by, starts_at=visit.starts_at + HOUR, now=NOW + MINUTE)
        assert told(other, NOW + MINUTE) == f"{name[by_customer]} asks to move the visit"
        assert told(by, NOW + MINUTE) == before
        actions.decline_reschedule(wish, by=other, now=NOW + 2 * MINUTE)
        assert told(by, NOW + 2 * MINUTE) == f"{name[not by_customer]} would rather keep the time"
        again = actions.propose_reschedule(visit, by=by, starts_at=visit.starts_at + HOUR, now=NOW + 3 * MINUTE)
        actions.accept_reschedule(again, by=other, now=NOW + 4 * MINUTE)
        assert told(by, NOW + 4 * MINUTE) == f"{name[not by_customer]} agreed: the visit is moved"

    def test_news_is_an_hours(self, alice, bob) -> None:
        make.offer(make.job(alice), bob, 45)
        assert told(alice, NOW + 59 * MINUTE) and not told(alice, NOW + 61 * MINUTE)

    def test_other_peoples_jobs_are_no_news(self, alice, bob, charlie, dora) -> None:
        make.offer(make.job(alice), bob, 45)
        assert told(charlie) == "" == told(dora)


class TestCost:
    def test_many_people_cost_the_queries_of_few(self, alice, charlie, bob, dora) -> None:
        make.offer(make.job(alice), bob)
        visit = make.visit(charlie, dora)

        def queries(*people: User) -> int:
            with CaptureQueriesContext(connection) as seen:
                load_strips([str(each.pk) for each in people])
            return len(seen)

        few = queries(alice, bob)
        for name in ("Gina", "Hal"):
            make.offer(make.job(make.person(name)), dora, starts_at=visit.starts_at + 2 * HOUR)
        many = queries(*User.objects.all())
        assert many <= few + 2  # the visits and their bookings, which Alice and Bob have none of
