"""Presence, counters, health: what a process says of itself, in one batch."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from realtime import counters, health, journal, presence
from realtime.fragments import Fragment, watch
from realtime.models import JournalRow, LastSeen, Presence, ServerProcess
from realtime.presence import Book, Page
from realtime.tests.board.models import Board
from realtime.tests.harness import Live, until
from realtime.topics import Principal, user_topic


@pytest.fixture
def quick(settings: Any) -> Any:
    """A batch ten times a second."""
    settings.LIVE = {**settings.LIVE, "PRESENCE_EVERY": 0.1}
    return settings


class Nobody:
    """A hub without sockets, for a book of its own."""

    def __init__(self) -> None:
        self.id, self.name, self.started_at, self.sockets = uuid.uuid4(), "test:1", time.time(), {}
        self.vitals = type("Vitals", (), {"report": staticmethod(counters.snapshot)})()


@pytest.fixture
def book(transactional_db: None) -> Book:
    """A process's book."""
    return Book(Nobody())  # type: ignore[arg-type]


def page(number: int, **changes: Any) -> Page:
    """An open page."""
    now = time.time()
    given = Page(f"socket-{number}", Principal("user", str(number)), "/board/", "socket", False, now, now)
    return given._replace(**changes)


def rows() -> set[tuple[str, str, bool]]:
    """Who is written as present."""
    return set(Presence.objects.values_list("page_id", "page", "away"))


def test_an_open_page_is_written_and_gone_when_it_leaves(
    live: Live, board: Board, alice: Any, alices: Client, topic: str, quick: Any
) -> None:
    live.restart("presence")
    opened = live.page(alices, [topic], page="/jobs/7/")
    found = until(lambda: Presence.objects.select_related("process").first(), "written")
    assert (found.kind, found.principal, found.page, found.transport) == ("user", str(alice.pk), "/jobs/7/", "socket")
    assert not found.away and found.process.pk == live.hub.id and str(found) == f"user {alice.pk} on /jobs/7/"
    opened.send(t="beat", away=True)
    until(lambda: Presence.objects.filter(away=True).exists(), "away")
    opened.send(t="beat", away=False)
    until(lambda: Presence.objects.filter(away=False).exists(), "back")
    opened.leave()
    until(lambda: not Presence.objects.exists(), "gone")


def test_a_link_is_present_without_its_token(live: Live, board: Board, topic: str, quick: Any) -> None:
    live.restart("presence")
    live.open(None).hello([topic], link=f"open-{board.pk}")
    found = until(lambda: Presence.objects.first(), "written")
    assert found.kind == "link" and found.principal and "open" not in found.principal


