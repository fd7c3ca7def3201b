"""The desk's tasks by keyboard alone, each from the navigation to its end, under pages that live."""

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
from accounts.models import CredentialKind, User
from accounts.tests.papers import document
from bookings.models import Dispute
from bookings.tests import make, quarrel
from bookings.tests.make import HOUR
from chat.models import Message
from e2e.flow import customer, follows, job, offered, sheet, stay, stayed
from e2e.keys import press, tab_to, write
from e2e.people import People
from e2e.road import NEAR, leg
from tracking.models import Dispatch
from tracking.tests import make as road

WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
pytestmark = pytest.mark.usefixtures("media")


@pytest.fixture
def dashboard(person: People, frank: User) -> Callable[[], Page]:
    """Frank at his dashboard, once the stage is set."""

    def opens() -> Page:
        page = person(frank, **WIDE)
        page.goto(reverse("desk:dashboard"))
        return follows(page)

    return opens


def room(page: Page, name: str) -> Page:
    """Into a room of the desk by its rail, past the navigation of the site."""
    press(page, page.get_by_role("navigation", name="The desk").get_by_role("link", name=re.compile(f"^{name}")))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return follows(page)


def link(page: Page, name: str) -> Locator:
    """The one link of that name in the page's main part."""
    return page.locator("main").get_by_role("link", name=name, exact=True)


def button(page: Page, name: str) -> Locator:
    """A button of the dialog."""
    return sheet(page).get_by_role("button", name=name, exact=True)


def is_done(page: Page) -> None:
    """The dialog has closed, and the focus is not lost."""
    expect(sheet(page)).to_have_count(0)
    assert page.evaluate("document.activeElement !== document.body"), "the focus is lost"


def test_a_technician_is_sent_and_a_question_closed_unanswered(dashboard: Callable[[], Page]) -> None:
    bob, dora = make.technician("Bob"), make.technician("Dora")
    booking = job(customer())
    offered(booking, bob, 61)
    page = room(dashboard(), "Jobs")
    press(page, link(page, booking.title))
    expect(page.get_by_role("heading", level=1)).to_have_text(booking.title)
    stay(follows(page))

    press(page, link(page, "Send a technician"))
    dialog = sheet(page)
    tab_to(page, dialog.locator(f".jobs-candidate input[value='{bob.pk}']"))  # who offered is the first
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(dialog.locator(f".jobs-candidate input[value='{dora.pk}']")).to_be_checked()
    write(page, dialog.get_by_label("Price"), "75")
    write(page, dialog.get_by_label("Why"), "She called us")
    press(page, button(page, "Send them"))
    is_done(page)
    expect(page.locator(".jobs-now")).to_contain_text("Dora Test")

    press(page, link(page, "Call it off"))
    write(page, sheet(page).get_by_label("Why"), "The house is sold")
    page.keyboard.press("Escape")
    is_done(page)
    expect(link(page, "Call it off")).to_be_focused()
    stayed(page)


def test_somebody_is_found_suspended_let_in_again_and_written_to(dashboard: Callable[[], Page]) -> None:
    alice = customer()
    make.person("Charlie")
    page = room(dashboard(), "People")
    write(page, page.get_by_label("Name, e-mail or phone"), "alice")
    page.keyboard.press("Enter")
    expect(page.locator("#people > li[id]")).to_have_count(1)
    press(page, link(page, alice.name))
    expect(page.get_by_role("heading", level=1)).to_have_text(alice.name)
    stay(follows(page))
    press(page, link(page, "Suspend"))
    write(page, sheet(page).get_by_label("Why"), "Threatened a technician")
    press(page, button(page, "Suspend"))
    is_done(page)
    expect(page.locator("main")).to_contain_text("they are signed out everywhere")
    press(page, link(page, "Lift the suspension"))
    write(page, sheet(page).get_by_label("Why"), "Was somebody else")
    press(page, button(page, "Lift the suspension"))
    is_done(page)
    stayed(page)

    press(page, link(page, "Message"))
    write(page, page.get_by_label("Text"), "We have opened your account again.")
    press(page, page.get_by_role("button", name="Send", exact=True))
    expect(page.locator(".msg-text")).to_have_text("We have opened your account again.")
    assert Message.objects.get().text == "We have opened your account again."


