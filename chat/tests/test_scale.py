"""What talking costs: the same for long conversations as for short ones, and for many readers as for two."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role, User
from bookings.tests.make import MINUTE, NOW
from chat import actions
from chat.live import chat_topic, message, row, talks_topic
from chat.models import Attachment, AttachmentKind, Conversation, Message, Participant, Side
from chat.tests.say import agreed, news, say
from realtime import fragments, jobs
from realtime.bulk import bulk_create
from realtime.models import JournalRow
from realtime.tests.conftest import live  # noqa: F401 (fixture)
from realtime.tests.harness import Counted, Live, Page, Queries, session_of, until
from realtime.topics import user_topic

MOST_QUERIES, MOST_BYTES = 12, 60_000
WORDS = "I looked at the tap again: it drips about once a second, and the valve below the sink is hard to turn. "


@pytest.fixture
def db(transactional_db: None) -> None:
    """Whoever asks for `db` writes with real commits here: the hub reads on connections of its own."""


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The renderer stops before each batch until this event is set."""
    go, run = threading.Event(), jobs.Job.run
    monkeypatch.setattr(jobs.Job, "run", lambda job: (go.wait(30), run(job)))
    yield go
    go.set()


def grow(conversation: Conversation, upto: int) -> None:
    """Fill it up to that many messages, both sides in turn, every tenth with a photo; behind the back of the pages."""
    bid = conversation.bid
    assert bid is not None
    sides = [(Side.CUSTOMER, bid.booking.customer_id), (Side.TECHNICIAN, bid.technician_id)]
    rows = []
    for seq in range(conversation.messages.count() + 1, upto + 1):
        side, author = sides[seq % 2]
        text, at = f"{seq}: {WORDS * (1 + seq % 2)}", NOW + seq * timedelta(seconds=1)
        rows.append(Message(conversation=conversation, seq=seq, side=side, author_id=author, text=text, at=at))
    models.QuerySet.bulk_create(Message._base_manager.all(), rows, batch_size=2000)
    photo = {
        "kind": AttachmentKind.IMAGE,
        "name": "tap.jpg",
        "size": 90_000,
        "width": 400,
        "height": 300,
        "position": 0,
    }
    files = [Attachment(message=each, file="a.jpg", thumb="b.jpg", **photo) for each in rows if each.seq % 10 == 0]
    models.QuerySet.bulk_create(Attachment._base_manager.all(), files, batch_size=2000)
    models.QuerySet.update(Conversation._base_manager.filter(pk=conversation.pk), last_seq=upto)


def cost(client: Client, url: str) -> tuple[int, str]:
    """The queries of a page, and its HTML."""
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    assert response.status_code == 200, url
    return len(queries), response.content.decode()


def people(number: int, role: str = Role.CUSTOMER) -> list[User]:
    """So many people, quickly."""
    rows = [User(email=f"reader{each}@example.org", name=f"Reader {each}", role=role) for each in range(number)]
    return bulk_create(User, rows)


# --- Long conversations ---------------------------------------------------------------------------


def test_ten_thousand_messages_open_at_the_cost_of_forty(alice, bob, frank) -> None:
    conversation = agreed(alice, bob)
    assert conversation.bid is not None
    page, desk = (reverse(name, args=[conversation.pk]) for name in ("chat:conversation", "desk:conversation"))
    job = reverse("bookings:job", args=[conversation.bid.booking_id])
    looks = [(session_of(alice), page), (session_of(bob), page), (session_of(frank), desk)]
    looks += [(session_of(alice), job), (session_of(bob), job)]
    grow(conversation, 40)
    for client, url in looks:  # opening a job's page reads what the bell tells of it, once
        cost(client, url)
    short = [cost(client, url) for client, url in looks]

    grow(conversation, 10_000)
    long = [cost(client, url) for client, url in looks]

    assert [queries for queries, _ in long] == [queries for queries, _ in short]
    for queries, html in long[:2]:
        assert queries <= MOST_QUERIES
        assert len(html.encode()) < MOST_BYTES
    for _, html in long:
        assert len(re.findall(r'id="chat-message-', html)) == 30
        assert "10000: " in html and "9971: " in html and "9970: " not in html


def test_older_messages_cost_the_same_wherever_they_are_asked_for(alice, bob) -> None:
    conversation, client = agreed(alice, bob), session_of(alice)
    grow(conversation, 10_000)
    url = reverse("chat:older", args=[conversation.pk])
    costs = [cost(client, f"{url}?before={before}") for before in (40, 5000, 9971)]
    assert len({queries for queries, _ in costs}) == 1 and costs[0][0] <= MOST_QUERIES
    for before, (_, html) in zip((40, 5000, 9971), costs, strict=True):
        assert len(re.findall(r'id="chat-message-', html)) == 30
        assert f"{before - 1}: " in html and f">{before}: " not in html


def test_a_list_of_twenty_conversations_costs_what_one_costs(alice, bob, frank) -> None:
    client, url = session_of(alice), reverse("chat:list")
    news(frank, alice)
    one, _ = cost(client, url)
    for number in range(19):
        news(frank, alice, bob, subject=f"News {number}", now=NOW + (number + 1) * MINUTE)
    twenty, html = cost(client, url)
    assert twenty == one and html.count('data-live="chat.row"') == 20


# --- Many readers ---------------------------------------------------------------------------------


