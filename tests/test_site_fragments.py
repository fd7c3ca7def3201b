"""A fragment is the same by page, by push and by poll: compared letter by letter, on real data of every state.

On real commits: the poll reads the journal in a transaction of its own.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from chat.actions import broadcast
from notifications.actions import mark_read
from notifications.models import Notification
from realtime import fragments, journal
from realtime.journal import Touch
from realtime.render import render
from realtime.topics import Principal
from tests.crawl import Crawl
from tests.world import populate, tell

ROOT = re.compile(r'<\w+ id="(?P<id>[\w-]+)" data-live="(?P<name>[\w.]+)" data-topic="(?P<topic>[^"]+)"')
VERSION = re.compile(r'data-version="\d+"')


@dataclass(frozen=True)
class Seen:
    """A fragment on a page: what it is, where it was, and who looked."""

    name: str
    key: str
    topic: str
    who: str

    @property
    def touch(self) -> Touch:
        """What the journal would say of it."""
        return Touch(self.topic, self.name, self.key)


@pytest.fixture
def db(transactional_db: None) -> None:
    """Whoever asks for `db` writes with real commits here."""


@pytest.fixture
def cast(request, db) -> dict[str, User]:
    """Who looks."""
    return {name: request.getfixturevalue(name) for name in ("alice", "bob", "dora", "frank")}


@pytest.fixture
def before(cast) -> str:
    """The cursor of a page that was opened before anything happened."""
    return str(journal.now())


@pytest.fixture
def pages(media, cast, before, monkeypatch) -> dict[str, dict[str, str]]:
    """Every page that each of the cast can reach, as text, with the clock standing still from here on.

    Opening a job's page reads what the bell tells of it, so everything has been read before, and there is other news.
    """
    populate(cast["alice"], cast["bob"], cast["dora"])
    broadcast([cast["alice"], cast["bob"]], by=cast["frank"], subject="News", id=uuid4(), text="We are closed.")
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    mark_read(Notification.objects.all(), now=now)
    for user in cast.values():
        tell(user, now)
    return {who: texts(browser(user)) for who, user in cast.items()}


def browser(user: User) -> Client:
    """Signed in."""
    client = Client()
    client.force_login(user)
    return client


def texts(client: Client) -> dict[str, str]:
    """The live pages among all that `client` reaches."""
    found = Crawl(client).walk("/", reverse("profile"), reverse("chat:replies")).pages
    pages = {url: page.content.decode() for url, page in found.items() if not page.streaming and page.status_code == 200
             and page["Content-Type"].startswith("text/html")}  # fmt: skip
    return {url: html for url, html in pages.items() if "data-live=" in html}


def key_of(name: str, dom_id: str) -> str:
    """The key in a DOM id."""
    fragment = fragments.get(name)
    assert fragment is not None, f"{name} is on a page and declared nowhere"
    prefix = fragment.dom_id("")
    assert dom_id.startswith(prefix)
    return dom_id.removeprefix(prefix)


def roots(html: str, who: str) -> list[Seen]:
    """The fragments on a page."""
    return [Seen(m["name"], key_of(m["name"], m["id"]), m["topic"], who) for m in ROOT.finditer(html)]


def essence(html: str) -> str:
    """Without its version, which says when it was read and not what."""
    return VERSION.sub('data-version=""', html)


def everything_seen(pages: dict[str, dict[str, str]]) -> set[Seen]:
    """The fragments on all pages of all people."""
    return {seen for who, own in pages.items() for html in own.values() for seen in roots(html, who)}


def is_extra(name: str) -> bool:
    """Whether a throw-away app declares it."""
    return any(name.partition(".")[0] == app.rpartition(".")[2] for app in settings.EXTRA_APPS)


def test_every_declared_fragment_is_on_some_page(pages):
    declared = {each.name for each in fragments.declared() if not is_extra(each.name)}
    assert declared == {seen.name for seen in everything_seen(pages)}


def test_a_push_is_what_the_page_has_painted(pages, cast):
    wrong = []
    for who, own in pages.items():
        principal = Principal("user", str(cast[who].pk))
        for url, html in own.items():
            seen = roots(html, who)
            done = render({each.touch for each in seen}, {each.topic: {principal} for each in seen}, "1")
            for each in seen:
                piece = json.loads(done.pieces[each.touch])["html"] if each.touch in done.pieces else None
                if piece is None or essence(piece) not in essence(html):
                    wrong.append(f"{who} {url}: {each.name} {each.key} on {each.topic}: {piece and piece[:200]}")
    assert not wrong, "\n".join(wrong)


def test_a_poll_brings_what_the_page_has_painted(pages, cast, before):
    """A page that was opened before anything happened asks for its topics, and ends equal to a fresh one."""
    wrong, compared = [], 0
    for who, own in pages.items():
        for url, html in own.items():
            topics = {seen.topic for seen in roots(html, who)}
            response = browser(cast[who]).get(reverse("realtime:poll"), {"c": before, "topic": sorted(topics)})
            if response.status_code == 204:
                continue  # a page on whose topics nothing has happened: quick replies that nobody has touched
            answer = response.json()
            assert not answer["reset"] and not answer["gone"], (url, answer["gone"])
            for piece in answer["f"]:
                root = f'id="{piece["id"]}" data-live='
                if root not in html:
                    continue  # for another page of the same topic
                compared += 1
                if piece["html"] is None or essence(piece["html"]) not in essence(html):
                    wrong.append(f"{who} {url}: {piece['id']}: {str(piece['html'])[:200]}")
    assert not wrong, "\n".join(wrong)
    assert compared > 60


def test_the_poll_tells_strangers_that_a_topic_is_not_theirs_and_shows_nothing(pages, cast, before):
    for who, topic in (("dora", f"user.{cast['alice'].pk}"), ("bob", f"user.{cast['dora'].pk}")):
        for cursor in (before, ""):
            answer = browser(cast[who]).get(reverse("realtime:poll"), {"c": cursor, "topic": topic}).json()
            assert answer["gone"] == [topic] and not [piece for piece in answer["f"] if piece["html"]]
