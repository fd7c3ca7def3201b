"""One open socket as the hub sees it: whose it is, what it follows, and how far its reader has come."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import time
import types
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any

from django.conf import settings

from realtime import counters
from realtime.topics import Principal

if TYPE_CHECKING:
    from realtime.hub import Hub

log = logging.getLogger(__name__)

Send = Callable[[dict[str, Any]], Awaitable[None]]

SIGNED_OUT = 4401
NOT_YOURS = 4403
MALFORMED = 4400
TOO_LARGE = 4009
SERVER_GOING = 4012
TOO_SLOW = 4013
ASK_INSTEAD = 4014
TOO_FAST = 4029

MOST_BACKLOG = 8 * 1024 * 1024  # characters of answers that wait for a reader


class LiveSocket:
    """A page's socket.

    Its window counts the frames and bytes sent and not yet acknowledged. When it is full nothing more is
    sent: the reader resumes by its cursor after the next acknowledgement, so that a slow one never grows
    memory and never holds up another. `cursor` is that of the last frame that carried one.
    """

    __slots__ = (
        "_send",
        "acked",
        "away",
        "backlog",
        "behind_since",
        "cursor",
        "heard_at",
        "hub",
        "lane",
        "link",
        "live_id",
        "number",
        "open",
        "opened_at",
        "page",
        "principal",
        "ready",
        "round_trip",
        "sending",
        "session_key",
        "sizes",
        "topics",
        "unacked_bytes",
    )

    def __init__(self, hub: Hub, send: Send, number: int, session_key: str) -> None:
        self.hub, self._send = hub, send
        self.number = number
        self.session_key = session_key
        self.link = ""
        self.principal: Principal | None = None
        self.live_id = ""
        self.page = ""
        self.away = False
        self.round_trip: int | None = None  # milliseconds, of its last heartbeat
        self.topics: set[str] = set()
        self.open = True
        self.ready = False
        self.cursor = ""
        self.opened_at = self.heard_at = time.time()
        self.acked = 0
        self.sizes: list[int] = []
        self.unacked_bytes = 0
        self.behind_since = 0.0
        self.backlog: list[str] = []
        self.sending: asyncio.Task[None] | None = None
        self.lane: deque[tuple[str, dict[str, Any]]] | None = None  # what the page said and no handler took yet

    @property
    def behind(self) -> bool:
        """Whether its window is full, so that pushes pass it by until it acknowledges."""
        return self.behind_since > 0

    def _has_room(self, size: int) -> bool:
        if self.sending is not None:
            return False
        if not self.sizes:
            return True
        frames: int = settings.LIVE["WINDOW_FRAMES"]
        room: int = settings.LIVE["WINDOW_BYTES"]
        return len(self.sizes) < frames and self.unacked_bytes + size <= room

    def push(self, text: str, cursor: str = "") -> bool:
        """Send a frame if the reader keeps up; returns whether it was sent."""
        if not self.open or not self.ready or self.behind:
            return False
        if not self._has_room(len(text)):
            self.fall_behind()
            return False
        self._emit_frame(text)
        if cursor:
            self.cursor = cursor
        return True

    def fall_behind(self) -> None:
        """Send nothing more until the reader acknowledges."""
        if not self.behind:
            self.behind_since = time.monotonic()

    def answer(self, kind: str, frames: list[str], cursor: str) -> None:
        """Send the answer to a hello, follow or resume; what does not fit the window waits for acknowledgements.

        A hello starts anew; other answers queue up behind one another. After a follow, what was passed by is
        still to be resumed.
        """
        self.ready = True
        self.backlog = frames if kind == "hello" else self.backlog + frames
        if sum(map(len, self.backlog)) > MOST_BACKLOG:
            self.close(TOO_SLOW)
            return
        if kind != "follow":
            self.behind_since = 0.0
        if cursor:
            self.cursor = cursor
        self._drain()

    def _drain(self) -> None:
        while self.backlog and self.open and self._has_room(len(self.backlog[0])):
            self._emit_frame(self.backlog.pop(0))
        if self.backlog:
            self.fall_behind()

    def acknowledge(self, number: int) -> bool:
        """The reader has received `number` frames on this socket; go on sending if it was behind.

        Returns whether that many were sent at all.
        """
        count = max(number - self.acked, 0)
        if count > len(self.sizes):
            return False
        self.acked += count
        self.unacked_bytes -= sum(self.sizes[:count])
        del self.sizes[:count]
        if self.behind and count:
            self.go_on()
        return True

    def go_on(self) -> None:
        """After room was made: first the backlog, then whatever was passed by meanwhile, from the cursor."""
        if self.backlog:
            self._drain()
            if self.backlog:
                self.behind_since = time.monotonic()  # it reads, if slowly
                return
        if self.behind and self.sending is None:
            self.hub.resume(self)

    def _emit_frame(self, text: str) -> None:
        size = len(text)
        self.sizes.append(size)
        self.unacked_bytes += size
        counters.frames.inc()
        counters.bytes_sent.inc(size)
        self.emit({"type": "websocket.send", "text": text})

    def say(self, message: dict[str, Any]) -> None:
        """Send a message of the protocol that is not a change (heartbeat answer, signal), if there is room."""
        text = json.dumps(message, separators=(",", ":"))
        if self.open and not self.behind and self._has_room(len(text)):
            self._emit_frame(text)

    def emit(self, message: dict[str, Any]) -> None:
        """Hand a message to the server without waiting for the network.

        Daphne takes it at once. Uvicorn waits for a slow client and raises for a dead one: the first step
        runs here, and only what has to wait becomes a task, so that the fan-out goes on.
        """
        sending: Any = self._send(message)
        try:
            waiting_for = sending.send(None)
        except StopIteration:
            return
        except Exception:  # a dead connection; its disconnect event follows
            log.debug("A socket could not be written to.", exc_info=True)
            return
        self.sending = asyncio.ensure_future(_finish(sending, waiting_for))
        self.sending.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self.sending = None
        if not task.cancelled() and task.exception() is None and self.open:
            self.go_on()

    def close(self, code: int) -> None:
        """Close with one of our codes and forget everything queued."""
        if not self.open:
            return
        counters.closes.labels(str(code)).inc()
        self.forget()
        self.emit({"type": "websocket.close", "code": code})

    def forget(self) -> None:
        """The connection is over: hold nothing."""
        self.open = self.ready = False
        self.backlog = []
        self.sizes = []
        self.unacked_bytes = 0
        self.hub.leave(self)


async def _finish(sending: Coroutine[Any, Any, None], waiting_for: Any) -> None:
    await _resumed(sending, waiting_for)


@types.coroutine
def _resumed(sending: Coroutine[Any, Any, None], waiting_for: Any) -> Generator[Any, Any, None]:
    """Go on with a coroutine whose first step has already been taken."""
    while True:
        try:
            value = yield waiting_for
        except BaseException as error:  # a cancellation, passed on as `await` would
            step = functools.partial(sending.throw, error)
        else:
            step = functools.partial(sending.send, value)
        try:
            waiting_for = step()
        except StopIteration:
            return
