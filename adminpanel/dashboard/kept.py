"""What a process counted less than a second ago and nothing has touched since: however many look, one counts."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.utils import timezone

from realtime import journal
from realtime.journal import Cursor

T = TypeVar("T")
FOR = timedelta(seconds=1)

_kept: dict[str, Kept[Any]] = {}
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


@dataclass(frozen=True)
class Kept(Generic[T]):
    """What was counted at an instant, and a cursor from before it was."""

    value: T
    at: datetime
    cursor: Cursor


def kept(name: str, topics: Sequence[str], count: Callable[[datetime], T]) -> T:
    """What `count(now)` gave less than a second ago, else what it gives now.

    A page that was painted with less than its cursor says would stay wrong: what was counted serves only while the
    journal has nothing newer on `topics`, which all that it depends on touches. Meanwhile others wait for one count.
    """
    with _locks[name]:
        now, found = timezone.now(), _kept.get(name)
        # The cursor is from before the count: what commits in between is newer than it.
        cursor, is_true = look(found, topics)
        if found is not None and is_true and abs(now - found.at) < FOR:
            value: T = found.value
            return value
        return anew(name, now, cursor, count).value


def kept_lately(name: str, count: Callable[[datetime], T]) -> Kept[T]:
    """The same for who goes on from its cursor: counted less than a second ago, whatever was written since.

    However many look and write, there is one count a second: what is newer comes by the cursor.
    """
    with _locks[name]:
        now, found = timezone.now(), _kept.get(name)
        if found is not None and abs(now - found.at) < FOR:
            return found
        return anew(name, now, journal.now(), count)


def anew(name: str, now: datetime, cursor: Cursor, count: Callable[[datetime], T]) -> Kept[T]:
    """Count, and keep it."""
    fresh = _kept[name] = Kept(count(now), now, cursor)
    return fresh


def look(found: Kept[Any] | None, topics: Sequence[str]) -> tuple[Cursor, bool]:
    """The cursor of this moment, and whether nothing has been committed on `topics` since `found` was counted."""
    if found is None:
        return journal.now(), False
    reading = journal.since(found.cursor, topics)
    return reading.cursor, not (reading.changes or reading.reset)


def forget() -> None:
    """Count everything again at the next look: for tests, whose rows vanish without a trace in the journal."""
    _kept.clear()
