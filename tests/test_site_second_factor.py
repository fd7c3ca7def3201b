"""An admin without a second factor gets the page that sets it up and nothing else: at every address, by every way."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.guards import FREE, SETTING_UP, SHOWING
from accounts.tests.factors import give_app
from realtime import principals
from tests.conftest import Settled
from tests.crawl import browser
from tests.test_site_access import table
from tests.world import admin_patterns

SET_UP, SHOW = reverse("mfa_index"), reverse("mfa_reauthenticate")


@pytest.fixture
def half_in(settled: Settled, settings) -> Client:
    """Frank of the desk, signed in with nothing but a session."""
    settings.SECOND_FACTOR = True
    client = Client()
    client.force_login(settled.people["frank"])
    browser(settled.people["alice"])  # the table names a session of hers
    return client


def is_turned_back(response: HttpResponse, to: str, name: str) -> bool:
    """To that page; a poll gets 403."""
    if name.startswith("realtime:"):
        return response.status_code == 403
    return response.status_code == 302 and response["Location"].split("?")[0] == to


def open_to(client: Client, settled: Settled, to: str) -> set[str]:
    """The names of the addresses that answer with anything but the way to the page `to`, by GET or by POST."""
    found = set()
    for name, rows in table(settled.world, settled.road).items():
        if name == "account_logout":
            continue  # would end this test's session
        url = reverse(name, args=rows[0][0])
        if not all(is_turned_back(answer, to, name) for answer in (client.get(url), client.post(url))):
            found.add(name)
    return found


def test_only_the_set_up_is_open_to_an_admin_without_one(half_in: Client, settled: Settled) -> None:
    assert open_to(half_in, settled, SET_UP) == (FREE - {"account_logout"}) | SETTING_UP


def test_only_showing_it_is_open_to_an_admin_who_has_one_and_has_not(half_in: Client, settled: Settled) -> None:
    give_app(settled.people["frank"])
    # without a passkey, the page of passkeys leads on to that of codes
    assert open_to(half_in, settled, SHOW) == (FREE | SHOWING) - {"account_logout", "mfa_reauthenticate_webauthn"}


def test_no_page_of_djangos_admin_is_open_either(half_in: Client) -> None:
    for name, row in admin_patterns().items():
        parts = [*row.pattern.converters, *row.pattern.regex.groupindex]
        url = reverse(name, kwargs={part: "bookings" if part == "app_label" else "1" for part in parts})
        assert is_turned_back(half_in.get(url), SET_UP, name), url


def test_no_topic_is_heard_by_such_a_session(half_in: Client, settled: Settled) -> None:
    assert principals.of_sessions([str(half_in.session.session_key)]) == {}
