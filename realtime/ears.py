"""The hub's ears: bells from this process and others, and the tail behind them.

All methods run on the hub's loop unless they say otherwise.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

from realtime import counters, journal, kept
from realtime.bell import Items
from realtime.journal import ORDERS_TOPIC, Cursor, Reading, Touch

log = logging.getLogger(__name__)

REMEMBERED = 50_000  # journal row ids, to know a change that was heard twice
BELL_GRACE = 1.0  # seconds within which a bell may follow the tail's find
JOIN_WITHIN = 5.0  # seconds for one group_add
SIGNALS_EVERY = 0.5  # seconds between looks at kept signals
SIGNALS_REMEMBERED = 1000
LOOK_WHOLE_EVERY = 1.0  # seconds between looks at the whole journal on SQLite

Mark = Callable[[Touch, float], None]


class Ears:
    """Hears of every change once and passes it to `mark(touch, at)`.

    `followed()` gives the topics somebody here follows. `looked()` is called after each good look of the
    tail, `lost()` when the tail's own cursor is unusable, `signal(message)` for what travels by the layer alone.
    """

    def __init__(
        self,
        *,
        followed: Callable[[], Iterable[str]],
        mark: Mark,
        looked: Callable[[], None],
        lost: Callable[[], None],
        signal: Callable[[dict[str, Any]], None],
    ) -> None:
        self.followed, self.mark, self.looked, self.lost, self.signal = followed, mark, looked, lost, signal
        self.cursor: Cursor | None = None
        self.looked_at = 0.0  # milliseconds since 1970
        self.joined: dict[str, float] = {}
        self.topics_changed = asyncio.Event()
        self.looker = ThreadPoolExecutor(1, "live-tail")
        self._layer = get_channel_layer()
        self._channel = ""
        self._heard: dict[int, None] = {}
        self._unbelled: dict[int, float] = {}
        self._looked_whole = 0.0
        self._signalled: dict[tuple[str, str, str, float], None] = {}

    def heard(self, items: Items, at: float) -> None:
        """A bell rang for journal rows `items`; `at` is their commit in milliseconds since 1970."""
        for number, touch in items:
            self._unbelled.pop(number, None)
            if number not in self._heard:
                self._remember(number)
                self.mark(touch, at)

    def _remember(self, number: int) -> None:
        self._heard[number] = None
        if len(self._heard) > REMEMBERED:
            del self._heard[next(iter(self._heard))]

    # --- The tail ---------------------------------------------------------------------------------

    async def tail(self) -> None:
        """Look at the journal for what no bell brought: a lost bell then costs a blink and never a change."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                reading = await loop.run_in_executor(self.looker, self._look)
            except Exception as error:  # the database is away; pages see it by the age of their data
                log.warning("The tail could not read the journal: %s", error)
                await asyncio.sleep(1)
                continue
            self.take(reading)
            await asyncio.sleep(settings.LIVE["TAIL_EVERY"])

    def _look(self) -> Reading:
        """In the tail's thread."""
        cursor, moment = self.cursor, time.monotonic()
        sqlite = connection.vendor == "sqlite"
        if not sqlite:  # to open a file anew at each look would cost more than the look
            close_old_connections()
        try:
            # The cheapest look sees new rows only, so now and then a whole one for the epoch.
            cheap = sqlite and cursor is not None and moment - self._looked_whole < LOOK_WHOLE_EVERY
            if cheap and cursor is not None and journal.newest_id_sqlite() < cursor.xmin:
                return Reading(cursor, [])
            self._looked_whole = moment
            return journal.read(cursor)
        except Exception:
            connection.close()
            raise

    def take(self, reading: Reading) -> None:
        """Pass on what a look found and no bell brought; count what no bell brings within its grace either."""
        self.looked_at = journal.milliseconds()
        if reading.reset:  # another database, or a tail that slept past the journal's horizon
            self.lost()
        moment = time.monotonic()
        for change in reading.changes:
            if change.id not in self._heard:
                self._remember(change.id)
                if moment - self.joined.get(change.touch.topic, moment) > BELL_GRACE:
                    self._unbelled[change.id] = moment
                self.mark(change.touch, change.at)
        self.cursor = reading.cursor  # not before: whoever holds a change back needs a cursor that has not seen it
        for number, found_at in list(self._unbelled.items()):
            if moment - found_at > BELL_GRACE:
                del self._unbelled[number]
                counters.tail_finds.inc()
        self.looked()

    # --- The channel layer ------------------------------------------------------------------------

    async def listen(self) -> None:
        """Receive what other processes send through the layer."""
        self._channel = self._channel or await self._layer.new_channel()
        self.joined = {}
        self.topics_changed.set()
        while True:
            # Never cancelled, never under a time-out: the pub/sub layer would drop the channel.
            message = await self._layer.receive(self._channel)
            try:
                self._understand(message)
            except (KeyError, TypeError, ValueError):
                log.exception("A message of the channel layer could not be understood.")

    def _understand(self, message: dict[str, Any]) -> None:
        if message["type"] == "live.bell":
            self.heard([(number, Touch(*touch)) for number, *touch in message["items"]], message["at"])
        elif message["type"] == "live.signal":
            self.hear_signal(message)

    # --- Signals ----------------------------------------------------------------------------------

    def hear_signal(self, message: dict[str, Any]) -> None:
        """Pass on a signal that was not heard before."""
        what = (message["topic"], message["name"], message.get("except", ""), round(message.get("at", time.time()), 3))
        if what not in self._signalled:
            self._signalled[what] = None
            if len(self._signalled) > SIGNALS_REMEMBERED:
                del self._signalled[next(iter(self._signalled))]
            self.signal(message)

    async def hear_kept(self) -> None:
        """Look at kept signals for what the layer did not bring: another process's, while it is in memory or away."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SIGNALS_EVERY)
            names = kept.keeping_among(self.followed())
            if names:
                for message in await loop.run_in_executor(self.looker, self._kept, names):
                    self.hear_signal(message)

    def _kept(self, names: list[str]) -> list[dict[str, Any]]:
        """In the tail's thread."""
        close_old_connections()
        try:
            return kept.newest(names)
        except DatabaseError:  # it is away, which the tail says
            connection.close()
            return []

    async def join(self) -> None:
        """Keep the channel in exactly the groups whose topics somebody here follows."""
        while True:
            await self.topics_changed.wait()
            self.topics_changed.clear()
            if not self._channel:
                continue
            try:
                await self._join_wanted({*self.followed(), ORDERS_TOPIC})
            except Exception as error:  # the layer is away: the tail serves meanwhile
                log.warning("The channel layer cannot be joined: %s", error)
                await asyncio.sleep(1)
                self.topics_changed.set()

    async def _join_wanted(self, wanted: set[str]) -> None:
        for name in wanted - self.joined.keys():
            async with asyncio.timeout(JOIN_WITHIN):
                await self._layer.group_add(name, self._channel)
            self.joined[name] = time.monotonic()
        for name in self.joined.keys() - wanted:
            async with asyncio.timeout(JOIN_WITHIN):
                await self._layer.group_discard(name, self._channel)
            del self.joined[name]
