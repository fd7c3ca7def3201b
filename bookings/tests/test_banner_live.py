"""The banner moves on every page of whoever a change concerns."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role, Technician, User
from bookings import actions, due
from bookings.live.banner import load_strips, strips
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


class TestWhereItStands:
    def test_customers_and_technicians_have_one_on_every_page(self, alice, bob, ed, frank) -> None:
        for person in (alice, bob):
            assert [(f.name, key, topic) for f, key, topic, _ in site_wide_for(person) if f is strips] == [
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
