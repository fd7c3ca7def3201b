"""Readers that do not keep up: passed by, resumed, closed; never held in memory, never in anybody's way."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from realtime.bulk import bulk_create, bulk_update
from realtime.jobs import CHUNK_BYTES
from realtime.tests.board.live import board_topic
from realtime.tests.board.models import Board, Note
from realtime.tests.harness import Counted, Live, Page, journal_now, until
from realtime.tests.test_hub import fresh, shown


@pytest.fixture
def small(settings: Any) -> Any:
    """A window of four frames or 20,000 bytes."""
    settings.LIVE = {**settings.LIVE, "WINDOW_FRAMES": 4, "WINDOW_BYTES": 20_000}
    return settings


def read_up(page: Page, live: Live) -> None:
    """Acknowledge whatever comes until nothing more does."""
    acknowledged = -1

    def has_all() -> bool:
        nonlocal acknowledged
        if len(page.got) != acknowledged:
            acknowledged = len(page.got)
            page.ack()
        side, hub = page.side, live.hub
        busy = hub.waiting or hub.dirty or hub._job
        return live.call(lambda: not (busy or side.behind or side.sizes)) and len(page.got) == acknowledged

    live.quiet()
    until(has_all, "the page has caught up")


def write(live: Live, board: Board, number: int, size: int = 10) -> None:
    """So many changes, each delivered before the next."""
    for count in range(number):
        Note.objects.create(board=board, text=f"{count} " + "x" * size)
        live.quiet()


def test_a_reader_that_never_acknowledges_is_passed_by(
    live: Live, board: Board, alices: Client, bobs: Client, topic: str, small: Any
) -> None:
    quick, slow = live.page(alices, [topic]), live.page(bobs, [topic])
    for number in range(12):
        Note.objects.create(board=board, text=f"Note {number}")
        quick.sees(f"Note {number}")
        quick.ack()
    live.quiet()
    assert len(slow.got) == 4 and shown(quick) == fresh(alices, board)
    (behind,) = (socket for socket in live.hub.sockets if socket.behind)
    assert len(behind.sizes) == 4 and behind.unacked_bytes == sum(slow.sizes) and behind.backlog == []


def test_after_its_acknowledgement_it_resumes_and_ends_equal(
    live: Live, board: Board, alices: Client, topic: str, small: Any
) -> None:
    page, resumes = live.page(alices, [topic]), Counted("resumes_total")
    made = Note.objects.create(board=board, text="First")
    write(live, board, 20)
    bulk_update(Note.objects.filter(pk=made.pk), text="Last")
    live.quiet()
    assert shown(page) != fresh(alices, board)
    read_up(page, live)
    assert shown(page) == fresh(alices, board) and "21 notes on Kitchen" in str(page.html)
    assert resumes() >= 1 and page.code is None
    write(live, board, 1, 50)
    page.sees("22 notes on Kitchen")


def test_it_also_resumes_what_it_lost(live: Live, board: Board, bobs: Client, bob: Any, topic: str, small: Any) -> None:
    page = live.page(bobs, [topic])
    write(live, board, 8)
    board.people.remove(bob)
    write(live, board, 1)
    live.quiet()
    page.ack()
    until(lambda: any(topic in frame.get("gone", ()) for frame in page.got), "it is told that it is gone")
    live.quiet()
    assert live.hub.followers == {}


def test_a_partial_acknowledgement_makes_room_for_as_much(
    live: Live, board: Board, alices: Client, topic: str, small: Any
) -> None:
    page = live.page(alices, [topic])
    socket = page.side
    write(live, board, 3)
    until(lambda: len(page.got) == 4, "a full window")
    page.send(t="ack", n=2)
    until(lambda: len(socket.sizes) == 2, "room for two")
    page.send(t="ack", n=2)
    page.send(t="ack", n=1)
    write(live, board, 1)
    until(lambda: len(page.got) >= 5, "one more")
    assert socket.acked == 2 and socket.unacked_bytes == sum(page.sizes[2:])


def test_a_reader_that_stays_silent_is_closed(
    live: Live, board: Board, alices: Client, bobs: Client, topic: str, small: Any
) -> None:
    small.LIVE = {**small.LIVE, "ACK_WITHIN": 0.4}
    quick, slow, closed = live.page(alices, [topic]), live.page(bobs, [topic]), Counted("slow_closed_total")
    for number in range(8):
        Note.objects.create(board=board, text=f"Note {number}")
        quick.sees(f"Note {number}")
        quick.ack()
    assert slow.closed() == 4013 and closed() == 1 and quick.code is None
    back = live.page(bobs, [topic], slow.cursor)
    back.shown = {**slow.shown, **back.shown}
    read_up(back, live)
    assert shown(back) == fresh(bobs, board)


def test_a_reader_that_owes_little_is_left_alone(
    live: Live, board: Board, alices: Client, bobs: Client, topic: str, small: Any
) -> None:
    """Only a full window is a reason: a page that was sent three frames and says nothing is just quiet."""
    small.LIVE = {**small.LIVE, "ACK_WITHIN": 0.1, "HELLO_WITHIN": 0.5}
    page, other = live.page(alices, [topic]), live.open(bobs)
    write(live, board, 2)
    assert other.closed() == 4013  # some time has passed
    assert page.code is None and len(page.got) == 3


def test_bytes_fill_the_window_too(live: Live, board: Board, alices: Client, topic: str, small: Any) -> None:
    small.LIVE = {**small.LIVE, "WINDOW_FRAMES": 1000}
    page = live.page(alices, [topic])
    write(live, board, 20, 1500)
    assert 20_000 - 4_000 < sum(page.sizes) <= 20_000 and len(page.got) < 20
    read_up(page, live)
    assert shown(page) == fresh(alices, board)


def test_one_frame_larger_than_the_window_still_arrives(
    live: Live, board: Board, alices: Client, topic: str, small: Any
) -> None:
    page = live.page(alices, [topic])
    bulk_create(Note, [Note(board=board, text="y" * 1900) for _ in range(30)])
    live.quiet()
    read_up(page, live)
    assert shown(page) == fresh(alices, board) and max(page.sizes) > 20_000 and page.code is None


def test_an_answer_larger_than_the_window_is_chunked_and_complete(
    live: Live, board: Board, alices: Client, topic: str, settings: Any
) -> None:
    settings.LIVE = {**settings.LIVE, "WINDOW_BYTES": 300_000}
    cursor = journal_now()
    bulk_create(Note, [Note(board=board, text=f"{n} " + "z" * 1900) for n in range(400)])
    page = live.open(alices).say_hello([topic], cursor)
    until(lambda: len(page.got) >= 2, "the first chunks")
    live.quiet()
    assert sum(page.sizes) <= 300_000 and all(frame["more"] and frame["c"] is None for frame in page.got)
    assert page.cursor == cursor
    write(live, board, 1)  # a change in the middle of the answer
    while not any(not frame["more"] for frame in page.of("welcome")):
        had = len(page.got)
        page.ack()
        until(lambda n=had: len(page.got) > n, "the next chunks")
    assert max(page.sizes) < CHUNK_BYTES + 4_000 and len(page.of("welcome")) >= 6
    read_up(page, live)
    assert shown(page) == fresh(alices, board) and "401 notes on Kitchen" in str(page.html)


def test_a_page_cut_in_the_middle_of_its_answer_begins_again(
    live: Live, board: Board, alices: Client, topic: str, settings: Any
) -> None:
    settings.LIVE = {**settings.LIVE, "WINDOW_BYTES": 200_000}
    cursor = journal_now()
    bulk_create(Note, [Note(board=board, text="z" * 1900) for n in range(200)])
    cut = live.open(alices).say_hello([topic], cursor)
    until(lambda: cut.got, "a chunk")
    cut.leave()
    back = live.open(alices).say_hello([topic], cut.cursor)
    until(lambda: back.got, "a chunk")
    read_up(back, live)
    assert shown(back) == fresh(alices, board)


def test_a_follow_while_behind_is_answered_after_the_acknowledgement(
    live: Live, board: Board, alices: Client, alice: Any, topic: str, small: Any
) -> None:
    other = Board.objects.create(name="Attic")
    other.people.add(alice)
    page = live.page(alices, [topic])
    cursor = page.cursor
    Note.objects.create(board=other, text="On the attic")
    write(live, board, 8)
    live.quiet()
    page.send(t="follow", c=cursor, topics=[board_topic(other.pk)])
    live.quiet()
    read_up(page, live)
    page.sees("On the attic")
    assert {**fresh(alices, board), **fresh(alices, other)} == shown(page)


def test_a_closed_reader_holds_nothing(live: Live, board: Board, alices: Client, topic: str, small: Any) -> None:
    page = live.page(alices, [topic])
    socket = page.side
    write(live, board, 8)
    live.quiet()
    live.call(lambda: socket.close(4013))
    assert page.closed() == 4013
    assert (socket.sizes, socket.backlog, socket.unacked_bytes, socket.topics) == ([], [], 0, set())
    assert not live.hub.followers and not live.hub.sockets
    before = len(page.got)
    write(live, board, 1)
    live.quiet()
    assert len(page.got) == before


# --- Servers that wait for a slow client (Uvicorn) or raise for a dead one


def test_a_send_that_raises_does_not_stop_the_others(
    live: Live, board: Board, alices: Client, bobs: Client, topic: str
) -> None:
    dead, well = live.page(alices, [topic]), live.page(bobs, [topic])

    async def broken(message: dict[str, Any]) -> None:
        raise OSError("the connection is gone")

    first = live.pages[0].side
    live.call(lambda: setattr(first, "_send", broken))
    write(live, board, 3)
    well.sees("3 notes on Kitchen")
    assert len(dead.pushes) == 0


def test_a_send_that_waits_holds_up_nobody_and_goes_on_when_it_may(
    live: Live, board: Board, alices: Client, bobs: Client, topic: str
) -> None:
    import asyncio

    waiting, well = live.page(alices, [topic]), live.page(bobs, [topic])
    first = live.pages[0].side
    free = live.call(asyncio.Event)
    send = first._send

    async def slow(message: dict[str, Any]) -> None:
        await free.wait()
        await send(message)

    live.call(lambda: setattr(first, "_send", slow))
    for number in range(6):
        write(live, board, 1)
        well.sees(f"{number + 1} notes on Kitchen")
    assert waiting.pushes == [] and first.behind and len(first.sizes) == 2
    live.call(free.set)
    waiting.sees("6 notes on Kitchen")
    live.quiet()
    assert shown(waiting) == fresh(alices, board)


def test_a_wait_that_fails_leaves_the_rest_alone(
    live: Live, board: Board, alices: Client, bobs: Client, topic: str
) -> None:
    import asyncio

    live.page(alices, [topic])
    well = live.page(bobs, [topic])
    first = live.pages[0].side

    async def dies(message: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        raise OSError("gone while waiting")

    live.call(lambda: setattr(first, "_send", dies))
    write(live, board, 4)
    well.sees("4 notes on Kitchen")
    until(lambda: first.sending is None, "the task has ended")
