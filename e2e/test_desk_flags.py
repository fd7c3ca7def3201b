"""Flags flipped under open pages: they move to asking and back, and nothing is lost or loaded again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Flag, Role, User
from accounts.turning import Setting, turn_flag
from bookings import actions
from bookings.tests import make
from chat.actions import desk_conversation
from e2e.flow import ask, customer, follows, job, job_page, sheet, stay, stayed
from e2e.people import People, is_live
from e2e.road import CAMDEN, drive_page
from tracking.tests import make as road

WITHIN = 10_000  # ms: what the pages have to move
WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
pytestmark = pytest.mark.usefixtures("flags_on_again")


@pytest.fixture
def frank(db: None) -> User:
    """The desk."""
    return make.person("Frank", Role.ADMIN, is_staff=True)


def opened(person: Callable[..., Page], who: User, address: str, **options: Any) -> Page:
    """Their open, live page, which must not be loaded again."""
    page = person(who, **options)
    page.goto(address)
    is_live(page)
    return stay(page)


def asks(*pages: Page) -> None:
    """These pages move to asking within ten seconds."""
    began = time.monotonic()
    for page in pages:
        expect(page.locator("html")).to_have_attribute("data-live", "polling", timeout=WITHIN)
    assert time.monotonic() - began < WITHIN / 1000


def turn(name: str, by: User, wanted: Setting) -> None:
    """Somebody else of the desk turns it."""
    turn_flag(Flag.objects.get(name=name), wanted, by=by, reason="A test")


@pytest.mark.smoke
def test_sockets_are_turned_off_and_on_under_everybodys_open_pages(person: People, frank: User) -> None:
    alice = customer()
    booking = job(alice, title="Kitchen tap leaks")
    hers = job_page(person, alice, booking)
    desk = opened(person, frank, reverse("desk:flags"), **WIDE)
    row = desk.locator("[data-flag=live_sockets]")
    expect(row).to_contain_text("On for everybody")

    ask(desk, "Turn off for everybody: Live sockets")
    sheet(desk).get_by_label("Why").fill("The proxy breaks them")
    sheet(desk).get_by_role("button", name="Turn it off").click()
    expect(sheet(desk)).to_have_count(0)
    asks(hers, desk)
    expect(row).to_contain_text("Off for everybody")
    actions.cancel_booking(booking, by=alice, reason="mistake")  # said by polling now
    expect(hers.locator("main")).to_contain_text("Cancelled")

    ask(desk, "Turn on for everybody: Live sockets")
    sheet(desk).get_by_label("Why").fill("It is mended")
    sheet(desk).get_by_role("button", name="Turn it on").click()
    for page in (hers, desk):
        follows(page)
    expect(row).to_contain_text("On for everybody")
    stayed(hers, desk)


def test_each_flag_moves_the_pages_that_show_what_it_is_for(person: People, frank: User) -> None:
    alice, sam = customer(), road.at_work("Sam", at=CAMDEN, now=timezone.now())
    talk = desk_conversation(sam.user, by=sam.user)
    home = opened(person, alice, reverse("home"))
    replies = opened(person, frank, reverse("desk:replies"), **WIDE)
    fleet = opened(person, frank, reverse("desk:fleet"), **WIDE)
    his_road = drive_page(person, sam.user)
    his_talk = opened(person, sam.user, reverse("chat:conversation", args=[talk.pk]))
    everything = (home, replies, fleet, his_road, his_talk)

    for name, moved in (
        ("live_desk", (replies, fleet)),
        ("live_positions", (fleet,)),
        ("live_driver_messages", (his_talk,)),
    ):
        turn(name, frank, Setting(False))
        asks(*moved)
        for page in set(everything) - set(moved):
            expect(page.locator("html")).to_have_attribute("data-live", "live")
        turn(name, frank, Setting(True))
        for page in moved:
            follows(page)
    stayed(*everything)


def test_a_flag_for_some_moves_the_others_only(person: People, frank: User) -> None:
    alice, charlie = customer(), make.person("Charlie")
    hers, his = (opened(person, who, reverse("home")) for who in (alice, charlie))
    desk = opened(person, frank, reverse("desk:flag", args=[Flag.objects.get(name="live_sockets").pk]), **WIDE)
    expect(desk.get_by_label("These people")).to_be_hidden()
    desk.get_by_text("On for some", exact=True).click()
    desk.locator(".choice", has_text="Admin").click()
    desk.get_by_label("These people").fill(f"{alice.email}\n")
    desk.get_by_label("Why").fill("A trial with Alice")
    desk.get_by_role("button", name="Save").click()
    expect(desk.locator("[data-flag=live_sockets]")).to_contain_text(f"On for every admin and {alice.name}")
    asks(his)
    for page in (hers, desk):
        follows(page)
    turn("live_sockets", frank, Setting(None, roles=(Role.ADMIN, Role.CUSTOMER)))
    follows(his)
    stayed(hers, his)
