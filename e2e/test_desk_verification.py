"""Documents in real browsers: what a technician sends reaches the desk's queue, what the desk decides reaches them, and
what runs out pauses their offers; no page is loaded again.
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

from accounts import credentials
from accounts.models import Credential, CredentialKind, User
from accounts.tests.papers import document, upload
from bookings.tests import make
from e2e.flow import PHONE, Way, answer, ask, follows, job, sheet, stay, stayed, toast
from e2e.site import Site

WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
SOME = timedelta(days=200)
TWO_WAYS = pytest.mark.parametrize("way", ["live", "switched off"], indirect=True)
pytestmark = pytest.mark.usefixtures("media")


@pytest.fixture
def nina(db: None) -> User:
    """A technician nobody has verified."""
    return make.technician("Nina", verified=False)


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


def sent(by: User, kind: str, ago: timedelta = timedelta()) -> Credential:
    """A document that was sent elsewhere."""
    now = timezone.now()
    return credentials.submit_credential(
        by.technician, by=by, kind=kind, document=document(), valid_until=(now + SOME).date(), now=now - ago
    )


def held(by: User, kind: str, ago: timedelta, days: int) -> Credential:
    """One that was approved then, for so many days."""
    then = timezone.now() - ago
    last = (then + timedelta(days=days)).date()
    row = credentials.submit_credential(
        by.technician, by=by, kind=kind, document=document(), valid_until=last, now=then
    )
    return credentials.approve_credential(row, by=None, now=then)


def card(page: Page, kind: str) -> Locator:
    """One kind of document on the technician's page."""
    return page.locator("[data-live='accounts.credential']").filter(has=page.locator(f"#paper-{kind}"))


def standing(page: Page) -> Locator:
    """Whether they may make offers, on the technician's page."""
    return page.locator("[data-live='accounts.verification']")


def row(page: Page, credential: Credential) -> Locator:
    """A document in the desk's list."""
    return page.locator(f"#adminpanel-credential-row-{credential.pk}")


def case(page: Page) -> Locator:
    """The document that the desk looks at."""
    return page.locator("[data-live='adminpanel.credential_case']")


def send(page: Page, label: str, name: str, days: int = 0) -> Credential:
    """Send a document by the form; it is on the page then."""
    page.get_by_role("link", name=f"Send it: {label}").click()
    file = upload(name)
    page.get_by_label("Photo or PDF").set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": file.read()})
    page.get_by_label("Number or reference").fill("A 123")
    if days:
        page.get_by_label("Last day it holds").fill(f"{timezone.now() + timedelta(days=days):%Y-%m-%d}")
    page.get_by_role("button", name="Send to the desk").click()
    expect(page.get_by_text("Our desk looks at it")).to_be_visible()
    return Credential.objects.latest("pk")


@TWO_WAYS
def test_what_is_sent_reaches_the_queue_and_what_is_decided_reaches_the_technician(
    person: Callable[..., Page], way: Way, nina: User, frank: User
) -> None:
    theirs = at(person, nina, reverse("credentials"), way, **PHONE)
    queue = at(person, frank, reverse("desk:verification"), way, **WIDE)
    expect(queue.locator("#desk-rows")).to_contain_text("Everything is checked")
    expect(standing(theirs)).to_contain_text("Send your proof of identity and liability insurance")

    identity = send(tab(theirs, theirs.url), "Proof of identity", "passport.jpg")
    insurance = send(tab(theirs, theirs.url), "Liability insurance", "policy.pdf", days=200)
    expect(row(queue, identity)).to_contain_text("Nina Test")
    expect(queue.locator("#desk-rows > li[id]")).to_have_count(2)
    expect(queue.locator("#adminpanel-waits-verification")).to_contain_text("2")
    expect(card(theirs, "identity")).to_contain_text("Being checked")

    desk = tab(queue, reverse("desk:credential", args=[identity.pk]))
    expect(desk.locator(".case-file img")).to_have_js_property("complete", True)
    assert desk.locator(".case-file img").evaluate("image => image.naturalWidth") > 0
    follows(desk, way.state)
    desk.get_by_role("link", name="Approve").press("Enter")  # by keyboard
    sheet(desk).get_by_role("button", name="Approve").press("Enter")
    expect(desk).to_have_url(re.compile(f"/verification/{insurance.pk}/$"))  # the next that waits
    expect(desk.get_by_text("Approved: proof of identity of Nina Test.")).to_be_visible()
    expect(row(queue, identity)).to_have_count(0)
    expect(card(theirs, "identity")).to_contain_text("Approved")

    ask(desk, "Refuse").get_by_label("A part of it is missing").check()
    sheet(desk).get_by_role("button", name="Refuse").click()
    expect(desk).to_have_url(re.compile("/verification/$"))
    expect(queue.locator("#desk-rows")).to_contain_text("Everything is checked")
    expect(card(theirs, "insurance")).to_contain_text("A part of it is missing")
    expect(standing(theirs)).to_contain_text("Send your liability insurance")

    credentials.approve_credential(sent(nina, CredentialKind.INSURANCE), by=frank)
    expect(standing(theirs)).to_contain_text("You can bid on jobs")
    stayed(theirs, queue)


