"""What a customer and a technician do at their phones: real clicks through the real pages, no address typed.

Each verb ends when its own page shows what became of it. What the *other* page shows is the tests' to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from bookings.models import Bid, Booking, Session
from bookings.tests import make
from bookings.tests.make import DAY, HOUR

PHONE = {"viewport": {"width": 390, "height": 844}}
ADDRESS = "12 Inverness Street"
CUSTOMER_PHONE = "+44 7700 900321"


@dataclass(frozen=True)
class Way:
    """How pages hear: the address to open, and what they call it."""

    url: str
    state: str


# --- Pages that must not be loaded again ----------------------------------------------------------


def stay(page: Page) -> Page:
    """From here on, `stayed` tells whether the page was ever loaded again."""
    page.evaluate("window.neverReloaded = true")
    return page


def stayed(*pages: Page) -> None:
    """Nobody has reloaded these pages, nor did they reload themselves."""
    for page in pages:
        assert page.evaluate("window.neverReloaded === true"), f"{page.url} was loaded again."


def follows(page: Page, state: str = "live") -> Page:
    """Wait until `page` follows: `live` by its socket, `polling` by asking."""
    expect(page.locator("html")).to_have_attribute("data-live", state)
    return page


# --- Parts of pages -------------------------------------------------------------------------------


def banner(page: Page) -> Locator:
    """The line on every page that says where things stand."""
    return page.locator("#site-live .banner")


def toast(page: Page, text: str) -> Locator:
    """The toast that says `text`."""
    return page.locator("#toasts .toast-x", has_text=text)


def sheet(page: Page) -> Locator:
    """The dialog over the page."""
    return page.locator("dialog#dialog[open]")


def ask(page: Page, link: str, *, within: str = "main") -> Locator:
    """Tap a link of the page that opens a dialog; the dialog. Before the page's scripts are at work, it is a link."""
    expect(page.locator("html[data-live]")).to_have_count(1)
    page.locator(within).get_by_role("link", name=link).first.click()
    expect(sheet(page)).to_be_visible()
    return sheet(page)


def answer(page: Page, button: str) -> None:
    """Tap a button of the dialog, which then closes: it was done."""
    sheet(page).get_by_role("button", name=button, exact=True).click()
    expect(sheet(page)).to_have_count(0)


# --- The customer ---------------------------------------------------------------------------------


def book(page: Page, title: str = "Kitchen tap leaks", kind: str = "Leak") -> Booking:
    """From home through the four steps to the job page."""
    page.goto(reverse("home"))
    page.get_by_role("link", name="Book a job").first.click()
    page.locator(".choice-card", has_text=kind).first.click()
    page.get_by_label("In a few words").fill(title)
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Street and number").fill(ADDRESS)
    page.get_by_label("Postcode").fill("NW1 7HJ")
    page.get_by_label("Neighbourhood").select_option("Camden, NW1")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_label("Day")).not_to_have_value("")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Ask for offers").click()
    expect(page).to_have_url(re.compile(r"/jobs/\d+/$"))
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    return Booking.objects.get(pk=int(page.url.rstrip("/").rpartition("/")[2]))


def offer_card(page: Page, name: str) -> Locator:
    """The offer of that technician in the customer's list."""
    return page.locator(".offers .offer", has_text=name)


def accept(page: Page, name: str, price: str) -> None:
    """Accept the offer of that technician at that price."""
    offer_card(page, name).get_by_role("link", name="Accept").click()
    answer(page, f"Accept {price}")


def visit_card(page: Page) -> Locator:
    """The customer's card of where the job stands."""
    return page.locator(".job-now")


# --- The technician -------------------------------------------------------------------------------


def bid(page: Page, amount: str, *, link: str = "Make an offer", button: str = "Send the offer") -> None:
    """Offer, or with other words change the offer, on the open job page."""
    ask(page, link).get_by_label("Your price").fill(amount)
    answer(page, button)
    expect(work_card(page).locator("[data-cell=price]")).to_have_text(f"£{float(amount):.2f}")


def work_card(page: Page) -> Locator:
    """The technician's card of where their offer or visit stands."""
    return page.locator("[data-live='bookings.work']")


def place_card(page: Page) -> Locator:
    """Address, phone and e-mail: there only while the visit is the technician's."""
    return page.locator("[data-live='bookings.work_place']")


def knows_address(page: Page) -> None:
    """The technician's open page has the address and the phone number."""
    expect(place_card(page)).to_contain_text(ADDRESS)
    expect(place_card(page)).to_contain_text(CUSTOMER_PHONE)


def knows_nothing(page: Page, *, within: float = 2000) -> None:
    """Neither address nor phone nor e-mail is anywhere in the page, hidden parts included."""
    expect(place_card(page).filter(has_text=ADDRESS)).to_have_count(0, timeout=within)
    html = page.content()
    for secret in (ADDRESS, CUSTOMER_PHONE, CUSTOMER_PHONE.replace(" ", ""), "alice@example.org"):
        assert secret not in html, f"{secret} is still in the page."


# --- Made without clicks --------------------------------------------------------------------------


def customer(name: str = "Alice") -> User:
    """A customer with a phone number."""
    return make.person(name, phone=CUSTOMER_PHONE)


def job(by: User, **changes: Any) -> Booking:
    """A job of `by` that is open for offers, wanted the day after tomorrow."""
    now = timezone.now()
    start = (now + 2 * DAY).replace(minute=0, second=0, microsecond=0)
    return make.job(by, now=now, window_start=start, window_end=start + 6 * HOUR, **changes)


def offered(booking: Booking, by: User, amount: int | str = 60, *, after: timedelta = timedelta()) -> Bid:
    """An offer of `by` on it."""
    return make.offer(booking, by, amount, now=timezone.now(), starts_at=booking.window_start + after)


def accepted(bid: Bid) -> Session:
    """The customer accepts it, elsewhere."""
    return make.accept(make.fresh(bid), now=timezone.now())


def job_page(person: Callable[..., Page], who: User, booking: Booking, **options: Any) -> Page:
    """The open, live job page of one of the two sides, on a phone."""
    page = person(who, **PHONE, **options)
    page.goto(reverse("bookings:job", args=[booking.pk]))
    return stay(follows(page))


def profile_page(page: Page, state: str = "live") -> Page:
    """Another tab of the same person, on a page that has nothing to do with the job."""
    other = page.context.new_page()
    other.goto(reverse("profile"))
    return stay(follows(other, state))
