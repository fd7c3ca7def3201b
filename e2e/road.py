"""What a driver does at their phone, with a position of the test's own: real taps on the one screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import Role, User
from bookings.models import Booking
from common.geo import Point
from e2e import flow
from e2e.flow import PHONE, answer, follows, stay
from tracking import actions
from tracking.models import Dispatch, Driver, Fix, Leg, Position
from tracking.tests import make

CAMDEN = Point(51.5390, -0.1426)  # the door of every job here
NEAR = Point(51.5407, -0.1426)  # some 190 metres from it: a drive of a few seconds, and not yet there
WITHIN = 30_000  # ms; generous, because a healthy run never waits for it


# --- Pages ----------------------------------------------------------------------------------------


def drive_page(person: Callable[..., Page], who: User, at: Point | None = NEAR, **options: Any) -> Page:
    """The driver's open, live screen on a phone that knows where it is; without `at` it may not."""
    where = {"geolocation": fix(at), "permissions": ["geolocation"]} if at is not None else {}
    page = person(who, **{**PHONE, **where, **options})
    page.goto(reverse("tracking:drive"))
    return ready(page) if options.get("java_script_enabled", True) else page


def ready(page: Page, state: str = "live") -> Page:
    """Its scripts are at work."""
    expect(page.locator("html[data-road]")).to_have_count(1)
    return stay(follows(page, state))


def fix(at: Point, accuracy: float = 8) -> Any:
    """A position as the browser's emulation takes it."""
    return {"latitude": at.latitude, "longitude": at.longitude, "accuracy": accuracy}


def moves(page: Page, to: Point, accuracy: float = 8) -> None:
    """The phone is somewhere else."""
    page.context.set_geolocation(fix(to, accuracy))


# --- Parts of the screen --------------------------------------------------------------------------


def card(page: Page) -> Locator:
    """The offer over everything."""
    return page.locator("[data-offer]:not(.is-waiting, .is-later)")


def small_card(page: Page) -> Locator:
    """An offer that stands small."""
    return page.locator("[data-offer]:is(.is-waiting, .is-later)")


def leg_card(page: Page) -> Locator:
    """The leg that the driver has."""
    return page.locator(".drive-leg")


def next_step(page: Page, label: str) -> Locator:
    """The one big button."""
    return page.locator(".drive-next").get_by_role("link", name=label)


def chip(page: Page) -> Locator:
    """How well the position gets through."""
    return page.locator("[data-gps-chip]")


def watchers(page: Page) -> Locator:
    """Who can see me now."""
    return page.locator("[data-live='tracking.watchers']")


def side(page: Page, name: str) -> Locator:
    """One side of the duty switch that can be taken."""
    return page.locator(".duty-switch").get_by_role("link", name=name)


# --- Doing ----------------------------------------------------------------------------------------


def goes_on_duty(page: Page) -> None:
    """One tap; the server has a position soon after."""
    next_step(page, "Go on duty").click()
    expect(page.locator(".duty-on_duty")).to_be_visible()


def goes_off_duty(page: Page) -> None:
    """By the switch, and the question."""
    side(page, "Off").click()
    answer(page, "Go off duty")
    expect(page.locator(".duty-off_duty")).to_be_visible()


def accepts(page: Page) -> None:
    """One tap on the card."""
    card(page).get_by_role("link", name="Accept").click()
    expect(card(page)).to_have_count(0)
    expect(leg_card(page)).to_be_visible()


def sets_off(page: Page) -> None:
    """One tap."""
    next_step(page, "Set off").click()
    expect(next_step(page, "I have arrived")).to_be_visible()


def arrives(page: Page) -> None:
    """One tap at the door; elsewhere a question first."""
    next_step(page, "I have arrived").click()
    question = page.locator("dialog#dialog[open]")
    expect(question.or_(next_step(page, "Finish")).first).to_be_visible()
    if question.count():
        answer(page, "I have arrived")
    expect(next_step(page, "Finish")).to_be_visible()


def finishes(page: Page, note: str = "") -> None:
    """The question, with a note for the desk."""
    next_step(page, "Finish").click()
    page.locator("dialog#dialog[open]").get_by_label("Note for the desk").fill(note)
    answer(page, "Finish")
    expect(leg_card(page)).to_have_count(0)


# --- What the server has --------------------------------------------------------------------------


def wait_for(page: Page, condition: Callable[[], Any], what: str, within: float = WITHIN) -> Any:
    """Wait until `condition` is true, and return what it gave. The page's events arrive meanwhile."""
    for _ in range(int(within / 50)):
        if found := condition():
            return found
        page.wait_for_timeout(50)
    raise AssertionError(f"not within {within} ms: {what}")


def believed(page: Page, who: User, at: Point) -> Position:
    """Wait until the server believes that `who` is `at`."""

    def there() -> Position | None:
        row = Position.objects.filter(user=who).first()
        close = row is not None and row.point is not None and abs(row.point.latitude - at.latitude) < 1e-4
        return row if close and abs(row.longitude - at.longitude) < 1e-4 else None

    found: Position = wait_for(page, there, f"{who} at {at}")
    return found


def fixes_of(who: User) -> list[Fix]:
    """The track, in the order of its device's time."""
    return list(Fix.objects.filter(user=who).order_by("at"))


# --- Made without taps ----------------------------------------------------------------------------


def driver(name: str = "Sam") -> Driver:
    """A driver off duty, with a van."""
    return Driver.objects.create(user=flow.make.person(name, Role.DRIVER), plate="AB12 CDE")


def leg(booking: Booking, by: User, note: str = "A boiler pump", **changes: Any) -> Leg:
    """Something to be delivered for it."""
    return make.leg(booking, by, now=timezone.now(), note=note, **changes)


def offer(what: Leg, to: Driver, *, seconds: int = 300, **terms: Any) -> Dispatch:
    """The desk asks, elsewhere."""
    return actions.offer_leg(what, to, by=what.created_by, seconds=seconds, **terms)
