"""The desk's jobs: its list and a job's page follow what others do, and what the desk does follows on their pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from accounts.models import DeskAction, Role, User
from bookings import actions
from bookings.models import Booking
from bookings.tests import make
from e2e.flow import PHONE, Way, accepted, answer, ask, customer, follows, job, job_page, offered, sheet, stay, stayed
from e2e.people import People

WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}


@pytest.fixture
def frank(db: None) -> User:
    """The desk."""
    return make.person("Frank", Role.ADMIN, is_staff=True)


def jobs_page(person: People, who: User, query: str = "", *, state: str = "live", **options: Any) -> Page:
    """The desk's open, live list."""
    page = person(who, **{**WIDE, **options})
    page.goto(f"{reverse('desk:bookings')}{query}")
    return stay(follows(page, state))


def desk_page(person: People, who: User, booking: Booking, *, state: str = "live", **options: Any) -> Page:
    """A job's open, live page at the desk."""
    page = person(who, **{**WIDE, **options})
    page.goto(reverse("desk:booking", args=[booking.pk]))
    return stay(follows(page, state))


def row(page: Page, booking: Booking) -> Locator:
    """A job on the list."""
    return page.locator(f"#adminpanel-booking-row-{booking.pk}")


def pill(page: Page) -> Locator:
    """What says that there is something new."""
    return page.locator("#jobs-rows-pill")


def now(page: Page) -> Locator:
    """Where the job stands, on its page."""
    return page.locator(".jobs-now")


# --- What others do -------------------------------------------------------------------------------


def test_the_list_follows_what_others_do_and_says_what_is_new(person: People, way: Way, frank: User) -> None:
    alice, bob = customer(), make.technician("Bob")
    first = job(alice)
    every = jobs_page(person, frank, url=way.url, state=way.state)
    open_ = jobs_page(person, frank, "?show=open", url=way.url, state=way.state)
    second = job(alice, title="Boiler is cold")
    for page in (every, open_):
        expect(pill(page)).to_have_text("1 new")
        expect(row(page, second)).to_have_count(0)
        pill(page).click()
        expect(row(page, second)).to_contain_text("No offers yet")
    bid = offered(second, bob, 61)
    for page in (every, open_):
        expect(row(page, second)).to_contain_text("1 offer, from £61.00")
    accepted(bid)
    expect(row(every, second)).to_contain_text("Bob Test, £61.00")
    expect(row(open_, second)).to_have_count(0)
    expect(row(open_, first)).to_have_count(1)
    stayed(every, open_)


def test_a_ticked_row_follows_and_keeps_its_tick(person: People, frank: User) -> None:
    alice, bob = customer(), make.technician("Bob")
    booking, other = job(alice), job(alice, title="Boiler is cold")
    page = jobs_page(person, frank)
    tick = row(page, booking).get_by_role("checkbox")
    tick.check()
    row(page, other).get_by_role("checkbox").focus()
    expect(page.locator("[data-jobs-count]")).to_have_text("1 ticked")
    offered(booking, bob, 61)
    expect(row(page, booking)).to_contain_text("1 offer")
    expect(tick).to_be_checked()
    page.get_by_role("button", name="Accept cheapest").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Accept the cheapest offer of each?")
    page.get_by_label("Why").fill("She asked us to")
    page.get_by_role("button", name="Accept them: 1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 of 1 done")
    expect(page.locator("main")).to_contain_text("Bob comes for £61.00")


# --- What the desk does ---------------------------------------------------------------------------


