"""What open pages are sent of somebody who is on the way, who gets it, and that nobody does once it is over."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bookings import actions as visits
from bookings.live.banner import load_strips
from bookings.tests import make
from bookings.tests.follow import audience, keys_of, on, sent, touched_by
from common.geo import Point
from realtime.journal import Touch
from realtime.render import render
from realtime.topics import Principal, members
from tracking import actions, trips
from tracking.live.journeys import turn_ages
from tracking.models import Journey, Position
from tracking.tests import make as road
from tracking.tests.make import NEAR
from tracking.topics import journey_topic

pytestmark = pytest.mark.django_db
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
FURTHER = Point(51.5400, -0.1420)


@pytest.fixture
def now():
    """These run at the true time: what is rendered says how old it is."""
    return timezone.now()


@pytest.fixture
def visit(alice, bob, now):
    """Bob is booked with Alice, an hour from now."""
    start = now + HOUR
    return make.visit(alice, bob, now=now, window_start=start, window_end=start + 4 * HOUR)


@pytest.fixture
def journey(visit, bob, now) -> Journey:
    """Bob is on the way."""
    return actions.set_out(visit, by=bob, now=now)


def fix(journey: Journey, place: Point, at, **fields) -> Position:
    """A fix is believed: the row that intake writes, which says whose journey it is."""
    row = Position.objects.filter(user=journey.traveller_id).first() or Position(user_id=journey.traveller_id)
    row.latitude, row.longitude, row.fix_at, row.seen_at, row.received_at = *place, at, at, at
    for name, value in fields.items():
        setattr(row, name, value)
    row.journey_id = journey.pk
    row.save()
    return row


def words(html: str | None) -> str:
    """The text of a fragment."""
    return " ".join(re.sub(r"<[^>]+>", " ", html or "").split())


class TestTheMarker:
    def test_a_fix_touches_the_marker_alone_and_costs_no_query_of_its_own(self, journey, now, bob) -> None:
        fix(journey, NEAR, now)
        found = touched_by(lambda: fix(journey, FURTHER, now + SECOND))
        mine = {t for t in found if t.fragment not in ("tracking.sender", "tracking.fleet") and "desk" not in t.topic}
        assert {(t.topic, t.fragment, t.key) for t in mine} == {
            (f"journey.{journey.pk}", "tracking.journey", str(journey.pk))
        }

    def test_a_row_that_names_no_journey_touches_none(self, journey, bob, now) -> None:
        found = touched_by(lambda: road.place(bob, NEAR, now=now))
        assert not keys_of(found, "tracking.journey")

    def test_its_customer_gets_it_and_nobody_else(self, journey, alice, bob, charlie, dora, ed, frank, now) -> None:
        found = touched_by(lambda: fix(journey, NEAR, now))
        assert audience(found, "tracking.journey", alice, bob, charlie, dora, ed, frank) == {"Alice"}

    def test_it_says_where_how_far_and_when(self, journey, alice, now) -> None:
        html = sent(touched_by(lambda: fix(journey, NEAR, now, pace=5.0)), alice)[f"tracking-journey-{journey.pk}"]
        text = words(html)
        assert "About 3 min" in text and "Bob is" in text and "680 m away, in Camden" in text
        assert "Arrives between" in text and "Updated just now" in text
        assert 'data-latitude="51.545"' in html and 'data-longitude="-0.141"' in html
        assert 'data-age-state="live"' in html and 'data-step="5"' in html

    def test_it_holds_neither_the_address_nor_a_surname(self, journey, alice, now) -> None:
        html = sent(touched_by(lambda: fix(journey, NEAR, now)), alice)[f"tracking-journey-{journey.pk}"]
        assert html and "Inverness" not in html and "NW1" not in html and "Bob Test" not in html

    @pytest.mark.parametrize(
        ("age", "state", "sentence"), [(90, "stale", "Last seen 1 min ago"), (400, "lost", "Out of sight")]
    )
    def test_an_old_one_says_so_in_words(self, journey, now, age, state, sentence) -> None:
        fix(journey, NEAR, now - age * SECOND)
        html = trips.load_trips([str(journey.pk)])[str(journey.pk)]
        assert html.state == state
        from tracking.live.journeys import journey as fragment

        text = fragment.render(str(journey.pk), html, journey_topic(journey.pk), "1")
        assert f'data-age-state="{state}"' in text and sentence in words(text)

    def test_before_the_first_fix_there_is_a_sentence_and_no_place(self, journey, alice) -> None:
        trip = trips.load_trips([str(journey.pk)])[str(journey.pk)]
        from tracking.live.journeys import journey as fragment

        html = fragment.render(str(journey.pk), trip, journey_topic(journey.pk), "1")
        assert "Bob has set out" in words(html) and "data-latitude" not in html

    def test_a_heading_shows_only_while_they_move(self, journey, alice, now) -> None:
        moving = sent(touched_by(lambda: fix(journey, NEAR, now, heading=90.0)), alice)
        assert 'data-heading="90.0"' in moving[f"tracking-journey-{journey.pk}"]
        still = sent(touched_by(lambda: fix(journey, NEAR, now + SECOND, heading=None)), alice)
        assert 'data-heading=""' in still[f"tracking-journey-{journey.pk}"]


class TestTheRide:
    def test_setting_out_brings_the_card_with_its_marker(self, visit, alice, bob, now) -> None:
        got = sent(touched_by(lambda: actions.set_out(visit, by=bob, now=now)), alice, bob)
        pk = Journey.objects.get().pk
        card = got[f"tracking-ride-{visit.booking_id}"]
        assert "Bob is on the way" in words(card)
        assert f'id="tracking-journey-{pk}"' in card and f'data-topic="journey.{pk}"' in card
        assert f'data-ride-map="{pk}"' in card and "Share this trip" in words(card)

    def test_it_is_the_customers(self, visit, alice, bob, charlie, dora, frank, now) -> None:
        found = touched_by(lambda: actions.set_out(visit, by=bob, now=now))
        assert audience(found, "tracking.ride", alice, bob, charlie, dora, frank) == {"Alice"}

    def test_a_fix_does_not_draw_it_anew(self, journey, now) -> None:
        assert not keys_of(touched_by(lambda: fix(journey, NEAR, now)), "tracking.ride")

    def test_a_driver_is_known_by_what_they_bring_and_drive(self, visit, alice, frank, now) -> None:
        gus = road.at_work("Gus", at=NEAR, plate="AB12 CDE", now=now)
        leg = road.leg(visit.booking, frank, now=now)
        got = sent(touched_by(lambda: road.en_route(leg, gus, now=now)), alice)
        card = words(got[f"tracking-ride-{visit.booking_id}"])
        assert "Gus is on the way" in card and "Delivery: A new boiler" in card and "Van AB12 CDE" in card

    def test_two_who_come_stand_in_one_card(self, journey, visit, alice, frank, now) -> None:
        gus = road.at_work("Gus", at=NEAR, now=now)
        road.en_route(road.leg(visit.booking, frank, now=now), gus, now=now)
        (ride,) = trips.load_rides([str(visit.booking_id)]).values()
        assert [trip.name for trip in ride.trips] == ["Bob", "Gus"]

    def test_many_rides_cost_the_queries_of_one(self, journey, visit, charlie, dora, now) -> None:
        def count(*keys: int) -> int:
            with CaptureQueriesContext(connection) as seen:
                trips.load_rides([str(key) for key in keys])
                trips.load_trips([str(pk) for pk in Journey.objects.values_list("pk", flat=True)])
                trips.load_sharings([str(pk) for pk in Journey.objects.values_list("pk", flat=True)])
            return len(seen)

        one = count(visit.booking_id)
        other = make.visit(charlie, dora, now=now, window_start=now + HOUR, window_end=now + 5 * HOUR)
        actions.set_out(other, by=dora, now=now)
        assert count(visit.booking_id, other.booking_id) == one


ENDS = {
    "arrived": lambda v, j, a, b: visits.check_in(v, by=b),
    "cancelled": lambda v, j, a, b: visits.cancel_booking(v.booking, by=a, reason="mistake"),
    "given back": lambda v, j, a, b: visits.release(v, by=b, reason="Ill"),
    "turned back": lambda v, j, a, b: actions.turn_back(j, by=b),
}


@pytest.mark.parametrize("end", ENDS)
class TestTheEnd:
    def over(self, end, visit, journey, alice, bob):
        """What is touched when the journey ends that way."""
        return touched_by(lambda: ENDS[end](visit, journey, alice, bob))

    def test_the_card_leaves_the_page_and_the_topic_is_nobodys(self, end, visit, journey, alice, bob, now) -> None:
        fix(journey, NEAR, now)
        link = actions.share(journey, by=alice)
        reader, bearer = Principal("user", str(alice.pk)), Principal("link", link.token)
        topic = journey_topic(journey.pk)
        assert members(topic, {reader, bearer}) == {reader, bearer}
        got = sent(self.over(end, visit, journey, alice, bob), alice, bob)
        assert got[f"tracking-ride-{visit.booking_id}"] is None
        assert f"tracking-journey-{journey.pk}" not in got, "the marker's topic has no members left to be sent anything"
        assert members(topic, {reader, bearer}) == set()

    def test_it_is_touched_so_that_open_pages_are_told_they_lost_it(self, end, visit, journey, alice, bob, now) -> None:
        fix(journey, NEAR, now)
        touches = self.over(end, visit, journey, alice, bob)
        assert ("tracking.journey", str(journey.pk)) in on(touches, journey_topic(journey.pk))

    def test_a_fix_that_comes_afterwards_is_in_nothing_the_customer_can_load(
        self, end, visit, journey, alice, bob, now
    ) -> None:
        fix(journey, NEAR, now)
        self.over(end, visit, journey, alice, bob)
        later = touched_by(lambda: fix(journey, FURTHER, timezone.now()))
        card = Touch(f"booking.{visit.booking_id}.customer", "tracking.ride", str(visit.booking_id))
        everything = sent(later | {card}, alice)
        assert everything[f"tracking-ride-{visit.booking_id}"] is None
        assert not [html for html in everything.values() if html and "51.54" in html]
        assert trips.load_trips([str(journey.pk)]) == {} and trips.load_rides([str(visit.booking_id)]) == {}

    def test_the_banners_go_back_to_the_visit(self, end, visit, journey, alice, bob, now) -> None:
        keys = keys_of(self.over(end, visit, journey, alice, bob), "bookings.banner")
        assert {str(alice.pk), str(bob.pk)} <= keys
        for strip in load_strips([str(alice.pk), str(bob.pk)]).values():
            assert strip.line is None or "way" not in strip.line.text


class TestTheTraveller:
    def test_the_next_step_changes_on_the_open_page_and_on_today(self, visit, bob, now) -> None:
        def steps(got: dict[str, str | None]) -> list[str]:
            return [words(got[key]) for key in (f"bookings-work-{visit.bid_id}", f"bookings-today-{bob.pk}")]

        before = [words(html) for html in sent(touched_by(lambda: make.fresh(visit).save()), bob).values()]
        assert any("On my way" in text and "I have arrived" in text for text in before)
        after = steps(sent(touched_by(lambda: actions.set_out(visit, by=bob, now=now)), bob))
        assert all("I have arrived" in text and "On my way" not in text for text in after)

    def test_the_fence_suggests_the_tap(self, journey, visit, bob, now) -> None:
        def come_near() -> None:
            row = make.fresh(journey)
            row.near_at = now
            row.save(update_fields=["near_at"])

        got = sent(touched_by(come_near), bob)
        assert "You are at the place" in words(got[f"bookings-work-{visit.bid_id}"])
        assert "You are at the place" in words(got[f"bookings-today-{bob.pk}"])

    def test_their_own_card_says_who_sees_them(self, visit, bob, alice, dora, now) -> None:
        found = touched_by(lambda: actions.set_out(visit, by=bob, now=now))
        pk = Journey.objects.get().pk
        assert "Alice sees where you are" in words(sent(found, bob)[f"tracking-trip-{pk}"])
        assert audience(found, "tracking.trip", alice, bob, dora) == {"Bob"}

    def test_drivers_have_a_screen_of_their_own(self, visit, frank, now) -> None:
        gus = road.at_work("Gus", at=NEAR, now=now)
        leg = road.leg(visit.booking, frank, now=now)
        assert not keys_of(touched_by(lambda: road.en_route(leg, gus, now=now)), "tracking.trip")


class TestSharing:
    def test_a_link_appears_and_goes_on_the_customers_page_alone(self, journey, alice, bob, charlie) -> None:
        found = touched_by(lambda: actions.share(journey, by=alice))
        assert audience(found, "tracking.sharing", alice, bob, charlie) == {"Alice"}
        link = journey.links.get()
        assert link.token in sent(found, alice)[f"tracking-sharing-{journey.pk}"]
        gone = sent(touched_by(lambda: actions.revoke_link(link, by=alice)), alice)
        assert link.token not in gone[f"tracking-sharing-{journey.pk}"]

    def test_the_bearer_gets_the_marker_and_nothing_else(self, journey, alice, now) -> None:
        link = actions.share(journey, by=alice)
        found = touched_by(lambda: fix(journey, NEAR, now))
        bearer = Principal("link", link.token)
        done = render(found, {touch.topic: {bearer} for touch in found}, "1")
        assert {touch.fragment for touch in done.pieces} == {"tracking.journey"}

    def test_a_link_taken_back_hears_nothing(self, journey, alice) -> None:
        link = actions.share(journey, by=alice)
        actions.revoke_link(link, by=alice)
        assert members(journey_topic(journey.pk), {Principal("link", link.token)}) == set()

    def test_one_link_shows_one_trip(self, journey, alice, charlie, dora, now) -> None:
        link = actions.share(journey, by=alice)
        other = make.visit(charlie, dora, now=now, window_start=now + HOUR, window_end=now + 5 * HOUR)
        theirs = actions.set_out(other, by=dora, now=now)
        assert members(journey_topic(theirs.pk), {Principal("link", link.token)}) == set()


class TestByTimeAlone:
    """Nothing is saved when a position grows old; the clock has the pages look again."""

    def turned(self, since, as_of) -> set[tuple[str, str]]:
        found = touched_by(lambda: turn_ages(since, as_of))
        return {(touch.fragment, touch.key) for touch in found}

    def all_of(self, journey, *people) -> set[tuple[str, str]]:
        pk = str(journey.pk)
        return {("tracking.journey", pk), ("tracking.trip", pk), *(("bookings.banner", str(p.pk)) for p in people)}

    @pytest.mark.parametrize("limit", [30, 300])
    def test_at_each_limit_the_marker_the_card_and_both_banners(self, journey, alice, bob, now, limit) -> None:
        fix(journey, NEAR, now)
        at = now + limit * SECOND
        assert self.turned(at - SECOND, at) == self.all_of(journey, alice, bob)
        assert self.turned(at, at + 5 * SECOND) == set() and self.turned(now, at - SECOND) <= self.all_of(
            journey, alice, bob
        )

    def test_one_who_was_never_heard_of_counts_from_setting_out(self, journey, alice, bob, now) -> None:
        assert self.turned(now + 29 * SECOND, now + 30 * SECOND) == self.all_of(journey, alice, bob)

    def test_what_is_over_is_left_alone(self, journey, bob, now) -> None:
        fix(journey, NEAR, now)
        actions.turn_back(journey, by=bob, now=now)
        assert self.turned(now, now + HOUR) == set()

    def test_a_tick_that_finds_nothing_is_one_query(self, journey, now, django_assert_num_queries) -> None:
        with django_assert_num_queries(1):
            turn_ages(now + SECOND, now + 2 * SECOND)
