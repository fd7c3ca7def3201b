"""Customer, driver and desk in three browsers, and nobody reloads: a leg from "on duty" to "finished", and every other
way in which an offer ends. The same where no socket gets through.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import Role, User
from bookings.models import Booking
from bookings.tests import make as bookings
from common.geo import Point
from e2e.flow import PHONE, Way, answer, ask, banner, customer, follows, job, profile_page, sheet, stay, stayed
from e2e.people import People
from e2e.road import (
    accepts,
    arrives,
    believed,
    card,
    driver,
    finishes,
    fix,
    goes_off_duty,
    goes_on_duty,
    leg,
    leg_card,
    moves,
    offer,
    sets_off,
    watchers,
)
from tracking.models import Driver, Leg, Position
from tracking.tests import make as road

WIDE = {"viewport": {"width": 1440, "height": 900}}
START = Point(51.5450, -0.1410)  # 680 m from the door
CLOSER = Point(51.5446, -0.1411)  # 45 m further: a believable step
WITHIN = 45_000
SECONDS = re.compile(r"[Ss]een \d\d:\d\d:\d\d")
both_ways = pytest.mark.parametrize(
    "way", [pytest.param("live", marks=pytest.mark.smoke), "refused by a proxy"], indirect=True
)


@pytest.fixture
def frank(db: None) -> User:
    """The desk."""
    return bookings.person("Frank", Role.ADMIN, is_staff=True)


@pytest.fixture
def sam(db: None) -> Driver:
    """The driver, off duty."""
    return driver()


@pytest.fixture
def booking(db: None) -> Booking:
    """A job of Alice's, in Camden."""
    return job(customer())


@pytest.fixture
def opens(person: People, way: Way) -> Callable[..., Page]:
    """`opens(who, address)`: a page that follows in this test's way and is never loaded again."""

    def page(who: User, address: str, **options: Any) -> Page:
        made = person(who, url=way.url, **options)
        made.goto(address)
        return stay(follows(made, way.state))

    return page


def drive(opens: Callable[..., Page], who: Driver) -> Page:
    """The driver's screen, on a phone that knows where it is."""
    where = {"geolocation": fix(START), "permissions": ["geolocation"]}
    return opens(who.user, reverse("tracking:drive"), **PHONE, **where)


def in_fleet(page: Page, who: Driver) -> Locator:
    """The driver's row on the desk."""
    return page.locator(f"#fleet-rows > [data-driver='{who.pk}']")


def in_tray(page: Page, what: Leg) -> Locator:
    """The leg in the desk's tray."""
    return page.locator(f"#tray-rows > [data-leg='{what.pk}']")


def ride(page: Page) -> Locator:
    """The customer's card of who comes."""
    return page.locator("[data-live='tracking.ride']:not([hidden])")


def marker(page: Page) -> Locator:
    """The marker on the customer's map."""
    return page.locator(".map-who")


def marker_at(page: Page, place: Point) -> None:
    """Wait until the customer's marker has glided to `place`."""
    script = """([lat, lng]) => {
      const at = document.querySelector('[data-ride-map]')?.ride?.person?.place;
      return Boolean(at) && Math.abs(at.lat - lat) < 1e-6 && Math.abs(at.lng - lng) < 1e-6; }"""
    page.wait_for_function(script, arg=list(place), timeout=WITHIN)


# --- From on duty to finished -----------------------------------------------------------------------


