"""What a second pair of eyes found: each a fault that was there, and the proof that it is gone."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime
from uuid import uuid4

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.actions import change_role, deactivate
from accounts.models import Role, User
from bookings.tests import make as bookings
from common.refusals import Conflict
from common.tests.race import at_once, split
from realtime.hub import Hub
from realtime.journal import Touch, write_touches
from realtime.models import Presence
from realtime.tests.harness import in_thread, until
from realtime.topics import Principal, members
from tracking import actions, intake
from tracking.actions import take_fixes
from tracking.actions.fixes import Batch
from tracking.due import run_due
from tracking.intake import Intake
from tracking.models import Fix, Journey, Position
from tracking.states import Refused
from tracking.tests import make
from tracking.tests.make import CAMDEN, HOUR, MINUTE, NOW
from tracking.tests.send import fix, send
from tracking.topics import fleet_topic, journey_topic
from tracking.trips import load_trips


def on_the_way(alice: User, name: str) -> Journey:
    """A technician on the way to a job of Alice's, since NOW."""
    bob = bookings.technician(name)
    session = bookings.visit(alice, bob, now=NOW - 26 * HOUR, window_start=NOW + HOUR, window_end=NOW + 5 * HOUR)
    return actions.set_out(session, by=bob, now=NOW)


# --- Taking fixes in


@pytest.mark.django_db(transaction=True)
def test_somebody_whose_account_is_gone_holds_up_nobody(alice: User) -> None:
    """Their refusals have no row to point to: the flush failed as a whole, for ever."""
    sam = make.at_work("Sam").user
    batch = Batch.of([fix(NOW)])
    done = take_fixes({sam.pk: batch, 10**6: batch}, now=NOW + MINUTE / 60)
    assert done[sam.pk].taken == 1


def test_late_fixes_come_one_a_second_too(db: None) -> None:
    """A track could grow by as many as one liked."""
    sam = make.at_work("Sam").user
    send(sam, fix(NOW + 10 * MINUTE), now=NOW + 10 * MINUTE)
    begun = NOW + MINUTE
    done = send(sam, *(fix(begun + MINUTE * n / 6000, spd=5) for n in range(100)), now=NOW + 10 * MINUTE)
    assert (done.late, done.refused) == (2, {Refused.TOO_FAST: 98}) and Fix.objects.count() == 3
    twice = send(sam, *[fix(begun, spd=5)] * 3, now=NOW + 10 * MINUTE)
    assert (twice.late, twice.refused) == (3, {}) and Fix.objects.count() == 3


def test_the_banner_of_many_journeys_costs_no_query_each(db: None, alice: User) -> None:
    journeys = [on_the_way(alice, name) for name in ("Bob", "Bill", "Ben", "Bert", "Bart")]
    counts = []
    for some in (journeys[:1], journeys[1:]):
        batches = {each.traveller_id: Batch.of([fix(NOW + MINUTE, CAMDEN)]) for each in some}
        with CaptureQueriesContext(connection) as queries:
            take_fixes(batches, now=NOW + MINUTE)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_a_flush_holds_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pool's were all held by those who waited for the flush, which waited for one of them."""
    sam, mine = make.at_work("Sam").user, []
    go, real = threading.Event(), intake.take_fixes
    monkeypatch.setattr(intake, "take_fixes", lambda batches, **more: (go.wait(20), real(batches, **more))[1])
    collector = Intake()

    def post() -> None:
        assert User.objects.exists()
        mine.append(connections["default"])
        collector.ask(sam.pk, Batch.of([fix(NOW)]), within=20)

    asking = in_thread(post)
    try:
        until(lambda: mine and mine[0].connection is None, "the connection is given back")
    finally:
        go.set()
        asking.join(20)
        until(lambda: not collector._going, "it rests")


# --- Journeys


@pytest.mark.django_db(transaction=True)
def test_of_two_visits_that_somebody_sets_out_to_at_once_one_is_refused(alice: User, bob: User) -> None:
    """The other was an error of the database."""
    visits = [bookings.visit(alice, bob, now=NOW - 26 * HOUR, **when) for when in two_windows()]
    done = at_once([lambda visit=visit: actions.set_out(visit, by=bob, now=NOW) for visit in visits])
    good, bad = split(done)
    assert len(good) == 1 and [type(each) for each in bad] == [Conflict]


def two_windows() -> list[dict[str, datetime]]:
    """Two times that do not overlap."""
    return [{"window_start": NOW + n * HOUR, "window_end": NOW + (n + 2) * HOUR} for n in (2, 8)]


def test_who_is_no_technician_any_more_is_not_followed(alice: User, frank: User) -> None:
    """Made a driver on the way, they were seen by the old customer for their whole shift."""
    journey = on_the_way(alice, "Bob")
    change_role(journey.traveller, by=frank, role=Role.DRIVER, now=NOW)
    run_due(NOW + MINUTE)
    assert load_trips([str(journey.pk)]) == {}


def test_a_closed_account_is_on_no_map(alice: User, frank: User) -> None:
    """Where they were last stayed there."""
    journey = on_the_way(alice, "Bob")
    send(journey.traveller, fix(NOW), now=NOW)
    deactivate(journey.traveller, by=frank, now=NOW)
    run_due(NOW + MINUTE)
    assert load_trips([str(journey.pk)]) == {} and not Position.objects.exists()


def test_a_link_of_a_closed_account_shows_nothing(client: Client, alice: User, frank: User) -> None:
    """Nobody could take it back."""
    link = actions.share(on_the_way(alice, "Bob"), by=alice, now=NOW)
    deactivate(alice, by=frank, now=NOW)
    assert client.get(reverse("tracking:shared", args=[link.token])).status_code == 410
    bearer = Principal("link", link.token)
    assert members(journey_topic(link.journey_id), {bearer}) == set()


# --- The desk


def test_the_first_of_all_days(client: Client, frank: User, ed: User) -> None:
    """There is none before it."""
    client.force_login(frank)
    assert client.get(reverse("desk:driver", args=[ed.pk]), {"day": "0001-01-01"}).status_code == 200


def test_who_comes_costs_no_query_each(db: None) -> None:
    """Several thousand pages come back together after a restart."""
    people = [str(bookings.person(f"Customer{n}").pk) for n in range(10)]
    counts = []
    for some in (people[:1], people[1:]):
        with CaptureQueriesContext(connection) as queries:
            write_touches([(None, page_of(person)) for person in some])
        counts.append(len(queries))
    assert counts[1] <= counts[0]


def page_of(person: str) -> Presence:
    """An open page of somebody."""
    return Presence(process_id=uuid4(), page_id="socket-1", kind="user", principal=person, since=NOW, seen_at=NOW)


# --- Pacing


def test_what_failed_and_was_held_back_is_forgotten_with_its_last_follower(db: None) -> None:
    """While it is remembered as failing no page is given a newer cursor."""
    touch = Touch(fleet_topic(), "tracking.fleet", "all")

    async def scene() -> dict[Touch, int]:
        hub = Hub(asyncio.get_running_loop())
        hub.followers[touch.topic] = {}
        hub.pacer.begin([touch.topic])
        hub._failing[touch] = 1
        hub._mark_again(touch, 0)
        assert not hub.dirty, "it is held back"
        del hub.followers[touch.topic]
        hub.pacer.undone([touch.topic])
        return hub._failing

    assert not asyncio.run(scene())
