"""Privacy is a transition: from its commit on nobody but the desk is sent a later fix, counted by role.

Fixes are stamped and taken in without a pause while the transition happens. Everybody follows every topic there is,
theirs or not, on a socket that has long been open and by polls, and keeps all that they are sent.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.models import User
from bookings import actions as visits
from bookings.live.customer import booking_customer
from bookings.models import Session
from bookings.tests import make as bookings
from bookings.tests.make import HOUR
from realtime.tests.conftest import live  # noqa: F401 (fixture)
from realtime.tests.harness import WITHIN, Live, Page, journal_now, session_of, until
from tracking import actions
from tracking.access import current_shift
from tracking.actions.fixes import Batch
from tracking.models import Dispatch, Driver, Journey, Position, ShareLink
from tracking.rules.fixes import to_ms
from tracking.states import DispatchStatus, FailReason
from tracking.tests import make as road
from tracking.topics import drive_topic, fixes_topic, fleet_topic, journey_topic

SOON = timedelta(seconds=1)  # no position frame comes later than this after the transition
AFTERWARDS = timedelta(seconds=1.3)  # for so long fixes go on coming
EVERY = 0.05
FAST = {"FIX_EVERY_MS": 10, "FLEET_EVERY_MS": 100, "SENDER_EVERY_MS": 100}


@pytest.fixture
def db(transactional_db: None) -> None:
    """Whoever asks for `db` writes with real commits here: the hub reads on connections of its own."""


# --- Fixes that never cease -----------------------------------------------------------------------


class Traffic(threading.Thread):
    """Somebody who drives north and is heard of twenty times a second. `stamps`: when each latitude was measured."""

    def __init__(self, who: User, latitude: float) -> None:
        super().__init__(daemon=True)
        self.who, self.latitude = who, latitude
        self.stamps: dict[str, datetime] = {}
        self.taken = 0
        self._over = threading.Event()
        self.start()

    def run(self) -> None:
        """Until told to stop; the position in the latitude's digits is like no other."""
        while not self._over.wait(EVERY):
            self.latitude += 0.00001
            now, latitude = timezone.now(), f"{self.latitude:.5f}"
            self.stamps[latitude] = now
            fix = {"at": to_ms(now), "lat": float(latitude), "lng": -0.141, "acc": 5, "spd": 20, "hdg": 0}
            outcome = actions.take_fixes({self.who.pk: Batch.of([fix])}, now=now).get(self.who.pk)
            self.taken += outcome.taken if outcome else 0  # while the journey's row is held nothing is answered
        connections.close_all()

    def stop(self) -> None:
        """Stand still."""
        self._over.set()
        self.join(WITHIN)


# --- Everybody, listening -------------------------------------------------------------------------


class Timed(Page):
    """A page that notes when each frame came."""

    def _see(self, frame: dict[str, Any], size: int) -> None:
        super()._see(frame, size)
        self.heard.append((timezone.now(), json.dumps(frame)))

    @property
    def heard(self) -> list[tuple[datetime, str]]:
        """(when, what), in order."""
        return self.__dict__.setdefault("_heard", [])  # type: ignore[no-any-return]


@dataclass
class Ear:
    """One role: what came by its socket, and what polls brought."""

    client: Client
    page: Timed
    token: str = ""
    cursor: str = field(default_factory=journal_now)
    polled: list[tuple[datetime, str]] = field(default_factory=list)

    def poll(self, topics: list[str]) -> None:
        """Ask once, as a page without a socket does."""
        more = {"link": self.token} if self.token else {}
        answer = self.client.get("/live/poll", {"c": self.cursor, "topic": topics, **more})
        if answer.status_code == 200:
            self.cursor = answer.json()["c"] or self.cursor
            self.polled.append((timezone.now(), json.dumps(answer.json())))

    def count(self, stamps: dict[str, datetime], since: datetime | None = None) -> tuple[int, int]:
        """How many of the fixes stamped `since` then came by (socket, poll)."""
        wanted = [latitude for latitude, at in stamps.items() if since is None or at > since]
        texts = ("".join(text for _, text in each) for each in (self.page.heard, self.polled))
        by_socket, by_poll = (sum(latitude in text for latitude in wanted) for text in texts)
        return by_socket, by_poll

    def frames_after(self, moment: datetime, stamps: dict[str, datetime]) -> list[timedelta]:
        """How long after `moment` frames and answers came that hold a position of whatever age."""
        late = [(at, text) for at, text in (*self.page.heard, *self.polled) if at > moment]
        return [at - moment for at, text in late if any(latitude in text for latitude in stamps)]


