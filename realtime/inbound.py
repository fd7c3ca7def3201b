"""What a page may say over its socket beyond following: read marks, typing, positions.

An app registers a handler in its `live.py`:

    @receives("chat.typing")
    def typing(principal: Principal, data: dict[str, Any]) -> None: ...

Handlers run in a thread with the database at hand. They check access themselves and call an action;
whatever must not be lost is a POST instead.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from django.db import close_old_connections

from realtime import bell
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


def handle(kind: str, principal: Principal, data: dict[str, Any]) -> None:
    """Run the handler, in a thread. What it raises is logged and costs the page nothing."""
    close_old_connections()
    try:
        _handlers[kind](principal, data)
    except Exception:
        log.exception("The message %s could not be handled.", kind)
    finally:
        close_old_connections()


def signal(topic: str, name: str, data: dict[str, Any], *, besides: Principal | None = None) -> None:
    """Tell the open pages of `topic` something that is not worth keeping (typing): by the layer alone.

    `besides` is the one who caused it. Pages without a socket do not hear it.
    """
    message = {"type": "live.signal", "topic": topic, "name": name, "data": data, "except": str(besides)}
    bell.send(topic, message)
