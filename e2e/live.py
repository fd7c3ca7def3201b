"""What the tests of the live mechanism look through: the desk of a board, its wire, and a fresh load beside it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.urls import reverse
from playwright.sync_api import Page, Response, WebSocket, expect

from e2e.people import People, is_live
from realtime.models import ServerProcess
from realtime.tests.board.models import Board, Card, Note, Pulse

T = TypeVar("T")
WITHIN = 45.0  # seconds; generous, because a healthy run never waits for it

# The live parts of this page, or of the page that is given as text, without what differs at every rendering.
LIVE_PARTS = """(html) => {
  const PARTS = "[data-live]:not([data-live-absent]), [data-live-list], [data-live-region]";
  const doc = html === null ? document : new DOMParser().parseFromString(html, "text/html");
  return [...doc.body.querySelectorAll(PARTS)].map((part) => {
    const copy = part.cloneNode(true);
    for (const each of [copy, ...copy.querySelectorAll("*")]) {
      for (const name of ["data-version", "tabindex", "open"]) each.removeAttribute(name);
      each.classList.remove("live-flash");
      if (!each.classList.length) each.removeAttribute("class");
    }
    for (const each of copy.querySelectorAll("time")) each.replaceWith(each.getAttribute("datetime"));
    return copy.outerHTML.replace(/\\s+/g, " ").replace(/> </g, "><");
  });
}"""

# A tab that can be hidden: headless Chromium shows every tab for ever.
HIDEABLE = """(() => {
  let hidden = false;
  Object.defineProperty(Document.prototype, "hidden", { get: () => hidden });
  Object.defineProperty(Document.prototype, "visibilityState", { get: () => (hidden ? "hidden" : "visible") });
  window.hideTab = (on) => { hidden = on; document.dispatchEvent(new Event("visibilitychange")); };
})()"""

# Ids of the elements that flashed: a flash is over in a second, and a look at the page may come later.
FLASHES = """(() => {
  window.flashes = [];
  new MutationObserver((changes) => {
    const flashing = changes.map(({ target }) => target).filter((each) => each.classList.contains("live-flash"));
    flashes.push(...flashing.map((each) => each.dataset.cell ?? each.id));
  }).observe(document, { subtree: true, attributeFilter: ["class"] });
})()"""


class Wire:
    """What goes between a page and the live mechanism, from the page's first moment on."""

    def __init__(self, page: Page) -> None:
        self.sockets: list[WebSocket] = []
        self.got: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.polls: list[Response] = []
        self.at_once = 0
        page.on("websocket", self._opened)
        page.on("response", self._answered)

    def _opened(self, socket: WebSocket) -> None:
        self.sockets.append(socket)
        self.at_once = max(self.at_once, len(self.open))
        socket.on("framereceived", lambda text: self.got.append(json.loads(text)))
        socket.on("framesent", lambda text: self.sent.append(json.loads(text)))

    def _answered(self, response: Response) -> None:
        if "/live/poll?" in response.url:
            self.polls.append(response)

    @property
    def open(self) -> list[WebSocket]:
        """The sockets that are open now."""
        return [socket for socket in self.sockets if not socket.is_closed()]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The frames of one kind that arrived, in order."""
        return [frame for frame in self.got if frame["t"] == kind]

    def bringing(self, text: str) -> list[dict[str, Any]]:
        """The pushes that bring `text`."""
        return [frame for frame in self.of("f") if any(text in (piece["html"] or "") for piece in frame["f"])]


class Desk:
    """Somebody's open page of a board, and what it shows."""

    def __init__(self, page: Page, board: Board) -> None:
        self.page, self.board = page, board
        self.wire = Wire(page)
        self.notes = page.locator("#board-note-list > li")
        self.cards = page.locator("#board-card-list > li")
        self.root = page.locator("html")
        self.badge = page.locator("#live-badge")

    def open(self) -> Desk:
        """Go there."""
        self.page.goto(reverse("board:desk", args=[self.board.pk]))
        return self

    def card(self, card: Card) -> Any:
        """The element of one card."""
        return self.page.locator(f"#board-card-{card.pk}")

    def live(self) -> Desk:
        """Wait until it has its socket and has caught up."""
        is_live(self.page)
        return self

    def polling(self) -> Desk:
        """Wait until it follows by asking."""
        expect(self.root).to_have_attribute("data-live", "polling")
        return self

    def sees(self, text: str) -> Desk:
        """Wait until a note or a card says `text`."""
        expect(self.page.locator("main [data-live]", has_text=text).first).to_be_visible(timeout=WITHIN * 1000)
        return self

    def until(self, condition: Callable[[], T], what: str, within: float = WITHIN) -> T:
        """Wait until `condition` is true, and return what it gave. The page's events arrive meanwhile."""
        end = time.monotonic() + within
        while True:
            found = condition()
            if found:
                return found
            assert time.monotonic() < end, f"not within {within} s: {what}"
            self.page.wait_for_timeout(25)

    def parts(self) -> list[str]:
        """The live parts as they stand on the page."""
        found: list[str] = self.page.evaluate(LIVE_PARTS, None)
        return found

    def fresh(self) -> list[str]:
        """The live parts that a fresh load would show."""
        found: list[str] = self.page.evaluate(LIVE_PARTS, self.page.request.get(self.page.url).text())
        return found

    def is_true(self) -> Desk:
        """Wait until the page equals a fresh load, and every row of the board stands on it exactly once."""
        end = time.monotonic() + WITHIN
        while (shown := self.parts()) != (fresh := self.fresh()):
            assert time.monotonic() < end, f"not equal to a fresh load:\n{difference(shown, fresh)}"
            self.page.wait_for_timeout(50)
        assert self.notes.all_inner_texts() == list(self.board.notes.values_list("text", flat=True))
        ids = [f"board-card-{pk}" for pk in self.board.cards.values_list("pk", flat=True)]
        assert self.cards.evaluate_all("cards => cards.map((card) => card.id)") == ids
        return self

    def hide(self, on: bool = True) -> None:
        """Hide the tab, or show it again."""
        self.page.evaluate("(on) => hideTab(on)", on)


class Desks:
    """Opens desks of one board, for one person each."""

    def __init__(self, person: People, board: Board) -> None:
        self._person, self._board = person, board

    def __call__(self, who: Any, **options: Any) -> Desk:
        """The open desk of `who`; `options` as for `person`."""
        return self.closed(who, **options).open()

    def closed(self, who: Any, **options: Any) -> Desk:
        """As before the page is loaded."""
        page = self._person(who, **options)
        page.add_init_script(HIDEABLE)
        page.add_init_script(FLASHES)
        return Desk(page, self._board)


def difference(shown: Iterable[str], fresh: Iterable[str]) -> str:
    """What only one of the two has."""
    one, other = list(shown), list(fresh)
    lines = [f"  shown: {part}" for part in one if part not in other]
    return "\n".join([*lines, *[f"  fresh: {part}" for part in other if part not in one]]) or "another order"


def kitchen(*people: Any) -> Board:
    """A board of `people` with a pulse and a note."""
    board = Board.objects.create(name="Kitchen")
    board.people.add(*people)
    Pulse.objects.create(board=board)
    Note.objects.create(board=board, text="The first note")
    return board


def write(board: Board, text: str) -> Note:
    """Add a note from outside any server process, and commit it."""
    return Note.objects.create(board=board, text=text)


def counted(name: str) -> float:
    """A counter of the live mechanism, added up over all processes so far, as they last reported it."""
    return float(sum(row.counters.get(name, 0) for row in ServerProcess.objects.all()))
