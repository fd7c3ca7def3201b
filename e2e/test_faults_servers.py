"""Faults of what the pages stand on: Redis, PostgreSQL and the server processes. Each test ends with every open
page equal to a fresh load, and with every row on it exactly once."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from playwright.sync_api import Error, expect

from bookings.tests import make
from e2e import database
from e2e.live import Desk, counted, write
from realtime.models import ServerProcess
from tools import processes

FINDS = "callout_live_tail_finds_total"

# Somebody who commits, rings nobody and is gone: a process killed between commit and push.
DYING_WRITER = """
import os, signal
from realtime import bell
from realtime.tests.board.models import Note
bell.ring = lambda items, at: None
Note.objects.create(board_id={board}, text="{text}")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def crowd(site, proxy, desk, alice, bob, console) -> list[Desk]:
    """Three open pages: a socket to each of two server processes, and one that polls behind an old proxy."""
    console.allow(r"WebSocket connection to .* failed")
    proxy.upgrades = False
    other = site.spawn()
    return [desk(alice).live(), desk(bob, url=other.url).live(), desk(alice, url=proxy.url).polling()]


def all_true(pages: list[Desk], *texts: str) -> None:
    """Every page comes to show `texts`, equals a fresh load, and never had two sockets."""
    for page in pages:
        for text in texts:
            page.sees(text)
    for page in pages:
        page.is_true()
        assert page.wire.at_once <= 1


def add(page: Desk, text: str) -> None:
    """Add a note by the page's own server process, as its form does, without leaving the page."""
    page.page.evaluate(
        """(text) => { const data = new FormData(document.querySelector("main form")); data.set("text", text);
                       return fetch(location.pathname, { method: "POST", body: data }).then((a) => a.status) }""",
        text,
    )


def reports(page: Desk, rounds: int = 2) -> None:
    """Wait until every server process has reported its counters anew, more than a bell's grace from now."""
    before = dict(ServerProcess.objects.values_list("pk", "seen_at"))
    alive = {row.pk for row in ServerProcess.objects.order_by("-seen_at")[: len(before)]}
    assert alive

    def grown() -> bool:
        now = dict(ServerProcess.objects.values_list("pk", "seen_at"))
        return max((now[pk] - before[pk]).total_seconds() for pk in before if pk in now) > 1.0 + rounds * 0.5

    page.until(grown, "new reports")


def bells_ring(pages: list[Desk], board, name: str) -> None:
    """Wait until a change is brought to every page by bells, and the tail finds nothing in it."""
    tries = iter(range(1, 1000))

    def by_bell() -> bool:
        reports(pages[0])
        before, text = counted(FINDS), f"{name} {next(tries)}"
        write(board, text)
        for page in pages:
            page.sees(text)
        reports(pages[0])
        return counted(FINDS) == before

    pages[0].until(by_bell, "a change that every bell brought", within=40)


# --- Redis ----------------------------------------------------------------------------------------


