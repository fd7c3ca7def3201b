"""A sealed review leaks nothing: every page that anybody else can reach is the same, letter by letter, before and after
it was written; no poll brings anything, no average and no count moves, and no export holds a word of it.

On real commits, because the poll reads the journal in a transaction of its own.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone

from accounts.models import User
from adminpanel.queues.waiting import load_queues, queues
from bookings import actions, due
from bookings.models import Booking
from bookings.rating import ratings
from bookings.tests import make
from notifications.actions import mark_read
from notifications.models import Notification
from realtime import journal
from realtime.models import JournalRow
from tests import world
from tests.conftest import settle
from tests.crawl import Crawl
from tools.emptying import Emptying

ALICES, BOBS = "Zwetschgenknoedel", "Palatschinkentopf"  # words that stand nowhere else
PER_ADDRESS = 2  # pages of one address: one is like the next, and those about the two jobs are looked at first
NEAR = ("alice", "bob", "frank")  # who have to do with them walk through all they can reach; the others look there only
# What differs at every look: tokens, keys, cursors, versions.
FLEETING = re.compile(r'(name="(?:csrfmiddlewaretoken|idempotency_key|id)" value|data-version|data-cursor)="[^"]*"')
TOKEN = re.compile(r"X-CSRFToken\W+\w+")
# Exports leave lines in the audit, which has a test of its own below; the others make up something new at every look.
NEVER_THE_SAME = ("desk:audit_export", "desk:bookings_export", "desk:health", "mfa_add_webauthn", "mfa_activate_totp")


@dataclass
class Look:
    """Who looks, at which addresses, and what was there before and after both sides wrote, each about another job."""

    people: dict[str, User]
    alices: Booking  # Alice has reviewed it, sealed
    bobs: Booking  # Bob has
    cursor: str = ""
    numbers: Any = None
    told: set[tuple[str, str]] = field(default_factory=set)  # (topic, fragment) that the writing touched
    polled: dict[str, list[int]] = field(default_factory=dict)  # what polls answered right after it
    browsers: dict[str, Client] = field(default_factory=dict)
    before: dict[tuple[str, str], str] = field(default_factory=dict)

    def walked(self) -> Iterator[tuple[tuple[str, str], str]]:
        """What everybody sees at each of their addresses, but for what authors see of their own: the job's page."""
        own = {"alice": f"/jobs/{self.alices.pk}/", "bob": f"/jobs/{self.bobs.pk}/"}
        for who, browser in self.browsers.items():
            for url, answer in reached(browser, starts(self), who in NEAR).items():
                if not url.startswith(own.get(who, "none")) and not is_never_the_same(name_of(url)):
                    shows_lines = b"adminpanel.activity" in getattr(answer, "content", b"")
                    yield (who, url), words(browser.get(url) if shows_lines else answer)

    def sees(self, who: str, url: str) -> str:
        """What stands there for somebody now."""
        return words(self.browsers[who].get(url))