def test_the_desk_sends_somebody_and_both_sides_see_it(person: People, way: Way, frank: User) -> None:
    alice, bob = customer(), make.technician("Bob")
    dora = make.technician("Dora")
    booking = job(alice)
    offered(booking, dora, 70)
    desk = desk_page(person, frank, booking, url=way.url, state=way.state)
    home = person(alice, **PHONE, url=way.url)
    home.goto(reverse("bookings:job", args=[booking.pk]))
    stay(follows(home, way.state))
    dialog = ask(desk, "Send a technician")
    expect(dialog.locator(".jobs-candidate").first).to_contain_text("offers £70.00 · free then")
    dialog.locator(".jobs-candidate", has_text="Bob").click()
    dialog.get_by_label("Price").fill("75")
    dialog.get_by_label("Why").fill("They called us")
    answer(desk, "Send them")
    expect(now(desk)).to_contain_text("Bob Test")
    expect(desk.locator("#job-offers")).to_contain_text("Not chosen")
    expect(desk.locator(".jobs-history")).to_contain_text("They called us")
    expect(home.locator(".job-now")).to_contain_text("Bob")
    expect(home.locator("[data-live='bookings.job_timeline']")).to_contain_text("The desk booked Bob")
    work = person(bob, **PHONE, url=way.url)
    work.goto(reverse("bookings:job", args=[booking.pk]))
    stay(follows(work, way.state))
    ask(desk, "Send somebody else")
    sheet(desk).locator(".jobs-candidate", has_text="Dora").click()
    sheet(desk).get_by_label("Price").fill("70")
    sheet(desk).get_by_label("Why").fill("Bob is ill")
    answer(desk, "Send them instead")
    expect(now(desk)).to_contain_text("Dora Test")
    expect(home.locator(".job-now")).to_contain_text("Dora")
    expect(work.locator("[data-live='bookings.work']")).to_contain_text(re.compile("Somebody else comes instead"))
    stayed(desk, home, work)


def test_an_overlap_is_refused_in_the_dialog_and_can_be_overruled(person: People, frank: User) -> None:
    alice, bob = customer(), make.technician("Bob")
    accepted(offered(job(customer("Charlie")), bob))
    booking = job(alice)
    desk = desk_page(person, frank, booking)
    ask(desk, "Send a technician")
    sheet(desk).locator(".jobs-candidate", has_text="Bob").click()
    sheet(desk).get_by_label("Price").fill("75")
    sheet(desk).get_by_label("Why").fill("They live next door")
    sheet(desk).get_by_role("button", name="Send them").click()
    expect(sheet(desk)).to_contain_text("let the visits overlap")
    expect(sheet(desk).get_by_label("Why")).to_have_value("They live next door")
    sheet(desk).get_by_label("Let it overlap").check()
    answer(desk, "Send them")
    expect(now(desk)).to_contain_text("Overlap allowed")
    assert DeskAction.objects.get().verb == "allowed_overlap"
    stayed(desk)


def test_the_desk_acts_for_both_sides_and_each_sees_it(person: People, frank: User) -> None:
    alice, bob = customer(), make.technician("Bob")
    visit = accepted(offered(job(alice), bob))
    desk, home = desk_page(person, frank, visit.booking), job_page(person, alice, visit.booking)
    desk.get_by_text("On behalf of either side").click()
    ask(desk, "Check Bob in")
    sheet(desk).get_by_label("Why").fill("His phone is flat")
    answer(desk, "Check in")
    expect(home.locator(".job-now")).to_contain_text(visit.start_code)
    ask(desk, "Start the work")
    sheet(desk).get_by_label("Why").fill("She told us on the telephone")
    answer(desk, "Start the work")
    expect(home.locator(".job-now")).to_contain_text("Work in progress")
    actions.complete_session(visit, by=bob, note="New washer.")
    expect(now(desk)).to_contain_text("New washer.")
    expect(desk.locator(".jobs-history")).to_contain_text("His phone is flat")
    stayed(desk, home)


def test_the_desk_books_for_somebody_on_the_telephone(person: People, frank: User) -> None:
    alice = customer()
    make.category()
    home = person(alice, **PHONE)
    home.goto("/")
    stay(follows(home))
    desk = person(frank, **WIDE)
    desk.goto(reverse("desk:bookings"))
    desk.get_by_role("link", name="Book for a customer").first.click()
    desk.get_by_role("link", name="Alice Test").click()
    desk.locator(".choice-card, .choice", has_text="Leak").first.click()
    desk.get_by_label("In a few words").fill("Kitchen tap leaks")
    desk.get_by_label("Street and number").fill("12 Inverness Street")
    desk.get_by_label("Postcode").fill("NW1 7HJ")
    desk.get_by_label("Neighbourhood").select_option("Camden, NW1")
    desk.get_by_label("Why").fill("On the telephone")
    desk.get_by_role("button", name="Place the job").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Kitchen tap leaks")
    expect(home.locator("main")).to_contain_text("Kitchen tap leaks")
    stayed(home)


def test_the_list_is_worked_by_keyboard_on_a_phone_too(person: People, frank: User) -> None:
    booking = job(customer())
    page = person(frank, **PHONE)
    page.goto(reverse("desk:bookings"))
    follows(page)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, width
    row(page, booking).get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-jobs-count]")).to_have_text("1 ticked")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Kitchen tap leaks")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
