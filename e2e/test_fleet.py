"""The desk's live fleet: the map and the lists say the same, legs are assigned from the tray, races are sentences."""

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
from e2e.flow import PHONE, Way, ask, customer, follows, job, sheet, stay, stayed
from e2e.people import People
from e2e.road import CAMDEN, NEAR, drive_page, leg, moves, offer, wait_for
from tracking import actions
from tracking.access import current_shift
from tracking.models import Driver, Position
from tracking.states import DispatchStatus
from tracking.tests import make as road

WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
SMALL: dict[str, Any] = {**PHONE}
GREENWICH = Point(51.4769, -0.0005)


@pytest.fixture
def frank(db: None) -> User:
    """The desk."""
    return bookings.person("Frank", Role.ADMIN, is_staff=True)


@pytest.fixture
def booking(db: None) -> Booking:
    """A job of Alice's, in Camden."""
    return job(customer())


def at_work(name: str, at: Point | None = NEAR) -> Driver:
    """A driver on duty who was just seen there."""
    return road.at_work(name, at=at, now=timezone.now(), plate="AB12 CDE")


def seen_at(who: Driver, at: Point) -> None:
    """A fix is believed, elsewhere."""
    position, now = Position.objects.get(pk=who.pk), timezone.now()
    position.latitude, position.longitude, position.fix_at, position.seen_at = *at, now, now
    position.save()


def fleet_page(person: Callable[..., Page], who: User, query: str = "", *, state: str = "live", **options: Any) -> Page:
    """The desk's open, live page on a wide screen, its map drawn."""
    page = person(who, **{**WIDE, **options})
    page.goto(f"{reverse('desk:fleet')}{query}")
    expect(page.locator("#fleet-map canvas")).to_have_count(1)
    return stay(follows(page, state))


def row(page: Page, who: Driver) -> Locator:
    """The driver's row."""
    return page.locator(f"#fleet-rows > [data-driver='{who.pk}']")


def in_tray(page: Page, note: str) -> Locator:
    """A leg in the tray."""
    return page.locator("#tray-rows > [data-leg]", has_text=note)


def tap_middle(page: Page, there: Callable[[], bool]) -> None:
    """Tap the middle of the map, where what was fitted alone stands, until `there`: a map that moves takes no tap."""

    def tapped() -> bool:
        box = page.locator("#fleet-map").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        return there()

    wait_for(page, tapped, "what stands in the middle of the map")


def tap_driver(page: Page, who: Driver) -> None:
    """Choose the driver who stands in the middle of the map."""
    tap_middle(page, lambda: "is-selected" in (row(page, who).get_attribute("class") or ""))


def popup(page: Page) -> Locator:
    """The names of a group that was tapped."""
    return page.locator(".leaflet-popup .fleet-names")


# --- Assigning ------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_a_leg_is_assigned_from_the_tray_and_followed_to_its_end(
    person: People, way: Way, frank: User, booking: Booking
) -> None:
    sam = at_work("Sam")
    desk = fleet_page(person, frank, url=way.url, state=way.state)
    what = leg(booking, frank)
    expect(in_tray(desk, "A boiler pump")).to_contain_text("Needs a driver")
    expect(desk.locator("[data-cell=waiting]")).to_have_text("1")
    dialog = ask(desk, "Assign", within="#tray-rows")
    expect(dialog.locator(".candidate").first).to_contain_text("km away")
    dialog.get_by_text("5 min", exact=True).click()
    dialog.get_by_role("button", name="Ask those ticked").click()
    expect(sheet(desk)).to_have_count(0)
    expect(in_tray(desk, "A boiler pump")).to_contain_text("Queued: Sam is offline")
    expect(in_tray(desk, "A boiler pump").locator("[data-deadline]")).to_have_text(re.compile(r"^0[45]:\d\d$"))
    dispatch = what.dispatches.get()
    actions.see_offer(dispatch, by=sam.user)
    expect(in_tray(desk, "A boiler pump")).to_contain_text(re.compile(r"Seen \d\d:\d\d:\d\d"))
    actions.accept_offer(dispatch, by=sam.user)
    expect(in_tray(desk, "A boiler pump")).to_have_count(0)
    expect(desk.locator("#tray-rows")).to_contain_text("Every leg has a driver")
    expect(row(desk, sam)).to_have_attribute("data-load", "busy")
    actions.set_off(dispatch, by=sam.user)
    expect(row(desk, sam)).to_contain_text("On the way")
    actions.arrive(dispatch, by=sam.user)
    actions.complete(dispatch, by=sam.user)
    expect(row(desk, sam)).to_have_attribute("data-load", "available")
    stayed(desk)