def main_urls(patterns: list[URLPattern | URLResolver] | None = None, prefix: str = "/") -> Iterator[str]:
    """Every address of the site that needs no parameter; of Django's admin only the front page."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if re.search(r"[<(\[\\^$]", route):
            continue
        if isinstance(pattern, URLPattern) or route == "/admin/":
            yield route
        else:
            yield from main_urls(pattern.url_patterns, route)


def test_no_request_fails_because_redis_is_down(redis, person, alice, bob, frank, board, console):
    # Precondition: Redis is stopped; a customer has a job.
    booking = make.job(alice)
    urls = [*main_urls(), reverse("bookings:job", args=[booking.pk]), reverse("board:desk", args=[board.pk])]
    assert {reverse("home"), reverse("profile"), reverse("realtime:poll"), reverse("readyz"), "/admin/"} < set(urls)
    console.allow("Traceback")  # Django logs one with each 403, and the channel layer with each lost connection
    redis.stop()

    for who in (None, alice, bob, frank):
        page = person(who)
        answers = {url: page.request.get(url, max_redirects=0).status for url in urls}
        assert not {url: status for url, status in answers.items() if status >= 500}


def test_redis_stopped_and_started_loses_nothing(redis, crowd, board, console):
    console.allow("Traceback")  # of the channel layer, which logs each connection that it loses
    write(board, "While all is well")
    all_true(crowd, "While all is well")

    redis.stop()
    write(board, "By a command without Redis")
    add(crowd[0], "By the first process without Redis")
    add(crowd[1], "By the second process without Redis")
    all_true(crowd, *[f"By {who} without Redis" for who in ("a command", "the first process", "the second process")])
    for page in crowd[:2]:
        assert page.live().badge.is_hidden()

    redis.start()
    write(board, "Redis is back")
    all_true(crowd, "Redis is back")
    bells_ring(crowd[:2], board, "By bell")
    all_true(crowd)
    assert [len(page.wire.sockets) for page in crowd[:2]] == [1, 1]


def test_flushall_killed_connections_and_a_stalled_redis_lose_nothing(redis, crowd, board, console):
    console.allow("Traceback")  # of the channel layer, which logs each connection that it loses
    redis.flush()
    write(board, "After FLUSHALL")
    all_true(crowd, "After FLUSHALL")
    bells_ring(crowd[:2], board, "Flushed")

    redis.drop_connections()
    write(board, "After CLIENT KILL")
    add(crowd[1], "By the second process")
    all_true(crowd, "After CLIENT KILL", "By the second process")
    bells_ring(crowd[:2], board, "Reconnected")

    redis.stall()  # it accepts connections and says nothing
    add(crowd[0], "Into the black hole")
    add(crowd[1], "And again")
    all_true(crowd, "Into the black hole", "And again")
    redis.resume()
    write(board, "It speaks again")
    all_true(crowd, "It speaks again")


# --- PostgreSQL -----------------------------------------------------------------------------------


def test_postgresql_cut_restarted_and_away_is_said_and_made_good(postgres, crowd, board, console):
    console.allow_outage()
    write(board, "Just before the cut")
    postgres.drop_connections()
    database.forget_connections()
    write(board, "Just after the cut")
    all_true(crowd, "Just before the cut", "Just after the cut")

    write(board, "Just before the restart")
    postgres.restart()
    database.forget_connections()
    write(board, "Just after the restart")
    all_true(crowd, "Just before the restart", "Just after the restart")

    # Away for longer than data may be old on a page that calls itself live.
    postgres.stop()
    for page in crowd[:2]:
        expect(page.root).not_to_have_attribute("data-live", "live", timeout=20_000)
    postgres.start()
    database.forget_connections()
    write(board, "PostgreSQL is back")
    all_true(crowd, "PostgreSQL is back")
    for page in crowd[:2]:
        page.live()


# --- Server processes -----------------------------------------------------------------------------


def killed_by_itself(run: Callable[[], object]) -> None:
    with pytest.raises(Error):
        run()


def test_a_process_killed_between_commit_and_push_loses_nothing(site, proxy, desk, alice, bob, board, console):
    # Precondition: Alice's page comes to the first process through a proxy that can lead to the second.
    console.allow_outage()
    other = site.spawn()
    pages = [desk(alice, url=proxy.url).live(), desk(bob, url=other.url).live()]

    last_words = reverse("board:last_words", args=[board.pk])
    killed_by_itself(lambda: pages[0].page.request.post(f"{site.url}{last_words}", form={"text": "Last words"}))
    assert site.web.not_ready()
    proxy.port = other.port
    write(board, "Meanwhile")

    all_true(pages, "Last words", "Meanwhile")
    for page in pages:
        page.live()


def test_a_process_killed_while_others_commit_loses_nothing(site, proxy, desk, alice, bob, board, console):
    console.allow_outage()
    other = site.spawn()
    pages = [desk(alice, url=proxy.url).live(), desk(bob, url=other.url).live()]
    code = DYING_WRITER.format(board=board.pk, text="By a dead writer")
    writer = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code], cwd=processes.ROOT, env=site.env
    )

    for number in range(10):
        write(board, f"Before {number}.")
    site.kill9()
    for number in range(10):
        write(board, f"After {number}.")
    proxy.port = other.port

    assert writer.wait(60) == -signal.SIGKILL
    all_true(pages, "By a dead writer", *[f"{when} {n}." for when in ("Before", "After") for n in range(10)])


def test_a_stopping_server_says_goodbye_and_its_pages_return_elsewhere(site, proxy, desk, alice, bob, board, console):
    console.allow_outage()
    other = site.spawn()
    pages = [desk.closed(who, url=proxy.url) for who in (alice, bob)]
    codes = [closing_codes(page) for page in pages]
    for page in pages:
        page.open().live()

    proxy.port = other.port
    site.web.signal(signal.SIGTERM)

    for page, heard in zip(pages, codes, strict=True):
        page.until(lambda heard=heard: heard, "the close")
        assert heard == [4012]
    write(board, "After the goodbye")
    all_true([page.live() for page in pages], "After the goodbye")
    site.web.stop()  # it has been told; wait for its end, or the next test meets it half gone


def closing_codes(page: Desk) -> list[int]:
    """The codes with which the server closes the sockets of `page`, as they come."""
    codes: list[int] = []

    def through(socket):
        server = socket.connect_to_server()

        def closed(code, reason):
            codes.append(code)
            socket.close(code=code, reason=reason)

        server.on_close(closed)

    page.page.route_web_socket("**/live/socket", through)
    return codes
