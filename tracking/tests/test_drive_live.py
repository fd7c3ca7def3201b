"""What follows live on the driver's screen: what a change touches, who hears of it, and that "who can see me" says
exactly what the topics would deliver."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from bookings.tests import make as bookings
from bookings.tests.follow import audience, keys_of, on, sent, touched_by
from realtime import topics
from realtime.fragments import get
from realtime.topics import Principal
from tracking import actions
from tracking.access import current_shift
from tracking.live import drive
from tracking.models import Dispatch, Driver, Journey, Leg
from tracking.states import DispatchStatus
from tracking.tests import make
from tracking.topics import drive_topic, fleet_topic, journey_topic

ALL = ("tracking.collecting", "tracking.duty", "tracking.offer", "tracking.watchers", "tracking.work")


@pytest.fixture
def sam(db: None) -> Driver:
    """The driver that a test is about, on duty."""
    return make.at_work("Sam", now=timezone.now())


@pytest.fixture
def tess(db: None) -> Driver:
    """Another driver on duty."""
    return make.at_work("Tess", now=timezone.now())


@pytest.fixture
def what(alice: User, frank: User) -> Leg:
    """A leg for a job of Alice's."""
    return make.leg(make.job(alice), frank, now=timezone.now())


def touched(act: Callable[[], object], who: Driver) -> set[str]:
    """Which fragments of that driver's screen an act touches."""
    return {name for name, key in on(touched_by(act), drive_topic(who.pk)) if key == str(who.pk)}


def shown(name: str, who: User | Driver) -> str:
    """A fragment of somebody's screen as it is painted now; empty where there is nothing."""
    fragment, key = get(name), str(who.pk)
    assert fragment is not None
    thing = fragment.load([key]).get(key)
    return "" if thing is None else fragment.render(key, thing, drive_topic(who.pk), "1")


# --- What a change touches, and who hears of it ---------------------------------------------------


class TestTouches:
    def test_duty_touches_the_switch_the_gps_the_work_and_who_sees_it(self, sam, db):
        shift = current_shift(sam.pk)
        changed = {"tracking.duty", "tracking.work", "tracking.watchers", "tracking.collecting"}
        assert touched(lambda: actions.take_break(shift, by=sam.user), sam) == changed
        assert touched(lambda: actions.end_break(shift, by=sam.user), sam) == changed
        assert touched(lambda: actions.go_off_duty(shift, by=sam.user), sam) == changed
        assert touched(lambda: actions.go_on_duty(sam.user, by=sam.user), sam) == changed

    def test_an_offer_touches_the_card_and_being_seen_does_not(self, sam, what):
        of_status = {"tracking.offer", "tracking.work", "tracking.duty"}
        assert touched(lambda: make.offered(what, sam, now=timezone.now()), sam) == of_status
        asked = Dispatch.objects.get()
        assert touched(lambda: actions.see_offer(asked, by=sam.user), sam) == set()
        assert touched(lambda: actions.accept_offer(asked, by=sam.user), sam) == of_status

    def test_setting_off_and_arriving_touch_all_but_nothing_of_others(self, sam, tess, what):
        taken = make.accepted(what, sam, now=timezone.now())
        for act in (actions.set_off, actions.arrive):
            touches = touched_by(lambda act=act: act(taken, by=sam.user))
            assert {name for name, _ in on(touches, drive_topic(sam.pk))} == set(ALL)
            assert not on(touches, drive_topic(tess.pk))

    def test_a_share_link_touches_who_sees_it(self, sam, what, alice):
        make.en_route(what, sam, now=timezone.now())
        journey = Journey.objects.get()
        link = actions.share(journey, by=alice)
        assert touched(lambda: actions.revoke_link(link, by=alice), sam) == {"tracking.watchers"}
        assert touched(lambda: actions.share(journey, by=alice), sam) == {"tracking.watchers"}

    def test_another_phone_number_touches_the_leg_and_another_name_who_sees_it_too(self, sam, what, alice):
        make.en_route(what, sam, now=timezone.now())
        alice.phone = "+44 7700 900999"
        assert touched(lambda: alice.save(update_fields=["phone"]), sam) == {"tracking.work"}
        assert "tel:+447700900999" in shown("tracking.work", sam)
        alice.name = "Alicia Test"
        changed = touched(lambda: alice.save(update_fields=["name"]), sam)
        assert changed == {"tracking.work", "tracking.watchers"}

    def test_a_reassigned_leg_moves_from_one_screen_to_the_other(self, sam, tess, what, frank):
        taken = make.accepted(what, sam, now=timezone.now())
        touches = touched_by(lambda: actions.reassign(taken, tess, by=frank, reason="Nearer."))
        assert "tracking.work" in {name for name, _ in on(touches, drive_topic(sam.pk))}
        assert ("tracking.offer", str(tess.pk)) in on(touches, drive_topic(tess.pk))
        assert "is no longer yours. Nearer." in shown("tracking.work", sam)

    def test_a_position_touches_nothing_of_the_screen(self, sam):
        touches = touched_by(lambda: make.place(sam.user, make.NEAR, now=timezone.now()))
        assert not on(touches, drive_topic(sam.pk))

    @pytest.mark.parametrize("name", ALL)
    def test_the_screen_is_its_drivers_alone(self, sam, tess, what, frank, alice, bob, name):
        touches = touched_by(lambda: actions.set_off(make.accepted(what, sam, now=timezone.now()), by=sam.user))
        assert audience(touches, name, sam.user, tess.user, frank, alice, bob) == {"Sam"}
        assert str(sam.pk) in keys_of(touches, name)