def test_a_queued_offer_reaches_the_driver_who_comes_online_and_the_desk_reads_so(
    person: People, frank: User, booking: Booking
) -> None:
    sam = at_work("Sam", at=None)
    what = leg(booking, frank)
    offer(what, sam)
    desk = person(frank, **WIDE)
    desk.goto(reverse("desk:leg", args=[what.pk]))
    stay(follows(desk))
    expect(desk.locator(".leg-now")).to_contain_text("Queued: Sam is offline")
    drive_page(person, sam.user)
    expect(desk.locator(".leg-now")).to_contain_text(re.compile(r"has it on the screen, seen \d\d:\d\d:\d\d"))
    expect(desk.locator(".asked")).to_contain_text(re.compile(r"Seen \d\d:\d\d:\d\d"))
    stayed(desk)


def test_a_lost_race_is_a_sentence_in_the_dialog_with_a_next_step(
    person: People, frank: User, booking: Booking
) -> None:
    sam, ann = at_work("Sam"), at_work("Ann", at=CAMDEN)
    what = leg(booking, frank)
    desk = fleet_page(person, frank)
    dialog = ask(desk, "Assign", within="#tray-rows")
    offer(what, sam)
    expect(in_tray(desk, "A boiler pump")).to_contain_text("Asking Sam")
    dialog.get_by_role("button", name="Ask those ticked").click()
    expect(dialog.locator("[data-refusal], .refusal, h1").first).to_be_visible()
    expect(dialog.get_by_role("link", name="See the leg")).to_be_visible()
    assert not ann.dispatches.exists()
    stayed(desk)


def test_several_are_asked_one_after_another(person: People, frank: User, booking: Booking) -> None:
    sam, ann = at_work("Sam"), at_work("Ann", at=GREENWICH)
    what = leg(booking, frank)
    desk = fleet_page(person, frank)
    ask(desk, "Assign", within="#tray-rows").get_by_role("button", name="Ask the best 2 in turn").click()
    expect(in_tray(desk, "A boiler pump")).to_contain_text("Asking Sam")
    expect(in_tray(desk, "A boiler pump")).to_contain_text("1 more to ask")
    actions.reject_offer(what.dispatches.get(), by=sam.user, reason="too_far")
    expect(in_tray(desk, "A boiler pump")).to_contain_text("Asking Ann")
    ask(desk, "Take back", within="#tray-rows").get_by_role("button", name="Take it back").click()
    expect(in_tray(desk, "A boiler pump")).to_contain_text("Ann: taken back")
    assert {each.status for each in what.dispatches.all()} == {DispatchStatus.REJECTED, DispatchStatus.REVOKED}
    assert ann.dispatches.get().status == DispatchStatus.REVOKED


def test_a_new_leg_is_made_for_a_job_and_its_page_opens(person: People, frank: User, booking: Booking) -> None:
    desk = fleet_page(person, frank)
    desk.get_by_role("link", name="New leg").click()
    desk.get_by_role("link", name=booking.title).click()
    desk.get_by_label("Pick-up").check()
    desk.get_by_label("What").fill("Old boiler")
    desk.get_by_role("button", name="Make the leg").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Old boiler")
    expect(desk.locator(".leg-now")).to_contain_text("Needs a driver")


# --- The map and the list -------------------------------------------------------------------------


