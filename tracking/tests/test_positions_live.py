"""The fragments of positions: what they hold, for whom, what touches them, and at what cost."""

from __future__ import annotations

import html
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role, User
from bookings.tests import make as bookings
from bookings.tests.follow import touched_by
from common.geo import Point
from realtime.topics import Principal, members
from tracking import actions
from tracking.live.positions import EVERYBODY, fleet, load_fleet, load_senders, sender
from tracking.models import Position, Shift
from tracking.rules.fixes import to_ms
from tracking.tests import make
from tracking.tests.make import CAMDEN, HOUR, MINUTE
from tracking.tests.send import fix, send
from tracking.topics import fixes_topic, fleet_topic, journey_topic

SECOND = MINUTE / 60


@pytest.fixture
def now() -> Any:
    """This moment, to the millisecond: the day of the counts is today."""
    return timezone.now().replace(microsecond=0)


@pytest.fixture
def sam(db: None, now: Any) -> User:
    """A driver on duty for an hour."""
    return make.at_work("Sam", now=now - HOUR).user


def changed(user: User, **fields: Any) -> None:
    """Save something about somebody."""
    for name, value in fields.items():
        setattr(user, name, value)
    user.save(update_fields=list(fields))


def people() -> list[list[Any]]:
    """The rows of the fleet as a page reads them."""
    text = fleet.render(EVERYBODY, load_fleet([EVERYBODY])[EVERYBODY], fleet_topic(), "1")
    found: list[list[Any]] = json.loads(html.unescape(text.partition(">")[2].rpartition("<")[0]))["people"]
    return found


def touches(act: Any, fragment: str) -> set[tuple[str, str]]:
    """Where one fragment was touched."""
    return {(touch.topic, touch.key) for touch in touched_by(act) if touch.fragment == fragment}


# --- The sender


def test_a_driver_hears_how_far_their_fixes_are_dealt_with(sam: User, now: Any) -> None:
    before = load_senders([str(sam.pk)])[str(sam.pk)]
    assert (before.collected, before.upto_ms, before.received_ms, before.seen_at, before.refused) == (
        True,
        0,
        None,
        None,
        (),
    )
    send(sam, fix(now - 2 * SECOND), fix(now, None), fix(now - SECOND, Point(0, 0)), "what?", now=now)
    it = load_senders([str(sam.pk)])[str(sam.pk)]
    assert (it.upto_ms, it.received_ms, it.seen_at, it.accuracy) == (to_ms(now), to_ms(now), now - 2 * SECOND, 8)
    assert it.refused == [("No place in it, or none on the globe", 2), ("Not readable", 1)]


def test_only_todays_refusals_are_told(sam: User, now: Any) -> None:
    send(sam, "what?", now=now - timedelta(days=1))
    assert load_senders([str(sam.pk)])[str(sam.pk)].refused == ()


def test_off_duty_a_driver_has_one_too_and_others_have_none(ed: User, alice: User, bob: User, frank: User) -> None:
    found = load_senders([str(user.pk) for user in (ed, alice, bob, frank)] + ["abc", "-1", "99999999"])
    assert set(found) == {str(ed.pk)} and found[str(ed.pk)].collected is False


def test_a_technician_has_one_while_on_the_way(alice: User, bob: User, now: Any) -> None:
    window = {"window_start": now + HOUR, "window_end": now + 5 * HOUR}
    session = bookings.visit(alice, bob, now=now - 26 * HOUR, **window)
    place = (fixes_topic(bob.pk), str(bob.pk))
    assert touches(lambda: actions.set_out(session, by=bob, now=now), "tracking.sender") == {place}
    assert load_senders([str(bob.pk)])[str(bob.pk)].collected is True
    journey = session.journeys.get()
    assert touches(lambda: actions.turn_back(journey, by=bob, now=now), "tracking.sender") == {place}
    assert load_senders([str(bob.pk)]) == {}


def test_each_step_of_a_shift_touches_the_sender(ed: User, now: Any) -> None:
    place = {(fixes_topic(ed.pk), str(ed.pk))}
    assert touches(lambda: actions.go_on_duty(ed, by=ed, now=now), "tracking.sender") == place
    for verb in (actions.take_break, actions.end_break, actions.go_off_duty):
        assert touches(lambda verb=verb: verb(Shift.objects.get(), by=ed, now=now), "tracking.sender") == place


def test_a_hundred_senders_cost_as_many_queries_as_one(db: None, now: Any) -> None:
    drivers = [make.at_work(f"Driver{n}", now=now - HOUR).user for n in range(12)]
    for user in drivers:
        send(user, fix(now), "what?", now=now)
    counts = []
    for some in (drivers[:1], drivers):
        with CaptureQueriesContext(connection) as caught:
            found = load_senders([str(user.pk) for user in some])
        assert len(found) == len(some)
        counts.append(len(caught))
    assert counts[0] == counts[1] <= 5


def test_it_is_rendered(sam: User, now: Any) -> None:
    send(sam, fix(now), now=now)
    key = str(sam.pk)
    text = sender.render(key, load_senders([key])[key], fixes_topic(sam.pk), "1")
    assert f'data-upto="{to_ms(now)}"' in text and f'id="tracking-sender-{key}"' in text


