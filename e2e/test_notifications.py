"""The bell, the toasts and the title of an open page: what others did, without a reload."""

from __future__ import annotations

import itertools
import re

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from bookings.notices import OFFER_CHANGED, OFFER_NEW
from e2e.flow import PHONE, customer, profile_page, stay, stayed, toast
from notifications.actions import notify
from notifications.kinds import Kind
from notifications.models import Notification

_events = itertools.count(1)
HOME = "/"


@pytest.fixture
def alice(db: None) -> User:
    """Who is told."""
    return customer()


def tell(user: User, job: str, *, kind: Kind = OFFER_CHANGED, url: str = HOME, group: str = "") -> None:
    """Something that nobody on a page did."""
    words = {"name": "Bob", "price": "£60.00", "job": job}
    with transaction.atomic():
        notify([user], kind, by=None, event=f"e{next(_events)}", url=url, now=timezone.now(), group=group, words=words)


def bell(page: Page) -> Locator:
    """The bell with its menu."""
    return page.locator(".bell")


def test_what_is_told_together_pops_up_as_one_more_of_its_kind(person, alice):
    page = stay(profile_page(person(alice)))
    for _ in range(3):
        tell(alice, "Boiler", kind=OFFER_NEW, group="booking.7")

    expect(toast(page, "3 new offers on Boiler")).to_be_visible()
    expect(page).to_have_title(re.compile(r"^\(1\) "))
    stayed(page)


def test_all_is_marked_read_from_the_menu_and_every_page_follows(person, alice):
    for number in range(3):
        tell(alice, f"Job {number}")
    page, other = stay(profile_page(person(alice, **PHONE))), stay(profile_page(person(alice)))
    expect(other).to_have_title(re.compile(r"^\(3\) "))

    bell(page).locator("summary").click()
    expect(bell(page).get_by_role("listitem")).to_have_count(3)
    bell(page).get_by_role("link", name="Mark all read").click()

    for each in (page, other):
        expect(each).to_have_title(re.compile("^My profile"))
        expect(bell(each).locator("summary")).to_have_accessible_name("Notifications")
        stayed(each)


def test_the_list_offers_what_is_new_and_lets_go_of_what_is_cleared(person, alice):
    tell(alice, "Old one")
    page = person(alice, **PHONE)
    page.goto(reverse("notifications:list"))
    expect(page.locator("main")).to_contain_text("Old one")

    page.get_by_role("link", name="Clear: Bob now offers £60.00 on Old one").click()
    page.get_by_role("dialog").get_by_role("button", name="Clear").click()
    expect(page.locator("main [data-live-list]")).to_contain_text("Nothing here")

    tell(alice, "New one")
    page.get_by_role("button", name="1 new").click()
    expect(page.locator("main [data-live-list]")).to_contain_text("New one")


def test_a_pause_shows_on_the_open_settings_page_and_ends_there(person, alice):
    page = person(alice)
    page.goto(reverse("notifications:settings"))
    stay(page)

    page.get_by_role("link", name="Pause for 1 hour").click()
    expect(page.locator("main")).to_contain_text("Paused until")
    page.get_by_role("link", name="Resume now").click()
    expect(page.get_by_role("link", name="Pause for 1 hour")).to_be_visible()
    stayed(page)


def test_without_javascript_all_can_be_read_and_marked(person, alice):
    tell(alice, "Kitchen tap")
    page = person(alice, java_script_enabled=False)
    page.goto(reverse("notifications:list"))

    page.get_by_role("link", name="Mark as read: Bob now offers £60.00 on Kitchen tap").click()
    page.get_by_role("button", name="Mark as read").click()

    expect(page.locator("main")).to_contain_text("Kitchen tap")
    assert Notification.objects.get().read_at is not None
