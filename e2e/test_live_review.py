"""What the page's own script must get right: what waits for its turn, what is asked while an answer is on its way,
and how it ends."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Error, Route, WebSocketRoute, expect

from e2e.live import Desk, kitchen, write
from realtime.tests.board.models import Card, Note, Pulse

RESTED = 3500  # ms without the pointer, after which whatever waited for it has been done

# Brings an element of another topic onto the page, as a swapped fragment or a page taken over would.
SHOW_COUNT = """(board) => {
  const html = `<p id="board-count-${board}" data-live="board.count" data-topic="board.${board}" data-version="0"></p>`;
  document.querySelector("main").insertAdjacentHTML("beforeend", html);
}"""
TAKEN_OVER = """() => document.dispatchEvent(
  new CustomEvent("live:page", { detail: document.querySelector("meta[name=live]").dataset.cursor }))"""


class Middle:
    """Between a page and its socket: `alter` may change what the server says, `hold` keeps what the page says."""

    def __init__(self, page: Desk, alter: Callable[[dict[str, Any]], None] = lambda frame: None) -> None:
        self.said: list[dict[str, Any]] = []
        self.sockets: list[WebSocketRoute] = []
        self.hold = False
        self._alter = alter
        self._held: list[str] = []
        page.page.route_web_socket("**/live/socket", self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        self._server = socket.connect_to_server()
        self._server.on_message(lambda text: socket.send(self._altered(text)))
        socket.on_message(self._say)

    def _altered(self, text: str) -> str:
        frame = json.loads(text)
        self._alter(frame)
        return json.dumps(frame)

    def _say(self, text: str) -> None:
        self.said.append(json.loads(text))
        if self.hold:
            self._held.append(text)
        else:
            self._server.send(text)

    def release(self) -> None:
        """Hand on what the page said meanwhile, all at once."""
        self.hold = False
        for text in self._held:
            self._server.send(text)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """What the page said of one kind."""
        return [message for message in self.said if message["t"] == kind]


def card(board, title: str, rank: int, **fields) -> Card:
    return Card.objects.create(board=board, title=title, rank=rank, **fields)


def change(one: Card, **fields) -> None:
    for name, value in fields.items():
        setattr(one, name, value)
    one.save(update_fields=list(fields))


def point_at_cards(page: Desk, until: Callable[[], object]) -> None:
    """Keep the pointer moving over the cards until something has happened."""
    box = page.page.locator("#board-card-list").bounding_box()
    assert box

    def moved() -> bool:
        for x in (20, 25, 30):
            page.page.mouse.move(box["x"] + x, box["y"] + 5)
        return bool(until())

    page.until(moved, "what happens under the pointer")
    moved()


def attributes(page: Desk, selector: str) -> set[str]:
    return set(page.page.locator(selector).evaluate("(element) => element.getAttributeNames()"))


# --- What waits for its turn ----------------------------------------------------------------------


def test_a_row_that_waits_to_move_and_is_removed_does_not_come_back(desk, alice, board):
    # Precondition: the pointer moves over the list, so that no row may move.
    mover = card(board, "Mover", 10)
    card(board, "Other", 20)
    card(board, "Last", 90)
    page = desk(alice).live()

    point_at_cards(page, lambda: True)
    change(mover, rank=30, title="Moved")
    point_at_cards(page, lambda: page.wire.bringing("Moved"))
    mover.delete()
    point_at_cards(page, lambda: page.card(mover).count() == 0)
    page.page.wait_for_timeout(RESTED)

    expect(page.card(mover)).to_have_count(0)
    page.is_true()


def test_a_row_that_waits_to_move_and_is_changed_stands_once(desk, alice, board):
    # Precondition: as above.
    mover = card(board, "Mover", 10)
    card(board, "Other", 20)
    card(board, "Last", 90)
    page = desk(alice).live()

    point_at_cards(page, lambda: True)
    change(mover, rank=30, title="Moved")
    point_at_cards(page, lambda: page.wire.bringing("Moved"))
    change(mover, rank=5, title="Moved back")
    point_at_cards(page, lambda: page.wire.bringing("Moved back"))
    page.page.wait_for_timeout(RESTED)

    expect(page.card(mover)).to_have_count(1)
    page.is_true()


def test_what_waits_to_be_shown_goes_with_its_topic(desk, alice, bob, board):
    # Precondition: the page's own URL does not answer, so that what is seen is what the page did by itself.
    card(board, "Shown", 20, news="News of the board")
    page, witness = desk(alice).live(), desk(bob).live()
    page.page.route("**/desk/", lambda route: None)

    point_at_cards(page, lambda: True)
    card(board, "On top", 10)
    point_at_cards(page, lambda: page.wire.bringing("On top"))
    board.people.remove(alice)
    write(board, "Not for Alice")
    change(Card.objects.get(title="Shown"), title="Nor this")
    witness.sees("Not for Alice").sees("Nor this")
    expect(page.page.locator("#board-card-list[data-gone]")).to_be_attached()
    page.page.wait_for_timeout(RESTED)

    shown = page.page.locator("main").inner_html()
    assert not [text for text in ("On top", "Shown", "News", "Nor this") if text in shown]
    assert attributes(page, "#board-card-list") == {"id", "data-live-list", "data-topic", "hidden", "data-gone"}
    assert attributes(page, f"#board-count-{board.pk}") == {"id", "data-live", "data-topic", "hidden", "data-gone"}


def test_a_single_element_that_went_comes_back(desk, alice, board):
    page = desk(alice).live()
    pulse = Pulse.objects.get(board=board)
    element = page.page.locator(f"#board-pulse-{pulse.pk}")
    expect(element).to_have_text("0")

    number = pulse.pk
    pulse.delete()
    expect(element).to_be_hidden()
    expect(element).to_be_attached()
    placeholder = {"id", "data-live", "data-topic", "data-version", "data-live-absent", "hidden"}
    assert attributes(page, f"#board-pulse-{number}") == placeholder
    page.is_true()
    Pulse.objects.create(pk=number, board=board, value=7)

    expect(element).to_be_visible()
    expect(element).to_have_text("7")
    page.is_true()


# --- Asking while an answer is on its way ---------------------------------------------------------


def test_a_poll_on_its_way_does_not_step_over_what_a_taken_page_brought(site, desk, alice, board):
    # Precondition: a poll is kept on its way while the page takes over a topic that it does not ask for.
    cellar = kitchen(alice)
    site.restart({"LIVE_TRANSPORT": "poll"})
    page = desk(alice).polling()
    held: list[Route] = []

    def keep_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.page.route("**/live/poll?*", keep_first)
    page.until(lambda: held, "a poll on its way")
    page.page.evaluate(SHOW_COUNT, cellar.pk)
    page.page.evaluate(TAKEN_OVER)
    write(cellar, "In the cellar")
    with contextlib.suppress(Error):  # given up by the page
        held[0].continue_()

    expect(page.page.locator(f"#board-count-{cellar.pk}")).to_have_text("2 notes on Kitchen")


def test_a_topic_that_comes_before_the_welcome_is_followed(desk, alice, board):
    # Precondition: the hello is kept on its way, and a poll's answer finds a new topic on the page meanwhile.
    cellar = kitchen(alice)
    page = desk.closed(alice)
    middle = Middle(page)
    middle.hold = True
    page.open().polling()
    assert len(middle.of("hello")) == 1

    page.page.evaluate(SHOW_COUNT, cellar.pk)
    write(board, "By the poll")
    page.sees("By the poll")
    page.until(lambda: len(middle.said) > 1, "the new topic is asked for")
    middle.release()
    page.live()
    write(cellar, "In the cellar")

    expect(page.page.locator(f"#board-count-{cellar.pk}")).to_have_text("2 notes on Kitchen")
    assert len(middle.sockets) == 1
    first, second = middle.of("hello")
    assert set(second["topics"]) - set(first["topics"]) == {f"board.{cellar.pk}"}
    assert (first["i"], second["i"]) == (1, 2)


def test_a_server_that_hears_nothing_is_asked_no_oftener_the_longer_it_lasts(desk, alice, board):
    # Precondition: every heartbeat's answer says that the server's last good read was long ago.
    def deaf(frame: dict[str, Any]) -> None:
        if frame["t"] == "beat":
            frame["asof"] -= 60_000

    page = desk.closed(alice)
    middle = Middle(page, deaf)
    page.open()
    expect(page.root).to_have_attribute("data-live", re.compile("live|reconnecting"))
    for _ in range(10):
        page.hide()
        page.hide(False)
    page.until(lambda: len(middle.of("beat")) >= 10, "ten heartbeats")
    before = len(middle.of("beat"))

    page.page.wait_for_timeout(7000)  # two probes and three heartbeats fit in, and ten chains of probes would

    assert len(middle.of("beat")) - before <= 8


def test_a_page_and_a_rule_that_disagree_ask_ever_more_seldom(desk, alice, board):
    # Precondition: whenever the page asks its own URL again, it gets a topic that the server refuses.
    asked: list[float] = []

    def disagree(route: Route) -> None:
        asked.append(time.monotonic())
        answer = route.fetch()
        body = answer.text().replace(" data-live-region>", ' data-live-region><i data-topic="board.999"></i>')
        route.fulfill(response=answer, body=body)

    page = desk(alice).live()
    page.page.route("**/desk/", disagree)
    page.page.evaluate(SHOW_COUNT, 999)
    page.page.evaluate(TAKEN_OVER)
    page.page.wait_for_timeout(7000)  # twenty requests with the least gap, four with one that doubles

    assert 3 <= len(asked) <= 6
    pauses = [after - before for before, after in pairwise(asked)]
    assert pauses[-1] > pauses[0]
    write(board, "Goes on all the same")
    page.sees("Goes on all the same")


# --- Ends -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [4012, 4013])
def test_a_page_that_is_sent_away_for_now_comes_back_with_a_hello(desk, alice, board, code):
    page = desk.closed(alice)
    middle = Middle(page)
    page.open().live()

    middle.sockets[0].close(code=code)
    write(board, "Meanwhile")

    page.sees("Meanwhile").live()
    page.until(lambda: len(middle.of("hello")) == 2, "the second hello")
    page.is_true()


def test_a_page_that_is_not_yours_says_so_and_stays_away(desk, alice, board):
    page = desk.closed(alice)
    middle = Middle(page)
    page.open().live()

    middle.sockets[0].close(code=4403)

    expect(page.page.locator("main h1")).to_have_text("This is no longer yours to see.")
    expect(page.root).to_have_attribute("data-live", "stopped")
    Note.objects.create(board=board, text="Not for this page")
    page.page.wait_for_timeout(2000)  # longer than it would take to come back
    assert len(middle.sockets) == 1
    assert page.wire.polls == []
