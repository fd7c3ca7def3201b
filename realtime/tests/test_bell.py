"""Bells: quick, bounded, nobody waits for them, and losing one costs a blink."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from realtime import bell
from realtime.bell import Ringer
from realtime.journal import Touch
from realtime.tests.board.models import Board, Note
from realtime.tests.harness import Counted, Live, in_thread, until
from tools.servers import Redis


class Layer:
    """A channel layer that keeps what it is sent, waits, or fails."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.fails = False
        self.free: asyncio.Event | None = None

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if self.free is not None:
            await self.free.wait()
        if self.fails:
            raise ConnectionError
        self.sent.append((group, message))


def items(*numbers: int, topic: str = "board.1") -> bell.Items:
    """A bell's items."""
    return [(number, Touch(topic, "board.note", str(number))) for number in numbers]


async def start(layer: Layer) -> tuple[Ringer, asyncio.Task[None]]:
    """A running ringer on `layer`."""
    ringer = Ringer()
    ringer._layer = layer
    return ringer, asyncio.create_task(ringer.run())


async def rest(ringer: Ringer) -> None:
    """Let the ringer send everything."""
    async with asyncio.timeout(20):
        while ringer.depth:  # noqa: ASYNC110 (its own loop, one turn at a time)
            await asyncio.sleep(0)


async def test_one_message_a_topic_with_all_items_of_the_transaction() -> None:
    """So that a process that hears on both topics hears of both at once, and a page gets one frame."""
    layer = Layer()
    ringer, task = await start(layer)
    ringer.ring([*items(1, 2), *items(3, topic="board.2")], 5.0)
    await rest(ringer)
    all_of_it = [
        (1, "board.1", "board.note", "1"),
        (2, "board.1", "board.note", "2"),
        (3, "board.2", "board.note", "3"),
    ]
    assert [(group, message["items"]) for group, message in layer.sent] == [
        ("board.1", all_of_it),
        ("board.2", all_of_it),
    ]
    task.cancel()


async def test_what_touches_very_much_rings_on_each_topic_for_that_topic_alone() -> None:
    layer = Layer()
    ringer, task = await start(layer)
    touched = [item for number in range(50) for item in items(number, topic=f"board.{number % 10}")]
    ringer.ring(touched, 5.0)
    await rest(ringer)
    assert len(layer.sent) == 10
    for group, message in layer.sent:
        assert {topic for _, topic, _, _ in message["items"]} == {group}
        assert len(message["items"]) == 5
    task.cancel()


async def test_bells_that_wait_are_merged_and_none_is_lost() -> None:
    layer = Layer()
    layer.free = asyncio.Event()
    ringer, task = await start(layer)
    for number in range(1000):
        ringer.ring(items(number), 5.0)
        if number == 0:
            await asyncio.sleep(0.01)
    layer.free.set()
    await rest(ringer)
    assert [number for _, message in layer.sent for number, *_ in message["items"]] == list(range(1000))
    assert len(layer.sent) <= 7
    task.cancel()


async def test_too_many_waiting_drop_the_oldest_and_no_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "MOST_WAITING", 3)
    layer, lost = Layer(), Counted("bells_lost_total")
    ringer = Ringer()
    ringer._layer = layer  # type: ignore[assignment]
    for number in range(5):
        ringer.ring(items(number, topic=f"board.{number}"), 5.0)
    ringer.ring(items(7, topic="board.0"), 5.0)
    task = asyncio.create_task(ringer.run())
    await rest(ringer)
    assert [(group, message["items"][0][0]) for group, message in layer.sent] == [
        ("board.3", 3),
        ("board.4", 4),
        ("board.0", 7),
    ]
    assert lost() == 3
    task.cancel()


async def test_a_layer_that_fails_is_counted_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "PAUSE_AFTER_FAILURE", 0.0)
    layer, lost = Layer(), Counted("bells_lost_total")
    ringer, task = await start(layer)
    layer.fails = True
    ringer.ring(items(1), 5.0)
    await rest(ringer)
    assert ringer.failing and lost() == 1
    layer.fails = False
    ringer.ring(items(2), 5.0)
    await rest(ringer)
    assert not ringer.failing and [message["items"][0][0] for _, message in layer.sent] == [2]
    task.cancel()


async def test_a_layer_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "GIVE_UP_AFTER", 0.02)
    monkeypatch.setattr(bell, "PAUSE_AFTER_FAILURE", 0.0)
    layer = Layer()
    layer.free = asyncio.Event()
    ringer, task = await start(layer)
    ringer.ring(items(1), 5.0)
    await rest(ringer)
    assert ringer.failing and layer.sent == []
    task.cancel()


@pytest.mark.postgresql
def test_a_redis_in_a_black_hole_stalls_no_request_and_no_page_of_this_server(
    live: Live, board: Board, alices: Client, topic: str
) -> None:
    page, redis = live.page(alices, [topic]), Redis.from_env()
    live.joined(topic)
    redis.stall()
    try:
        began = time.monotonic()
        for number in range(5):
            Note.objects.create(board=board, text=f"Note {number}")
        assert time.monotonic() - began < 2
        page.sees("5 notes on Kitchen")
        until(lambda: live.hub.ringer.failing, "noticed")
    finally:
        redis.resume()
    Note.objects.create(board=board, text="Afterwards")
    page.sees("Afterwards")


@pytest.mark.postgresql
def test_a_short_command_leaves_its_bells_behind(live: Live, board: Board, alices: Client, topic: str) -> None:
    """What a command does last must not die with it: its bell reaches Redis before it ends."""
    from realtime.tests.serving import environment

    page, finds = live.page(alices, [topic]), Counted("tail_finds_total")
    live.joined(topic)
    until(lambda: time.monotonic() - live.hub.ears.joined[topic] > 1.5, "joined for a while")
    code = f"from realtime.tests.board.models import Note; Note.objects.create(board_id={board.pk}, text='Short')"
    subprocess.run([sys.executable, "manage.py", "shell", "-c", code], env=environment(), check=True, timeout=60)
    page.sees("Short")
    until(lambda: not live.hub.ears._unbelled, "the bell has come too")
    assert finds() == 0


def test_items_of_one_transaction_ring_together_and_of_two_apart(
    transactional_db: None, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    monkeypatch.setattr(bell, "ring", lambda items, at: rung.append(len(items)))
    with transaction.atomic():
        Note.objects.create(board=board, text="One")
        Note.objects.create(board=board, text="Two")
    Note.objects.create(board=board, text="Three")
    assert rung == [6, 3]


def test_ringing_from_many_threads_at_once(live: Live, board: Board, alices: Client, topic: str) -> None:
    page = live.page(alices, [topic])
    threads = [
        in_thread(lambda n=n: [Note.objects.create(board=board, text=f"{n}.{i}") for i in range(8)]) for n in range(6)
    ]
    for thread in threads:
        thread.join()
    page.sees("48 notes on Kitchen")
