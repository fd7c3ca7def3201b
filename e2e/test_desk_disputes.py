"""A dispute in real browsers: opened with evidence, asked about, answered, decided; each page moves by itself."""

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
from bookings import due
from bookings.models import Booking, Dispute
from bookings.tests import make, quarrel
from bookings.tests.make import HOUR
from e2e.flow import PHONE, Way, answer, ask, follows, sheet, stay, stayed

WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
TWO_WAYS = pytest.mark.parametrize("way", ["live", "switched off"], indirect=True)
PHOTO = {"name": "Tap.jpg", "mimeType": "image/jpeg", "buffer": make.picture().read()}
PAPER = {"name": "Report.pdf", "mimeType": "application/pdf", "buffer": quarrel.PDF}
pytestmark = pytest.mark.usefixtures("media")


@pytest.fixture
def job(alice: User, bob: User) -> Booking:
    """Alice's, which Bob has just finished."""
    now = timezone.now()
    window = {"window_start": now - 2 * HOUR, "window_end": now + 2 * HOUR}
    visit = make.visit(alice, bob, now=now - 3 * HOUR, **window)
    return make.finished(visit, at=now - HOUR).booking


def at(person: Callable[..., Page], who: User, where: str, way: Way | None = None, **options: Any) -> Page:
    """An open page of `who` that follows."""
    page = person(who, url=way.url if way else "", **options)
    page.goto(where)
    return stay(follows(page, way.state if way else "live"))


def tab(page: Page, where: str) -> Page:
    """Another tab of the same person."""
    other = page.context.new_page()
    other.goto(where)
    return other


def job_page(booking: Booking) -> str:
    return reverse("bookings:job", args=[booking.pk])


def card(page: Page) -> Locator:
    """What the job's page says of disputes."""
    return page.locator("[data-live='bookings.dispute_card']")


def line(page: Page) -> Locator:
    """Where the dispute stands, on its own page."""
    return page.locator("[data-live='bookings.dispute'] h2[data-cell='line']")


def row(page: Page, dispute: Dispute) -> Locator:
    """The dispute in the desk's list."""
    return page.locator(f"#adminpanel-dispute-row-{dispute.pk}")


def open_one(page: Page) -> Dispute:
    """From the job's page through the form, with a photo."""
    card(page).get_by_role("link", name="Open a dispute").click()
    page.get_by_label("The work is not right").check()
    page.get_by_label("What happened").fill("It still drips.")
    page.get_by_label("What would settle it").fill("A second visit")
    page.get_by_label("Photos or PDFs").set_input_files(PHOTO)  # type: ignore[arg-type]
    page.get_by_role("button", name="Open the dispute").click()
    expect(page).to_have_url(re.compile(r"/disputes/\d+/$"))
    expect(page.locator(".evidence img")).to_have_js_property("complete", True)
    assert page.locator(".evidence img").evaluate("image => image.naturalWidth") > 0
    return Dispute.objects.get()


