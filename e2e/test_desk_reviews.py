"""Reviews in real browsers: written and sealed, opened when both have spoken, flagged, hidden by the desk; each page
moves by itself, and nothing is seen before its time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from bookings import actions, due
from bookings.models import Booking, Review
from bookings.tests import make
from bookings.tests.make import HOUR, MINUTE
from e2e.flow import PHONE, Way, answer, ask, follows, job, offered, sheet, stay, stayed, toast

WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
TWO_WAYS = pytest.mark.parametrize("way", ["live", "switched off"], indirect=True)
WORDS, REPLY = "Late, and the tap still drips.", "Everything was ready."


def done(customer: User, by: User, ago: timedelta = HOUR) -> Booking:
    """A job of theirs that was finished so long ago."""
    end = timezone.now() - ago
    window = {"window_start": end - HOUR, "window_end": end + 3 * HOUR}
    visit = make.visit(customer, by, now=end - 2 * HOUR, **window)
    return make.finished(visit, at=end).booking


def at(person: Callable[..., Page], who: User, where: str, way: Way | None = None, **options: Any) -> Page:
    """An open page of `who` that follows."""
    page = person(who, url=way.url if way else "", **options)
    page.goto(where)
    return stay(follows(page, way.state if way else "live"))


def job_page(booking: Booking) -> str:
    return reverse("bookings:job", args=[booking.pk])


def card(page: Page) -> Locator:
    """The reviews on the page of a job."""
    return page.locator(".review-card")


def row(page: Page, review: Review) -> Locator:
    """A review in the desk's list."""
    return page.locator(f"#adminpanel-review-row-{review.pk}")


def badge(page: Page) -> Locator:
    """How many wait, in the rail."""
    return page.locator("#adminpanel-waits-reviews")


def write(page: Page, stars: str, text: str) -> None:
    """Tap so many stars on the card, say it, send it."""
    card(page).get_by_role("link", name=stars).click()
    sheet(page).get_by_label("In your words").fill(text)
    answer(page, "Send my review")


@TWO_WAYS
def test_from_the_first_word_to_the_desks_decision(person, alice, bob, charlie, frank, way) -> None:
    booking = done(alice, bob)
    offered(job(charlie), bob)
    customers = at(person, alice, job_page(booking), way, **PHONE)
    technicians = at(person, bob, job_page(booking), way, **PHONE)
    others = at(person, charlie, job_page(Booking.objects.get(customer=charlie)), way, **PHONE)
    desk = at(person, frank, reverse("desk:reviews"), way, **WIDE)
    expect(others.locator(".offer")).to_contain_text("No reviews yet")

    write(customers, "2 of 5", WORDS)
    expect(card(customers)).to_contain_text("You have reviewed. It opens when Bob has written too")
    expect(card(technicians)).to_contain_text("How was it with Alice?")  # as before
    for page in (technicians, others, desk):
        assert WORDS not in page.content()

    write(technicians, "5 of 5", REPLY)
    for page in (customers, technicians):
        expect(card(page)).to_contain_text(WORDS)
        expect(card(page)).to_contain_text(REPLY)
    expect(others.locator(".offer [data-cell=rating]")).to_contain_text("2.0")

    ask(technicians, "Flag it").get_by_label("It is not true").check()
    answer(technicians, "Flag it")
    expect(card(technicians)).to_contain_text("The desk is looking at it")
    review = Review.objects.get(party="customer")
    expect(row(desk, review)).to_contain_text("Alice Test about Bob Test")
    expect(badge(desk)).to_contain_text("1")

    desk.goto(reverse("desk:review", args=[review.pk]))
    stay(follows(desk, way.state))
    ask(desk, "Hide it").get_by_label("Shown to be false").check()
    sheet(desk).get_by_label("In your words").fill("The photos show a dry tap.")
    sheet(desk).get_by_role("button", name="Hide it").click()
    expect(desk.get_by_text("Hidden: Alice Test about Bob Test.")).to_be_visible()
    expect(desk).to_have_url(f"{way.url}{reverse('desk:reviews')}")
    expect(desk.get_by_text("Nothing is flagged")).to_be_visible()

    expect(card(technicians)).to_contain_text("The desk has hidden this review")
    expect(card(technicians)).not_to_contain_text(WORDS)
    expect(card(customers)).to_contain_text("The desk has hidden it: shown to be false")
    expect(others.locator(".offer [data-cell=rating]")).to_contain_text("No reviews yet")
    stayed(customers, technicians, others)


