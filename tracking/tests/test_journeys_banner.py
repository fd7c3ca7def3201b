"""The banner's rows for somebody on the way, and which line goes before which."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from bookings.banner import banner_for, banners_for
from bookings.live.banner import load_strips, strips
from bookings.tests import make
from bookings.tests.follow import keys_of, touched_by
from bookings.tests.make import CAMDEN, HOUR, MINUTE, NOW
from tracking import actions
from tracking.models import Journey, Position
from tracking.tests import make as road
from tracking.tests.make import FAR, NEAR

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def visit(alice, bob):
    """Bob is booked with Alice."""
    return make.visit(alice, bob)


@pytest.fixture
def journey(visit, bob) -> Journey:
    """Bob is on the way."""
    return actions.set_out(visit, by=bob, now=NOW)


def line(user: User, now=NOW) -> str | None:
    """What a person's banner says at `now`."""
    banner = banner_for(user, now)
    return banner and banner.full_text(now)


class TestWhatItSays:
    def test_en_route(self, journey, alice, bob) -> None:
        road.place(bob, FAR, now=NOW, pace=20.0)
        text = line(alice, NOW + 8 * SECOND)
        assert text is not None and text.startswith("On the way, about ") and text.endswith(" min (updated 8 s ago)")
        assert line(bob, NOW + 8 * SECOND) == "On my way"

    def test_a_stale_position(self, journey, alice, bob) -> None:
        road.place(bob, NEAR, now=NOW)
        assert line(alice, NOW + 3 * MINUTE) == "Last seen 3 min ago near Camden"
        assert line(bob, NOW + 3 * MINUTE) == "Your location is not reaching us"

    def test_outside_of_known_places_nothing_is_near(self, journey, alice, bob) -> None:
        road.place(bob, make.BRIGHTON, now=NOW)
        assert line(alice, NOW + 3 * MINUTE) == "Last seen 3 min ago"

    def test_before_the_first_fix(self, journey, alice, bob) -> None:
        assert line(alice) == "On the way" and line(bob) == "On my way"
        assert line(bob, NOW + MINUTE) == "Your location is not reaching us"

    def test_near_the_door(self, journey, alice, bob) -> None:
        journey.near_at = NOW
        journey.save(update_fields=["near_at"])
        road.place(bob, CAMDEN, now=NOW)
        assert line(alice) == "Nearly there"

    def test_it_leads_to_the_job(self, journey, alice, visit) -> None:
        banner = banner_for(alice, NOW)
        assert banner is not None and banner.url == f"/jobs/{visit.booking_id}/" and banner.title == "Kitchen tap leaks"

    def test_both_sentences_stand_in_it_so_that_the_page_turns_it_by_itself(self, journey, alice, bob) -> None:
        road.place(bob, NEAR, now=NOW)
        strip = load_strips([str(alice.pk)])[str(alice.pk)]
        html = strips.render(str(alice.pk), strip, f"user.{alice.pk}", "1")
        assert "On the way" in html and "Last seen" in html and "near Camden" in html
        assert 'data-at="live"' in html and 'data-at="stale lost"' in html and 'data-age="30 300"' in html

    def test_what_changes_by_the_minute_is_not_read_out(self, journey, alice, bob) -> None:
        for user, role in ((alice, "group"), (bob, "status")):
            strip = load_strips([str(user.pk)])[str(user.pk)]
            assert f'role="{role}"' in strips.render(str(user.pk), strip, f"user.{user.pk}", "1")


class TestWhichLineIsShown:
    def test_once_they_are_there_the_door(self, journey, visit, alice, bob) -> None:
        make.waiting(visit)
        assert line(alice, visit.starts_at) == f"Bob is at your door, code {visit.start_code}"
        assert line(bob, visit.starts_at) == "Ask for the code"

    def test_turning_back_brings_the_visit_back(self, journey, visit, alice, bob) -> None:
        actions.turn_back(journey, by=bob, now=NOW)
        assert (line(alice) or "").startswith("Bob is coming") and (line(bob) or "").startswith("Leave by")

    def test_work_that_runs_goes_before_a_driver_on_the_way(self, visit, alice, frank) -> None:
        make.live(visit)
        gus = road.at_work("Gus", at=NEAR)
        road.en_route(road.leg(visit.booking, frank), gus)
        assert line(alice, visit.starts_at) == "Work in progress, 00:00"

    def test_who_is_there_first_is_shown_first(self, journey, visit, alice, bob, frank) -> None:
        road.place(bob, FAR, now=NOW, pace=5.0)
        gus = road.at_work("Gus", at=NEAR)
        road.en_route(road.leg(visit.booking, frank), gus)
        assert line(alice) == "On the way, about 3 min (updated just now)"

    def test_a_driver_has_no_banner_and_nobody_touches_one(self, visit, frank) -> None:
        gus = road.at_work("Gus", at=NEAR)
        leg = road.leg(visit.booking, frank)
        assert str(gus.pk) not in keys_of(touched_by(lambda: road.en_route(leg, gus)), "bookings.banner")

    def test_strangers_read_nothing_of_it(self, journey, charlie, dora) -> None:
        assert line(charlie) is None and line(dora) is None


class TestCost:
    def test_most_fixes_move_no_banner(self, journey, bob) -> None:
        position = road.place(bob, NEAR, now=NOW)

        def later(seconds: int) -> set[str]:
            position.seen_at = NOW + seconds * SECOND
            return keys_of(touched_by(position.save), "bookings.banner")

        assert later(1) == later(20) == set()

    def test_many_people_cost_the_queries_of_few(self, journey, visit, alice, bob, frank) -> None:
        def queries(people: dict[int, str]) -> int:
            with CaptureQueriesContext(connection) as seen:
                banners_for(people, NOW)
            return len(seen)

        few = queries({alice.pk: "customer", bob.pk: "technician"})
        for number, name in enumerate(("Gina", "Hal"), 1):
            customer, worker = make.person(name), make.technician(f"{name}s technician")
            other = make.visit(customer, worker)
            actions.set_out(other, by=worker, now=NOW)
            road.place(worker, NEAR, now=NOW + number * SECOND)
        many = queries(dict(User.objects.values_list("pk", "role")))
        assert many == few and Position.objects.count() == 2

    def test_hours_later_it_is_still_one_line(self, journey, alice, bob) -> None:
        road.place(bob, NEAR, now=NOW)
        assert line(alice, NOW + 2 * HOUR) == "Last seen 2 h ago near Camden"
