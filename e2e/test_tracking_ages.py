"""Ages turn live, stale and lost by themselves, with no new data, on every page that shows a position: on the map and
without it, for the customer, behind the shared link, and on the desk's list beside the map and page of a driver.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import Role, User
from bookings.tests import make as bookings
from e2e.flow import PHONE, customer, follows, job, stay, stayed
from e2e.people import People
from e2e.road import NEAR, driver, leg
from tracking import actions
from tracking.models import Dispatch, Driver, Journey, Position
from tracking.tests import make as road

WITHIN = 30_000
LIVE, STALE, LOST = "live", "stale", "lost"


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
    """Sam is on the way to Alice."""
    return road.en_route(leg(job(customer()), frank), sam, now=timezone.now())


def last_seen(who: Driver, seconds: float) -> Position:
    """A position was heard so many seconds ago, and nothing since."""
    at = timezone.now() - timedelta(seconds=seconds)
    row = Position.objects.filter(user=who.user).first() or Position(user=who.user)
    row.latitude, row.longitude, row.fix_at, row.seen_at, row.received_at = *NEAR, at, at, at
    row.journey_id = Journey.objects.get(traveller=who.user).pk  # as the intake names it
    row.save()
    return row


def open_page(person: People, who: User | None, address: str, **options: Any) -> Page:
    """A live page."""
    page = person(who, **{**PHONE, **options})
    page.goto(address)
    return stay(follows(page))


def customers(person: People, coming: Dispatch, frank: User) -> tuple[Page, Locator]:
    """The job page's card."""
    page = open_page(person, coming.leg.booking.customer, reverse("bookings:job", args=[coming.leg.booking_id]))
    return page, page.locator("[data-live='tracking.journey']")


def bearers(person: People, coming: Dispatch, frank: User) -> tuple[Page, Locator]:
    """The page of a share link."""
    link = actions.share(coming.journeys.get(), by=coming.leg.booking.customer)
    page = open_page(person, None, reverse("tracking:shared", args=[link.token]))
    return page, page.locator("[data-live='tracking.journey']")


def fleet(person: People, coming: Dispatch, frank: User) -> tuple[Page, Locator]:
    """The driver's row beside the desk's map."""
    page = open_page(person, frank, reverse("desk:fleet"), viewport={"width": 1440, "height": 900})
    return page, page.locator(f"#fleet-rows > [data-driver='{coming.driver_id}'] .fleet-seen")


def drivers_page(person: People, coming: Dispatch, frank: User) -> tuple[Page, Locator]:
    """The desk's page of one driver."""
    page = open_page(person, frank, reverse("desk:driver", args=[coming.driver_id]))
    return page, page.locator(".driver-now .fleet-seen")


PAGES: dict[str, Callable[[People, Dispatch, User], tuple[Page, Locator]]] = {
    "customer": customers,
    "link": bearers,
    "fleet": fleet,
    "driver's page on the desk": drivers_page,
}


def age_in(place: Locator) -> Locator:
    """The age in words."""
    return place.locator("time[data-age]:visible").first


@pytest.mark.parametrize(("seconds", "first", "then"), [(24, LIVE, STALE), (294, STALE, LOST)])
@pytest.mark.parametrize("which", PAGES)
def test_live_turns_stale_and_stale_turns_lost_with_no_new_data(
    person: People, coming: Dispatch, sam: Driver, frank: User, which: str, seconds: int, first: str, then: str
) -> None:
    last_seen(sam, seconds)
    page, place = PAGES[which](person, coming, frank)
    last_seen(sam, seconds)  # again: the seconds that are left are the open page's, not those it takes to load
    expect(age_in(place)).to_have_attribute("data-age-state", first)
    expect(age_in(place)).to_have_attribute("data-age-state", then, timeout=WITHIN)
    expect(age_in(place)).to_contain_text("s ago" if then == STALE else "5 min ago")
    last_seen(sam, 1)
    expect(age_in(place)).to_have_attribute("data-age-state", LIVE, timeout=WITHIN)
    stayed(page)


@pytest.mark.parametrize(
    ("seconds", "first", "words", "then"),
    [(24, "Arrives between", "Last seen", STALE), (294, "Last seen", "Out of sight", LOST)],
)
def test_the_customer_reads_it_in_words_and_the_marker_fades(
    person: People, coming: Dispatch, sam: Driver, frank: User, seconds: int, first: str, words: str, then: str
) -> None:
    last_seen(sam, seconds)
    alice, card = customers(person, coming, frank)
    last_seen(sam, seconds)  # again, as above
    shown = card.locator(".trip-eta:visible")
    expect(shown).to_contain_text(first)
    expect(shown).to_contain_text(words, timeout=WITHIN)
    expect(alice.locator(".map-who")).to_have_attribute("data-age-state", then)
    stayed(alice)


def test_without_a_map_and_with_javascript_off_the_age_is_there_in_words(
    person: People, coming: Dispatch, sam: Driver, frank: User
) -> None:
    last_seen(sam, 100)
    alice = person(coming.leg.booking.customer, java_script_enabled=False, **PHONE)
    alice.goto(reverse("bookings:job", args=[coming.leg.booking_id]))
    expect(alice.locator("[data-live='tracking.journey']")).to_contain_text("1 min ago")
    expect(alice.locator("[data-live='tracking.journey'] .trip-eta:visible")).to_contain_text("Last seen")
    desk = person(frank, java_script_enabled=False)
    desk.goto(reverse("desk:fleet"))
    row = desk.locator(f"[data-driver='{sam.pk}'] .fleet-seen time")
    expect(row).to_have_attribute("data-age-state", STALE)
    expect(row).to_contain_text("1 min ago")