def test_a_batch_costs_the_same_for_one_and_for_a_hundred(book: Book, django_assert_num_queries: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def cost(pages: list[Page]) -> int:
        with CaptureQueriesContext(connection) as queries:
            book.write(pages)
        return len(queries)

    first = cost([page(0)])
    assert cost([page(n) for n in range(101)]) <= first + 1  # the first also makes the process's own row
    assert Presence.objects.count() == 101
    one_left = cost([page(n) for n in range(1, 101)])
    all_left = cost([])  # the journal takes 150 rows a statement
    assert all_left <= one_left + 2 and Presence.objects.count() == 0


def test_being_seen_again_is_not_written_every_time(book: Book, settings: Any) -> None:
    settings.LIVE = {**settings.LIVE, "OFFLINE_AFTER": 60}
    first = page(1)
    book.write([first])
    seen = Presence.objects.get().seen_at
    book.write([first._replace(seen_at=first.seen_at + 10)])
    assert Presence.objects.get().seen_at == seen
    book.write([first._replace(seen_at=first.seen_at + 30)])
    assert Presence.objects.get().seen_at == seen + timedelta(seconds=30)
    book.write([first._replace(page="/elsewhere/", away=True)])
    assert rows() == {("socket-1", "/elsewhere/", True)}


def test_a_batch_that_failed_is_made_up_for(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    book.write([page(1), page(2)])

    def broken(*args: Any) -> None:
        raise DatabaseError

    with monkeypatch.context() as patch:
        patch.setattr(journal, "write_touches", broken)
        with pytest.raises(DatabaseError):
            book.write([page(3)])
    assert {key for key, _, _ in rows()} == {"socket-1", "socket-2"}
    book.write([page(3)])
    assert {key for key, _, _ in rows()} == {"socket-3"}


def test_coming_and_going_reaches_pages_that_watch_presence(
    book: Book, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    from realtime import fragments

    monkeypatch.setattr(fragments, "_fragments", dict(fragments._fragments))
    monkeypatch.setattr(fragments, "_columns", dict(fragments._columns))
    watches = {model: list(found) for model, found in fragments._watches.items()}  # lists of its own: others watch, too
    monkeypatch.setattr(fragments, "_watches", defaultdict(list, watches))
    Fragment(
        "board.here",
        template="board/_note.html",
        load=lambda keys: {},
        topics=lambda user: [],
        watches=[watch(Presence, touches=lambda row: [(user_topic(int(row.principal)), row.principal)])],
    )

    def told() -> int:
        return JournalRow.objects.filter(fragment="board.here").count()

    book.write([page(1)])
    assert told() == 1
    book.write([page(1)])
    assert told() == 1
    book.write([page(1, away=True)])
    assert told() == 2
    book.write([])
    assert told() == 3
    book.write([page(1)])
    ServerProcess._base_manager.update(seen_at=timezone.now() - timedelta(hours=1))
    presence.forget_processes(timezone.now() - timedelta(minutes=3))
    assert told() == 5


def test_a_dead_process_is_forgotten_with_its_pages(book: Book) -> None:
    book.write([page(1), page(2)])
    alive = Book(Nobody())  # type: ignore[arg-type]
    alive.write([page(1)])
    ServerProcess._base_manager.filter(pk=book._hub.id).update(seen_at=timezone.now() - timedelta(minutes=5))
    assert presence.forget_processes(timezone.now() - timedelta(minutes=3)) == 1
    assert [row.pk for row in ServerProcess.objects.all()] == [alive._hub.id]
    assert Presence.objects.count() == 1
    assert presence.forget_processes(timezone.now() - timedelta(minutes=3)) == 0


# --- Counters


def test_each_process_writes_its_counters_as_one_row(live: Live, alices: Client, quick: Any) -> None:
    live.restart("presence")
    live.page(alices, [])
    row = until(
        lambda: ServerProcess.objects.filter(counters__callout_live_sockets_open=1).first(), "the process's row"
    )
    assert row.pk == live.hub.id and str(row) == live.hub.name and ServerProcess.objects.count() == 1
    names = {name.partition("{")[0].removeprefix(counters.PREFIX) for name in row.counters}
    totals = "sockets_opened frames sent_bytes tail_finds hellos resumes resets slow_closed gone bells_lost batches"
    assert names >= {f"{name}_total" for name in [*totals.split(), "closes"]}
    assert names >= {"sockets_open", "commit_to_send_seconds_sum", "commit_to_browser_seconds_count"}
    now, lately = row.counters.pop("now"), row.counters.pop("lately")
    assert now["bells"] == now["hellos"] == now["behind"] == 0 and now["layer"] == "ok" and now["failing"] == []
    assert lately["seconds"] >= 0 and all(isinstance(value, float | int) for value in lately["grew"].values())
    assert all(isinstance(value, float | int) for value in row.counters.values())


def test_metrics_are_shown_to_the_bearer_of_the_token_only(settings: Any, client: Client) -> None:
    token = "a-token-of-sixteen-letters"
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    settings.METRICS_TOKEN = token
    for wrong in ("", "Bearer ", "Bearer wrong", f"Bearer {token}x", f"Basic {token[:-1]}", "Bearer é"):
        assert client.get("/metrics", headers={"Authorization": wrong}).status_code == 404
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/plain")
    assert b"callout_live_sockets_open" in answer.content and "no-store" in answer["Cache-Control"]


# --- Health


def test_a_process_is_ready_when_its_hub_runs(live: Live) -> None:
    until(lambda: live.hub.asof, "a look at the journal")
    state = health.ready()
    assert health_of(state) and state["database"] == "ok" and state["layer"] == "ok"
    assert state["hub"]["running"] and state["hub"]["tail_age"] < 20 and state["hub"]["sockets"] == 0


def health_of(state: dict[str, Any]) -> bool:
    """Whether the state says that the process can serve."""
    return bool(state["ok"])


def test_without_a_database_a_process_is_not_ready(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise DatabaseError

    monkeypatch.setattr(journal, "now", broken)
    state = health.ready()
    assert not health_of(state) and state["database"] == "DatabaseError"


def test_a_hub_whose_task_has_ended_is_not_ready(live: Live) -> None:
    live.call(lambda: live.hub._tasks["sweep"].cancel())
    until(lambda: not live.hub.state["running"], "noticed")
    assert not health_of(health.ready())


# --- Who is here ----------------------------------------------------------------------------------


def test_people_are_online_away_or_offline_and_have_been_seen(book: Book, settings: Any) -> None:
    now, later = timezone.now(), timezone.now() + timedelta(seconds=30)
    book.write([page(1), page(2, away=True), page(3), page(4, page="/x/"), page(4, id="socket-44", away=True)])
    states = presence.online([1, 2, 3, 4, 5], now)
    assert {pk: each.state for pk, each in states.items()} == {
        1: "online", 2: "away", 3: "online", 4: "online", 5: "offline"
    }  # fmt: skip
    book.write([page(2, away=True)])
    here = presence.online([1, 3], now)
    assert here[1].state == "online"  # perhaps on the way to the next page
    gone = presence.online([1, 3, 5], later)
    assert {each.state for each in gone.values()} == {"offline"}
    assert gone[1].last_seen is not None and abs(gone[1].last_seen - now) < timedelta(seconds=5)
    assert gone[5].last_seen is None


def test_who_comes_back_before_the_grace_is_over_never_went(book: Book) -> None:
    book.write([page(1)])
    book.write([])
    book.write([page(9, principal=Principal("user", "1"), page="/next/")])
    assert presence.online([1], timezone.now() + timedelta(seconds=30))[1].state == "online"


def test_who_became_quiet_between_two_instants_is_found_once(book: Book, settings: Any) -> None:
    settings.LIVE = {**settings.LIVE, "PRESENCE_EVERY": 5.0}
    book.write([page(1), page(2)])
    book.write([page(2)])
    left = LastSeen.objects.get().seen_at
    grace, second = timedelta(seconds=10), timedelta(seconds=1)
    assert presence.gone_quiet(left + grace - second, left + grace) == {1}
    assert presence.gone_quiet(left + grace, left + grace + second) == set()


def test_a_page_is_looked_at_by_those_who_have_it_open_and_are_there(book: Book) -> None:
    pages = [page(1), page(2, away=True), page(3, page="/board/?sort=name"), page(4, page="/boards/"), page(5)]
    book.write(pages)
    assert presence.looking_at([1, 2, 3, 4], "/board/") == {1, 3}
    assert presence.looking_at([1], "/board") == set()


def test_asking_who_is_here_costs_the_same_for_many(book: Book, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        presence.online(range(1, 200))
    with django_assert_num_queries(1):
        presence.looking_at(range(1, 200), "/board/")


def test_a_dead_process_leaves_behind_when_its_people_were_seen(book: Book) -> None:
    book.write([page(1, seen_at=time.time() - 500), page(2, principal=Principal("link", "secret"))])
    ServerProcess._base_manager.update(seen_at=timezone.now() - timedelta(hours=1))
    presence.forget_processes(timezone.now())
    seen = {(row.kind, row.principal) for row in LastSeen.objects.all()}
    assert ("user", "1") in seen and len(seen) == 2 and not any(name == "secret" for _, name in seen)
