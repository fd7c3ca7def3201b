"""From a commit to the pages: what arrives, at whom, once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client

from realtime import bell, ears, hub, jobs, journal
from realtime.bulk import bulk_create, bulk_update
from realtime.tests.board.live import board_topic, count, note
from realtime.tests.board.models import Board, Note, Pulse
from realtime.tests.harness import Counted, Live, Page, Queries, in_thread, journal_now, until


def fresh(client: Client, board: Board) -> dict[str, str]:
    """The notes of a freshly loaded page, as live.js would find them: text by DOM id."""
    return {f"board-note-{each.pk}": each.text for each in Note.objects.filter(board=board)}


def shown(page: Page) -> dict[str, str]:
    """The notes that a page shows."""
    return {
        key: html.partition(">")[2].partition("<")[0]
        for key, html in page.html.items()
        if key.startswith("board-note-")
    }


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The renderer stops before each batch until this event is set."""
    go, run = threading.Event(), jobs.Job.run
    monkeypatch.setattr(jobs.Job, "run", lambda job: (go.wait(30), run(job)))
    yield go
    go.set()


# --- What arrives


def test_a_change_reaches_the_page_that_follows(live: Live, board: Board, alices: Client, topic: str) -> None:
    page = live.page(alices, [topic])
    made = Note.objects.create(board=board, text="Buy milk")
    page.sees("Buy milk").sees("1 notes on Kitchen")
    assert len(page.pushes) == 1 and page.pushes[0]["gone"] == []
    bulk_update(Note.objects.filter(pk=made.pk), text="Buy oat milk")
    page.sees("Buy oat milk")
    dom_id = f"board-note-{made.pk}"
    made.delete()
    page.sees("0 notes on Kitchen")
    assert dom_id not in page.html and dom_id in page.shown


def test_a_transaction_is_one_frame_a_page(live: Live, board: Board, alices: Client, bobs: Client, topic: str) -> None:
    pages = [live.page(client, [topic]) for client in (alices, bobs)]
    with transaction.atomic():
        for number in range(5):
            Note.objects.create(board=board, text=f"Note {number}")
        Pulse.objects.create(board=board, value=3)
    for page in pages:
        page.sees("Note 4").sees("5 notes on Kitchen")
    live.quiet()
    assert [len(page.pushes) for page in pages] == [1, 1]
    assert len(pages[0].pushes[0]["f"]) == 8  # five notes, their number, the pins, the pulse
    assert pages[0].pushes == pages[1].pushes


def test_a_rollback_sends_nothing(live: Live, board: Board, alices: Client, topic: str) -> None:
    page = live.page(alices, [topic])
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        Note.objects.create(board=board, text="Never")
        raise ZeroDivisionError
    Note.objects.create(board=board, text="Afterwards")
    page.sees("Afterwards")
    assert len(page.pushes) == 1 and "Never" not in str(page.got)


def test_a_moved_row_leaves_one_page_and_comes_to_the_other(
    live: Live, board: Board, alices: Client, alice: Any, charlies: Client, charlie: Any, topic: str
) -> None:
    other = Board.objects.create(name="Attic")
    other.people.add(charlie)
    made = Note.objects.create(board=board, text="Milk")
    hers, his = live.page(alices, [topic], ""), live.page(charlies, [board_topic(other.pk)])
    hers.shown[f"board-note-{made.pk}"] = (0, "<li>Milk</li>")
    made.board = other
    made.save()
    his.sees("Milk").sees("1 notes on Attic")
    hers.sees("0 notes on Kitchen")
    assert f"board-note-{made.pk}" not in hers.html
    assert "Attic" not in str(hers.got) and "Kitchen" not in str(his.got)