class Everybody:
    """All roles at once, each on all topics, by socket and by poll."""

    def __init__(self, live: Live, topics: list[str]) -> None:  # noqa: F811
        self.live, self.topics = live, topics
        self.ears: dict[str, Ear] = {}
        self._over = threading.Event()
        self._asking = threading.Thread(target=self._ask, daemon=True)

    def joins(self, role: str, user: User | None, token: str = "") -> None:
        """One more who listens."""
        client = session_of(user) if user is not None else Client()
        page = Timed(self.live, client if user is not None else None).opened()
        self.live.pages.append(page)
        page.hello(self.topics, **({"link": token} if token else {}))
        self.ears[role] = Ear(client, page, token)

    def listen(self) -> None:
        """Begin to ask."""
        self._asking.start()

    def _ask(self) -> None:
        while not self._over.is_set():
            for ear in self.ears.values():
                ear.poll(self.topics)
        connections.close_all()

    def stop(self) -> None:
        """Hear what is left, and no more."""
        self.live.quiet()
        self._over.set()
        self._asking.join(WITHIN)

    def counts(self, stamps: dict[str, datetime], since: datetime | None = None) -> dict[str, tuple[int, int]]:
        """By role."""
        return {role: ear.count(stamps, since) for role, ear in self.ears.items()}


# --- A driver's leg -------------------------------------------------------------------------------


@dataclass
class Scene:
    """Sam comes to Alice with a leg, she has shared it; Ann is at work too."""

    alice: User
    frank: User
    sam: Driver
    ann: Driver
    dispatch: Dispatch
    journey: Journey
    link: ShareLink


@pytest.fixture
def scene(settings: Any, alice: User, frank: User) -> Scene:
    """En route."""
    settings.TRACKING = {**settings.TRACKING, **FAST}
    now = timezone.now()
    job = bookings.job(alice, now=now, window_start=now + HOUR, window_end=now + 5 * HOUR)
    sam, ann = road.at_work("Sam", now=now), road.at_work("Ann", now=now)
    dispatch = road.accepted(road.leg(job, frank, now=now), sam, now=now)
    actions.set_off(dispatch, by=sam.user, now=now)
    journey = dispatch.journeys.get()
    return Scene(alice, frank, sam, ann, dispatch, journey, actions.share(journey, by=alice))


def everybody(live: Live, scene: Scene, *strangers: User, shared: bool = True) -> Everybody:  # noqa: F811
    """The roles, each following all that there is about this leg and its drivers."""
    topics = [booking_customer(scene.journey.booking_id), journey_topic(scene.journey.pk), fleet_topic()]
    for driver in (scene.sam, scene.ann):
        topics += [drive_topic(driver.pk), fixes_topic(driver.pk)]
    found = Everybody(live, topics)
    found.joins("customer", scene.alice)
    if shared:  # else its bearer would be sent away at once
        found.joins("link", None, scene.link.token)
    found.joins("former driver", scene.sam.user)
    found.joins("other driver", scene.ann.user)
    for stranger in strangers:
        found.joins(f"{stranger.role} {stranger.first_name}", stranger)
    found.joins("desk", scene.frank)
    return found


SEES = {"customer", "link", "desk"}