@both_ways
def test_from_on_duty_to_finished(
    opens: Callable[..., Page], way: Way, sam: Driver, frank: User, booking: Booking
) -> None:
    what = leg(booking, frank)
    desk = opens(frank, reverse("desk:fleet"), **WIDE)
    alice = opens(booking.customer, reverse("bookings:job", args=[booking.pk]), **PHONE)
    elsewhere = profile_page(alice, way.state)
    road = drive(opens, sam)
    expect(in_fleet(desk, sam)).to_be_hidden()

    goes_on_duty(road)
    believed(road, sam.user, START)
    expect(in_fleet(desk, sam)).to_be_visible(timeout=WITHIN)
    expect(in_fleet(desk, sam)).to_contain_text("Online", timeout=WITHIN)
    expect(in_fleet(desk, sam)).to_contain_text("in Camden", timeout=WITHIN)
    expect(in_tray(desk, what)).to_contain_text("Needs a driver")

    assigned(desk)
    expect(card(road)).to_contain_text("A boiler pump", timeout=WITHIN)
    expect(in_tray(desk, what)).to_contain_text(SECONDS, timeout=WITHIN)

    accepts(road)
    expect(in_tray(desk, what)).to_have_count(0, timeout=WITHIN)
    expect(in_fleet(desk, sam)).to_have_attribute("data-load", "busy", timeout=WITHIN)
    nobody_comes(alice)
    expect(watchers(road)).to_contain_text("No customer.")

    sets_off(road)
    expect(in_fleet(desk, sam)).to_contain_text("On the way", timeout=WITHIN)
    expect(ride(alice)).to_contain_text("Sam is on the way", timeout=WITHIN)
    expect(ride(alice)).to_contain_text("680 m away, in Camden", timeout=WITHIN)
    expect(ride(alice)).to_contain_text(re.compile(r"About \d+ min"))
    expect(ride(alice)).to_contain_text("Arrives between")
    expect(banner(elsewhere)).to_contain_text("On the way, about", timeout=WITHIN)
    expect(watchers(road)).to_contain_text("Alice, until you arrive")
    marker_at(alice, START)

    road.wait_for_timeout(2500)  # 45 m in less would be a jump
    moves(road, CLOSER)
    believed(road, sam.user, CLOSER)
    marker_at(alice, CLOSER)
    expect(ride(alice)).to_contain_text("630 m away")

    arrives(road)
    nobody_comes(alice)
    expect(in_fleet(desk, sam)).to_contain_text("Arrived", timeout=WITHIN)
    expect(watchers(road)).to_contain_text("No customer.")

    finishes(road, "Left with the neighbour")
    expect(in_fleet(desk, sam)).to_have_attribute("data-load", "available", timeout=WITHIN)
    expect(banner(elsewhere)).not_to_contain_text("On the way", timeout=WITHIN)
    assert [row.to_state for row in what.dispatches.get().history.order_by("pk")] == [
        "offered",
        "accepted",
        "en_route",
        "arrived",
        "completed",
    ]
    goes_off_duty(road)
    expect(in_fleet(desk, sam)).to_be_hidden(timeout=WITHIN)
    assert not Position.objects.filter(user=sam.user).exists()
    stayed(desk, alice, elsewhere, road)


def assigned(desk: Page) -> None:
    """The desk asks the one driver there is, for five minutes."""
    dialog = ask(desk, "Assign", within="#tray-rows")
    expect(dialog.locator(".candidate").first).to_contain_text("0.7 km away")
    dialog.get_by_text("5 min", exact=True).click()
    dialog.get_by_role("button", name="Ask those ticked").click()
    expect(sheet(desk)).to_have_count(0)


def nobody_comes(page: Page) -> None:
    """The customer's page shows neither card nor map nor marker, nor holds a position."""
    expect(ride(page)).to_have_count(0, timeout=WITHIN)
    expect(marker(page)).to_have_count(0)
    expect(page.locator("[data-ride-map]")).to_have_count(0)
    assert "data-trip=" not in page.content()


# --- The other ends of an offer ---------------------------------------------------------------------


