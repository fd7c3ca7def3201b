"""A fragment is the same by page, by push and by poll: compared letter by letter, on real data of every state.

On real commits: the poll reads the journal in a transaction of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from adminpanel.models import Alert
from adminpanel.tests.road import comes_online
from chat.actions import broadcast
from notifications.actions import mark_read
from notifications.models import Notification
from realtime import fragments, journal
from realtime.journal import Touch
from realtime.render import render
from realtime.topics import Principal
from tests.conftest import settle
from tests.crawl import Crawl
from tests.world import tell
from tools.emptying import Emptying

ROOT = re.compile(
    r'<\w+ id="(?P<id>[\w-]+)" data-live="(?P<name>[\w.]+)" data-topic="(?P<topic>[^"]+)"'
    r'(?P<absent> data-version="\d+" data-live-absent)?'
)
VERSION = re.compile(r'data-version="\d+"')
LOOKING = ("alice", "bob", "dora", "ed", "frank")


@dataclass(frozen=True)
class Seen:
    """A fragment on a page: what it is, where it was, and who looked."""

    name: str
    key: str
    topic: str
    who: str
    absent: bool  # an empty element stands where it would be

    @property
    def touch(self) -> Touch:
        """What the journal would say of it."""
        return Touch(self.topic, self.name, self.key)


@dataclass(frozen=True)
class Look:
    """What everybody saw, by name and address, with the clock standing still from there on."""

    cast: dict[str, User]
    before: str  # the cursor of a page that was opened before anything happened
    pages: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def look(django_db_setup: Emptying, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[Look]:
    """Every page that each of the cast can reach, once for all tests, of which none changes anything."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        try:
            before = str(journal.now())
            cast = happen(patch, tmp_path_factory.mktemp("media"))
            yield Look(cast, before, {who: texts(client(user)) for who, user in cast.items()})
        finally:
            django_db_setup.empty()


@pytest.fixture
def db(look: Look) -> None:
    """The database as `look` has left it: nothing is rolled back, because nothing is changed."""


pytestmark = pytest.mark.usefixtures("db")


def happen(patch: pytest.MonkeyPatch, media: Path) -> dict[str, User]:
    """Everything, and then the clock stops.

    Opening a job's page reads what the bell tells of it, so everything has been read before, and there is other news.
    """
    people = settle(patch, media).people
    cast = {name: people[name] for name in LOOKING}
    broadcast([cast["alice"], cast["bob"]], by=cast["frank"], subject="News", id=uuid4(), text="We are closed.")
    now = timezone.now()
    patch.setattr(timezone, "now", lambda: now)
    Alert.objects.create(limit="lag", value=1200)
    comes_online(cast["alice"])
    mark_read(Notification.objects.all(), now=now)
    for user in cast.values():
        tell(user, now)
    return cast


def client(user: User) -> Client:
    """A browser that is signed in."""
    made = Client()
    made.force_login(user)
    return made


def texts(by: Client) -> dict[str, str]:
    """The live pages among all that a browser reaches; Django's own have none."""
    found = Crawl(by, beyond="admin:").walk("/", reverse("profile"), reverse("chat:replies")).pages
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
    return [
        Seen(m["name"], key_of(m["name"], m["id"]), m["topic"], who, bool(m["absent"])) for m in ROOT.finditer(html)
    ]


def essence(html: str) -> str:
    """Without its version, which says when it was read and not what."""
    return VERSION.sub('data-version=""', html)


def same(piece: str | None, absent: bool, page: str) -> bool:
    """Whether a piece is as painted, letter by letter; nothing where nothing is painted."""
    return absent if piece is None else not absent and essence(piece) in essence(page)


def everything_seen(pages: dict[str, dict[str, str]]) -> set[Seen]:
    """The fragments that stand on pages of people, empty places aside."""
    every = {seen for who, own in pages.items() for html in own.values() for seen in roots(html, who)}
    return {seen for seen in every if not seen.absent}


def is_extra(name: str) -> bool:
    """Whether a throw-away app declares it."""
    return any(name.partition(".")[0] == app.rpartition(".")[2] for app in settings.EXTRA_APPS)


def test_every_declared_fragment_is_on_some_page(look):
    declared = {each.name for each in fragments.declared() if not is_extra(each.name)}
    assert declared == {seen.name for seen in everything_seen(look.pages)}


def test_a_push_is_what_the_page_has_painted(look):
    wrong = []
    for who, own in look.pages.items():
        principal = Principal("user", str(look.cast[who].pk))
        for url, html in own.items():
            seen = roots(html, who)
            done = render({each.touch for each in seen}, {each.topic: {principal} for each in seen}, "1")
            for each in seen:
                piece = json.loads(done.pieces[each.touch])["html"] if each.touch in done.pieces else None
                if not same(piece, each.absent, html):
                    wrong.append(f"{who} {url}: {each.name} {each.key} on {each.topic}: {piece and piece[:200]}")
    assert not wrong, "\n".join(wrong)


def test_a_poll_brings_what_the_page_has_painted(look):
    """A page that was opened before anything happened asks for its topics, and ends equal to a fresh one."""
    wrong, compared = [], 0
    for who, own in look.pages.items():
        by = client(look.cast[who])
        for url, html in own.items():
            topics = {seen.topic for seen in roots(html, who)}
            absent = {m["id"] for m in ROOT.finditer(html) if m["absent"]}
            response = by.get(reverse("realtime:poll"), {"c": look.before, "topic": sorted(topics)})
            if response.status_code == 204:
                continue  # a page on whose topics nothing has happened: quick replies that nobody has touched
            answer = response.json()
            assert not answer["reset"] and not answer["gone"], (url, answer["gone"])
            for piece in answer["f"]:
                root = f'id="{piece["id"]}" data-live='
                if root not in html:
                    continue  # for another page of the same topic
                compared += 1
                if not same(piece["html"], piece["id"] in absent, html):
                    wrong.append(f"{who} {url}: {piece['id']}: {str(piece['html'])[:200]}")
    assert not wrong, "\n".join(wrong)
    assert compared > 60


def test_the_poll_tells_strangers_that_a_topic_is_not_theirs_and_shows_nothing(look):
    for who, topic in (("dora", f"user.{look.cast['alice'].pk}"), ("bob", f"user.{look.cast['dora'].pk}")):
        for cursor in (look.before, ""):
            answer = client(look.cast[who]).get(reverse("realtime:poll"), {"c": cursor, "topic": topic}).json()
            assert answer["gone"] == [topic] and not [piece for piece in answer["f"] if piece["html"]]
