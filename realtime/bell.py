"""Bells: the quick word that something committed. Losing one costs a blink, never a change.

The first bell is local: the committing process wakes its own hub. The second goes through the channel
layer to the groups of the topics touched, so that other processes hear of it too; it is bounded and
nobody waits for it (awaited, a Redis in a black hole stalls a request for seconds). Behind both stands
the hub's tail.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import connection

from realtime import counters

if TYPE_CHECKING:
    from realtime.hub import Hub
    from realtime.journal import Touch

Items = list[tuple[int, "Touch"]]

GATHER = 0.002  # seconds: bells rung in quick succession travel together
GIVE_UP_AFTER = 2.0  # seconds for one message to the layer
PAUSE_AFTER_FAILURE = 1.0  # seconds without trying; the tail serves meanwhile
MOST_IN_A_BELL = 200  # items
MOST_WAITING = 2000  # messages; beyond, the oldest go

# Set by the hub of this process while it runs.
local_hub: Hub | None = None


def ring_after_commit(items: Items) -> None:
    """Ring for `items` when the running transaction commits; one ring for all its items."""
    savepoints = set(connection.savepoint_ids)
    for sids, hook, *_ in reversed(connection.run_on_commit):
        waiting: Items | None = getattr(hook, "live_items", None)
        if waiting is not None and sids == savepoints:
            waiting += items
            return

    # A function of its own, not a partial: Django logs the hook's __qualname__ when it fails.
    def ring_now() -> None:
        ring(pending, time.time() * 1000)

    pending = list(items)
    ring_now.live_items = pending  # type: ignore[attr-defined]
    connection.on_commit(ring_now, robust=True)


def ring(items: Items, at: float) -> None:
    """Ring both bells; `at` is the commit in milliseconds since 1970."""
    hub = local_hub
    if hub is not None:
        hub.loop.call_soon_threadsafe(hub.rung, items, at)
    elif not isinstance(get_channel_layer(), InMemoryChannelLayer):
        _ringer_thread().call("ring", items, at)


def send(group: str, message: dict[str, Any]) -> None:
    """Hand one message for `group` to the layer, from any thread, without waiting for it."""
    hub = local_hub
    if hub is not None:
        hub.loop.call_soon_threadsafe(hub.ringer.add, group, message)
    elif not isinstance(get_channel_layer(), InMemoryChannelLayer):
        _ringer_thread().call("add", group, message)


class Ringer:
    """Sends to the layer from one task, one message at a time, each with a limit.

    Bells for the same topic that wait behind one another travel as one message; when the layer fails,
    what waits is dropped and the tail delivers it. All methods run on the ringer's own loop.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, dict[str, Any]]] = deque()
        self._sending = 0
        self._growing: dict[str, dict[str, Any]] = {}
        self._wake = asyncio.Event()
        self._layer = get_channel_layer()
        self.failing = False

    def ring(self, items: Items, at: float) -> None:
        """Queue a bell for each topic of the transaction that wrote `items`.

        Each bell names all of them, so that a process that hears on several of the topics hears of them at
        once and a page gets one frame; what touched very much rings on each topic for that topic alone.
        """
        names = dict.fromkeys(touch.topic for _, touch in items)
        if len(names) * len(items) <= MOST_IN_A_BELL:
            for name in names:
                self._grow(name, items, at)
        else:
            for item in items:
                self._grow(item[1].topic, [item], at)

    def _grow(self, topic: str, items: Items, at: float) -> None:
        bell = self._growing.get(topic)
        if bell is None or len(bell["items"]) + len(items) > MOST_IN_A_BELL:
            bell = {"type": "live.bell", "items": [], "at": at}
            self._growing[topic] = bell
            self.add(topic, bell)
        bell["items"] += [(number, *touch) for number, touch in items]

    def add(self, group: str, message: dict[str, Any]) -> None:
        """Queue a message; where too many wait, the oldest goes."""
        if len(self._waiting) >= MOST_WAITING:
            self._take()
            counters.bells_lost.inc()
        self._waiting.append((group, message))
        self._wake.set()

    def _take(self) -> tuple[str, dict[str, Any]]:
        group, message = self._waiting.popleft()
        if self._growing.get(group) is message:
            del self._growing[group]
        return group, message

    @property
    def depth(self) -> int:
        """Messages waiting or on their way."""
        return len(self._waiting) + self._sending

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER)
            self._wake.clear()
            while self._waiting:
                self._sending = 1
                await self._send(*self._take())
                self._sending = 0

    async def _send(self, group: str, message: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(GIVE_UP_AFTER):
                await self._layer.group_send(group, message)
            self.failing = False
        except Exception:  # whatever the layer raises, the tail delivers: count it and go on
            self.failing = True
            counters.bells_lost.inc(1 + len(self._waiting))
            self._waiting.clear()
            self._growing.clear()
            await asyncio.sleep(PAUSE_AFTER_FAILURE)


class RingerThread:
    """The ringer of a process without a hub (a command, the clock): a daemon thread with a loop of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._ringer: Ringer | None = None
        self._started = threading.Event()
        threading.Thread(target=self._run, name="bell", daemon=True).start()
        self._started.wait(5)
        atexit.register(self.drain)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._ringer = Ringer()
        self._started.set()
        await self._ringer.run()

    def call(self, method: str, *args: Any) -> None:
        """Call a method of the ringer on its loop, from any thread."""
        if self._ringer is not None:
            self.loop.call_soon_threadsafe(getattr(self._ringer, method), *args)

    def drain(self, seconds: float = 1.0) -> None:
        """Give the last bells of a short command a moment to leave."""
        until = time.monotonic() + seconds
        # Handed over is not yet queued: let the loop come round first.
        with contextlib.suppress(TimeoutError, RuntimeError):
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self.loop).result(seconds)
        while self._ringer is not None and self._ringer.depth and time.monotonic() < until:
            time.sleep(0.01)


_thread: RingerThread | None = None
_thread_lock = threading.Lock()


def _ringer_thread() -> RingerThread:
    global _thread
    with _thread_lock:
        if _thread is None:
            _thread = RingerThread()
        return _thread
