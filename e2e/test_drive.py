"""The driver's one screen at a phone: duty and what is collected, the offer over everything, the leg to its end, the
position with and without a network, taps that wait in a tunnel, and all of it without JavaScript.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from accounts.models import Role, User
from bookings.models import Booking
from bookings.tests import make as bookings
from chat.models import Message, QuickReply
from common.geo import Point
from e2e.flow import ADDRESS, CUSTOMER_PHONE, PHONE, answer, customer, job, sheet, stayed, toast
from e2e.people import Console, People
from e2e.road import (
    CAMDEN,
    NEAR,
    WITHIN,
    accepts,
    arrives,
    believed,
    card,
    chip,
    drive_page,
    driver,
    finishes,
    fixes_of,
    goes_off_duty,
    goes_on_duty,
    leg,
    leg_card,
    moves,
    next_step,
    offer,
    ready,
    sets_off,
    side,
    small_card,
    wait_for,
    watchers,
)
from tracking import actions
from tracking.access import current_shift
from tracking.models import Dispatch, Driver, Journey, Position, RefusedFixes
from tracking.states import DispatchStatus, Duty, Refused, RejectReason

AXE = (Path(__file__).parent / "vendor" / "axe-4.14.1.min.js").read_text()
SMALL = {"width": 360, "height": 640}
SECRETS = (ADDRESS, CUSTOMER_PHONE, "Alice", "Depot Road")


@pytest.fixture
def alice(db: None) -> User:
    """A customer who can be called."""
    return customer()


@pytest.fixture
def frank(db: None) -> User:
    """The desk."""
    return bookings.person("Frank", Role.ADMIN, is_staff=True)


@pytest.fixture
def sam(db: None) -> Driver:
    """The driver that a test is about."""
    return driver()


@pytest.fixture
def booking(alice: User) -> Booking:
    """A job of Alice's, in Camden."""
    return job(alice)


@pytest.fixture
def page(person: People, sam: Driver) -> Page:
    """Sam's screen."""
    return drive_page(person, sam.user)


@pytest.fixture
def on_duty(page: Page, sam: Driver) -> Page:
    """Sam's screen, on duty, the server having had the first position."""
    goes_on_duty(page)
    believed(page, sam.user, NEAR)
    return page


def state(dispatch: Dispatch) -> str:
    """As the database has it."""
    return Dispatch.objects.get(pk=dispatch.pk).status


# --- Duty -----------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_duty_by_one_tap_decides_what_is_collected_and_who_sees_it(page: Page, sam: Driver) -> None:
    expect(watchers(page)).to_contain_text("Nobody. Nothing is collected.")
    expect(chip(page)).to_have_count(0)
    goes_on_duty(page)
    believed(page, sam.user, NEAR)
    expect(chip(page)).to_have_attribute("data-tone", "good")
    expect(chip(page)).to_have_text(re.compile(r"±8 m · received (just now|\d+ s ago)"))
    expect(watchers(page)).to_contain_text("The desk, while you are on duty")
    expect(watchers(page)).to_contain_text("No customer.")

    side(page, "Break").click()
    expect(page.get_by_role("heading", name="On a break")).to_be_visible()
    expect(watchers(page)).to_contain_text("Nobody. Nothing is collected on a break.")
    assert not Position.objects.exists()
    moves(page, CAMDEN)
    next_step(page, "Back on duty").click()
    believed(page, sam.user, CAMDEN)

    goes_off_duty(page)
    expect(page.get_by_role("heading", name="You are off duty")).to_be_visible()
    assert not Position.objects.exists() and current_shift(sam.pk) is None
    moves(page, NEAR)
    page.wait_for_function("() => !document.querySelector('[data-gps-chip]')")
    assert not Position.objects.exists()
    stayed(page)


def test_a_phone_that_may_not_know_where_it_is_says_so(person: People, sam: Driver) -> None:
    page = drive_page(person, sam.user, at=None)
    goes_on_duty(page)
    expect(chip(page)).to_have_attribute("data-tone", "bad")
    expect(chip(page)).to_contain_text("Location is blocked: allow it in the browser's settings")
    page.context.grant_permissions(["geolocation"])
    moves(page, NEAR)
    believed(page, sam.user, NEAR)
    expect(chip(page)).to_have_attribute("data-tone", "good")


def test_a_weak_position_is_called_weak(on_duty: Page) -> None:
    moves(on_duty, CAMDEN, accuracy=350)
    expect(chip(on_duty)).to_contain_text("Weak: ±350 m")
    expect(chip(on_duty)).to_have_attribute("data-tone", "wait")


