"""Keeping order among the sockets: those who never said hello, those who stopped reading, sessions that
have ended, and the presence batch. All run on the hub's loop."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from django.conf import settings

from realtime import counters, presence
from realtime.sockets import TOO_SLOW, LiveSocket

if TYPE_CHECKING:
    from realtime.hub import Hub

MORE_AFTER = 0.5  # seconds to the next presence batch where one did not hold all
CHECK_SESSIONS_EVERY = 60.0  # seconds


class Keeper:
    """Sweeps a hub's sockets and keeps its presence book."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.book = presence.Book(hub)
        self.pool = ThreadPoolExecutor(1, "live-presence")

    async def sweep(self) -> None:
        """Close those who never said hello and those who stopped reading."""
        while True:
            await asyncio.sleep(min(1.0, settings.LIVE["ACK_WITHIN"] / 4))
            for socket in list(self._hub.sockets):
                self._look_at(socket)

    def _look_at(self, socket: LiveSocket) -> None:
        if not socket.ready and time.time() - socket.opened_at > settings.LIVE["HELLO_WITHIN"]:
            if not self._hub.is_asking(socket):
                socket.close(TOO_SLOW)
        elif socket.behind and time.monotonic() - socket.behind_since > settings.LIVE["ACK_WITHIN"]:
            counters.slow_closed.inc()
            socket.close(TOO_SLOW)

    async def note(self) -> None:
        """Write who is here and the counters, in one batch; look now and then whether the sessions still stand."""
        loop = asyncio.get_running_loop()
        checked, more = time.monotonic(), False
        while True:
            every: float = settings.LIVE["PRESENCE_EVERY"]
            await asyncio.sleep(min(every, MORE_AFTER) if more else every)
            more = await loop.run_in_executor(self.pool, self.book.write, self.book.pages_now())
            if time.monotonic() - checked > CHECK_SESSIONS_EVERY:
                checked = time.monotonic()
                await self._check_sessions()
                await self._hub.switcher.look()  # whose role or share changed with no switch turned

    async def _check_sessions(self) -> None:
        """A session that has vanished may have a new key (a changed password): its page comes back with it."""
        keys = {socket.session_key for socket in self._hub.sockets if socket.ready and not socket.link}
        loop = asyncio.get_running_loop()
        standing = await loop.run_in_executor(self.pool, presence.signed_in, list(keys))
        for socket in list(self._hub.sockets):
            if socket.ready and socket.session_key in keys - standing:
                socket.close(TOO_SLOW)