@TWO_WAYS
def test_a_newcomer_is_told_and_may_bid_the_moment_the_last_document_is_approved(
    person: Callable[..., Page], way: Way, nina: User, frank: User, alice: User
) -> None:
    booking = job(alice)
    held(nina, CredentialKind.IDENTITY, timedelta(days=3), 300)
    waits = sent(nina, CredentialKind.INSURANCE)
    page = at(person, nina, reverse("bookings:job", args=[booking.pk]), way, **PHONE)
    expect(page.get_by_text("You may look, but not offer yet")).to_be_visible()
    credentials.approve_credential(waits, by=frank)
    expect(page.get_by_text("You may look, but not offer yet")).to_have_count(0)
    expect(toast(page, "You are verified: you can bid now")).to_be_visible()
    ask(page, "Make an offer").get_by_label("Your price").fill("55")
    answer(page, "Send the offer")
    stayed(page)


def test_what_somebody_else_decided_stands_on_the_open_page_and_a_late_decision_is_refused(
    person: Callable[..., Page], nina: User, frank: User
) -> None:
    identity = sent(nina, CredentialKind.IDENTITY)
    page = at(person, frank, reverse("desk:credential", args=[identity.pk]), **WIDE)
    ask(page, "Refuse").get_by_label("It cannot be read").check()
    credentials.approve_credential(identity, by=None)
    expect(case(page).locator("[data-cell=state]")).to_contain_text("Approved")
    expect(row(page, identity)).to_have_count(0)
    sheet(page).get_by_role("button", name="Refuse").click()
    expect(sheet(page)).to_contain_text("is at “approved”")
    sheet(page).get_by_role("link", name="Back").click()
    expect(case(page).get_by_role("link", name="Suspend")).to_be_visible()
    stayed(page)


def test_what_runs_out_by_the_clock_pauses_offers_on_open_pages(
    site: Site, person: Callable[..., Page], nina: User, frank: User
) -> None:
    """Precondition: her insurance was over at midnight, and no clock has run since."""
    held(nina, CredentialKind.IDENTITY, timedelta(days=9), 300)
    insurance = held(nina, CredentialKind.INSURANCE, timedelta(days=9), 7)
    theirs = at(person, nina, reverse("credentials"), **PHONE)
    desk = at(person, frank, reverse("desk:credential", args=[insurance.pk]), **WIDE)
    expect(standing(theirs)).to_contain_text("You can bid on jobs")
    site.clock()
    paused = "New offers are paused. Liability insurance: Its last day is over."
    expect(standing(theirs)).to_contain_text(paused, timeout=60_000)  # a process has to start first
    expect(card(theirs, "insurance")).to_contain_text("Expired")
    expect(case(desk)).to_contain_text("Expired by the clock")
    expect(case(desk)).to_contain_text("Not verified yet")
    stayed(theirs, desk)


def test_what_is_taken_back_goes_from_the_queue(person: Callable[..., Page], nina: User, frank: User) -> None:
    identity = sent(nina, CredentialKind.IDENTITY)
    queue = at(person, frank, reverse("desk:verification"), **WIDE)
    theirs = at(person, nina, reverse("credentials"), **PHONE)
    expect(row(queue, identity)).to_be_visible()
    ask(theirs, "Take it back")
    answer(theirs, "Take it back")
    expect(card(theirs, "identity")).to_contain_text("Not sent")
    expect(queue.locator("#desk-rows")).to_contain_text("Everything is checked")
    stayed(theirs, queue)


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_on_a_phone_the_list_and_the_document_are_one_at_a_time(
    person: Callable[..., Page], script: bool, nina: User, frank: User
) -> None:
    sent(nina, CredentialKind.IDENTITY)
    page = person(frank, java_script_enabled=script, **PHONE)
    page.goto(reverse("desk:verification"))
    page.locator("#desk-rows").get_by_role("link", name="Proof of identity").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Proof of identity")
    expect(page.locator("#desk-rows")).to_be_hidden()
    page.get_by_role("link", name="Approve").click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved: proof of identity of Nina Test.")).to_be_visible()
    page.get_by_role("link", name="Decided").click()
    expect(page.locator("#desk-rows")).to_contain_text("Nina Test")