ENDS: dict[str, Callable[[Scene], object]] = {
    "arrived": lambda s: actions.arrive(s.dispatch, by=s.sam.user),
    "failed": lambda s: actions.fail(s.dispatch, by=s.sam.user, reason=FailReason.NO_ACCESS),
    "cancelled by the desk": lambda s: actions.cancel_dispatch(s.dispatch, by=s.frank, reason="A mix-up"),
    "reassigned": lambda s: actions.reassign(s.dispatch, s.ann, by=s.frank, reason="Nearer"),
    "job cancelled": lambda s: visits.cancel_booking(s.journey.booking, by=s.alice, reason="mistake"),
}


@pytest.mark.parametrize("end", ENDS)
def test_after_the_end_only_the_desk_is_sent_a_fix(live, scene, bob, charlie, end) -> None:  # noqa: F811
    all_of_them = everybody(live, scene, bob, charlie)
    sam, ann = Traffic(scene.sam.user, 51.50000), Traffic(scene.ann.user, 51.60000)
    all_of_them.listen()
    for role in SEES:
        ear = all_of_them.ears[role]
        until(lambda ear=ear: min(ear.count(sam.stamps)) >= 2, f"{role} sees Sam by socket and by poll")

    ENDS[end](scene)
    ended = timezone.now()
    until(lambda: timezone.now() > ended + AFTERWARDS, "fixes go on coming")
    desk = all_of_them.ears["desk"]
    until(lambda: min(desk.count(sam.stamps, ended)) >= 2, "Sam is still at work: the desk goes on seeing them")
    for each in (sam, ann):
        each.stop()
    all_of_them.stop()

    before, after = all_of_them.counts(sam.stamps), all_of_them.counts(sam.stamps, ended)
    assert {role for role, counts in before.items() if any(counts)} == SEES
    assert min(after.pop("desk")) >= 2
    assert set(after.values()) == {(0, 0)}, after
    anns = all_of_them.counts(ann.stamps)
    assert {role for role, counts in anns.items() if any(counts)} == {"desk"}, anns
    for role, ear in all_of_them.ears.items():
        late = ear.frames_after(ended, sam.stamps)
        assert role == "desk" or not [each for each in late if each > SOON], (role, late)
    gone(all_of_them.ears["customer"], scene.journey)


def gone(ear: Ear, journey: Journey) -> None:
    """The customer's page was told to take the marker away: it lost the topic, and the card that holds it all."""
    assert any(journey_topic(journey.pk) in frame.get("gone", ()) for frame in ear.page.got)
    assert f"tracking-ride-{journey.booking_id}" not in ear.page.html


def test_before_they_set_off_and_after_the_leg_is_finished_only_the_desk_sees_them(
    live, scene, bob, charlie, frank  # noqa: F811
) -> None:  # fmt: skip
    """Sam has finished this leg and taken the next, for the same customer."""
    actions.arrive(scene.dispatch, by=scene.sam.user)
    actions.complete(scene.dispatch, by=scene.sam.user)
    following = road.accepted(road.leg(scene.journey.booking, frank, now=timezone.now()), scene.sam, now=timezone.now())
    all_of_them = everybody(live, scene, bob, charlie, shared=False)
    sam = Traffic(scene.sam.user, 51.50000)
    all_of_them.listen()
    until(lambda: min(all_of_them.ears["desk"].count(sam.stamps)) >= 5, "the desk sees Sam")
    sam.stop()
    all_of_them.stop()
    counts = all_of_them.counts(sam.stamps)
    assert min(counts.pop("desk")) >= 5
    assert set(counts.values()) == {(0, 0)}, counts
    assert Dispatch.objects.get(pk=following.pk).status == DispatchStatus.ACCEPTED


