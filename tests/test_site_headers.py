"""Every answer carries the same headers, whoever asks and whatever it is."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from common.headers import HEADERS, NOBODYS, OURS

WANTED = {
    **HEADERS,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.mark.parametrize(
    "address", ["/accounts/login/", "/accounts/profile/", "/no/such/page/", "/live/poll", "/manifest.webmanifest"]
)
def test_every_answer_has_them(client: Client, db: None, address: str) -> None:
    response = client.get(address)
    assert {name: response.get(name) for name in WANTED} == WANTED


def test_what_the_pages_use_is_theirs_and_the_rest_nobodys(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    policy = client.get("/")["Permissions-Policy"].split(", ")
    assert set(policy) == {f"{name}=(self)" for name in OURS} | {f"{name}=()" for name in NOBODYS}
    assert {"geolocation=(self)", "microphone=()"} < set(policy)
