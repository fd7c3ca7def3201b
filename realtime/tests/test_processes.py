"""Real server processes: two over Redis, one that is told to go, one with a client that stops reading."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from websockets.exceptions import ConnectionClosed

from realtime.bulk import bulk_create, bulk_update
from realtime.models import ServerProcess
from realtime.tests.board.models import Board, Note
from realtime.tests.harness import in_thread, until
from realtime.tests.serving import Deaf, Line, Serving, manage
from tools.servers import Redis

Serve = Callable[..., Serving]
MEGABYTE = 1024 * 1024


@pytest.fixture
def serve(transactional_db: None, tmp_path: Path) -> Iterator[Serve]:
    """`serve(NAME="value")` starts a server process with that environment; all end with the test."""
    running: list[Serving] = []

    def start(**env: str) -> Serving:
        running.append(Serving(tmp_path, **env))
        return running[-1]

    yield start
    for each in running:
        each.stop()


def test_a_change_made_elsewhere_reaches_the_pages_of_a_server(
    serve: Serve, board: Board, alices: Client, bobs: Client, topic: str
) -> None:
    """A command's change, on either stand: by the layer where there is one, else by the tail."""
    server = serve()
    hers, his = server.line(alices, [topic]), server.line(bobs, [topic])
    Note.objects.create(board=board, text="From elsewhere")
    hers.until("From elsewhere")
    his.until("From elsewhere")
    hers.send(t="say", kind="board.write", data={"board": board.pk, "text": "From the server"})
    assert len(his.until("From the server")["f"]) == 3
    assert server.counter("sockets_open") == 2
    hers.close()
    his.close()
    until(lambda: server.counter("sockets_open") == 0, "both have left")


def test_a_server_to_which_no_socket_gets_through_says_that_it_is_there(serve: Serve) -> None:
    """Or whoever polls there, because a proxy allows nothing else, would be offline to everybody."""
    serve(LIVE_PRESENCE_EVERY="0.2")
    until(ServerProcess.objects.exists, "the hub has started by itself")


@pytest.mark.postgresql
def test_two_servers_hear_of_each_other_by_bell_alone(
    serve: Serve, board: Board, alices: Client, bobs: Client, topic: str
) -> None:
    """Their tails look once a minute, so whatever arrives in time was brought by a bell."""
    one, two = (serve(LIVE_TAIL_EVERY="60") for _ in range(2))
    hers, his = one.line(alices, [topic]), two.line(bobs, [topic])
    with Redis.from_env().client() as redis:
        group = f"callout__group__{topic}"
        until(lambda: redis.pubsub_numsub(group)[0][1] == 2, "both hubs have joined")
    for number in range(5):
        speaker, hearer = (hers, his) if number % 2 else (his, hers)
        speaker.send(t="say", kind="board.write", data={"board": board.pk, "text": f"Note {number}"})
        hearer.until(f"Note {number}")
        speaker.until(f"Note {number}")
    Note.objects.create(board=board, text="From a command")
    hers.until("From a command")
    his.until("From a command")
    assert [server.counter("tail_finds_total") for server in (one, two)] == [0, 0]
    assert [server.counter("bells_lost_total") for server in (one, two)] == [0, 0]
    for server in (one, two):  # one rendering of the note for each change, in each process
        assert server.counter('renders_total{fragment="board.note"}') == 6


def test_a_server_that_is_told_to_go_says_goodbye_to_everybody(
    serve: Serve, board: Board, alices: Client, topic: str
) -> None:
    server = serve(LIVE_RETURN_SPREAD="3")
    lines = [server.line(alices, [topic]) for _ in range(100)]
    ends: list[tuple[dict[str, Any], int, float]] = []

    def wait(line: Line) -> None:
        frame = line.next()
        with pytest.raises(ConnectionClosed) as closed:
            line.next()
        assert closed.value.rcvd is not None
        ends.append((frame, closed.value.rcvd.code, time.monotonic()))
        line.close()

    waiting = [in_thread(lambda line=line: wait(line)) for line in lines]
    told = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    for thread in waiting:
        thread.join(30)
    assert [end[:2] for end in ends] == [({"t": "bye", "spread": 3}, 4012)] * 100
    assert max(end[2] for end in ends) - told < 3
    assert server.process.wait(20) == 0
    assert "Traceback" not in server.log.read_text()


def test_a_client_that_stops_reading_is_closed_and_costs_little_memory(
    serve: Serve, board: Board, alices: Client, bobs: Client, topic: str
) -> None:
    server = serve(LIVE_ACK_WITHIN="3", LIVE_TAIL_EVERY="0.01")
    bulk_create(Note, [Note(board=board, text="-") for _ in range(60)])
    everything, one = Note.objects.all(), Note.objects.filter(pk=Note.objects.order_by("pk")[0].pk)
    reader = server.line(alices, [topic])

    def flood(name: str, number: int) -> int:
        """Changes of 1 kB and 110 kB, each read by the page that reads; the most memory seen."""
        most = 0
        for count in range(number):
            word = f"{name}-{count}:"
            bulk_update(one if count % 4 == 0 else everything, text=word + "x" * 1800)
            reader.until(word)
            most = max(most, server.rss)
        return most

    before = flood("warm", 60)
    deaf = Deaf(server, bobs, [topic])
    most = flood("deaf", 180)  # 15 MB, of which the window lets one wait
    until(lambda: server.counter("slow_closed_total") == 1, "closed")
    until(lambda: server.counter("sockets_open") == 1, "only the reader is left")
    assert deaf.is_cut()
    deaf.close()
    most = max(most, flood("after", 10), server.rss)
    assert most - before < 8 * MEGABYTE, f"grew by {(most - before) / MEGABYTE:.1f} MB"
    assert server.counter('closes_total{code="4013"}') == 1


def test_the_clock_stops_when_it_is_told_to(transactional_db: None, tmp_path: Path) -> None:
    from realtime.models import JournalRow

    old = JournalRow.objects.filter(topic="t")  # what is due elsewhere may write rows of its own
    JournalRow.objects.create(topic="t", fragment="f", key="k", at="2020-01-01T00:00Z")
    clock = manage(tmp_path, "clock", "--every", "0.1")
    try:
        until(lambda: not old.exists(), "it has pruned", 60)
        clock.send_signal(signal.SIGTERM)
        assert clock.wait(20) == 0
    finally:
        clock.kill()
        clock.wait()