class Renderings:
    """How often each fragment is rendered from now on."""

    def __init__(self) -> None:
        self._counted = {each.name: Counted("renders_total", fragment=each.name) for each in fragments.declared()}

    def __call__(self) -> dict[str, int]:
        return {name: counted() for name, counted in self._counted.items() if counted()}


def opened(live: Live, conversation: Conversation, *clients: tuple[Client, User]) -> list[Page]:  # noqa: F811
    """Pages of these people on the conversation, all welcomed."""
    pages = [live.open(client) for client, _ in clients]
    for page, (_, user) in zip(pages, clients, strict=True):
        page.say_hello([chat_topic(conversation.pk), user_topic(user.pk), talks_topic(user.pk)])
    for page in pages:
        page.answer("welcome")
    live.quiet()
    return pages


def measure(live: Live, conversation: Conversation, each: int, *two: User) -> tuple[int, list[str], dict[str, int]]:  # noqa: F811
    """One message with `each` pages of both sides open: the request's queries, the renderer's, and what it rendered."""
    clients = [(session_of(user), user) for user in two]
    pages = opened(live, conversation, *(clients * each))
    text, rendered = f"For {len(pages)}", Renderings()
    with Queries() as rendering, CaptureQueriesContext(connection) as request:
        say(conversation, two[0], text)
        for page in pages:
            page.sees(text)
        live.quiet()
    assert all(len(page.pushes) == 1 for page in pages)
    for page in pages:
        page.leave()
    until(lambda: not live.hub.sockets, "all have left")
    return len(request), rendering.sql, rendered()


def test_a_message_costs_the_same_with_two_and_with_two_hundred_pages_open(live, alice, bob) -> None:  # noqa: F811
    conversation = agreed(alice, bob)
    say(conversation, alice, "The first, so that both have an unread notice")
    asked, queries, rendered = measure(live, conversation, 1, alice, bob)
    asked_by_many, queries_of_many, rendered_for_many = measure(live, conversation, 100, alice, bob)
    assert (asked, len(queries)) == (asked_by_many, len(queries_of_many))
    assert rendered == rendered_for_many
    assert rendered[message.name] == 1
    assert rendered[row.name] == 2  # each side has a row of its own
    assert {name for name in rendered if name.startswith("chat.")} <= {"chat.message", "chat.row", "chat.unread"}
    assert all(times <= 2 for times in rendered.values())  # of what each side has of its own


def test_a_message_to_two_hundred_is_written_with_the_queries_of_one_to_two(alice, bob, frank) -> None:
    """Beside the journal: it says for each reader that their list changed, a hundred of them in a statement."""
    few, many = news(frank, alice, bob), news(frank, *people(200))
    costs = []
    for conversation in (few, many):
        with CaptureQueriesContext(connection) as queries:
            say(conversation, frank, "And on Tuesday.", now=NOW + MINUTE)
        said = [re.sub(r"\d+", "", query["sql"])[:60] for query in queries]
        costs.append([sql for sql in said if "realtime_journal" not in sql])
    assert costs[0] == costs[1]
    assert many.participants.count() == 201


# --- Receipts -------------------------------------------------------------------------------------


def half_a_second(step: int) -> timedelta:
    """Half seconds, as a span."""
    return timedelta(milliseconds=500 * step)


def test_each_of_two_hundred_readers_is_written_at_most_once_a_second(frank) -> None:
    readers = people(200)
    conversation = news(frank, *readers)
    for step in range(1, 5):
        say(conversation, frank, f"News {step}", now=NOW + step * MINUTE)

    def read_by_all(step: int) -> int:
        at = NOW + 10 * MINUTE + half_a_second(step)
        news = {"delivered": step + 1, "read": step + 1, "now": at}
        return sum(actions.mark_seen(conversation, by=reader, **news) for reader in readers)

    assert [read_by_all(step) for step in range(5)] == [200, 0, 200, 0, 200]
    marks = Participant.objects.filter(conversation=conversation, user__isnull=False)
    assert set(marks.values_list("delivered", "read")) == {(5, 5)}


def test_what_comes_too_soon_writes_nothing(alice, bob) -> None:
    conversation = agreed(alice, bob)
    say(conversation, bob)
    assert actions.mark_seen(conversation, by=alice, delivered=1, read=0, now=NOW)
    with CaptureQueriesContext(connection) as queries:
        assert not actions.mark_seen(conversation, by=alice, delivered=2, read=2, now=NOW + half_a_second(1))
    assert not [query["sql"] for query in queries if re.match("INSERT|UPDATE|DELETE", query["sql"])]


def test_the_receipts_of_two_hundred_readers_are_rendered_once_a_batch(live, held, frank) -> None:  # noqa: F811
    readers = people(200)
    conversation = news(frank, *readers)
    held.set()
    page, *_ = opened(live, conversation, (session_of(frank), frank), (session_of(readers[0]), readers[0]))
    rendered = Renderings()
    held.clear()
    for reader in readers:
        assert actions.mark_seen(conversation, by=reader, delivered=1, read=1, now=NOW + MINUTE)
    assert JournalRow.objects.filter(fragment="chat.marks", topic=chat_topic(conversation.pk)).count() == 1
    held.set()
    page.sees("Read by 200 of 200")
    live.quiet()
    assert rendered()["chat.marks"] <= 2  # the batch that began with the first, and all the others together