@TWO_WAYS
def test_from_the_complaint_to_the_decision_no_page_is_loaded_again(
    person: Callable[..., Page], way: Way, job: Booking, alice: User, bob: User, frank: User
) -> None:
    hers = at(person, alice, job_page(job), way, **PHONE)
    his = at(person, bob, job_page(job), way, **PHONE)
    queue = at(person, frank, reverse("desk:disputes"), way, **WIDE)
    expect(queue.locator("#desk-rows")).to_contain_text("Nothing waits for us")

    dispute = open_one(tab(hers, hers.url))
    expect(row(queue, dispute)).to_contain_text("Alice Test against Bob Test")
    expect(queue.locator("#adminpanel-waits-disputes")).to_contain_text("1")
    expect(card(hers)).to_contain_text("The desk looks at it first, then asks Bob for an answer.")
    expect(card(his)).to_contain_text("You can then read what is said, and answer.")
    theirs = at(person, bob, reverse("bookings:dispute", args=[dispute.pk]), way, **PHONE)
    expect(theirs.get_by_text("It still drips.")).to_have_count(0)

    desk = tab(queue, reverse("desk:dispute", args=[dispute.pk]))
    follows(desk, way.state)
    desk.get_by_role("link", name="Ask Bob").press("Enter")  # by keyboard
    sheet(desk).get_by_role("button", name="Ask Bob").press("Enter")
    expect(desk).to_have_url(re.compile(r"/desk/disputes/$"))  # nothing else waits
    expect(desk.get_by_text("Bob is asked about “Kitchen tap leaks”.")).to_be_visible()
    expect(row(queue, dispute)).to_have_count(0)
    expect(queue.locator("#desk-rows")).to_contain_text("Nothing waits for us")
    expect(card(hers)).to_contain_text("Waiting for Bob's answer.")
    expect(line(theirs)).to_have_text("Your answer is wanted.")
    expect(theirs.get_by_text("It still drips.")).to_be_visible()
    expect(theirs.locator(".evidence img")).to_be_visible()

    ask(theirs, "Answer")
    sheet(theirs).get_by_label("How you see it").fill("It did not drip when I left.")
    sheet(theirs).get_by_label("Photos or PDFs").set_input_files(PAPER)  # type: ignore[arg-type]
    answer(theirs, "Send the answer")
    expect(line(theirs)).to_have_text("Both sides are heard. The desk decides.")
    expect(theirs.get_by_role("link", name="Report.pdf")).to_be_visible()
    expect(row(queue, dispute)).to_contain_text("Under review")

    desk = tab(queue, reverse("desk:dispute", args=[dispute.pk]))
    desk.get_by_role("link", name="Decide").press("Enter")
    desk.get_by_label("Shared between both").check()
    desk.get_by_label("Amount").fill("20")
    desk.get_by_label("Why, as both sides read it").fill("Both of you saw the tap.")
    desk.get_by_role("button", name="Decide it").press("Enter")
    expect(desk).to_have_url(re.compile(r"/desk/disputes/$"))
    expect(row(queue, dispute)).to_have_count(0)
    for page in (hers, his):
        expect(card(page)).to_contain_text("Decided: the fault is shared.")
    expect(theirs.locator(".decided")).to_contain_text("Shared between both: £20.00")
    expect(theirs.locator(".decided")).to_contain_text("Both of you saw the tap.")
    stayed(hers, his, queue, theirs)


def test_the_deadline_passes_and_open_pages_say_so_and_what_is_withdrawn_leaves_the_desk(
    person: Callable[..., Page], job: Booking, alice: User, bob: User, frank: User
) -> None:
    now = timezone.now()
    dispute = quarrel.opened(job, alice, now=now - timedelta(hours=50), statement="It still drips.")
    quarrel.taken_on(dispute, frank, now=now - timedelta(hours=47))
    place = reverse("bookings:dispute", args=[dispute.pk])
    hers, his = at(person, alice, place, **PHONE), at(person, bob, place, **PHONE)
    desk = at(person, frank, reverse("desk:dispute", args=[dispute.pk]), **WIDE)
    queue = stay(follows(tab(desk, reverse("desk:disputes"))))
    expect(his.get_by_role("link", name="Answer", exact=True)).to_be_visible()
    expect(desk.get_by_role("link", name="Decide")).to_have_count(0)

    due.end_answering(now + timedelta(hours=2))
    expect(line(his)).to_have_text("The desk decides.")
    expect(his.get_by_role("link", name="Answer", exact=True)).to_have_count(0)
    expect(row(queue, dispute)).to_contain_text("Under review")
    expect(desk.get_by_role("link", name="Decide")).to_be_visible()

    ask(desk, "Add evidence")
    sheet(desk).get_by_label("What it shows").fill("I have called both.")
    answer(desk, "Add it")
    for page in (hers, his, desk):
        expect(page.get_by_text("I have called both.")).to_be_visible()

    deciding = tab(desk, reverse("desk:dispute_decide", args=[dispute.pk]))
    deciding.get_by_label("Why, as both sides read it").fill("I was about to")
    follows(deciding)
    ask(hers, "Withdraw it")
    answer(hers, "Withdraw it")
    expect(line(hers)).to_have_text("You withdrew it.")
    expect(line(his)).to_have_text("Alice withdrew it.")
    expect(row(queue, dispute)).to_have_count(0)
    expect(desk.get_by_role("link", name="Decide")).to_have_count(0)
    expect(deciding.locator("form.decide")).to_be_hidden()  # nothing is left to decide
    stayed(hers, his, desk, queue)