def test_a_week_later_a_lonely_review_opens_on_every_open_page_by_the_clock(person, alice, bob) -> None:
    booking = done(alice, bob, timedelta(days=7) - 5 * MINUTE)
    actions.write_review(booking, by=alice, stars=4, text=WORDS)
    customers = at(person, alice, job_page(booking), **PHONE)
    technicians = at(person, bob, reverse("profile"), **PHONE)  # whoever looks at the job has read it there
    expect(card(customers)).to_contain_text("It opens when Bob has written too")

    due.open_reviews(timezone.now() + 6 * MINUTE)

    expect(card(customers)).to_contain_text("Bob did not write a review.")
    expect(toast(technicians, "The customer's review of you is open to read")).to_be_visible()
    stayed(customers, technicians)


def test_two_admins_at_one_review_and_the_second_reads_that_it_is_decided(person, alice, bob, frank) -> None:
    booking = done(alice, bob)
    actions.write_review(booking, by=bob, stars=5, text=REPLY)
    review = actions.write_review(booking, by=alice, stars=1, text=WORDS)
    actions.flag_review(review, by=bob, reason="abuse")
    grace = make.person("Grace", "admin", is_staff=True)
    first, second = (at(person, who, reverse("desk:review", args=[review.pk]), **WIDE) for who in (frank, grace))
    ask(second, "Keep it").get_by_label("Why it stays").fill("An opinion.")

    ask(first, "Hide it").get_by_label("Insults or threats").check()
    sheet(first).get_by_label("In your words").fill("It insults.")
    sheet(first).get_by_role("button", name="Hide it").click()
    expect(first.get_by_text("Nothing is flagged")).to_be_visible()

    expect(second.locator(".review-case")).to_contain_text("Hidden: insults or threats")
    sheet(second).get_by_role("button", name="Keep it").click()
    expect(sheet(second).get_by_role("alert")).to_contain_text("this review has been hidden")
    assert make.fresh(review).status == "hidden"
    stayed(second)


def test_by_keyboard_alone_a_review_is_written_and_one_is_kept(person, alice, bob, frank) -> None:
    booking = done(alice, bob)
    actions.write_review(booking, by=bob, stars=5, text=REPLY)
    customers = at(person, alice, job_page(booking), **PHONE)
    card(customers).get_by_role("link", name="3 of 5").focus()
    customers.keyboard.press("Enter")
    expect(sheet(customers).get_by_label("Fair")).to_be_checked()
    sheet(customers).get_by_label("Fair").focus()
    customers.keyboard.press("ArrowLeft")
    expect(sheet(customers).get_by_label("Poor")).to_be_checked()
    customers.keyboard.press("Tab")
    customers.keyboard.type(WORDS)
    customers.keyboard.press("Tab")
    customers.keyboard.press("Tab")
    customers.keyboard.press("Enter")
    expect(card(customers)).to_contain_text(WORDS)
    review = Review.objects.get(party="customer")
    assert review.stars == 2
    actions.flag_review(review, by=bob, reason="untrue")

    desk = at(person, frank, reverse("desk:reviews"), **WIDE)
    row(desk, review).get_by_role("link").focus()
    desk.keyboard.press("Enter")
    expect(desk).to_have_url(re.compile(rf"{reverse('desk:review', args=[review.pk])}$"))
    follows(desk)
    desk.get_by_role("link", name="Keep it").focus()
    desk.keyboard.press("Enter")
    sheet(desk).get_by_label("Why it stays").focus()
    desk.keyboard.type("An opinion.")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("Kept: Alice Test about Bob Test.")).to_be_visible()
    expect(card(customers)).to_contain_text(WORDS)
