"""The desk's second factor in real browsers: a passkey, an app, asking again before a role is changed, and what open
pages do when somebody's is taken away or must be shown all of a sudden.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts import actions, second_factor
from accounts.models import Role, User
from accounts.tests.factors import code, give_app
from bookings.tests import make
from e2e.flow import PHONE, Way, customer, follows, stay, stayed
from e2e.people import Console
from e2e.site import Site

PASSWORD = "correct horse battery"
REAL = {"SECOND_FACTOR": "on", "STEP_UP_MINUTES": "15"}
WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
SIGN_IN = re.compile(r"/accounts/login/")


@pytest.fixture
def olga(db: None) -> User:
    """The desk; she signs in by herself."""
    made = make.person("Olga", Role.ADMIN, is_staff=True)
    made.password = make_password(PASSWORD, hasher="pbkdf2_sha256")  # the tests' own quick hasher is not the site's
    made.save(update_fields=["password"])
    return made


def home(site: Site) -> str:
    """The site by its name: browsers keep passkeys for names, not for numbers."""
    return site.url.replace("127.0.0.1", "localhost")


def sign_in(page: Page, who: User) -> None:
    """Type address and password."""
    page.goto(reverse("account_login"))
    page.get_by_label("E-mail address").fill(who.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def with_finger(page: Page) -> Page:
    """A device that keeps passkeys and whose owner has their finger on it."""
    wire = page.context.new_cdp_session(page)
    wire.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    wire.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return page


def test_a_passkey_is_set_up_before_anything_opens_and_then_signs_in_alone(
    site: Site, person: Callable[..., Page], olga: User
) -> None:
    site.restart(REAL)
    page = with_finger(person(None, url=home(site), **PHONE))
    sign_in(page, olga)
    expect(page.get_by_role("heading", name="One more thing")).to_be_visible()
    page.goto(reverse("desk:people"))
    expect(page.get_by_role("heading", name="One more thing")).to_be_visible()
    page.get_by_role("link", name="Add a passkey").click()
    expect(page).to_have_url(re.compile(rf"{reverse('mfa_add_webauthn')}$"))
    page.wait_for_load_state()  # its script asks for the passkey
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    expect(page.locator(".codes li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them: go on").click()
    follows(page)
    page.goto(reverse("desk:people"))
    follows(page)
    page.locator("summary", has_text="Your menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(SIGN_IN)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).not_to_have_url(SIGN_IN)
    page.goto(reverse("desk:people"))
    follows(page)
    again = person(None, url=home(site), **WIDE)
    sign_in(again, olga)
    expect(again.get_by_role("heading", name="And your second factor")).to_be_visible()


def test_an_app_is_set_up_and_asked_for_in_another_browser(site: Site, person: Callable[..., Page], olga: User) -> None:
    site.restart(REAL)
    page = person(None, **WIDE)
    sign_in(page, olga)
    page.get_by_role("link", name="Set up an authenticator app").click()
    expect(page.locator(".qr-plate img")).to_be_visible()
    page.get_by_text("I cannot scan it").click()
    key = page.locator(".qr-key code").inner_text()
    page.get_by_label("The six digits").fill(format_hotp_value(hotp_value(key, int(time.time()) // 30)))
    page.get_by_role("button", name="Switch it on").click()
    with page.expect_download() as kept:
        page.get_by_role("link", name="As a file").click()
    recovery = re.findall(r"^\d{8}$", Path(kept.value.path()).read_text(), re.MULTILINE)
    other = person(None, **PHONE)
    sign_in(other, olga)
    field = other.get_by_label("Code from your app, or a recovery code")
    expect(field).to_be_focused()
    field.fill("000000")
    other.get_by_role("button", name="Sign in", exact=True).click()
    expect(other.get_by_text("That code is not right")).to_be_visible()
    field.fill(recovery[0])
    other.get_by_role("button", name="Sign in", exact=True).click()
    other.goto(reverse("desk:people"))
    follows(other)


def shown(page: Page, who: User) -> Page:
    """A browser of `who`, whose session was made elsewhere, after the app's code was typed."""
    page.goto(reverse("desk:person", args=[who.pk]))
    page.get_by_label("Code from your app, or a recovery code").fill(code())
    page.get_by_role("button", name="Go on").click()
    return page


def test_a_role_is_changed_after_asking_again_and_the_other_page_of_the_desk_moves(
    site: Site, person: Callable[..., Page], olga: User
) -> None:
    """With a window so short that the answer to the form comes too late: it is carried out after the code."""
    give_app(olga)
    alice = customer()
    watched = person(make.person("Gina", Role.ADMIN, is_staff=True), **WIDE)
    watched.goto(reverse("desk:person", args=[alice.pk]))
    stay(follows(watched))
    strict = site.spawn({"SECOND_FACTOR": "on", "STEP_UP_MINUTES": "1"})
    page = person(olga, url=strict.url, **WIDE)
    shown(page, olga)
    follows(page)
    page.goto(reverse("desk:person", args=[alice.pk]))
    follows(page)
    grow_old(olga)
    page.get_by_role("link", name="Change role").click()
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    page.get_by_label("Code from your app, or a recovery code").fill(code(steps=1))
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Driver").check()
    page.get_by_label("Why").fill("Drives for us now")
    page.get_by_role("button", name="Change the role").click()
    expect(watched.locator("[data-live='adminpanel.person_card']")).to_contain_text("Driver")
    stayed(watched)


def grow_old(who: User) -> None:
    """As if what this person's sessions proved were an hour older."""
    for row in Session.objects.all():
        store = SessionStore(row.session_key)
        if store.get("_auth_user_id") == str(who.pk) and second_factor.RECORDS in store:
            store[second_factor.RECORDS] = [{**each, "at": each["at"] - 3600} for each in store[second_factor.RECORDS]]
            store.save()


def test_pages_of_somebody_whose_factor_is_reset_go_to_the_sign_in_by_themselves(
    person: Callable[..., Page], way: Way, console: Console, olga: User
) -> None:
    console.allow(r"status of 401")
    give_app(olga)
    page = person(olga, url=way.url, **WIDE)
    page.goto(reverse("desk:people"))
    follows(page, way.state)
    second_factor.reset(olga, by=None)
    expect(page).to_have_url(SIGN_IN)


def test_an_open_page_of_a_new_admin_leads_to_the_set_up(
    site: Site, person: Callable[..., Page], console: Console, olga: User, settings: Any
) -> None:
    """By socket and by polling at once: the first hears it from its socket, the second from its next question."""
    alice = customer()
    site.restart(REAL)
    polling = site.spawn({**REAL, "LIVE_TRANSPORT": "poll"})
    pages = [person(alice, **PHONE), person(alice, url=polling.url, **WIDE)]
    for page, state in zip(pages, ("live", "polling"), strict=True):
        page.goto(reverse("profile"))
        follows(page, state)
    console.allow(r"status of 40[13]")
    settings.SECOND_FACTOR = True  # here too, where the role is changed
    actions.change_role(alice, by=olga, role=Role.ADMIN)
    for page in pages:
        expect(page.get_by_role("heading", name="One more thing")).to_be_visible()


def test_every_file_and_page_carries_the_headers(person: Callable[..., Page], olga: User) -> None:
    page = person(olga, **WIDE)
    found: dict[str, dict[str, str]] = {}
    page.on("response", lambda response: found.setdefault(response.url, response.headers))
    page.goto(reverse("desk:people"))
    follows(page)
    bare = [url for url, headers in found.items() if "permissions-policy" not in headers]
    assert len(found) > 10 and not bare, bare