PAUSES: dict[str, Callable[[Driver], object]] = {
    "break": lambda driver: actions.take_break(current_shift(driver.pk), by=driver.user),  # type: ignore[arg-type]
    "off duty": lambda driver: actions.go_off_duty(current_shift(driver.pk), by=driver.user),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("pause", PAUSES)
def test_off_duty_and_on_a_break_nothing_is_taken_in_and_nobody_sees_anything(live, scene, bob, pause) -> None:  # noqa: F811
    actions.arrive(scene.dispatch, by=scene.sam.user)
    actions.complete(scene.dispatch, by=scene.sam.user)
    all_of_them = everybody(live, scene, bob, shared=False)
    sam = Traffic(scene.sam.user, 51.50000)
    all_of_them.listen()
    until(lambda: min(all_of_them.ears["desk"].count(sam.stamps)) >= 2, "the desk sees Sam")

    PAUSES[pause](scene.sam)
    paused, taken = timezone.now(), sam.taken
    until(lambda: timezone.now() > paused + AFTERWARDS, "fixes go on coming")
    sam.stop()
    all_of_them.stop()

    assert set(all_of_them.counts(sam.stamps, paused).values()) == {(0, 0)}
    for role, ear in all_of_them.ears.items():
        assert not [each for each in ear.frames_after(paused, sam.stamps) if each > SOON], role
    assert sam.taken <= taken + 1  # the one that was under way at that moment
    assert not Position.objects.filter(user=scene.sam.user).exists()
    assert not scene.sam.user.fixes.filter(at__gt=paused).exists()


# --- A technician's visit -------------------------------------------------------------------------

VISIT_ENDS: dict[str, Callable[[Session, Journey], object]] = {
    "at the door": lambda visit, journey: visits.check_in(visit, by=visit.technician.user),
    "turned back": lambda visit, journey: actions.turn_back(journey, by=visit.technician.user),
    "given back": lambda visit, journey: visits.release(visit, by=visit.technician.user, reason="Ill"),
    "job cancelled": lambda visit, journey: visits.cancel_booking(
        visit.booking, by=visit.booking.customer, reason="mistake"
    ),
}


@pytest.mark.parametrize("end", VISIT_ENDS)
def test_of_a_technician_nothing_is_even_collected_afterwards(
    live, settings, alice, bob, dora, charlie, frank, end  # noqa: F811
) -> None:  # fmt: skip
    settings.TRACKING = {**settings.TRACKING, **FAST}
    now = timezone.now()
    visit = bookings.visit(alice, bob, now=now, window_start=now + HOUR, window_end=now + 5 * HOUR)
    journey = actions.set_out(visit, by=bob)
    link = actions.share(journey, by=alice)
    topics = [booking_customer(visit.booking_id), journey_topic(journey.pk), fleet_topic()]
    all_of_them = Everybody(live, [*topics, fixes_topic(bob.pk), drive_topic(bob.pk)])
    listeners = {"customer": alice, "traveller": bob, "technician": dora, "stranger": charlie, "desk": frank}
    for role, user in listeners.items():
        all_of_them.joins(role, user)
    all_of_them.joins("link", None, link.token)
    traffic = Traffic(bob, 51.50000)
    all_of_them.listen()
    for role in SEES:
        ear = all_of_them.ears[role]
        until(lambda ear=ear: min(ear.count(traffic.stamps)) >= 2, f"{role} sees Bob by socket and by poll")

    VISIT_ENDS[end](visit, journey)
    ended = timezone.now()
    until(lambda: timezone.now() > ended + AFTERWARDS, "fixes go on coming")
    traffic.stop()
    all_of_them.stop()

    before = all_of_them.counts(traffic.stamps)
    assert {role for role, counts in before.items() if any(counts)} == SEES
    assert set(all_of_them.counts(traffic.stamps, ended).values()) == {(0, 0)}
    for role, ear in all_of_them.ears.items():
        assert not [each for each in ear.frames_after(ended, traffic.stamps) if each > SOON], role
    assert not bob.fixes.filter(at__gt=ended).exists()
    gone(all_of_them.ears["customer"], journey)