def test_documents_are_checked_one_after_the_other(dashboard: Callable[[], Page]) -> None:
    nina = make.technician("Nina", verified=False)
    until = (timezone.now() + timedelta(days=200)).date()
    identity, insurance = (
        credentials.submit_credential(nina.technician, by=nina, kind=kind, document=document(), valid_until=until)
        for kind in (CredentialKind.IDENTITY, CredentialKind.INSURANCE)
    )
    page = room(dashboard(), "Verification")
    press(page, link(page, "Proof of identity"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Proof of identity")
    follows(page)
    press(page, link(page, "Approve"))
    press(page, button(page, "Approve"))
    expect(page).to_have_url(re.compile(f"/verification/{insurance.pk}/$"))  # the next that waits
    follows(page)
    press(page, link(page, "Refuse"))
    press(page, sheet(page).get_by_label("It cannot be read"), "Space")
    press(page, button(page, "Refuse"))
    expect(page).to_have_url(re.compile("/verification/$"))
    assert [make.fresh(each).status for each in (identity, insurance)] == ["approved", "rejected"]


def test_a_dispute_is_taken_on_and_decided(dashboard: Callable[[], Page], alice: User, bob: User) -> None:
    now = timezone.now()
    window = {"window_start": now - 2 * HOUR, "window_end": now + 2 * HOUR}
    booking = make.finished(make.visit(alice, bob, now=now - 3 * HOUR, **window), at=now - HOUR).booking
    dispute = quarrel.opened(booking, alice, now=now - HOUR / 2, statement="It still drips.")
    page = room(dashboard(), "Disputes")
    press(page, page.locator("#desk-rows").get_by_role("link"))
    expect(page.get_by_text("It still drips.")).to_be_visible()
    follows(page)
    press(page, link(page, "Ask Bob"))
    press(page, button(page, "Ask Bob"))
    expect(page).to_have_url(re.compile(r"/desk/disputes/$"))
    quarrel.answered(make.fresh(dispute), now=timezone.now())
    press(page, page.locator("#desk-rows").get_by_role("link"))
    follows(page)
    press(page, link(page, "Decide"))
    expect(page.locator("form.decide")).to_be_visible()
    tab_to(page, page.locator("form.decide input[type=radio]").first)
    page.keyboard.press("Space")
    shared = page.get_by_label("Shared between both")
    for _ in range(page.locator("form.decide input[type=radio]").count()):
        if shared.is_checked():
            break
        page.keyboard.press("ArrowDown")
    write(page, page.get_by_label("Amount"), "20")
    write(page, page.get_by_label("Why, as both sides read it"), "Both of you saw the tap.")
    press(page, page.get_by_role("button", name="Decide it"))
    expect(page).to_have_url(re.compile(r"/desk/disputes/$"))
    assert Dispute.objects.get().outcome == "shared"


def test_a_leg_is_assigned_and_taken_back(dashboard: Callable[[], Page], frank: User) -> None:
    sam = road.at_work("Sam", at=NEAR, now=timezone.now(), plate="AB12 CDE")
    what = leg(job(customer()), frank)
    page = stay(room(dashboard(), "Fleet"))
    tray = page.locator("#tray-rows")
    press(page, tray.get_by_role("link", name="Assign"))
    tab_to(page, sheet(page).locator(f"#ask-{sam.pk}"))
    expect(sheet(page).locator(f"#ask-{sam.pk}")).to_be_checked()
    press(page, button(page, "Ask those ticked"))
    is_done(page)
    expect(tray).to_contain_text("Asking Sam")
    press(page, tray.get_by_role("link", name="Take back"))
    press(page, button(page, "Take it back"))
    is_done(page)
    expect(tray).to_contain_text("Needs a driver")
    assert Dispatch.objects.get(leg=what).status == "revoked"
    stayed(page)


def test_a_flag_is_turned_and_the_audit_searched(dashboard: Callable[[], Page], flags_on_again: None) -> None:
    page = stay(room(dashboard(), "Flags"))
    row = page.locator("[data-flag=live_driver_messages]")
    press(page, row.get_by_role("link", name=re.compile("^Turn off")))
    write(page, sheet(page).get_by_label("Why"), "The proxy breaks them")
    press(page, button(page, "Turn it off"))
    is_done(page)
    expect(row).to_contain_text("Off for everybody")
    stayed(page)

    room(page, "Audit")
    write(page, page.get_by_label("Words"), "proxy breaks")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("The proxy breaks them")