# --- The fleet


def test_the_fleet_is_there_while_nobody_is(db: None) -> None:
    assert people() == [] and load_fleet(["7"]) == {}


def test_the_fleet_holds_who_is_collected_and_what_is_known(sam: User, alice: User, bob: User, now: Any) -> None:
    window = {"window_start": now + HOUR, "window_end": now + 5 * HOUR}
    session = bookings.visit(alice, bob, now=now - 26 * HOUR, **window)
    changed(bob, name='Bob <b> & "Söhne"')
    actions.set_out(session, by=bob, now=now - MINUTE)
    vague = make.at_work("Vera", now=now - HOUR).user
    send(sam, fix(now - 3 * SECOND, Point(51.1234567, -0.1234567), 12.4, spd=9.46, hdg=44.6), now=now, rtt=75)
    send(bob, fix(now), now=now)
    send(vague, fix(now, acc=900), now=now)
    rows = {row[0]: row[1:] for row in people()}
    seen = to_ms(now - 3 * SECOND)
    assert rows[sam.pk] == [51.12346, -0.12346, 12, 45, 9.5, seen, seen, 75, "d", ""]
    assert rows[bob.pk][:2] == [round(each, 5) for each in CAMDEN]
    assert rows[bob.pk][8:] == ["t", 'Bob <b> & "Söhne"']
    assert rows[vague.pk] == [None, None, None, None, None, None, to_ms(now), None, "d", ""]


def test_no_markup_comes_out_of_a_name(bob: User, now: Any) -> None:
    changed(bob, name="</div><script>alert(1)</script>&amp;")
    Position.objects.create(user=bob, seen_at=now, received_at=now)
    text = fleet.render(EVERYBODY, load_fleet([EVERYBODY])[EVERYBODY], fleet_topic(), "1")
    assert "<script" not in text and text.count("<") == 2
    assert people()[0][-1] == "</div><script>alert(1)</script>&amp;"


def test_who_goes_off_duty_leaves_the_fleet(sam: User, now: Any) -> None:
    send(sam, fix(now), now=now)
    assert len(people()) == 1
    gone = touches(lambda: actions.go_off_duty(Shift.objects.get(), by=sam, now=now), "tracking.fleet")
    assert gone == {(fleet_topic(), EVERYBODY)} and people() == []


def test_the_fleet_is_one_query_and_small(db: None, now: Any) -> None:
    drivers = [make.at_work(f"Driver{n}", now=now - HOUR).user for n in range(20)]
    for n, user in enumerate(drivers):
        send(user, fix(now, Point(51.5 + n / 997, -0.1 - n / 991), spd=8.123, hdg=123.4), now=now, rtt=100)
    with CaptureQueriesContext(connection) as caught:
        text = str(load_fleet([EVERYBODY])[EVERYBODY].json)
    assert len(caught) == 1 and len(text) < 20 * 100


# --- Who hears of it


@pytest.mark.parametrize("role", Role.values)
def test_whose_topics_they_are(sam: User, role: str) -> None:
    other = bookings.person("Other", role)
    everybody = {Principal("user", str(user.pk)) for user in (sam, other)} | {Principal("link", "abc")}
    assert members(fixes_topic(sam.pk), everybody) == {Principal("user", str(sam.pk))}
    assert members(fleet_topic(), everybody) == ({Principal("user", str(other.pk))} if role == Role.ADMIN else set())


def test_an_admin_who_left_hears_of_nobody(frank: User) -> None:
    changed(frank, is_active=False)
    assert members(fleet_topic(), {Principal("user", str(frank.pk))}) == set()


def test_who_waits_for_whom_is_one_query_for_all_journeys(db: None, bob: User, charlie: User, now: Any) -> None:
    """Hundreds of markers move in the same moment."""
    window = {"window_start": now + HOUR, "window_end": now + 5 * HOUR}
    journeys = []
    for n in range(6):
        customer, traveller = bookings.person(f"Customer{n}"), bookings.technician(f"Technician{n}")
        session = bookings.visit(customer, traveller, now=now - 26 * HOUR, **window)
        journeys.append(actions.set_out(session, by=traveller, now=now))
    actions.turn_back(journeys[0], by=journeys[0].traveller, now=now)
    link = actions.share(journeys[1], by=journeys[1].booking.customer, now=now)
    changed(journeys[2].booking.customer, is_active=False)
    everybody = {Principal("user", str(each.booking.customer_id)) for each in journeys}
    everybody |= {Principal("user", str(charlie.pk)), Principal("link", link.token)}
    expected = {
        (each.pk,): {Principal("user", str(each.booking.customer_id))} if n not in (0, 2) else set()
        for n, each in enumerate(journeys)
    }
    expected[(journeys[1].pk,)].add(Principal("link", link.token))
    with CaptureQueriesContext(connection) as caught:
        found = journey_topic.members_of_each({(each.pk,): set(everybody) for each in journeys})
    assert found == expected
    assert len(caught) == 1 + len(journeys)  # the link's bearer is asked about one by one: links are few
    alone = {(each.pk,): journey_topic.members(everybody, (each.pk,)) for each in journeys}
    assert alone == expected
