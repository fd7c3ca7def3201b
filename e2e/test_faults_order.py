"""Faults of order and time: late commits, old frames, cursors past their time, tabs that were away, idle lines.

Each test ends with every open page equal to a fresh load, and with every row on it exactly once.
"""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from playwright.sync_api import APIResponse, Error, Request, Route, WebSocketRoute, expect

from e2e.live import Desk, counted, write
from realtime import journal
from realtime.tests.board.models import Card, Note, Pulse

WRITERS = 16
ROUNDS = 5


class Hold:
    """Stands between a page and its socket, and keeps back the pushes that `wanted` chooses until `release`."""

    def __init__(self, page: Desk, wanted: Callable[[dict], bool]) -> None:
        self.held: list[str] = []
        self.closed: list[int] = []
        self._wanted = wanted
        page.page.route_web_socket("**/live/socket", self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        self._socket = socket
        server = socket.connect_to_server()
        server.on_message(self._take)

    def _take(self, text: str) -> None:
        frame = json.loads(text)
        if frame["t"] == "f" and self._wanted(frame):
            self.held.append(text)
        else:
            self._socket.send(text)

    def release(self) -> None:
        """Let through what was kept back, late."""
        for text in self.held:
            self._socket.send(text)


def shows(frame: dict, text: str) -> bool:
    return any(text in (piece["html"] or "") for piece in frame["f"])


# --- Order ----------------------------------------------------------------------------------------


def writer(board, number: int, failures: list[BaseException]) -> None:
    """Several transactions of two notes and a card, with random pauses inside."""
    luck = random.Random(number)
    try:
        for turn in range(ROUNDS):
            with transaction.atomic():
                Note.objects.create(board=board, text=f"W{number}.{turn}.a")
                time.sleep(luck.uniform(0, 0.12))  # the pause is what is tested: later ids commit first
                Card.objects.create(board=board, title=f"W{number}.{turn}", rank=luck.randrange(10_000))
                Note.objects.create(board=board, text=f"W{number}.{turn}.b")
                time.sleep(luck.uniform(0, 0.06))
    except BaseException as error:
        failures.append(error)
    finally:
        connection.close()


def test_sixteen_writers_with_pauses_in_their_transactions_are_missed_by_nobody(
    site, proxy, desk, alice, bob, board, console
):
    # Precondition: pages on two processes and one that polls; transactions commit in another order than they began.
    console.allow(r"WebSocket connection to .* failed")
    proxy.upgrades = False
    pages = [desk(alice).live(), desk(bob, url=site.spawn().url).live(), desk(alice, url=proxy.url).polling()]
    failures: list[BaseException] = []
    writers = [threading.Thread(target=writer, args=(board, number, failures)) for number in range(WRITERS)]
    for each in writers:
        each.start()
    for each in writers:
        pages[0].until(lambda each=each: not each.is_alive(), "the writer is done", within=60)
    assert failures == []
    write(board, "After them all")

    for page in pages:
        page.sees("After them all").is_true()
        assert page.notes.count() == 2 + 2 * WRITERS * ROUNDS
        assert page.cards.count() == WRITERS * ROUNDS
    assert [len(page.wire.sockets) for page in pages[:2]] == [1, 1]


def test_an_old_frame_after_a_new_one_changes_nothing(desk, alice, board):
    # Precondition: the frame with the old title is kept back on its way.
    card = Card.objects.create(board=board, title="As it began", rank=1)
    page = desk.closed(alice)
    hold = Hold(page, lambda frame: shows(frame, "The old title"))
    page.open().live()

    card.title = "The old title"
    card.save(update_fields=["title"])
    page.until(lambda: hold.held, "the old frame")
    card.title = "The new title"
    card.save(update_fields=["title"])
    page.sees("The new title")
    hold.release()
    write(board, "After the old frame")
    page.sees("After the old frame")

    expect(page.card(card)).to_contain_text("The new title")
    page.is_true()


def test_an_old_frame_after_a_removal_does_not_bring_it_back(desk, alice, board):
    # Precondition: the frame that shows the card is kept back until the card is gone again.
    page = desk.closed(alice)
    hold = Hold(page, lambda frame: shows(frame, "Short-lived"))
    page.open().live()

    card = Card.objects.create(board=board, title="Short-lived", rank=1)
    element = page.card(card)
    page.until(lambda: hold.held, "the old frame")
    card.delete()
    write(board, "After the removal")
    page.sees("After the removal")
    hold.release()
    write(board, "After the old frame")
    page.sees("After the old frame")

    expect(element).to_have_count(0)
    page.is_true()


@pytest.mark.smoke
def test_a_rollback_sends_nothing(desk, alice, board):
    page = desk(alice).live()

    with pytest.raises(RuntimeError), transaction.atomic():
        Note.objects.create(board=board, text="Never happened")
        raise RuntimeError
    with transaction.atomic():
        with pytest.raises(RuntimeError), transaction.atomic():
            Note.objects.create(board=board, text="Never happened either")
            raise RuntimeError
        Note.objects.create(board=board, text="This happened")

    page.sees("This happened").is_true()
    assert not page.wire.bringing("Never happened")
    assert len(page.wire.of("f")) == 1


def test_one_malformed_fragment_does_not_stop_the_others(desk, alice, bob, board, console):
    # Precondition: a card that is painted as two elements, in one frame with cards that are well.
    console.allow("A live fragment could not be shown")
    with transaction.atomic():
        cards = [Card.objects.create(board=board, title=f"Card {rank}", rank=rank) for rank in (1, 2, 3)]
    pages = [desk(who).live() for who in (alice, bob)]

    with transaction.atomic():
        for card in cards:
            card.title, card.broken = f"Changed {card.rank}", card.rank == 2
            card.save(update_fields=["title", "broken"])
        Card.objects.create(board=board, title="New and broken", rank=4, broken=True)
        Card.objects.create(board=board, title="New and well", rank=5)

    for page in pages:
        page.sees("Changed 1").sees("Changed 3").sees("New and well")
        expect(page.card(cards[1])).to_contain_text("Card 2")
    for card in Card.objects.filter(broken=True):
        card.broken = False
        card.save(update_fields=["broken"])
    for page in pages:
        page.sees("Changed 2").sees("New and broken").is_true()


class Late:
    """Answers to the requests that `wanted` chooses arrive when `release` is called, as they were when asked."""

    def __init__(self, page: Desk, wanted: Callable[[Request], bool]) -> None:
        self.waiting: list[tuple[Route, APIResponse]] = []
        self._wanted: Callable[[Request], bool] | None = wanted
        page.page.route("**/*", self._take)

    def _take(self, route: Route) -> None:
        if self._wanted and self._wanted(route.request):
            self.waiting.append((route, route.fetch()))
        else:
            route.fallback()

    def release(self) -> None:
        """Let them through, and nothing waits from here on."""
        self._wanted = None
        for route, response in self.waiting:
            with contextlib.suppress(Error):  # the page may have given up on it
                route.fulfill(response=response)


@pytest.mark.parametrize("transport", ["socket", "poll"])
def test_a_page_taken_over_late_does_not_undo_what_came_meanwhile(site, desk, alice, board, transport):
    # Precondition: the page asks its own URL again; the answer is overtaken by a change and by a question after it.
    if transport == "poll":
        site.restart({"LIVE_TRANSPORT": "poll"}, kill=True)
    one = Card.objects.create(board=board, title="A card", rank=1)
    page = desk(alice).live() if transport == "socket" else desk(alice).polling()
    own_url = Late(page, lambda request: "x-live-refresh" in request.headers)

    one.state = "done"
    one.save(update_fields=["state"])
    page.until(lambda: own_url.waiting, "the page as it is now")
    write(board, "Newer than that page")
    page.sees("Newer than that page")
    polls = Late(page, lambda request: "/live/poll" in request.url)
    if transport == "poll":
        page.until(lambda: polls.waiting, "a poll after the change")
    own_url.release()
    expect(page.page.locator("#board-summary")).to_have_text("1 done")
    polls.release()
    write(board, "Newer still")

    page.sees("Newer still").is_true()


# --- Time -----------------------------------------------------------------------------------------


def test_a_cursor_past_its_time_reloads_the_regions_and_no_form(site, desk, alice, board, console):
    # Precondition: the page's cursor is older than what the journal keeps, and a form is half typed.
    console.allow_outage()
    page = desk(alice).live()
    page.page.get_by_label("Text", exact=True).fill("Half typed")
    page.page.evaluate("window.neverReloaded = true")
    resets = counted("callout_live_resets_total")

    site.kill9()
    gone = Card.objects.create(board=board, title="Came and went", rank=1)
    Card.objects.create(board=board, title="Came", rank=2, state="done")
    Note.objects.get(board=board).delete()
    write(board, "While away")
    gone.delete()
    assert journal.prune(timezone.now() + timedelta(seconds=1)) > 0
    site.restart()

    page.sees("While away").sees("Came").live()
    expect(page.page.locator("#board-summary")).to_have_text("1 done")
    expect(page.page.get_by_label("Text", exact=True)).to_have_value("Half typed")
    write(board, "And on")
    page.sees("And on").is_true()
    assert page.page.evaluate("window.neverReloaded")
    page.until(lambda: counted("callout_live_resets_total") > resets, "a reset was counted")
    assert page.wire.at_once == 1


def test_a_tab_hidden_for_longer_than_the_limit_asks_at_once_when_it_returns(site, proxy, desk, alice, bob, board):
    # Precondition: heartbeats that would notice the dead line come far too late for this test.
    site.restart({"LIVE_HEARTBEAT_EVERY": "60", "LIVE_HIDDEN_RESYNC_AFTER": "0.2"}, kill=True)
    page, witness = desk(alice, url=proxy.url).live(), desk(bob).live()

    page.hide()
    hidden_at = time.monotonic()
    proxy.lose()
    write(board, "While hidden")
    Pulse.objects.get(board=board).delete()
    witness.sees("While hidden")
    write(board, "Missed as well")
    witness.sees("Missed as well")
    assert page.notes.count() == 1
    page.until(lambda: time.monotonic() - hidden_at > 0.3, "hidden for longer than the limit")
    page.hide(False)
    returned_at = time.monotonic()

    page.sees("Missed as well").live().is_true()
    assert time.monotonic() - returned_at < 9, "as late as a heartbeat's own time-out"
    said = [message["t"] for message in page.wire.sent]
    assert said == ["hello", "hello", "hello"]
    assert len(page.wire.sockets) == 2


def test_a_socket_that_idles_for_a_minute_stays_open_and_hears_by_bell(site, desk, alice, bob, board):
    # Precondition: nothing is said for 61 s, on the socket or on Redis, and the tail would look too late to help.
    site.restart({"LIVE_HEARTBEAT_EVERY": "300", "LIVE_TAIL_EVERY": "300", "LIVE_AWAY_AFTER": "300"}, kill=True)
    other = site.spawn()
    pages = [desk(alice).live(), desk(bob, url=other.url).live()]
    heard = [len(page.wire.got) for page in pages]
    pages[0].page.wait_for_timeout(61_000)  # the minute is what is tested
    assert [len(page.wire.got) for page in pages] == heard

    write(board, "After a minute")

    for page in pages:
        page.sees("After a minute").is_true()
        assert len(page.wire.sockets) == 1