# --- What is in them ------------------------------------------------------------------------------


class TestAddress:
    """Rule 9: the area before the driver accepts, the address while the leg is theirs, nothing afterwards."""

    SECRETS = ("Inverness", "Alice", "alice@", "Depot Road", "NW1 7HJ")

    def all_of(self, who: Driver) -> str:
        return "".join(shown(name, who) for name in ALL)

    def secrets(self, who: Driver) -> list[str]:
        return [secret for secret in self.SECRETS if secret in self.all_of(who)]

    def test_by_state(self, sam, alice, frank):
        now = timezone.now()
        where = {"pick_up": "Depot Road 3", "pick_up_point": make.NEAR}
        asked = make.offered(make.leg(make.job(alice), frank, now=now, **where), sam, now=now)
        make.place(sam.user, make.NEAR, now=now)
        assert self.secrets(sam) == [] and "Camden, NW1" in self.all_of(sam)
        for act in (actions.accept_offer, actions.set_off, actions.arrive):
            act(asked, by=sam.user)
            assert {"Inverness", "Alice", "Depot Road"} <= set(self.secrets(sam))
        actions.complete(asked, by=sam.user)
        assert self.secrets(sam) == []

    @pytest.mark.parametrize("end", ["rejected", "failed", "cancelled", "revoked", "expired"])
    def test_nothing_is_left_however_it_ends(self, sam, what, frank, end):
        now = timezone.now()
        make_it = {
            "rejected": lambda: make.rejected(what, sam, now=now),
            "failed": lambda: make.failed(what, sam, now=now),
            "cancelled": lambda: actions.cancel_dispatch(make.en_route(what, sam, now=now), by=frank, reason="No."),
            "revoked": lambda: actions.revoke_offer(make.offered(what, sam, now=now), by=frank),
            "expired": lambda: actions.lapse(
                make.offered(what, sam, now=now - timedelta(minutes=2), seconds=60), now=now
            ),
        }
        make_it[end]()
        assert Dispatch.objects.get().status == DispatchStatus(end)
        assert self.secrets(sam) == []

    def test_an_offer_past_its_deadline_is_not_painted_even_before_the_clock_comes(self, sam, what):
        make.offered(what, sam, now=timezone.now() - timedelta(minutes=2), seconds=60)
        assert shown("tracking.offer", sam) == ""


