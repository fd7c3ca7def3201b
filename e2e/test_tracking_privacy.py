"""On pages that stay open: while somebody is on the way the customer sees them; from then on no fix arrives there, by
socket or by poll, on the customer's page, behind the shared link or on the former driver's screen.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Role, User
from bookings import actions as visits
from bookings.tests import make as bookings
from e2e.flow import PHONE, Way, customer, follows, job, stay, stayed
from e2e.people import Console, People
from e2e.road import driver, leg, wait_for
from tracking import actions
from tracking.actions.fixes import Batch
from tracking.models import Dispatch, Driver, Journey
from tracking.rules.fixes import to_ms
from tracking.tests import make as road

WITHIN = 45_000
LATITUDE = re.compile(r"51\.[5-6]\d{3,4}\b")


class Traffic(threading.Thread):
    """Sam drives, heard of each second whatever happens; `stamps`: when each latitude was measured."""

    def __init__(self, who: User) -> None:
        super().__init__(daemon=True)
        self.who, self.latitude = who, 51.52000
        self.stamps: dict[str, datetime] = {}
        self._over = threading.Event()

    def run(self) -> None:
        """As the intake does it."""
        while not self._over.is_set():
            self.latitude += 0.00013
            now, latitude = timezone.now(), f"{self.latitude:.5f}"
            self.stamps[latitude.rstrip("0")] = now
            fix = {"at": to_ms(now), "lat": float(latitude), "lng": -0.141, "acc": 5, "spd": 14, "hdg": 0}
            actions.take_fixes({self.who.pk: Batch.of([fix])}, now=now)
            self._over.wait(1.05)
        connections.close_all()

    def stop(self) -> None:
        """Stand still."""
        self._over.set()
        self.join(10)


# Answers of polls are kept by the page itself, over its loadings too: Playwright forgets bodies of pages that are left.
KEEP = """
  const real = window.fetch;
  window.fetch = async (...what) => {
    const answer = await real(...what);
    if (answer.url.includes("/live/poll") && answer.status === 200) {
      const heard = JSON.parse(sessionStorage.getItem("heard") || "[]");
      heard.push([Date.now(), await answer.clone().text()]);
      sessionStorage.setItem("heard", JSON.stringify(heard));
    }
    return answer;
  };
"""


class Wire:
    """What reaches a page, with the moment at which it came: frames of its socket, and answers of its polls."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.frames: list[tuple[datetime, str]] = []
        page.on("websocket", lambda socket: socket.on("framereceived", self._note))
        page.add_init_script(KEEP)

    def _note(self, text: str | bytes) -> None:
        self.frames.append((timezone.now(), text if isinstance(text, str) else text.decode()))

    def all(self) -> list[tuple[datetime, str]]:
        """Everything so far."""
        heard = json.loads(self.page.evaluate("sessionStorage.getItem('heard')") or "[]")
        return [*self.frames, *((datetime.fromtimestamp(at / 1000, UTC), text) for at, text in heard)]

    def seen(self, stamps: dict[str, datetime], since: datetime | None = None) -> list[str]:
        """The positions among it, or those that were stamped after `since`."""
        found = [latitude for _, text in self.all() for latitude in positions(text, stamps)]
        return [each for each in found if since is None or stamps[each] > since]

    def late(self, stamps: dict[str, datetime], ended: datetime) -> list[timedelta]:
        """How long after `ended` positions of whatever age still came."""
        return [at - ended for at, text in self.all() if at > ended and any(positions(text, stamps))]


def positions(text: str, stamps: dict[str, datetime]) -> Iterator[str]:
    """The latitudes of the traffic in a text."""
    return (found.rstrip("0") for found in LATITUDE.findall(text) if found.rstrip("0") in stamps)


@pytest.fixture
def frank(db: None) -> User:
    """The desk."""
    return bookings.person("Frank", Role.ADMIN, is_staff=True)


@pytest.fixture
def sam(db: None) -> Driver:
    """At work."""
    made = driver()
    road.on_duty(made, now=timezone.now())
    return made


@pytest.fixture
def coming(db: None, sam: Driver, frank: User) -> Dispatch:
    """Sam has Alice's leg, and has not set off."""
    return road.accepted(leg(job(customer()), frank), sam, now=timezone.now())


@pytest.fixture
def traffic(sam: Driver) -> Iterator[Traffic]:
    """Fixes that never cease."""
    made = Traffic(sam.user)
    yield made
    if made.is_alive():
        made.stop()


ENDS: dict[str, Callable[[Dispatch, User], object]] = {
    "arrived": lambda dispatch, frank: actions.arrive(dispatch, by=dispatch.driver.user),
    "cancelled": lambda dispatch, frank: visits.cancel_booking(
        dispatch.leg.booking, by=dispatch.leg.booking.customer, reason="mistake"
    ),
    "reassigned": lambda dispatch, frank: actions.reassign(dispatch, road.at_work("Ann"), by=frank, reason="Nearer"),
}


@pytest.mark.parametrize("way", ["live", "refused by a proxy"], indirect=True)
@pytest.mark.parametrize("end", ENDS)
def test_what_reaches_open_pages(
    person: People, way: Way, console: Console, coming: Dispatch, frank: User, traffic: Traffic, end: str
) -> None:
    console.allow(r"status of 410")
    sam, alice = coming.driver, coming.leg.booking.customer
    traffic.start()
    pages: dict[str, Page] = {}
    wires: dict[str, Wire] = {}

    def opens(role: str, who: User | None, address: str, **options: Any) -> None:
        page = pages[role] = person(who, url=way.url, **{**PHONE, **options})
        wires[role] = Wire(page)
        page.goto(address)
        stay(follows(page, way.state))

    opens("desk", frank, reverse("desk:fleet"))
    opens("customer", alice, reverse("bookings:job", args=[coming.leg.booking_id]))
    opens("former driver", sam.user, reverse("tracking:drive"))
    wait_for(pages["desk"], lambda: len(set(wires["desk"].seen(traffic.stamps))) >= 2, "the desk sees Sam")
    assert not wires["customer"].seen(traffic.stamps), "before they set off"

    actions.set_off(coming, by=sam.user)
    journey: Journey = coming.journeys.get()
    link = actions.share(journey, by=alice)
    opens("link", None, reverse("tracking:shared", args=[link.token]))
    for role in ("customer", "link"):
        seen = lambda role=role: wires[role].seen(traffic.stamps)  # noqa: E731
        wait_for(pages[role], lambda seen=seen: len(set(seen())) >= 2, f"{role} sees Sam", within=WITHIN)
        expect(pages[role].locator(".map-who")).to_have_count(1)

    ENDS[end](coming, frank)
    ended = timezone.now()
    for role in ("customer", "link"):
        expect(pages[role].locator(".map-who")).to_have_count(0, timeout=WITHIN)
    until = time.monotonic() + 3
    wait_for(pages["customer"], lambda: time.monotonic() > until, "fixes go on coming")
    traffic.stop()
    pages["customer"].wait_for_timeout(200)

    after = {role: wire.seen(traffic.stamps, ended) for role, wire in wires.items()}
    assert len(set(after.pop("desk"))) >= 1, "Sam is still at work"
    assert {role: len(found) for role, found in after.items()} == dict.fromkeys(after, 0)
    assert not wires["former driver"].seen(traffic.stamps)
    for role in after:
        late = wires[role].late(traffic.stamps, ended)
        assert not [each for each in late if each > timedelta(seconds=1)], (role, late)
        html = pages[role].content()
        assert not list(positions(html, traffic.stamps)), role
    stayed(pages["customer"], pages["former driver"], pages["desk"])
