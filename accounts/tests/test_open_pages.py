"""Open pages of people: what they hear after the desk's word, and that they stop hearing when a session ends.

They are asked by polling: the poll and the socket read the same journal.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.test import Client

from accounts import actions
from accounts.models import User
from accounts.tests.conftest import PASSWORD, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


class OpenPage:
    """A profile page that stays open: its cursor, its topics, and the way it asks for news."""

    def __init__(self, client: Client, *topics: str) -> None:
        text = client.get("/accounts/profile/").content.decode()
        self.client = client
        self.cursor = re.search(r'data-cursor="([^"]+)"', text)[1]  # type: ignore[index]
        self.topics = [*topics, *dict.fromkeys(re.findall(r'data-topic="([^"]+)"', text))]

    def ask(self) -> Any:
        query = [("c", self.cursor), *(("topic", topic) for topic in self.topics), ("page", "/accounts/profile/")]
        return self.client.get(f"/live/poll?{urlencode(query)}")

    def news(self) -> dict[str, Any]:
        """What changed since the page was painted, fragment by fragment."""
        answer = self.ask()
        if answer.status_code == 204:
            return {}
        message = answer.json()
        self.cursor = message["c"]
        return {piece["live"]: piece for piece in message["f"]}


def test_a_technicians_open_page_follows_the_desks_word_both_ways(tess: User, olga: User) -> None:
    page = OpenPage(sign_in(tess))
    assert page.topics == [f"user.{tess.pk}", f"user.{tess.pk}.drive"] and page.news() == {}
    actions.verify_technician(tess.technician, by=olga)
    heard = page.news()["accounts.verification"]
    assert "You can bid on jobs" in heard["html"] and heard["id"] == f"accounts-verification-{tess.pk}"
    actions.unverify_technician(tess.technician, by=olga)
    assert "Not verified yet" in page.news()["accounts.verification"]["html"]


def test_the_poll_paints_what_a_fresh_page_paints(tess: User, olga: User) -> None:
    client = sign_in(tess)
    page = OpenPage(client)
    actions.verify_technician(tess.technician, by=olga)
    heard = page.news()["accounts.verification"]["html"]
    version = re.compile(r' data-version="\d+"')
    fresh = client.get("/accounts/profile/").content.decode()
    assert version.sub("", heard).strip() in version.sub("", fresh)


@pytest.mark.parametrize("who", ["carol", "driver", "olga"])
def test_nobody_else_hears_of_it(who: str, tess: User, olga: User, request: pytest.FixtureRequest) -> None:
    page = OpenPage(sign_in(request.getfixturevalue(who)), f"user.{tess.pk}")
    actions.verify_technician(tess.technician, by=olga)
    answer = page.ask().json()
    assert answer["gone"] == [f"user.{tess.pk}"]
    assert not any(piece["html"] for piece in answer["f"])


def test_a_rolled_back_word_is_not_heard(tess: User, olga: User) -> None:
    page = OpenPage(sign_in(tess))
    with transaction.atomic():
        actions.verify_technician(tess.technician, by=olga)
        transaction.set_rollback(True)
    assert page.news() == {}


@pytest.mark.parametrize("how", ["signed out", "closed", "revoked", "new password", "reset by mail"])
def test_a_page_whose_session_ended_hears_that_and_nothing_more(how: str, tess: User, olga: User) -> None:
    client, elsewhere = sign_in(tess), sign_in(tess)
    page = OpenPage(client)
    if how == "signed out":
        client.post("/accounts/logout/")
    elif how == "closed":
        actions.deactivate(tess, by=olga)
    elif how == "revoked":
        elsewhere.post("/accounts/profile/sessions/end-others/")
    elif how == "new password":
        new = {"oldpassword": PASSWORD, "password1": "another horse", "password2": "another horse"}
        elsewhere.post("/accounts/profile/password/", new)
    else:
        user = User.objects.get(pk=tess.pk)
        user.set_password("another horse")
        user.save()
    actions.verify_technician(tess.technician, by=olga)
    answer = page.ask()
    assert answer.status_code == 401 and b"You can bid" not in answer.content


def test_the_page_that_stays_goes_on_hearing(tess: User, olga: User) -> None:
    here = sign_in(tess)
    sign_in(tess)
    page = OpenPage(here)
    here.post("/accounts/profile/sessions/end-others/")
    actions.verify_technician(tess.technician, by=olga)
    assert "You can bid on jobs" in page.news()["accounts.verification"]["html"]