def test_what_is_refused_is_counted_and_explained(on_duty: Page) -> None:
    moves(on_duty, Point(48.8566, 2.3522))  # Paris, a second later
    refused = on_duty.get_by_role("link", name=re.compile("refused"))
    expect(refused).to_be_visible()
    refused.click()
    expect(sheet(on_duty)).to_contain_text("Too far from the one before to be true")
    expect(sheet(on_duty)).to_contain_text("It settles by itself")


def test_the_desk_asks_for_a_position_and_gets_one_at_once(on_duty: Page, sam: Driver, frank: User) -> None:
    before = Position.objects.get(user=sam.user).received_at
    on_duty.evaluate("document.querySelector('[data-gps]').dataset.idle = '600'")
    actions.request_position(sam, by=frank)
    wait_for(on_duty, lambda: Position.objects.get(user=sam.user).received_at > before, "another position")


def test_the_position_goes_on_from_every_page_and_from_one_window_only(on_duty: Page, sam: Driver) -> None:
    other = on_duty.context.new_page()
    other.goto(reverse("chat:list"))
    ready(other)
    expect(other.locator("#site-live [data-gps-chip]")).to_contain_text("±8 m")
    expect(chip(on_duty)).to_contain_text("Sent by your other window")
    moves(on_duty, CAMDEN)
    believed(other, sam.user, CAMDEN)
    other.close()
    moves(on_duty, NEAR)
    believed(on_duty, sam.user, NEAR)
    times = [fix.at for fix in fixes_of(sam.user)]
    assert len(times) == len(set(times))
    assert not RefusedFixes.objects.filter(reason=Refused.TOO_FAST).exists(), "one window at a time"


# --- The offer ------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_an_offer_stands_over_whatever_page_until_it_is_accepted(
    on_duty: Page, sam: Driver, booking: Booking, frank: User
) -> None:
    on_duty.goto(reverse("chat:list"))
    ready(on_duty)
    moves(on_duty, NEAR)
    link = on_duty.locator("main").get_by_role("link").first
    link.focus()
    asked = offer(leg(booking, frank, pick_up="Depot Road 3", pick_up_point=CAMDEN, weight_kg=18), sam)
    expect(card(on_duty).get_by_role("alert")).to_contain_text("A boiler pump")
    for fact in ("Delivery to Camden, NW1", "18 kg", "Fetch it first"):
        expect(card(on_duty)).to_contain_text(fact)
    wait_for(on_duty, lambda: Dispatch.objects.get(pk=asked.pk).seen_at, "the receipt")
    expect(on_duty.locator("#toasts .toast-x")).to_have_count(0)  # the card says it
    html = on_duty.content()
    assert not [secret for secret in SECRETS if secret in html], "before it is accepted only the area is known"

    ring = card(on_duty).locator("[data-ring-figure]")
    expect(ring).to_have_text(re.compile(r"^2\d\d$"))
    expect(card(on_duty)).to_be_focused()
    on_duty.keyboard.press("Tab")
    assert on_duty.evaluate("document.activeElement.closest('[data-offer]') !== null")

    card(on_duty).get_by_role("link", name="Accept").click()
    expect(card(on_duty)).to_have_count(0)
    assert state(asked) == DispatchStatus.ACCEPTED
    assert not on_duty.evaluate("document.querySelector('main').inert || document.querySelector('main > [inert]')")
    stayed(on_duty)
    on_duty.goto(reverse("tracking:drive"))
    for fact in (ADDRESS, "Depot Road 3", "Alice Test"):
        expect(leg_card(on_duty)).to_contain_text(fact)


@pytest.mark.parametrize("reason", list(RejectReason))
def test_declining_is_one_tap_on_its_reason(
    on_duty: Page, sam: Driver, booking: Booking, frank: User, reason: RejectReason
) -> None:
    asked = offer(leg(booking, frank), sam)
    card(on_duty).get_by_role("link", name=reason.label).click()
    expect(card(on_duty)).to_have_count(0)
    wait_for(on_duty, lambda: state(asked) == DispatchStatus.REJECTED, "declined")
    assert reason.label in Dispatch.objects.get(pk=asked.pk).reason