def test_only_those_who_follow_and_belong_hear_of_it(
    live: Live, board: Board, alices: Client, bobs: Client, charlies: Client, topic: str
) -> None:
    hers, idle, strange = live.page(alices, [topic]), live.page(bobs, []), live.open(charlies)
    assert strange.hello([topic])["gone"] == [topic]
    Note.objects.create(board=board, text="Secret")
    hers.sees("Secret")
    live.quiet()
    assert idle.pushes == [] and strange.pushes == [] and live.hub.followers.keys() == {topic}


def test_bulk_writes_arrive_in_one_frame(live: Live, board: Board, alices: Client, topic: str) -> None:
    page = live.page(alices, [topic])
    bulk_create(Note, [Note(board=board, text=f"Note {n}") for n in range(60)])
    page.sees("60 notes on Kitchen")
    live.quiet()
    assert len(page.pushes) == 1 and shown(page) == fresh(alices, board)


def test_a_latest_only_fragment_is_pushed_and_ends_at_the_newest(
    live: Live, board: Board, alices: Client, topic: str
) -> None:
    beat = Pulse.objects.create(board=board)
    page = live.page(alices, [topic])
    for value in range(1, 31):
        beat.value = value
        beat.save()
    page.sees(">30<")


def test_a_change_says_when_it_was_committed(live: Live, board: Board, alices: Client, topic: str) -> None:
    page, before = live.page(alices, [topic]), journal.milliseconds()
    Note.objects.create(board=board, text="Milk")
    page.sees("Milk")
    assert int(before) <= page.pushes[0]["at"] <= journal.milliseconds()


# --- Losing and gaining


def test_losing_membership_on_an_open_socket_ends_delivery(
    live: Live, board: Board, alices: Client, bobs: Client, bob: Any, topic: str
) -> None:
    hers, his, gone = live.page(alices, [topic]), live.page(bobs, [topic]), Counted("gone_total")
    board.people.remove(bob)
    Note.objects.create(board=board, text="Not for Bob")
    hers.sees("Not for Bob")
    until(lambda: his.pushes, "Bob is told that it is gone")
    assert his.pushes[0]["gone"] == [topic] and his.pushes[0]["f"] == [] and hers.pushes[0]["gone"] == []
    Note.objects.create(board=board, text="Nor this")
    hers.sees("Nor this")
    live.quiet()
    assert len(his.pushes) == 1 and gone() == 1 and "Bob" not in str(his.got)


def test_coming_back_needs_a_new_follow_and_nothing_else(
    live: Live, board: Board, bobs: Client, bob: Any, topic: str
) -> None:
    board.people.remove(bob)
    his = live.open(bobs)
    assert his.hello([topic])["gone"] == [topic]
    board.people.add(bob)
    Note.objects.create(board=board, text="Welcome back")
    assert his.follow([topic])["gone"] == []
    his.sees("Welcome back")


