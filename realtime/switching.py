"""Pages that have to let go of their sockets, because a switch was turned: looked for at once, and now and then."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

from django.conf import settings

from realtime import transport
from realtime.sockets import ASK_INSTEAD, LiveSocket

if TYPE_CHECKING:
    from realtime.hub import Hub

AT_ONCE = 20  # pages that go together; more are spread over time, or all would ask in the same moment
AGAIN_AFTER = 2.0  # seconds: a hello on its way may have been judged by what another thread remembered


class Switcher:
    """Moves a hub's pages to asking. Coming back is theirs: the poll's answer tells them when."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._tasks: set[asyncio.Task[None]] = set()

    def turned(self) -> None:
        """A switch was turned: look now, and once more."""
        transport.forget()
        self._look_soon()
        self._hub.loop.call_later(AGAIN_AFTER, self._look_soon)

    def _look_soon(self) -> None:
        task = self._hub.loop.create_task(self.look(), name="live-switch")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def look(self) -> None:
        """Close the sockets of pages that are to ask instead."""
        pages = [socket for socket in self._hub.sockets if socket.ready and socket.principal is not None]
        people: dict[Any, Any] = {socket.principal: None for socket in pages}
        if not people:
            return
        off = await self._hub.loop.run_in_executor(self._hub.keeper.pool, transport.off_for_now, people)
        going = [socket for socket in pages if not _may_stay(socket, off)]
        spread = settings.LIVE["RETURN_SPREAD"] if len(going) > AT_ONCE else 0
        for socket in going:
            self._hub.loop.call_later(random.random() * spread, socket.close, ASK_INSTEAD)  # noqa: S311 (no secret)


def _may_stay(socket: LiveSocket, off: Any) -> bool:
    return transport.switches_of(socket.topics).isdisjoint(off.get(socket.principal, ()))