def test_what_is_chosen_on_the_map_is_chosen_in_the_list_and_the_other_way_round(person: People, frank: User) -> None:
    sam = at_work("Sam")
    desk = fleet_page(person, frank)
    tap_driver(desk, sam)
    expect(row(desk, sam)).to_have_class(re.compile("is-selected"))
    expect(row(desk, sam).get_by_role("link", name="Message")).to_have_attribute(
        "href", f"{reverse('desk:compose')}?to={sam.pk}"
    )
    desk.mouse.click(desk.locator("#fleet-map").bounding_box()["x"] + 60, 700)  # type: ignore[index]
    expect(row(desk, sam)).not_to_have_class(re.compile("is-selected"))
    row(desk, sam).get_by_role("button", name="Show Sam Test on the map").click()
    expect(row(desk, sam)).to_have_class(re.compile("is-selected"))
    expect(desk.locator("#fleet-follow")).to_be_enabled()
    actions.take_break(current_shift(sam.pk), by=sam.user)  # type: ignore[arg-type]
    expect(row(desk, sam)).to_have_attribute("data-duty", "on_break")
    expect(row(desk, sam)).to_have_class(re.compile("is-selected"))
    expect(desk.locator("#fleet-follow")).to_be_disabled()  # a break shows no position


def test_markers_in_one_place_open_to_a_list_of_names(person: People, frank: User) -> None:
    drivers = [at_work(name) for name in ("Sam", "Ann", "Kim")]
    desk = fleet_page(person, frank)
    tap_middle(desk, lambda: popup(desk).count() > 0)
    expect(popup(desk).get_by_role("button")).to_have_text(["Ann Test", "Kim Test", "Sam Test"])
    expect(popup(desk).get_by_role("button").first).to_be_focused()
    popup(desk).get_by_role("button", name="Kim Test").click()
    expect(row(desk, drivers[2])).to_have_class(re.compile("is-selected"))
    expect(popup(desk)).to_have_count(0)


def test_a_moving_driver_is_followed_until_the_map_is_dragged(person: People, frank: User) -> None:
    sam = at_work("Sam")
    desk = fleet_page(person, frank)
    tap_driver(desk, sam)
    follow = desk.locator("#fleet-follow")
    follow.click()
    expect(follow).to_have_attribute("aria-pressed", "true")
    before = row(desk, sam).locator("time[data-age]").get_attribute("datetime")
    seen_at(sam, GREENWICH)
    expect(row(desk, sam).locator("time[data-age]")).not_to_have_attribute("datetime", before or "")
    expect(row(desk, sam)).to_contain_text("in Greenwich")
    tap_driver(desk, sam)
    box = desk.locator("#fleet-map").bounding_box()
    assert box is not None
    desk.mouse.move(box["x"] + 300, box["y"] + 500)
    desk.mouse.down()
    desk.mouse.move(box["x"] + 200, box["y"] + 450, steps=5)
    desk.mouse.up()
    expect(follow).to_have_attribute("aria-pressed", "false")
    stayed(desk)


def test_the_list_says_without_the_map_what_the_map_shows(person: People, frank: User) -> None:
    sam = at_work("Sam")
    position = Position.objects.get(pk=sam.pk)
    position.round_trip_ms = 450
    position.save()
    desk = fleet_page(person, frank)
    expect(row(desk, sam)).to_contain_text("in Camden")
    expect(row(desk, sam).locator("time[data-age]")).to_have_attribute("data-age-state", "live")
    expect(row(desk, sam)).to_contain_text("Available")
    drive_page(person, sam.user)
    expect(row(desk, sam)).to_contain_text("Online")
    expect(row(desk, sam).locator("[data-fleet-quality]")).to_be_visible()


# --- Filters --------------------------------------------------------------------------------------


def test_a_filter_holds_for_those_who_change_while_it_stands(person: People, frank: User, booking: Booking) -> None:
    sam, ann = at_work("Sam"), at_work("Ann")
    desk = fleet_page(person, frank)
    count = desk.locator("#fleet-count")
    expect(count).to_have_text("2 of 2 drivers")
    desk.get_by_label("Load").select_option("busy")
    expect(row(desk, sam)).to_be_hidden()
    expect(desk.get_by_role("heading", name="Nobody fits")).to_be_visible()
    expect(desk).to_have_url(re.compile(r"\?load=busy$"))
    actions.accept_offer(offer(leg(booking, frank), ann), by=ann.user)
    expect(row(desk, ann)).to_be_visible()
    expect(row(desk, sam)).to_be_hidden()
    expect(count).to_have_text("1 of 2 drivers")
    desk.locator("[data-cell=available]").click()
    expect(row(desk, sam)).to_be_visible()
    expect(row(desk, ann)).to_be_hidden()
    desk.get_by_label("Search for a driver").fill("zoe")
    expect(row(desk, sam)).to_be_hidden()
    desk.reload()
    expect(desk.get_by_label("Load")).to_have_value("available")