@both_ways
def test_declined_lapsed_and_taken_back(
    opens: Callable[..., Page], site: Any, sam: Driver, frank: User, booking: Booking
) -> None:
    site.clock()
    what = leg(booking, frank)
    desk = opens(frank, reverse("desk:leg", args=[what.pk]), **WIDE)
    road = drive(opens, sam)
    goes_on_duty(road)
    now, asked = desk.locator(".leg-now"), desk.locator(".asked")

    offer(what, sam, seconds=8)
    expect(card(road)).to_contain_text("A boiler pump", timeout=WITHIN)
    expect(now).to_contain_text("Sam", timeout=WITHIN)
    expect(card(road)).to_have_count(0, timeout=WITHIN)
    expect(asked).to_contain_text(re.compile(r"Expired \d\d:\d\d:\d\d by the clock"), timeout=WITHIN)
    expect(now).to_contain_text("Needs a driver")
    expect(road.get_by_text("lapsed unanswered. That is no refusal").first).to_be_visible(timeout=WITHIN)

    offer(what, sam)  # who let one lapse may be asked again
    expect(card(road)).to_contain_text("A boiler pump", timeout=WITHIN)
    expect(now).to_contain_text(SECONDS, timeout=WITHIN)
    ask(desk, "Take the offer back")
    answer(desk, "Take it back")
    expect(card(road)).to_have_count(0, timeout=WITHIN)
    expect(road.get_by_text("The desk took the offer “A boiler pump” back").first).to_be_visible(timeout=WITHIN)
    expect(asked).to_contain_text(re.compile(r"Taken back \d\d:\d\d:\d\d"), timeout=WITHIN)

    offer(what, sam)
    card(road).get_by_role("link", name="Too far away").click()
    expect(card(road)).to_have_count(0, timeout=WITHIN)
    expect(asked).to_contain_text(re.compile(r"Declined \d\d:\d\d:\d\d \(Too far away\.\)"), timeout=WITHIN)
    expect(now).to_contain_text("Sam Test: declined", timeout=WITHIN)
    ask(desk, "Ask again")
    expect(sheet(desk)).to_contain_text("Not suitable: 1")  # who declined is not asked about it again
    expect(leg_card(road)).to_have_count(0)
    assert [row.status for row in what.dispatches.order_by("pk")] == ["expired", "revoked", "rejected"]
    stayed(desk, road)


@both_ways
def test_queued_for_somebody_offline_and_taken_when_they_come(
    opens: Callable[..., Page], frank: User, booking: Booking
) -> None:
    sam = road.at_work("Sam", now=timezone.now())
    what = leg(booking, frank)
    offer(what, sam)
    desk = opens(frank, reverse("desk:leg", args=[what.pk]), **WIDE)
    fleet = opens(frank, reverse("desk:fleet"), **WIDE)
    expect(desk.locator(".leg-now")).to_contain_text("Queued: Sam is offline")
    expect(in_fleet(fleet, sam)).to_contain_text("Offline")

    phone = drive(opens, sam)
    expect(card(phone)).to_contain_text("A boiler pump")
    expect(in_fleet(fleet, sam)).to_contain_text("Online", timeout=WITHIN)
    expect(desk.locator(".leg-now")).to_contain_text(SECONDS, timeout=WITHIN)
    expect(desk.locator(".leg-now")).not_to_contain_text("Queued")
    accepts(phone)
    expect(desk.locator(".leg-now")).to_contain_text("Sam Test has it, accepted", timeout=WITHIN)
    stayed(desk, fleet, phone)


@both_ways
def test_given_to_another_the_first_driver_loses_it_and_the_customer_the_marker(
    opens: Callable[..., Page], sam: Driver, frank: User, booking: Booking
) -> None:
    ann = driver("Ann")
    what = leg(booking, frank)
    road, other = drive(opens, sam), drive(opens, ann)
    for page in (road, other):
        goes_on_duty(page)
    offer(what, sam)
    accepts(road)
    alice = opens(booking.customer, reverse("bookings:job", args=[booking.pk]), **PHONE)
    sets_off(road)
    expect(ride(alice)).to_contain_text("Sam is on the way", timeout=WITHIN)
    desk = opens(frank, reverse("desk:leg", args=[what.pk]), **WIDE)
    dialog = ask(desk, "Give it to another")
    dialog.get_by_label("Ann Test").check()
    dialog.get_by_label("Why").fill("Nearer")
    dialog.locator("button[type=submit]").last.click()
    expect(sheet(desk)).to_have_count(0)
    nobody_comes(alice)
    expect(leg_card(road)).to_have_count(0, timeout=WITHIN)
    expect(card(other)).to_contain_text("A boiler pump", timeout=WITHIN)
    accepts(other)
    sets_off(other)
    expect(ride(alice)).to_contain_text("Ann is on the way", timeout=WITHIN)
    expect(road.locator("main")).not_to_contain_text("Inverness")
    stayed(road, other, alice, desk)
