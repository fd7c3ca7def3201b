"""The desk lets somebody in again who lost their second factor."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts import second_factor
from accounts.models import DeskAction, User
from accounts.tests.factors import give_app
from tests.crawl import browser

REASON = {"reason": "Phone stolen; called back on the number on file"}


@pytest.fixture
def desk(frank: User) -> Client:
    client = Client()
    client.force_login(frank)
    return client


def address(person: User) -> str:
    return reverse("desk:person_factor", args=[person.pk])


def test_it_is_asked_for_a_reason_and_done(desk: Client, alice: User, frank: User) -> None:
    theirs = browser(alice)
    give_app(alice)
    assert theirs.get("/accounts/profile/").status_code == 200
    page = desk.get(address(alice)).content.decode()
    assert "Reset the second factor of Alice Test?" in page and "call them back" in page
    assert desk.post(address(alice), {"reason": ""}).status_code == 422 and second_factor.has_one(alice)
    assert desk.post(address(alice), REASON)["Location"] == reverse("desk:person", args=[alice.pk])
    assert not second_factor.has_one(alice)
    assert theirs.get("/accounts/profile/").status_code == 302
    line = DeskAction.objects.get(verb="reset_second_factor")
    assert (line.actor, line.person, line.reason) == (frank, alice, REASON["reason"])


def test_where_there_is_none_it_says_so(desk: Client, alice: User) -> None:
    response = desk.post(address(alice), REASON)
    assert response.status_code == 409 and "has no second factor to take away" in response.content.decode()
    assert not DeskAction.objects.exists()


def test_nobody_resets_their_own(desk: Client, frank: User) -> None:
    give_app(frank)
    response = desk.post(address(frank), REASON)
    assert response.status_code == 409 and second_factor.has_one(frank)


def test_it_asks_again_who_sits_there(desk: Client, alice: User, frank: User, settings) -> None:
    settings.STEP_UP_MINUTES = 15
    frank.set_password("x")
    frank.save()
    desk.force_login(frank)
    give_app(alice)
    assert desk.post(address(alice), REASON)["Location"].startswith("/accounts/reauthenticate/?next=")
    assert second_factor.has_one(alice)