def test_a_rule_that_fails_lets_nobody_in_and_holds_up_nobody(
    live: Live, board: Board, alices: Client, alice: Any, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Board.objects.create(name="Attic")
    other.people.add(alice)
    page = live.page(alices, [topic, board_topic(other.pk)])
    rule = board_topic._users

    def broken(ids: set[int], board_id: int) -> set[int]:
        if board_id == other.pk:
            with connection.cursor() as cursor:
                cursor.execute("SELECT no_such_function(1)")
        return rule(ids, board_id)

    monkeypatch.setattr(board_topic, "_users", broken)
    with transaction.atomic():
        Note.objects.create(board=other, text="Hidden")
        Note.objects.create(board=board, text="Seen")
    page.sees("Seen")
    assert page.pushes[0]["gone"] == [board_topic(other.pk)] and "Hidden" not in str(page.got)


# --- In order


def test_no_push_comes_before_the_answer(
    live: Live, board: Board, alices: Client, topic: str, held: threading.Event
) -> None:
    page = live.open(alices).say_hello([topic])
    until(lambda: topic in live.hub.followers, "the hub follows")
    for number in range(5):
        Note.objects.create(board=board, text=f"Note {number}")
    held.set()
    page.sees("5 notes on Kitchen")
    assert page.got[0]["t"] == "welcome"
    live.quiet()
    assert shown(page) == fresh(alices, board)


def test_a_change_during_rendering_causes_another_rendering(
    live: Live, board: Board, alices: Client, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Note.objects.create(board=board, text="First")
    page = live.page(alices, [topic])
    rendered, go, real = threading.Event(), threading.Event(), jobs.render

    def slow(*args: Any) -> Any:
        done = real(*args)
        rendered.set()
        go.wait(30)
        return done

    monkeypatch.setattr(jobs, "render", slow)
    bulk_update(Note.objects.filter(pk=made.pk), text="Second")
    assert rendered.wait(10)
    bulk_update(Note.objects.filter(pk=made.pk), text="Third")
    go.set()
    page.sees("Third")
    assert [text for frame in page.pushes for text in ("Second", "Third") if text in str(frame)] == ["Second", "Third"]


def test_frames_never_carry_a_cursor_ahead_of_what_was_sent(
    live: Live, board: Board, alices: Client, bobs: Client, topic: str
) -> None:
    """Whoever is cut off after any frame and returns with its cursor misses nothing."""
    page = live.page(alices, [topic])
    writers = [
        in_thread(lambda n=n: [Note.objects.create(board=board, text=f"{n}.{i}") for i in range(12)]) for n in range(4)
    ]
    for writer in writers:
        writer.join()
    page.sees("48 notes on Kitchen")
    live.quiet()
    assert shown(page) == fresh(alices, board)
    for upto in range(0, len(page.got), 3):
        cut = Page.__new__(Page)
        cut.shown, cut.got, cut.sizes, cut.times, cut.cursor = {}, [], [], [], page.got[0]["c"]
        for frame in page.got[: upto + 1]:
            cut._see(frame, 0)
        back = live.open(bobs)
        back.shown = cut.shown
        back.hello([topic], cut.cursor)
        assert shown(back) == fresh(alices, board), f"cut after frame {upto}"


def test_an_old_rendering_never_replaces_a_newer_one(live: Live, board: Board, alices: Client, topic: str) -> None:
    page = live.page(alices, [topic])
    made = Note.objects.create(board=board, text="First")
    page.sees("First")
    old = page.pushes[-1]
    bulk_update(Note.objects.filter(pk=made.pk), text="Second")
    page.sees("Second")
    page._see(old, 0)
    assert shown(page) == {f"board-note-{made.pk}": "Second"}


def test_two_that_connect_together_start_one_hub(live: Live) -> None:
    assert {live.call(hub.ensure) for _ in range(3)} == {live.hub} == {hub.current()}


# --- The cost of a change


def measure(live: Live, board: Board, client: Client, topic: str, viewers: int) -> tuple[list[str], int, int]:
    """One change with so many viewers: the renderer's queries, and how often each fragment was rendered."""
    pages = [live.open(client) for _ in range(viewers)]
    for page in pages:
        page.say_hello([topic])
    for page in pages:
        page.answer("welcome")
    live.quiet()
    notes, counts = Counted("renders_total", fragment="board.note"), Counted("renders_total", fragment="board.count")
    frames = Counted("frames_total")
    with Queries() as queries:
        made = Note.objects.create(board=board, text=f"For {viewers}")
        for page in pages:
            page.sees(f"For {viewers}")
        live.quiet()
    assert frames() == viewers and all(len(page.pushes) == 1 for page in pages)
    for page in pages:
        page.leave()
    until(lambda: not live.hub.sockets, "all have left")
    made.delete()
    return queries.sql, notes(), counts()


def test_a_change_costs_the_same_with_one_and_with_two_hundred_viewers(
    live: Live, board: Board, alices: Client, topic: str
) -> None:
    alone, notes, counts = measure(live, board, alices, topic, 1)
    many, notes_of_many, counts_of_many = measure(live, board, alices, topic, 200)
    assert (notes, counts) == (notes_of_many, counts_of_many) == (1, 1)
    assert len(alone) == len(many)
    selects = [sql for sql in many if sql.startswith("SELECT") and "realtime_" not in sql]
    assert len(selects) == 5  # members, the note, the board, its notes, its pins


def test_two_hundred_returning_sockets_are_answered_together(
    live: Live, board: Board, alices: Client, topic: str, held: threading.Event
) -> None:
    cursor = journal_now()
    Note.objects.create(board=board, text="Meanwhile")
    pages = [live.open(alices) for _ in range(200)]
    for page in pages:
        page.say_hello([topic], cursor)
    until(lambda: len(live.hub.sockets) == 200 and len(live.hub.followers.get(topic, ())) == 200, "all asked")
    batches = Counted("batches_total")
    renders = Counted("renders_total", fragment="board.note")
    held.set()
    for page in pages:
        page.answer("welcome")
        assert "Meanwhile" in str(page.html)
    assert batches() <= 2 and renders() <= 2


# --- Faults


def test_a_fragment_that_cannot_be_loaded_does_not_stop_the_others(
    live: Live, board: Board, alices: Client, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(keys: Any) -> Any:
        with connection.cursor() as cursor:  # on PostgreSQL this breaks the transaction for everything after it
            cursor.execute("SELECT no_such_function(1)")

    page, errors = live.page(alices, [topic]), Counted("render_errors_total", fragment="board.note")
    monkeypatch.setitem(note.__dict__, "load", broken)
    Note.objects.create(board=board, text="Broken")
    page.sees("1 notes on Kitchen")
    assert "Broken" not in str(page.got) and errors() == 1


def test_a_malformed_template_does_not_stop_the_others(
    live: Live, board: Board, alices: Client, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, errors = live.page(alices, [topic]), Counted("render_errors_total", fragment="board.count")
    monkeypatch.setitem(count.__dict__, "template", "board/_nothing.html")
    Note.objects.create(board=board, text="Whole")
    page.sees("Whole")
    assert errors() == 1 and not any(key.startswith("board-count") for key in page.shown)
    monkeypatch.undo()
    Note.objects.create(board=board, text="Healed")
    page.sees("2 notes on Kitchen")


def test_a_database_that_does_not_answer_loses_nothing(
    live: Live, board: Board, alices: Client, bobs: Client, topic: str, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    page, left, real = live.page(alices, [topic]), iter(range(3)), jobs.Job.run

    def failing(job: jobs.Job) -> None:
        if next(left, None) is not None:
            raise OperationalError("the server closed the connection")
        real(job)

    monkeypatch.setattr(jobs.Job, "run", failing)
    monkeypatch.setattr(hub, "RETRY_AFTER", 0.01)
    Note.objects.create(board=board, text="First")
    late = live.open(bobs).say_hello([topic])
    Note.objects.create(board=board, text="Second")
    page.sees("First").sees("Second")
    late.answer("welcome")
    late.sees("2 notes")
    assert "could not be rendered; trying again" in caplog.text


@pytest.mark.postgresql
def test_a_connection_that_dies_in_the_middle_of_a_batch_loses_nothing(
    live: Live, board: Board, alices: Client, topic: str, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    page, left, real = live.page(alices, [topic]), iter([1]), note.load

    def dying(keys: Any) -> Any:
        if next(left, None):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return real(keys)

    monkeypatch.setitem(note.__dict__, "load", dying)
    Note.objects.create(board=board, text="Survives")
    page.sees("Survives").sees("1 notes on Kitchen")
    assert "trying again" in caplog.text


def test_a_task_of_the_hub_that_fails_is_started_again(
    live: Live, board: Board, alices: Client, topic: str, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    restarts, left, take = Counted("hub_restarts_total", task="tail"), iter([1]), ears.Ears.take

    def failing(self: ears.Ears, reading: Any) -> None:
        if next(left, None):
            raise ZeroDivisionError
        take(self, reading)

    monkeypatch.setattr(ears.Ears, "take", failing)
    until(lambda: restarts() == 1, "restarted")
    page = live.page(alices, [topic])
    Note.objects.create(board=board, text="Milk")
    page.sees("Milk")
    assert live.hub.state["failing"] == ["tail"]


# --- Bells and the tail


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change found by the tail counts soon."""
    monkeypatch.setattr(ears, "BELL_GRACE", 0.05)


def test_the_tail_delivers_what_no_bell_brought_and_counts_it(
    live: Live, board: Board, alices: Client, topic: str, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, finds = live.page(alices, [topic]), Counted("tail_finds_total")
    live.joined(topic)
    until(lambda: hub.time.monotonic() - live.hub.ears.joined[topic] > 0.1, "joined for a while")
    monkeypatch.setattr(bell, "ring", lambda items, at: None)
    Note.objects.create(board=board, text="Silent")
    page.sees("Silent").sees("1 notes on Kitchen")
    until(lambda: finds() == 3, "three rows found by the tail")
    assert len(page.pushes) == 1


def test_in_a_healthy_run_the_tail_finds_nothing(
    live: Live, board: Board, alices: Client, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, finds = live.page(alices, [topic]), Counted("tail_finds_total")
    live.joined(topic)
    for number in range(25):
        Note.objects.create(board=board, text=f"Note {number}")
    page.sees("25 notes on Kitchen")
    live.quiet()
    until(lambda: not live.hub.ears._unbelled, "every change that the tail saw was also brought by a bell")
    assert finds() == 0


def test_a_change_heard_twice_is_sent_once(live: Live, board: Board, alices: Client, topic: str) -> None:
    page, heard = live.page(alices, [topic]), []
    ring = bell.ring
    try:
        bell.ring = lambda items, at: heard.append(list(items))  # type: ignore[assignment]
        Note.objects.create(board=board, text="Milk")
    finally:
        bell.ring = ring
    page.sees("Milk")
    for _ in range(3):
        live.call(lambda: live.hub.ears.heard(heard[0], journal.milliseconds()))
    Note.objects.create(board=board, text="Bread")
    page.sees("Bread")
    assert len(page.pushes) == 2


def test_a_hostile_follower_does_not_keep_the_hub_from_joining(
    live: Live, board: Board, alices: Client, bobs: Client, topic: str
) -> None:
    """A name that is no group name must not reach the layer, where it would fail for ever."""
    for name in ("board.٣", "x" * 100, "a b", "board.1\u2028"):
        strange = live.open(bobs)
        strange.send(t="hello", c="", topics=[name], page="/")
    page = live.page(alices, [topic])
    live.joined(topic)
    Note.objects.create(board=board, text="Milk")
    page.sees("Milk")
    assert live.hub.followers.keys() == {topic}


@pytest.mark.parametrize("cursor", ["{epoch}.0", "{epoch}.0:0:", "{epoch}.1:3:1,1,2", "\x00", "{epoch}.1:2:0"])
def test_a_hostile_cursor_does_not_stop_the_hub(
    live: Live, board: Board, alices: Client, bobs: Client, topic: str, cursor: str
) -> None:
    live.open(bobs).say_hello([topic], cursor.format(epoch=journal.now().epoch))
    page = live.page(alices, [topic])
    Note.objects.create(board=board, text="Milk")
    page.sees("Milk")


def test_signals_of_the_layer_that_nobody_knows_are_ignored(live: Live, alices: Client, topic: str) -> None:
    page = live.page(alices, [topic])
    live.joined(topic)
    live.on_loop(live.hub.ears._layer.group_send(topic, {"type": "live.nonsense"}))
    bell.send(topic, {"type": "live.signal", "topic": topic, "name": "ping", "data": {}})
    until(lambda: page.of("signal"), "a signal")
    assert live.hub.state["running"]
