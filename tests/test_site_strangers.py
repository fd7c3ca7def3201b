"""Everything that takes a POST from somebody who is signed out takes only so many of them."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts import limits
from tests.conftest import Settled
from tests.crawl import browser
from tests.test_site_access import IN, outcome, table

FEW = 3


def open_addresses(settled: Settled) -> list[str]:
    """Where a stranger's POST gets further than the sign-in page."""
    found = []
    for name, rows in table(settled.world, settled.road).items():
        url = reverse(name, args=rows[0][0])
        cache.clear()
        if outcome(Client().post(url)) not in {IN, "401", "405"}:
            found.append(url)
    return found


def test_every_post_that_a_stranger_can_send_ends_in_429(settled: Settled, monkeypatch: pytest.MonkeyPatch) -> None:
    browser(settled.people["alice"])  # the table names a session of hers
    addresses = open_addresses(settled)
    assert {"/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"} < set(addresses)
    monkeypatch.setattr(limits, "STRANGERS", {"stranger": f"{FEW}/m/ip"})
    endless = []
    for url in addresses:
        cache.clear()
        client = Client()
        answers = [client.post(url) for _ in range(FEW + 1)]
        last = answers[-1]
        if last.status_code != 429 or not 1 <= int(last["Retry-After"]) <= 60 or "<h1" not in last.content.decode():
            endless.append(f"{url}: {[each.status_code for each in answers]}")
    assert not endless, "\n".join(endless)


def test_a_hundred_a_minute_are_taken_from_one_address_and_looking_stays_free(db: None) -> None:
    client = Client()
    statuses = [client.post("/accounts/logout/").status_code for _ in range(101)]
    assert statuses == [302] * 100 + [429]
    assert client.get("/accounts/login/").status_code == 200
    assert Client(REMOTE_ADDR="10.0.0.7").post("/accounts/logout/").status_code == 302, "others go on"


def test_what_only_leads_to_the_sign_in_page_is_not_counted(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STRANGERS", {"stranger": "1/m/ip"})
    client = Client()
    assert {client.post("/accounts/profile/edit/").status_code for _ in range(5)} == {302}
    assert client.post("/live/poll").status_code == 401
    assert client.post("/accounts/logout/").status_code == 302
    assert client.post("/accounts/profile/edit/").status_code == 429


def test_whoever_is_signed_in_is_not_a_stranger(settled: Settled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STRANGERS", {"stranger": "1/m/ip"})
    client = Client()
    client.force_login(settled.people["alice"])
    assert 429 not in {client.post("/accounts/profile/edit/").status_code for _ in range(3)}