@pytest.fixture(scope="module")
def look(django_db_setup: Emptying, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[Look]:
    """Once for all tests, of which none but the last changes anything."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        try:
            yield happen(patch, tmp_path_factory.mktemp("media"))
        finally:
            django_db_setup.empty()


@pytest.fixture
def db(look: Look) -> None:
    """The database as `look` has left it."""


pytestmark = pytest.mark.usefixtures("db")


def happen(patch: pytest.MonkeyPatch, media: Any) -> Look:
    """The populated site with two more finished jobs; everybody looks around, the clock stops, and both write."""
    people: dict[str, User | None] = {**settle(patch, media).people, "": None}
    alice, bob = people["alice"], people["bob"]
    assert alice and bob
    now = timezone.now()
    jobs = [finished(alice, bob, days, title) for days, title in ((25, "Zebra stripes"), (26, "Yellow door"))]
    patch.setattr(timezone, "now", lambda: now)
    found = Look({who: user for who, user in people.items() if user}, *jobs)
    found.browsers = {who: client(user) for who, user in people.items()}
    mark_read(Notification.objects.all(), now=now)  # opening a page reads what the bell tells of it
    found.before = dict(found.walked())
    found.cursor, found.numbers = str(journal.now()), numbers(found)
    since = newest()
    actions.write_review(jobs[0], by=alice, stars=1, text=ALICES)
    actions.write_review(jobs[1], by=bob, stars=1, text=BOBS)
    actions.write_review(jobs[1], by=bob, stars=2, text=BOBS)  # said anew
    found.told = set(JournalRow.objects.filter(pk__gt=since).values_list("topic", "fragment"))
    found.polled = {who: polls(found, who) for who in found.people}
    return found


def polls(look: Look, who: str) -> list[int]:
    """What polls answer that ask for every topic of all pages that somebody has seen, from before anybody wrote."""
    topics = sorted({topic for (each, _), html in look.before.items() if each == who for topic in topics_on(html)})
    parts = [topics[part : part + 40] for part in range(0, len(topics), 40)]
    asked = [{"c": look.cursor, "topic": part} for part in parts]
    return [look.browsers[who].get(reverse("realtime:poll"), each).status_code for each in asked]


def topics_on(html: str) -> set[str]:
    """What a page follows."""
    return set(re.findall(r'data-topic="([^"]+)"', html))


def finished(alice: User, bob: User, days: int, title: str) -> Booking:
    """A job whose work is done, half an hour ago."""
    now = timezone.now() - 30 * make.MINUTE
    visit = make.live(world.visit(alice, bob, days, now, title), at=now)
    done = actions.complete_session(visit, by=bob, note="All done.", now=now + make.MINUTE)
    return Booking.objects.get(pk=done.booking_id)


def client(user: User | None) -> Client:
    """A browser, signed in unless nobody is given."""
    made = Client()
    if user is not None:
        made.force_login(user)
    return made


def starts(look: Look) -> list[str]:
    """What is about the two jobs and their two sides, before anything else."""
    jobs = [look.alices.pk, look.bobs.pk]
    sides = [look.people["alice"].pk, look.people["bob"].pk]
    return [
        *(reverse(name, args=[pk]) for pk in jobs for name in ("bookings:job", "bookings:review", "desk:booking")),
        *(reverse("desk:person", args=[pk]) for pk in sides),
        *(reverse("desk:reviews") + query for query in ("", "?show=published", "?show=hidden")),
        reverse("desk:audit"),
        reverse("desk:audit") + "?kind=review",
        reverse("profile_history"),
        reverse("profile"),
        "/",
    ]


def is_never_the_same(name: str) -> bool:
    """Whether two looks differ anyhow; the empty forms of Django's admin begin with the time of day."""
    return name in NEVER_THE_SAME or (name.startswith("admin:") and name.endswith("_add"))


def name_of(url: str) -> str:
    """The name of an address."""
    return resolve(urlsplit(url).path).view_name


def reached(by: Client, urls: list[str], all_of_it: bool) -> dict[str, Any]:
    """What a browser finds at `urls`; with all that can be reached from there, the static files aside."""
    return Crawl(by, most=PER_ADDRESS).walk(*urls).pages if all_of_it else {url: by.get(url) for url in urls}


def words(answer: Any) -> str:
    """What stands there, without what differs at every look; exports are unpacked."""
    if answer.streaming:
        return unpacked(b"".join(answer.streaming_content))
    text = answer.content.decode(errors="replace")
    return f"{answer.status_code} {TOKEN.sub('', FLEETING.sub('', text))}"


def unpacked(content: bytes) -> str:
    """A file's text; of an archive, that of all its files."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return content.decode(errors="replace")
    archive = zipfile.ZipFile(io.BytesIO(content))
    return "\n".join(f"{name}\n{archive.read(name).decode(errors='replace')}" for name in sorted(archive.namelist()))


def newest() -> int:
    """The newest row of the journal."""
    return JournalRow.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def numbers(look: Look) -> tuple[object, ...]:
    """What is counted and averaged."""
    return ratings(user.pk for user in look.people.values()), load_queues(list(queues()))


def test_no_page_of_anybody_else_has_changed_by_a_letter(look: Look) -> None:
    wrong = []
    for who, url in look.before:
        after = look.sees(who, url)
        if after != look.before[who, url]:
            wrong.append(f"{who or 'signed out'} {url}: {first_difference(look.before[who, url], after)}")
        if ALICES in after or BOBS in after:
            wrong.append(f"{who or 'signed out'} {url} shows what is sealed")
    assert not wrong, "\n".join(wrong[:20])
    assert len(look.before) > 150, "the walk has gone through the site"


def first_difference(before: str, after: str) -> str:
    """Around where two texts part."""
    at = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after)))
    return f"{before[max(at - 80, 0) : at + 80]!r} became {after[max(at - 80, 0) : at + 80]!r}"


def test_each_author_and_nobody_else_reads_their_own(look: Look) -> None:
    for who, booking, said in (("alice", look.alices, ALICES), ("bob", look.bobs, BOBS)):
        assert said in look.sees(who, f"/jobs/{booking.pk}/")
        assert said in look.sees(who, f"/jobs/{booking.pk}/review/")


def test_the_journal_names_the_authors_cards_and_nothing_else(look: Look) -> None:
    """Not even in vain: a frame that brings nothing would say that something happened."""
    assert look.told == {
        (f"booking.{look.alices.pk}.customer", "bookings.customer_review"),
        (f"booking.{look.bobs.pk}.technician.{look.people['bob'].pk}", "bookings.work_review"),
    }


def test_no_poll_brings_anything_to_anybody_else(look: Look) -> None:
    assert look.polled.keys() == look.people.keys()
    for who, answers in look.polled.items():
        assert answers and set(answers) == {204}, (who, answers)


def test_no_average_and_no_count_has_moved(look: Look) -> None:
    assert numbers(look) == look.numbers


def test_no_export_of_the_desk_holds_a_word_of_it(look: Look) -> None:
    desk = look.browsers["frank"]
    for name in ("alice", "bob"):
        url = reverse("desk:person_export", args=[look.people[name].pk])
        answer = desk.post(url, {"reason": "They asked.", "idempotency_key": name.ljust(32, "0")})
        copy = unpacked(b"".join(answer.streaming_content))
        assert look.people[name].email in copy, "it is their copy"
        assert ALICES not in copy and BOBS not in copy
    for address in (reverse("desk:audit_export"), reverse("desk:bookings_export")):
        table = words(desk.post(address))
        assert table.count("\n") > 5 and ALICES not in table and BOBS not in table


def test_at_last_both_open_and_every_eye_of_this_test_sees_it(look: Look) -> None:
    """Or the silence above would prove nothing."""
    due.open_reviews(timezone.now() + 8 * make.DAY)
    assert ALICES in look.sees("bob", f"/jobs/{look.alices.pk}/")
    assert BOBS in look.sees("alice", f"/jobs/{look.bobs.pk}/")
    assert ALICES in look.sees("frank", reverse("desk:reviews") + "?show=published")
    assert numbers(look) != look.numbers
    answer = look.browsers["bob"].get(
        reverse("realtime:poll"),
        {"c": look.cursor, "topic": [f"booking.{look.alices.pk}.technician.{look.people['bob'].pk}"]},
    )
    assert ALICES in answer.content.decode()