def test_a_driver_who_goes_on_duty_appears_and_one_who_goes_off_is_gone(person: People, frank: User) -> None:
    sam, ann = at_work("Sam"), road.driver("Ann")
    desk = fleet_page(person, frank)
    expect(row(desk, ann)).to_be_hidden()
    actions.go_on_duty(ann.user, by=ann.user)
    expect(row(desk, ann)).to_be_visible()
    expect(row(desk, ann)).to_contain_text("No position yet")
    actions.go_off_duty(current_shift(sam.pk), by=sam.user)  # type: ignore[arg-type]
    expect(row(desk, sam)).to_be_hidden()
    expect(desk.locator("[data-cell=on_duty]")).to_have_text("1")
    stayed(desk)


# --- A driver, a phone, no JavaScript -------------------------------------------------------------


def test_the_desk_asks_for_a_position_and_the_phone_sends_it(person: People, frank: User) -> None:
    sam = at_work("Sam", at=None)
    phone = drive_page(person, sam.user, NEAR)
    first = wait_for(phone, lambda: Position.objects.filter(pk=sam.pk).first(), "a first position").received_at
    desk = person(frank, **WIDE)
    desk.goto(reverse("desk:driver", args=[sam.pk]))
    stay(follows(desk))
    ask(desk, "Ask for position").get_by_role("button", name="Ask now").click()
    expect(sheet(desk)).to_have_count(0)
    wait_for(phone, lambda: Position.objects.get(pk=sam.pk).received_at > first, "a fresh position")
    expect(desk.locator(".track-map canvas, .track-map svg").first).to_be_visible()
    age = desk.locator(".driver-now time[data-age]")
    before = age.get_attribute("datetime") or ""
    moves(phone, Point(NEAR.latitude + 0.0003, NEAR.longitude))
    expect(age).not_to_have_attribute("datetime", before)
    stayed(desk)


def test_it_all_fits_on_a_phone(person: People, frank: User, booking: Booking) -> None:
    sam = at_work("Sam")
    leg(booking, frank)
    desk = fleet_page(person, frank, **SMALL)
    assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")
    dialog = ask(desk, "Assign", within="#tray-rows")
    assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")
    dialog.get_by_role("button", name="Ask those ticked").click()
    expect(in_tray(desk, "A boiler pump")).to_contain_text("Asking Sam")
    for name, pk in (("leg", booking.legs.get().pk), ("driver", sam.pk), ("leg_offer", booking.legs.get().pk)):
        desk.goto(reverse(f"desk:{name}", args=[pk]))
        assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


def test_without_javascript_the_lists_are_read_filtered_and_acted_on(
    person: People, frank: User, booking: Booking
) -> None:
    sam, ann = at_work("Sam"), road.driver("Ann")
    what = leg(booking, frank)
    desk = person(frank, java_script_enabled=False, **WIDE)
    desk.goto(reverse("desk:fleet"))
    expect(row(desk, sam)).to_be_visible()
    expect(row(desk, ann)).to_be_hidden()
    desk.get_by_label("Duty").select_option("off_duty")
    desk.get_by_role("button", name="Search").click()
    expect(row(desk, sam)).to_be_hidden()
    expect(row(desk, ann)).to_be_visible()
    desk.locator("#tray-rows").get_by_role("link", name="Assign").click()
    desk.get_by_role("button", name="Ask those ticked").click()
    expect(desk.locator(".leg-now")).to_contain_text("Queued: Sam is offline")
    assert what.dispatches.get().driver == sam
