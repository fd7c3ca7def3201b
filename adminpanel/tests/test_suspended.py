"""Suspended people are out within two seconds everywhere: sockets, polls, pages, new sockets; and the desk sees it."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import actions, people
from accounts.models import Role, User
from adminpanel.live.dashboard import figures_topic
from adminpanel.live.people import people_topic, person_topic
from bookings.tests import make
from bookings.tests.make import DAY, HOUR
from chat.actions import ask_about
from chat.live import chat_topic
from realtime.tests.conftest import live  # noqa: F401 (fixture)
from realtime.tests.harness import Live, Page, journal_now, session_of
from realtime.topics import user_topic
from tests.crawl import browser
from tracking.topics import drive_topic, fleet_topic

AT_MOST = 2.0  # seconds


@pytest.fixture
def db(transactional_db: None) -> None:
    """Real commits: the hub reads on connections of its own."""


class Reader:
    """Somebody with two open sockets in two browsers and a page that polls."""

    def __init__(self, running: Live, who: User, *topics: str) -> None:
        self.topics = [user_topic(who.pk), *topics]
        self.cursor = journal_now()
        self.browsers = [browser(who), browser(who)]  # who typed their password: the sessions list knows them
        self.sockets = [running.page(each, self.topics) for each in self.browsers]

    def poll(self) -> int:
        """What the poll of the first browser answers."""
        query = [("c", self.cursor), *(("topic", name) for name in self.topics)]
        status: int = self.browsers[0].get(f"/live/poll?{urlencode(query)}").status_code
        return status

    def page(self) -> int:
        """What a page answers."""
        status: int = self.browsers[1].get(reverse("profile")).status_code
        return status

    def is_in(self) -> bool:
        """Whether everything is open."""
        open_ = all(socket.code is None for socket in self.sockets)
        return open_ and self.poll() in (200, 204) and self.page() == 200

    def is_out(self, running: Live, since: float) -> None:
        """Everything is closed, in time, and nothing opens again."""
        assert (self.poll(), self.page()) == (401, 302)
        left = max(AT_MOST - (time.monotonic() - since), 0.01)
        assert [socket.closed(left) for socket in self.sockets] == [4401, 4401]
        assert running.open(self.browsers[0]).say_hello(self.topics).closed(AT_MOST) == 4401


def heard(page: Page, since: int) -> str:
    """What reached a socket after its first frames."""
    return str(page.got[since:])


def test_whoever_is_suspended_is_out_in_every_role(
    live: Live,  # noqa: F811
    alice: User,
    bob: User,
    ed: User,
    frank: User,
) -> None:
    gina = make.person("Gina", Role.ADMIN, is_staff=True)
    now = timezone.now()
    window = {"window_start": now + DAY, "window_end": now + DAY + 6 * HOUR}
    talk = chat_topic(ask_about(make.offer(make.job(alice, now=now, **window), bob, now=now), by=alice, now=now).pk)
    readers = {
        alice: Reader(live, alice, talk),
        bob: Reader(live, bob, talk, "marketplace"),
        ed: Reader(live, ed, drive_topic(ed.pk)),
        gina: Reader(live, gina, people_topic(), figures_topic(), fleet_topic(), talk),
    }
    desk, client = (
        live.page(session_of(frank), [people_topic(), *map(person_topic, [who.pk for who in readers])]),
        Client(),
    )
    client.force_login(frank)
    for who, reader in readers.items():
        assert reader.is_in(), who
        began = time.monotonic()
        answer = client.post(reverse("desk:person_suspend", args=[who.pk]), {"reason": "Abuse"})
        assert answer.status_code == 303
        reader.is_out(live, began)
        desk.sees(f'id="adminpanel-person-{who.pk}"')
        assert "Suspended" in desk.html[f"adminpanel-person-{who.pk}"]
    live.quiet()
    assert all("Suspended" in desk.html[f"adminpanel-person_card-{who.pk}".replace("_", "-")] for who in readers)


def test_nothing_of_what_comes_after_reaches_a_suspended_page(live: Live, alice: User, frank: User) -> None:  # noqa: F811
    reader = Reader(live, alice)
    page = reader.sockets[0]
    actions.deactivate(alice, by=frank, reason="Abuse")
    page.closed(AT_MOST)
    before = len(page.got)
    make.draft(alice, title="Secret afterwards")
    people.add_note(alice, by=frank, text="Secret afterwards")
    live.quiet()
    assert "Secret" not in heard(page, before) and reader.poll() == 401


@pytest.mark.parametrize("verb", ["end_every_session", "erase_person"])
def test_signing_out_and_erasing_end_the_pages_as_fast(live: Live, alice: User, frank: User, verb: str) -> None:  # noqa: F811
    reader: Any = Reader(live, alice)
    assert reader.is_in()
    began = time.monotonic()
    getattr(people, verb)(alice, by=frank, reason="Asked")
    reader.is_out(live, began)


def test_a_changed_role_changes_at_once_what_an_open_page_hears(live: Live, frank: User, alice: User) -> None:  # noqa: F811
    """An admin who becomes a customer hears of the desk no longer, on the socket that is still open."""
    gina = make.person("Gina", Role.ADMIN, is_staff=True)
    page = live.page(session_of(gina), [people_topic()])
    actions.change_role(gina, by=frank, role=Role.CUSTOMER, reason="Moved on")
    people.correct_person(alice, by=frank, name="Alicia Test", phone="", time_zone="UTC", reason="Typo")
    live.quiet()
    assert "Alicia" not in str(page.got) and page.code is None