class TestWatchers:
    """What the screen says is what the topics deliver, state by state."""

    def sees(self, who: Driver, customer: User, admin: User, links: list[str]) -> dict[str, object]:
        """Who would be delivered a position now, asked of the topics themselves."""
        collected = 'data-collect="on"' in shown("tracking.collecting", who)
        everybody = {Principal("user", str(each.pk)) for each in (customer, admin)}
        everybody |= {Principal("link", token) for token in links}
        by_journey: set[Principal] = set()
        for journey in Journey.objects.filter(traveller=who.pk):
            by_journey |= topics.members(journey_topic(journey.pk), everybody)
        desk = topics.members(fleet_topic(), everybody) if collected else set()
        return {
            "customer": Principal("user", str(customer.pk)) in by_journey,
            "links": len([each for each in by_journey if each.kind == "link"]),
            "desk": Principal("user", str(admin.pk)) in desk,
        }

    def says(self, who: Driver, customer: User) -> dict[str, object]:
        """What the screen says."""
        html = shown("tracking.watchers", who)
        counted = html.split('data-watcher="links"')[1].split("<strong>")[1].split(" ")[0] if "links" in html else "0"
        return {
            "customer": 'data-watcher="customer"' in html and customer.first_name in html,
            "links": int(counted),
            "desk": 'data-watcher="desk"' in html,
        }

    def test_they_agree_through_a_whole_shift(self, alice, frank):
        now, sam = timezone.now(), make.driver("Sam")
        what = make.leg(make.job(alice), frank, now=now)
        links: list[str] = []

        def agree(**expected: object) -> None:
            said = self.says(sam, alice)
            assert said == self.sees(sam, alice, frank, links)
            assert said == {"customer": False, "links": 0, "desk": False, **expected}

        agree()
        shift = make.on_duty(sam, now=now)
        agree(desk=True)
        actions.take_break(shift, by=sam.user)
        agree()
        actions.end_break(shift, by=sam.user)
        asked = make.offered(what, sam, now=now)
        agree(desk=True)
        actions.accept_offer(asked, by=sam.user)
        agree(desk=True)
        actions.set_off(asked, by=sam.user)
        agree(desk=True, customer=True)
        first = actions.share(Journey.objects.get(), by=alice)
        links.append(first.token)
        agree(desk=True, customer=True, links=1)
        actions.revoke_link(first, by=alice)
        agree(desk=True, customer=True)
        links.append(actions.share(Journey.objects.get(), by=alice).token)
        agree(desk=True, customer=True, links=1)
        alice.is_active = False
        alice.save(update_fields=["is_active"])
        agree(desk=True)
        alice.is_active = True
        alice.save(update_fields=["is_active"])
        actions.arrive(asked, by=sam.user)
        agree(desk=True)
        actions.complete(asked, by=sam.user)
        actions.go_off_duty(shift, by=sam.user)
        agree()

    def test_a_technician_on_the_way_is_seen_too(self, alice, bob, frank):
        now = timezone.now()
        start = {"window_start": now + timedelta(hours=1), "window_end": now + timedelta(hours=5)}
        visit = bookings.visit(alice, bob, now=now, **start)
        assert "Nobody." in shown("tracking.watchers", bob)
        actions.set_out(visit, by=bob)
        html = shown("tracking.watchers", bob)
        assert "Alice" in html and 'data-watcher="desk"' in html
        actions.turn_back(Journey.objects.get(), by=bob)
        assert "Nobody." in shown("tracking.watchers", bob)


# --- The same by page, push and poll, and what it costs -------------------------------------------


class TestPaths:
    def test_the_page_paints_what_a_push_brings(self, sam, tess, what):
        touches = touched_by(lambda: actions.set_off(make.accepted(what, sam, now=timezone.now()), by=sam.user))
        pushed = sent({each for each in touches if each.topic == drive_topic(sam.pk)}, sam.user)
        client = Client()
        client.force_login(sam.user)
        page = client.get(reverse("tracking:drive")).content.decode()
        for name in ("tracking.duty", "tracking.work", "tracking.watchers"):
            html = pushed[f"{name.replace('.', '-')}-{sam.pk}"]
            assert html is not None and essence(html) in essence(page)

    def test_a_stranger_is_sent_nothing_and_loses_the_topic(self, sam, tess, what):
        touches = touched_by(lambda: make.offered(what, sam, now=timezone.now()))
        of_sam = {each for each in touches if each.topic == drive_topic(sam.pk)}
        assert of_sam and audience(of_sam, "tracking.offer", tess.user) == set()
        assert topics.members(drive_topic(sam.pk), {Principal("user", str(tess.pk)), Principal("link", "x")}) == set()

    @pytest.mark.parametrize("name", ALL)
    def test_many_cost_what_one_costs(self, alice, frank, name):
        now, fragment = timezone.now(), get(name)
        assert fragment is not None
        drivers = [make.at_work(f"Driver{n}", at=make.NEAR, now=now) for n in range(4)]
        for who in drivers:
            make.en_route(make.leg(make.job(alice), frank, now=now), who, now=now)
            make.offered(make.leg(make.job(alice), frank, now=now), who, now=now)
        counts = []
        for some in (drivers[:1], drivers):
            with CaptureQueriesContext(connection) as queries:
                assert len(fragment.load([str(who.pk) for who in some])) == len(some)
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 7

    def test_nonsense_is_nobodys_key(self):
        for name in ALL:
            fragment = get(name)
            assert fragment is not None and fragment.load(["x", "-1", ""]) == {}

    def test_nothing_waits_for_nobody(self, db):
        with CaptureQueriesContext(connection) as queries:
            assert drive.load_offers(["1", "2"]) == {}
        assert len(queries) == 1


def essence(html: str) -> str:
    """Without what differs at every rendering."""
    return re.sub(r"\s+", " ", re.sub(r' data-version="[^"]*"', "", html))