def test_what_ends_without_the_driver_takes_the_card_away_and_says_why(
    on_duty: Page, site: Any, sam: Driver, booking: Booking, frank: User
) -> None:
    site.clock()
    what = leg(booking, frank)
    asked = offer(what, sam)
    expect(card(on_duty)).to_be_visible()
    actions.revoke_offer(asked, by=frank)
    expect(card(on_duty)).to_have_count(0)
    expect(on_duty.get_by_text("The desk took the offer “A boiler pump” back")).to_be_visible()

    asked = offer(what, sam, seconds=8)
    expect(card(on_duty)).to_be_visible()
    expect(card(on_duty)).to_have_count(0, timeout=20_000)
    assert state(asked) == DispatchStatus.EXPIRED
    expect(on_duty.get_by_text("lapsed unanswered. That is no refusal")).to_be_visible()
    stayed(on_duty)


def test_a_tap_that_comes_too_late_is_a_sentence(on_duty: Page, sam: Driver, booking: Booking, frank: User) -> None:
    asked = offer(leg(booking, frank), sam)

    def first_the_desk(route: Route) -> None:
        actions.revoke_offer(asked, by=frank)
        route.continue_()

    on_duty.route("**/accept/", first_the_desk)
    card(on_duty).get_by_role("link", name="Accept").click()
    expect(on_duty.locator("#toasts [role=alert]")).to_contain_text("The desk took this offer back")
    expect(card(on_duty)).to_have_count(0)
    expect(leg_card(on_duty)).to_have_count(0)


def test_two_offers_come_one_after_the_other_and_wait_small_beside_a_leg(
    on_duty: Page, sam: Driver, booking: Booking, frank: User
) -> None:
    later = offer(leg(booking, frank, note="Copper pipes"), sam, seconds=600)
    expect(card(on_duty)).to_contain_text("Copper pipes")
    offer(leg(booking, frank), sam, seconds=100)
    expect(card(on_duty)).to_contain_text("A boiler pump")
    expect(card(on_duty)).to_contain_text("1 more waits")
    card(on_duty).get_by_role("link", name="Accept").click()
    expect(small_card(on_duty)).to_contain_text("You can take it once your leg is finished")
    expect(card(on_duty)).to_have_count(0)
    sets_off(on_duty)
    arrives(on_duty)
    finishes(on_duty)
    expect(card(on_duty)).to_contain_text("Copper pipes")
    accepts(on_duty)
    assert state(later) == DispatchStatus.ACCEPTED


def test_an_offer_can_be_put_off_and_frees_the_page(on_duty: Page, sam: Driver, booking: Booking, frank: User) -> None:
    asked = offer(leg(booking, frank), sam)
    card(on_duty).get_by_role("button", name="Later").click()
    expect(card(on_duty)).to_have_count(0)
    expect(small_card(on_duty)).to_contain_text("A boiler pump")
    side(on_duty, "Break").click(trial=True)
    small_card(on_duty).get_by_role("link", name="Accept").click()
    expect(leg_card(on_duty)).to_be_visible()
    assert state(asked) == DispatchStatus.ACCEPTED


# --- The leg --------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_a_leg_from_the_offer_to_its_end(on_duty: Page, sam: Driver, booking: Booking, frank: User) -> None:
    asked = offer(leg(booking, frank), sam)
    accepts(on_duty)
    call = leg_card(on_duty).get_by_role("link", name="Call Alice")
    expect(call).to_have_attribute("href", f"tel:{CUSTOMER_PHONE.replace(' ', '')}")
    go = leg_card(on_duty).get_by_role("link", name="Navigate to the customer")
    expect(go).to_have_attribute("href", re.compile(r"^geo:51\.539000,-0\.142600\?q="))
    expect(watchers(on_duty)).to_contain_text("No customer.")
    expect(on_duty.get_by_text("Finish your leg before you go off duty.")).to_be_visible()

    sets_off(on_duty)
    expect(watchers(on_duty)).to_contain_text("Alice, until you arrive")
    expect(side(on_duty, "Break")).to_have_count(0)
    moves(on_duty, CAMDEN)
    expect(on_duty.get_by_text("You seem to be there.")).to_be_visible(timeout=WITHIN)
    next_step(on_duty, "I have arrived").click()
    expect(next_step(on_duty, "Finish")).to_be_visible()
    expect(watchers(on_duty)).to_contain_text("No customer.")
    assert Journey.objects.get().closed_at

    finishes(on_duty, "Left with the neighbour")
    assert state(asked) == DispatchStatus.COMPLETED
    expect(on_duty.get_by_text("1 leg finished in this shift")).to_be_visible()
    html = on_duty.content()
    assert not [secret for secret in SECRETS if secret in html], "a leg that is over is nobody's address any more"
    stayed(on_duty)


