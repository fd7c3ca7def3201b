"""Somebody is on the way: what the customer, the traveller and whoever has the link see of it, without a reload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from bookings.models import Session
from bookings.tests import make
from bookings.tests.make import HOUR
from common.geo import Point
from e2e.flow import (
    PHONE,
    answer,
    ask,
    banner,
    customer,
    follows,
    job_page,
    profile_page,
    stay,
    stayed,
    visit_card,
)
from e2e.road import believed, fix, moves, wait_for
from tracking import actions
from tracking.models import Journey, Position

NEAR = Point(51.5450, -0.1410)  # 680 metres from the door
WITHIN = 45_000


@pytest.fixture
def visit() -> Session:
    """Bob is booked with Alice, soon."""
    now = timezone.now()
    return make.visit(
        customer(), make.technician("Bob"), now=now, window_start=now + HOUR, window_end=now + 5 * HOUR
    )  # fmt: skip


@pytest.fixture
def journey(visit: Session) -> Journey:
    """Bob is on the way, and has been seen."""
    journey = actions.set_out(visit, by=visit.technician.user)
    seen(journey, NEAR)
    return journey


def seen(journey: Journey, place: Point, **fields: Any) -> Position:
    """A fix is believed, elsewhere."""
    now = timezone.now()
    row = Position.objects.filter(user=journey.traveller_id).first() or Position(user_id=journey.traveller_id)
    row.latitude, row.longitude, row.fix_at, row.seen_at, row.received_at = *place, now, now, now
    for name, value in fields.items():
        setattr(row, name, value)
    row.journey_id = journey.pk
    row.save()
    return row


def ride(page: Page) -> Locator:
    """The card of somebody who comes."""
    return page.locator("[data-live='tracking.ride']:not([hidden])")


def marker(page: Page) -> Locator:
    """Their marker."""
    return page.locator(".map-who")


def view(page: Page) -> list[float]:
    """What the map shows: its middle and zoom."""
    script = "() => { const { map } = document.querySelector('[data-ride-map]').ride; const c = map.getCenter();"
    found: list[float] = page.evaluate(script + " return [c.lat.toFixed(6), c.lng.toFixed(6), map.getZoom()]; }")
    return found


def at_rest(page: Page, place: Point) -> None:
    """Wait until the marker has glided to `place`."""
    script = """([lat, lng]) => {
      const at = document.querySelector('[data-ride-map]').ride?.person?.place;
      return Boolean(at) && Math.abs(at.lat - lat) < 1e-6 && Math.abs(at.lng - lng) < 1e-6; }"""
    page.wait_for_function(script, arg=list(place), timeout=WITHIN)


# --- The whole trip -------------------------------------------------------------------------------


def test_from_on_my_way_to_the_door(person: Callable[..., Page], visit: Session, way) -> None:
    alice = job_page(person, visit.booking.customer, visit.booking, url=way.url) if way.state == "live" else None
    if alice is None:
        alice = person(visit.booking.customer, **PHONE, url=way.url)
        alice.goto(reverse("bookings:job", args=[visit.booking_id]))
        stay(follows(alice, way.state))
    elsewhere = profile_page(alice, way.state)
    bob = person(
        visit.technician.user, **PHONE, url=way.url, geolocation=fix(NEAR), permissions=["geolocation"]
    )  # fmt: skip
    bob.goto(reverse("bookings:job", args=[visit.booking_id]))
    stay(follows(bob, way.state))
    expect(ride(alice)).to_have_count(0)

    ask(bob, "On my way")
    answer(bob, "On my way")
    expect(bob.locator("[data-live='tracking.trip']")).to_contain_text("Alice sees where you are")
    expect(ride(alice)).to_contain_text("Bob is on the way")
    believed(bob, visit.technician.user, NEAR)
    expect(ride(alice)).to_contain_text("680 m away, in Camden", timeout=WITHIN)
    expect(ride(alice)).to_contain_text("Arrives between")
    expect(marker(alice)).to_have_count(1)
    expect(banner(elsewhere)).to_contain_text("On the way, about", timeout=WITHIN)
    expect(banner(bob)).to_contain_text("On my way")

    bob.wait_for_timeout(2500)  # 45 m in less would be a jump
    closer = Point(51.5446, -0.1411)
    moves(bob, closer)
    believed(bob, visit.technician.user, closer)
    at_rest(alice, closer)

    ask(bob, "I have arrived")
    answer(bob, "I have arrived")
    expect(visit_card(alice)).to_contain_text(str(visit.start_code), timeout=WITHIN)
    expect(ride(alice)).to_have_count(0)
    expect(marker(alice)).to_have_count(0)
    expect(alice.locator("[data-ride-map]")).to_have_count(0)
    assert "data-latitude" not in alice.locator("[data-live='tracking.ride']").evaluate("e => e.outerHTML")
    expect(banner(elsewhere)).to_contain_text("Bob is at your door")
    assert not Position.objects.filter(user=visit.technician_id).exists()
    stayed(alice, bob, elsewhere)


def test_turning_back_takes_it_all_away(person: Callable[..., Page], visit: Session, journey: Journey) -> None:
    alice, bob = (job_page(person, who, visit.booking) for who in (visit.booking.customer, visit.technician.user))
    expect(marker(alice)).to_have_count(1)
    ask(bob, "Turn back")
    answer(bob, "Turn back")
    expect(bob.locator("main").get_by_role("link", name="On my way")).to_be_visible()
    expect(ride(alice)).to_have_count(0)
    expect(marker(alice)).to_have_count(0)
    expect(banner(alice)).to_contain_text("Bob is coming")
    stayed(alice, bob)


# --- The map --------------------------------------------------------------------------------------


def test_the_map_is_fitted_once_and_moves_only_while_following(
    person: Callable[..., Page], visit: Session, journey: Journey
) -> None:
    alice = job_page(person, visit.booking.customer, visit.booking)
    at_rest(alice, NEAR)
    fitted = view(alice)
    far = Point(51.5600, -0.1500)
    seen(journey, far)
    at_rest(alice, far)
    assert view(alice) == fitted, "the map moved by itself"

    follow = alice.get_by_role("button", name="Follow")
    expect(follow).to_have_attribute("aria-pressed", "false")
    follow.click()
    expect(follow).to_have_attribute("aria-pressed", "true")
    wait_for(alice, lambda: abs(float(view(alice)[0]) - far.latitude) < 0.0005, "the map went to the marker")
    further = Point(51.5620, -0.1520)
    seen(journey, further)
    wait_for(alice, lambda: abs(float(view(alice)[0]) - further.latitude) < 0.0005, "and goes with it")

    box = alice.locator("[data-ride-map]").bounding_box()
    assert box
    alice.mouse.move(box["x"] + 120, box["y"] + 150)
    alice.mouse.down()
    alice.mouse.move(box["x"] + 200, box["y"] + 200, steps=6)
    alice.mouse.up()
    expect(follow).to_have_attribute("aria-pressed", "false")
    wait_for(alice, lambda: abs(float(view(alice)[0]) - further.latitude) > 0.0005, "the drag moved it")
    alice.wait_for_function("() => !document.querySelector('.leaflet-pan-anim')")
    dragged = view(alice)
    seen(journey, NEAR)
    at_rest(alice, NEAR)
    assert view(alice) == dragged


def test_a_card_drawn_anew_keeps_the_map_as_it_was_left(
    person: Callable[..., Page], visit: Session, journey: Journey
) -> None:
    alice = job_page(person, visit.booking.customer, visit.booking)
    at_rest(alice, NEAR)
    alice.locator("[data-ride-map] .leaflet-control-zoom-out").click()
    wait_for(alice, lambda: view(alice)[2] != 15 and not alice.locator(".leaflet-zoom-anim").count(), "zoomed")
    left = view(alice)
    alice.evaluate("document.querySelector('[data-ride-map]').dataset.mine = 'yes'")
    row = make.fresh(journey)
    row.save()  # the card is touched
    alice.evaluate("document.querySelector('[data-live=\"tracking.ride\"]').dataset.old = 'yes'")
    from realtime.fragments import touch
    from tracking.live.journeys import ride as fragment

    touch(fragment, [visit.booking_id])
    expect(alice.locator("[data-live='tracking.ride'][data-old]")).to_have_count(0)
    expect(alice.locator("[data-ride-map][data-mine]")).to_have_count(1)
    assert view(alice) == left


def test_an_arrow_while_they_move_and_a_ring_when_asked(
    person: Callable[..., Page], visit: Session, journey: Journey
) -> None:
    alice = job_page(person, visit.booking.customer, visit.booking)
    expect(marker(alice)).not_to_have_attribute("data-moving", "")
    seen(journey, NEAR, heading=90.0, accuracy=40.0)
    expect(marker(alice)).to_have_attribute("data-moving", "")
    assert "rotate(90deg)" in (marker(alice).locator("svg").get_attribute("style") or "")
    expect(alice.locator("[data-ride-map] path.map-area")).to_have_count(0)
    marker(alice).click()
    expect(alice.locator("[data-ride-map] path.map-area")).to_have_count(1)


def test_everything_is_said_without_the_map_and_without_javascript(
    person: Callable[..., Page], visit: Session, journey: Journey
) -> None:
    alice = person(visit.booking.customer, **PHONE, java_script_enabled=False)
    alice.goto(reverse("bookings:job", args=[visit.booking_id]))
    expect(ride(alice)).to_contain_text("About 3 min")
    expect(ride(alice)).to_contain_text("680 m away, in Camden")
    expect(ride(alice)).to_contain_text("Updated")
    expect(alice.locator("[data-ride-map]")).to_be_hidden()


# --- What is read out -----------------------------------------------------------------------------


def test_steps_are_announced_and_ticks_are_not(person: Callable[..., Page], visit: Session, journey: Journey) -> None:
    south = 0.0000
    seen(journey, Point(51.5900, -0.1426 + south), pace=6.0)  # 20 min
    alice = job_page(person, visit.booking.customer, visit.booking)
    said = alice.locator("[data-ride-say]")
    expect(ride(alice).locator(".trip")).to_have_attribute("data-step", "")
    expect(said).to_have_text("")
    for latitude, words in ((51.5710, "Bob is about 15 minutes away."), (51.5600, "Bob is about 10 minutes away.")):
        seen(journey, Point(latitude, -0.1426), pace=6.0)
        expect(said).to_have_text(words)
    seen(journey, Point(51.5595, -0.1426), pace=6.0)
    expect(ride(alice).locator(".trip")).to_have_attribute("data-latitude", "51.5595")
    expect(said).to_have_text("Bob is about 10 minutes away.")
    seen(journey, Point(51.5450, -0.1426), pace=6.0)
    expect(said).to_have_text("Bob is about 5 minutes away.")


# --- The link -------------------------------------------------------------------------------------


def test_a_link_shows_the_trip_to_anybody_until_it_is_taken_back(
    person: Callable[..., Page], visit: Session, journey: Journey, console
) -> None:
    console.allow(r"status of 410")
    alice = job_page(person, visit.booking.customer, visit.booking)
    ask(alice, "Share this trip")
    answer(alice, "Make a link")
    link = alice.locator("a[data-share-link]")
    expect(link).to_have_text(alice.url.split("/jobs/")[0] + str(link.get_attribute("href")))

    stranger = person(None, **PHONE)
    stranger.goto(str(link.get_attribute("href")))
    stay(follows(stranger))
    expect(stranger.get_by_role("heading", level=1)).to_have_text("Bob is on the way")
    at_rest(stranger, NEAR)
    closer = Point(51.5432, -0.1412)
    seen(journey, closer)
    at_rest(stranger, closer)
    at_rest(alice, closer)
    stayed(stranger)

    ask(alice, "Stop sharing")
    answer(alice, "Stop sharing")
    expect(stranger.get_by_role("heading", level=1)).to_have_text("This trip is over")
    expect(marker(stranger)).to_have_count(0)
    seen(journey, NEAR)
    at_rest(alice, NEAR)  # the customer's own page goes on
    assert "data-latitude" not in stranger.content()


def test_and_ends_with_the_trip(person: Callable[..., Page], visit: Session, journey: Journey, way, console) -> None:
    console.allow(r"status of 410")
    link = actions.share(journey, by=visit.booking.customer)
    stranger = person(None, **PHONE, url=way.url)
    stranger.goto(reverse("tracking:shared", args=[link.token]))
    follows(stranger, way.state)
    at_rest(stranger, NEAR)
    actions.turn_back(journey, by=visit.technician.user)
    expect(stranger.get_by_role("heading", level=1)).to_have_text("This trip is over", timeout=WITHIN)
    assert "Bob" not in stranger.content()
