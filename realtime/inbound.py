"""What a page may say over its socket beyond following: read marks, typing, positions.

An app registers a handler in its `live.py`:

    @receives("chat.typing")
    def typing(principal: Principal, data: dict[str, Any]) -> None: ...

Handlers run in a thread with the database at hand. They check access themselves and call an action;
whatever must not be lost is a POST instead.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db import close_old_connections
from django.http import Http404

from realtime import bell, kept
from realtime.topics import Principal

if TYPE_CHECKING:
    from realtime.sockets import LiveSocket

log = logging.getLogger(__name__)

MOST_QUEUED = 20  # messages of one page

Handler = Callable[[Principal, dict[str, Any]], None]

_handlers: dict[str, Handler] = {}
_pool = ThreadPoolExecutor(4, "live-say")


def receives(kind: str) -> Callable[[Handler], Handler]:
    """Register the handler of one kind of message, named `<app>.<verb>`."""

    def register(handler: Handler) -> Handler:
        if kind in _handlers:
            raise ValueError(f"The message {kind} has two handlers.")
        _handlers[kind] = handler
        return handler

    return register


def knows(kind: str) -> bool:
    """Whether some app handles `kind`."""
    return kind in _handlers


def queue(socket: LiveSocket, kind: str, content: dict[str, Any]) -> None:
    """Have the handler run, in a thread; a page's messages run one after another. On the hub's loop.

    A page that says more than its handlers can take loses the newest.
    """
    if socket.lane is None:
        socket.lane = deque()
    if len(socket.lane) >= MOST_QUEUED:
        return
    socket.lane.append((kind, content))
    if len(socket.lane) == 1:
        _next(socket)


def _next(socket: LiveSocket) -> None:
    lane = socket.lane
    if not lane or not socket.open or socket.principal is None:
        return
    kind, content = lane[0]
    done = socket.hub.loop.run_in_executor(_pool, handle, kind, socket.principal, content)

    def after(_: object) -> None:
        lane.popleft()
        _next(socket)

    done.add_done_callback(after)


_said: dict[Principal, tuple[float, float]] = {}  # who speaks without a socket: tokens left, counted when
_said_lock = threading.Lock()
SAID_A_SECOND, SAID_AT_ONCE = 5.0, 20.0
MOST_SPEAKING = 10_000


def may_say(principal: Principal) -> bool:
    """Whether somebody without a socket may speak once more (a token bucket for each person and process)."""
    now = time.monotonic()
    with _said_lock:
        tokens, counted = _said.pop(principal, (SAID_AT_ONCE, now))
        tokens = min(tokens + (now - counted) * SAID_A_SECOND, SAID_AT_ONCE)
        _said[principal] = (max(tokens - 1, 0), now)
        if len(_said) > MOST_SPEAKING:
            del _said[next(iter(_said))]
        return tokens >= 1


def handle(kind: str, principal: Principal, data: dict[str, Any]) -> None:
    """Run the handler, in a thread of its own."""
    close_old_connections()
    try:
        hear(kind, principal, data)
    finally:
        close_old_connections()


def hear(kind: str, principal: Principal, data: dict[str, Any]) -> None:
    """Run the handler. What it raises is logged and costs the page nothing; a refusal is no fault, because what a
    page speaks of may be gone, or no longer its person's, by the time it is heard.
    """
    try:
        _handlers[kind](principal, data)
    except (Http404, PermissionDenied):
        log.info("The message %s came too late, or from a stranger.", kind)
    except Exception:
        log.exception("The message %s could not be handled.", kind)


def signal(topic: str, name: str, data: dict[str, Any], *, besides: Principal | None = None, keep: float = 0) -> None:
    """Tell the open pages of `topic` something that is not worth a journal row (typing): by the layer alone.

    `besides` is the one who caused it. Pages without a socket hear it only if it is kept for some seconds
    (`keep`), and if the topic is declared with `keeps_signals`.
    """
    message = kept.message_of(topic, name, data, sender=besides)
    bell.send(topic, message)
    if keep:
        kept.keep(message, seconds=keep)