def test_arriving_far_from_the_door_is_asked_about(on_duty: Page, sam: Driver, booking: Booking, frank: User) -> None:
    offer(leg(booking, frank), sam)
    accepts(on_duty)
    sets_off(on_duty)
    next_step(on_duty, "I have arrived").click()
    expect(sheet(on_duty)).to_contain_text("you are not there yet")
    answer(on_duty, "I have arrived")
    expect(next_step(on_duty, "Finish")).to_be_visible()


def test_a_leg_that_does_not_work_out_goes_back(on_duty: Page, sam: Driver, booking: Booking, frank: User) -> None:
    asked = offer(leg(booking, frank), sam)
    accepts(on_duty)
    leg_card(on_duty).get_by_role("link", name="It does not work out").click()
    sheet(on_duty).get_by_label("No way to get there").check()
    answer(on_duty, "Give the leg back")
    expect(leg_card(on_duty)).to_have_count(0)
    assert state(asked) == DispatchStatus.FAILED


def test_the_desk_takes_a_leg_away_under_the_drivers_eyes(
    on_duty: Page, sam: Driver, booking: Booking, frank: User
) -> None:
    asked = offer(leg(booking, frank), sam)
    accepts(on_duty)
    sets_off(on_duty)
    actions.cancel_dispatch(asked, by=frank, reason="The customer called.")
    alert = on_duty.locator("[data-live='tracking.work']").get_by_role("alert")
    expect(alert).to_contain_text("is no longer yours. The customer called.")
    expect(watchers(on_duty)).to_contain_text("No customer.")
    assert ADDRESS not in on_duty.content()
    stayed(on_duty)


def test_share_links_are_counted_among_who_sees_the_driver(
    on_duty: Page, sam: Driver, booking: Booking, frank: User, alice: User
) -> None:
    offer(leg(booking, frank), sam)
    accepts(on_duty)
    sets_off(on_duty)
    link = actions.share(Journey.objects.get(), by=alice)
    expect(watchers(on_duty)).to_contain_text("Whoever has the 1 link that Alice shared")
    actions.revoke_link(link, by=alice)
    expect(watchers(on_duty)).not_to_contain_text("link")


# --- Without a network ----------------------------------------------------------------------------


def test_positions_wait_on_the_phone_through_a_reload_and_arrive_in_order(
    on_duty: Page, site: Any, sam: Driver, console: Console
) -> None:
    console.allow_outage()
    on_duty.route("**/drive/fixes/", lambda route: route.abort())
    on_duty.evaluate("document.addEventListener('live:say', (event) => event.stopImmediatePropagation(), true)")
    on_duty.add_init_script("document.addEventListener('live:say', (event) => event.stopImmediatePropagation(), true)")
    track = [Point(51.5407 + 0.0002 * step, -0.1426) for step in range(1, 5)]
    for step, point in enumerate(track, 1):
        moves(on_duty, point)
        expect(chip(on_duty)).to_have_attribute("data-queue", str(step), timeout=15_000)
    before = len(fixes_of(sam.user))
    on_duty.reload()
    ready(on_duty)
    wait_for(on_duty, lambda: int(chip(on_duty).get_attribute("data-queue") or 0) >= 4, "the queue after the reload")
    assert len(fixes_of(sam.user)) == before
    on_duty.unroute("**/drive/fixes/")
    wait_for(on_duty, lambda: len(fixes_of(sam.user)) >= before + 4, "the whole track", within=60_000)
    latitudes = [round(fix.latitude, 5) for fix in fixes_of(sam.user)]
    assert [each for each in latitudes if each in {round(p.latitude, 5) for p in track}][:4] == [
        round(p.latitude, 5) for p in track
    ]
    expect(chip(on_duty)).to_have_attribute("data-queue", re.compile("^[01]$"), timeout=20_000)


def test_positions_are_posted_while_the_socket_is_down(
    person: People, proxy: Any, sam: Driver, console: Console
) -> None:
    console.allow_outage()
    proxy.upgrades = False
    page = person(
        sam.user,
        url=proxy.url,
        **PHONE,
        geolocation={"latitude": NEAR.latitude, "longitude": NEAR.longitude},
        permissions=["geolocation"],
    )
    page.goto(reverse("tracking:drive"))
    ready(page, "polling")
    goes_on_duty(page)
    believed(page, sam.user, NEAR)
    moves(page, CAMDEN)
    believed(page, sam.user, CAMDEN)
    expect(chip(page)).to_have_attribute("data-queue", "0")


