"""The desk's people in real browsers: a suspension reaches everybody concerned, corrections stand on the person's own
page, notes and new people come by themselves, and the copy of somebody's data is a file.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from accounts import people
from accounts.models import Role, User
from bookings.tests import make
from e2e.flow import PHONE, Way, answer, ask, customer, follows, stay, stayed
from e2e.people import Console

WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
SMALL: dict[str, Any] = {**PHONE}
SECONDS = 1000
SIGN_IN = re.compile("/accounts/login/")


@pytest.fixture
def frank(db: None) -> User:
    """The desk."""
    return make.person("Frank", Role.ADMIN, is_staff=True)


@pytest.fixture
def alice(db: None) -> User:
    """A customer with a phone number."""
    return customer()


def at(person: Callable[..., Page], who: User, where: str, way: Way | None = None, **options: Any) -> Page:
    """An open page of `who` that follows."""
    page = person(who, url=way.url if way else "", **options)
    page.goto(where)
    return stay(follows(page, way.state if way else "live"))


def row(page: Page, who: User) -> Locator:
    """Somebody in the list."""
    return page.locator(f"#adminpanel-person-{who.pk}")


def card(page: Page) -> Locator:
    """The head of somebody's page."""
    return page.locator("[data-live='adminpanel.person_card']")


def test_a_suspension_reaches_the_person_and_every_page_of_the_desk(
    person: Callable[..., Page], console: Console, way: Way, frank: User, alice: User
) -> None:
    console.allow("status of 401")  # what a page of hers that polls is answered
    gina = make.person("Gina", Role.ADMIN, is_staff=True)
    theirs = at(person, alice, reverse("profile"), way, **PHONE)
    listed = at(person, gina, reverse("desk:people"), way, **WIDE)
    desk = at(person, frank, reverse("desk:person", args=[alice.pk]), way, **WIDE)
    ask(desk, "Suspend").get_by_label("Why").fill("Threatened a technician")
    answer(desk, "Suspend")
    expect(theirs).to_have_url(SIGN_IN, timeout=2 * SECONDS)
    expect(card(desk)).to_contain_text("Suspended: they are signed out everywhere")
    expect(desk.locator("#person-changes")).to_contain_text("Threatened a technician")
    expect(row(listed, alice)).to_contain_text("Suspended")
    ask(desk, "Lift the suspension").get_by_label("Why").fill("Was somebody else")
    answer(desk, "Lift the suspension")
    expect(row(listed, alice)).not_to_contain_text("Suspended")
    zoe = make.person("Zoe")
    expect(listed.locator("#people > li").first).to_have_id(f"adminpanel-person-{zoe.pk}")
    stayed(desk, listed)


def test_what_the_desk_corrects_stands_on_the_persons_own_page_at_once(
    person: Callable[..., Page], way: Way, frank: User, alice: User
) -> None:
    theirs = at(person, alice, reverse("profile_history"), way, **PHONE)
    desk = at(person, frank, reverse("desk:person", args=[alice.pk]), way, **WIDE)
    expect(theirs.locator("#changes")).to_contain_text("Nothing so far")
    dialog = ask(desk, "Correct details")
    expect(dialog.get_by_label("Name")).to_have_value("Alice Test")
    dialog.get_by_label("Name").fill("Alice Liddell")
    dialog.get_by_label("Why").fill("She rang: misspelt")
    answer(desk, "Save")
    expect(card(desk).get_by_role("heading", level=1)).to_have_text("Alice Liddell")
    line = theirs.locator("#changes > [data-live]")
    expect(line).to_have_count(1)
    expect(line).to_contain_text("Name: Alice Test → Alice Liddell")
    expect(line).to_contain_text("She rang: misspelt")
    expect(line).not_to_contain_text("Frank")
    stayed(theirs, desk)


def test_two_of_the_desk_share_notes_and_see_where_somebody_is_signed_in(
    person: Callable[..., Page], frank: User, alice: User
) -> None:
    gina = make.person("Gina", Role.ADMIN, is_staff=True)
    where = reverse("desk:person", args=[alice.pk])
    one, other = at(person, frank, where, **WIDE), at(person, gina, where, **SMALL)
    ask(one, "Add a note").get_by_label("Note").fill("Rings twice")
    answer(one, "Keep it")
    expect(other.locator("#person-notes")).to_contain_text("Rings twice")
    theirs = at(person, alice, reverse("profile"), **PHONE)
    signed_in = other.locator("[data-live='adminpanel.person_sessions']")
    expect(signed_in).to_contain_text("A browser")
    dialog = ask(other, "Sign out everywhere")
    dialog.get_by_label("Why").fill("Lost phone")
    answer(other, "Sign them out")
    expect(theirs).to_have_url(SIGN_IN, timeout=2 * SECONDS)
    expect(one.locator("[data-live='adminpanel.person_sessions']")).to_contain_text("Nowhere just now")
    stayed(one, other)


def test_the_copy_is_a_file_and_erasing_leaves_a_page_without_a_name(
    person: Callable[..., Page], frank: User, alice: User, tmp_path: Any
) -> None:
    people.add_note(alice, by=frank, text="Rings twice")
    desk = at(person, frank, reverse("desk:person", args=[alice.pk]), **WIDE)
    listed = at(person, frank, reverse("desk:people"), **WIDE)
    desk.get_by_role("link", name="A copy of their data").click()
    desk.get_by_label("Why").fill("She asked by letter")
    with desk.expect_download() as download:
        desk.get_by_role("button", name="Download").click()
    download.value.save_as(tmp_path / "copy.zip")
    copy = zipfile.ZipFile(tmp_path / "copy.zip")
    assert copy.testzip() is None and download.value.suggested_filename.startswith("alice-test-")
    assert json.loads(copy.read("accounts/account.json"))[0]["email"] == alice.email
    desk.get_by_role("link", name="Back").last.click()
    follows(desk)
    expect(desk.locator("#person-changes")).to_contain_text("She asked by letter")
    stay(desk)
    dialog = ask(desk, "Erase")
    dialog.get_by_label("Why").fill("She asked by letter")
    dialog.get_by_label("I know that this cannot be undone").check()
    answer(desk, "Erase")
    expect(card(desk).get_by_role("heading", level=1)).to_have_text("Former customer")
    expect(card(desk)).to_contain_text("Their details were removed")
    expect(card(desk).get_by_role("link", name="Suspend")).to_have_count(0)
    expect(row(listed, alice)).to_contain_text("Erased")
    assert "Alice" not in desk.locator("main").inner_text()
    stayed(desk, listed)
