"""Pacing: on a topic that changes often, at most one frame in a while (`Topic(pace=)`).

What comes too soon after a frame is held back here, not dropped: it goes into the next one. Until then no cursor that
pages are given passes it, so a page that returns meanwhile, or hears of it late, misses nothing.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from realtime import topics
from realtime.journal import Cursor, Touch

GRID = 0.05  # seconds: topics that are due at about the same time are delivered together


class Held(NamedTuple):
    """A change held back: its commit (milliseconds since 1970), and a cursor from before it was heard of."""

    at: float
    before: Cursor | None


class Pacer:
    """Which topics have had their frame, and what waits for the next. All methods run on the hub's loop.

    `cursor()` gives the tail's cursor, `release(touches)` takes what waited back to be delivered.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        cursor: Callable[[], Cursor | None],
        release: Callable[[dict[Touch, float]], None],
    ) -> None:
        self._loop, self._cursor, self._release = loop, cursor, release
        self._resting: set[str] = set()
        # In the order in which they were heard of, so the first knows the oldest cursor.
        self._held: dict[Touch, Held] = {}
        self._due: defaultdict[int, set[str]] = defaultdict(set)

    def holds(self, touch: Touch, at: float) -> bool:
        """Whether a change has to wait for its topic; it is kept here then."""
        if touch.topic not in self._resting:
            return False
        if touch not in self._held:
            self._held[touch] = Held(at, self._cursor())
        return True

    def floor(self, cursor: Cursor | None) -> Cursor | None:
        """How far a page is that was given everything up to `cursor` but what is held back."""
        return next(iter(self._held.values())).before if self._held else cursor

    def begin(self, names: Iterable[str]) -> None:
        """Changes of these topics are about to be delivered: what comes from now on goes into the next frame."""
        self._resting.update(name for name in names if pace_of(name))

    def done(self, names: Iterable[str]) -> None:
        """They were delivered: each paced topic rests for its pace."""
        for name in names:
            if name in self._resting:
                due = math.ceil((self._loop.time() + pace_of(name)) / GRID)
                if due not in self._due:
                    self._loop.call_at(due * GRID, self._ring, due)
                self._due[due].add(name)

    def undone(self, names: Iterable[str]) -> None:
        """They could not be delivered, and will be tried again."""
        self._wake(set(names))

    def _ring(self, due: int) -> None:
        self._wake(self._due.pop(due))

    def _wake(self, names: set[str]) -> None:
        self._resting -= names
        ready = [touch for touch in self._held if touch.topic in names]
        self._release({touch: self._held.pop(touch).at for touch in ready})


def pace_of(name: str) -> float:
    """Seconds between two frames on a topic, 0 for one that is not paced."""
    found = topics.resolve(name)
    return found[0].pace if found else 0.0