def test_a_tap_in_a_tunnel_counts_once_when_the_network_is_back(
    on_duty: Page, sam: Driver, booking: Booking, frank: User, console: Console
) -> None:
    console.allow_outage()
    asked = offer(leg(booking, frank), sam)
    accepts(on_duty)
    on_duty.context.set_offline(True)
    next_step(on_duty, "Set off").click()
    expect(toast(on_duty, "It is sent again by itself")).to_be_visible()
    expect(next_step(on_duty, "Set off")).to_have_attribute("aria-busy", "true")
    next_step(on_duty, "Set off").click(force=True)
    assert state(asked) == DispatchStatus.ACCEPTED
    on_duty.context.set_offline(False)
    expect(next_step(on_duty, "I have arrived")).to_be_visible(timeout=20_000)
    assert [row.to_state for row in asked.history.all()] == ["offered", "accepted", "en_route"]
    stayed(on_duty)


# --- The desk, small phones, no script ------------------------------------------------------------


def test_a_quick_word_reaches_the_desk_with_one_tap(on_duty: Page, sam: Driver) -> None:
    QuickReply.objects.create(role=Role.DRIVER, text="Running about 10 min late", position=1)
    on_duty.get_by_role("button", name="Running about 10 min late").click()
    expect(on_duty.locator("[data-quick-said]")).to_have_text("Sent: “Running about 10 min late”")
    said = Message.objects.get()
    assert (said.text, said.author_id) == ("Running about 10 min late", sam.pk)
    expect(on_duty.locator("#drive-talks")).to_contain_text("Running about 10 min late")
    stayed(on_duty)


def test_the_screen_fits_a_small_phone_and_axe_finds_nothing(
    on_duty: Page, sam: Driver, booking: Booking, frank: User
) -> None:
    on_duty.set_viewport_size(SMALL)  # type: ignore[arg-type]
    on_duty.emulate_media(reduced_motion="reduce")
    is_sound(on_duty)
    offer(leg(booking, frank, pick_up="Depot Road 3", pick_up_point=CAMDEN, weight_kg=18), sam)
    expect(card(on_duty)).to_be_visible()
    fits(on_duty)
    is_sound(on_duty, "[data-offer]")
    in_reach(on_duty, card(on_duty).get_by_role("link", name="Accept"))
    accepts(on_duty)
    fits(on_duty)
    is_sound(on_duty)
    in_reach(on_duty, next_step(on_duty, "Set off"))


def fits(page: Page) -> None:
    """Nothing scrolls sideways, and every target takes a thumb."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sizes = page.locator(".drive-offer a, .drive-next a, .duty-switch a, .drive-leg a.btn").evaluate_all(
        "all => all.filter((each) => each.getClientRects().length).map((each) => each.getBoundingClientRect().height)"
    )
    assert sizes and min(sizes) >= 44, sizes


def in_reach(page: Page, button: Any) -> None:
    """In the lower half of the screen, without scrolling."""
    box = button.bounding_box()
    assert box and box["y"] > SMALL["height"] / 2 and box["y"] + box["height"] <= SMALL["height"], box


def is_sound(page: Page, within: str = "body") -> None:
    """axe-core calls nothing serious, light and dark."""
    page.evaluate(AXE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.evaluate("Promise.allSettled(document.getAnimations().map((each) => each.finished))")
        found = page.evaluate("within => axe.run(within, {resultTypes: ['violations']})", within)
        wrong = [
            f"{each['id']}: {node['html'][:200]}"
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]
        assert not wrong, f"{scheme}: {wrong}"


def test_everything_but_the_position_works_without_javascript(
    person: People, sam: Driver, booking: Booking, frank: User
) -> None:
    page = drive_page(person, sam.user, java_script_enabled=False)

    def does(link: str, button: str, within: str = "main") -> None:
        page.locator(within).get_by_role("link", name=link).first.click()
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.locator("h1")).to_have_text("Drive")

    does("Go on duty", "Go on duty")
    expect(chip(page)).to_contain_text("is sent only where JavaScript is on.")
    does("Break", "Take a break")
    does("Back on duty", "Back on duty")
    asked = offer(leg(booking, frank), sam)
    page.reload()
    does("Too far away", "Decline", within="body")
    assert state(asked) == DispatchStatus.REJECTED
    asked = offer(leg(booking, frank, note="Copper pipes"), sam)
    page.reload()
    does("Accept", "Accept", within="body")
    does("Set off", "Set off")
    does("I have arrived", "I have arrived")
    does("Finish", "Finish")
    assert state(asked) == DispatchStatus.COMPLETED
    does("Off", "Go off duty")
    assert current_shift(sam.pk) is None and [row.duty for row in sam.user.shifts.all()] == [Duty.OFF_DUTY]
