"""Where the fixes of a process gather for a moment, to be taken in together: one transaction for everybody.

What waits here is in memory only. A device keeps what was not acknowledged, so a process that dies loses nothing.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from django.db import close_old_connections, connection
from django.utils import timezone

from tracking.actions.fixes import Batch, Outcome, take_fixes
from tracking.rules.numbers import number

log = logging.getLogger(__name__)

MOST_WAITING = 5000  # batches; beyond, nothing more is taken until the database is back
AFTER_FAILURE = 2.0  # seconds at most before the next try
MOST_REMEMBERED = 10_000  # people of whom it is known how much they sent lately


class TooManyError(Exception):
    """More waits than is taken in; the device keeps its fixes and sends them again."""


@dataclass(slots=True)
class Waiting:
    """A batch and, where somebody waits for its end, the place to tell it."""

    user_id: int
    batch: Batch
    answer: Future[Outcome] | None = None


class Intake:
    """Gathers batches and takes them in every FLUSH_EVERY_MS, in a thread of its own."""

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self._lock = threading.Lock()
        self._going = False
        self._pool = ThreadPoolExecutor(1, "fixes")

    def put(self, user_id: int, batch: Batch) -> None:
        """Have a batch taken in soon; what is too much is dropped, and sent again by the device."""
        if takes_now():
            take_fixes({user_id: batch})
            return
        self._add(Waiting(user_id, batch))

    def ask(self, user_id: int, batch: Batch, *, within: float) -> Outcome | None:
        """Have a batch taken in and wait for what became of it; None when that takes longer than `within` seconds.

        Raises `TooManyError`.
        """
        if takes_now():
            return take_fixes({user_id: batch}).get(user_id)
        answer: Future[Outcome] = Future()
        if not self._add(Waiting(user_id, batch, answer)):
            raise TooManyError
        try:
            return answer.result(within)
        except TimeoutError:
            return None

    def _add(self, waiting: Waiting) -> bool:
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                return False
            self._waiting.append(waiting)
            start, self._going = not self._going, True
        if start:
            self._pool.submit(self._run)
        return True

    def _run(self) -> None:
        pause = number("FLUSH_EVERY_MS") / 1000
        while True:
            time.sleep(pause)
            gathered = self._gather()
            try:
                left = flush(gathered)
                pause = number("FLUSH_EVERY_MS") / 1000
            except Exception as error:  # the database is away, or somebody holds a row for long: all of it again
                log.warning("Fixes of %s people could not be taken in; trying again: %s", len(gathered), error)
                left = gathered
                pause = min(max(pause * 2, 0.1), AFTER_FAILURE)
            with self._lock:
                self._waiting.extendleft(reversed(left))
                if not self._waiting:
                    self._going = False
                    return

    def _gather(self) -> list[Waiting]:
        """What is taken in together: of each person all that waits, but what somebody waits for goes alone."""
        found: dict[int, Waiting] = {}
        later: deque[Waiting] = deque()
        held: set[int] = set()
        with self._lock:
            for each in self._waiting:
                first = found.get(each.user_id)
                if first is None and each.user_id not in held:
                    found[each.user_id] = each
                elif first is not None and each.user_id not in held and first.answer is None and each.answer is None:
                    first.batch.add(each.batch)
                else:  # and all that came after it from the same person: in order
                    held.add(each.user_id)
                    later.append(each)
            self._waiting = later
        return list(found.values())


def takes_now() -> bool:
    """Whether the caller's thread takes in by itself: within a transaction another could not see what it wrote."""
    return connection.in_atomic_block or number("FLUSH_EVERY_MS") == 0


def flush(gathered: Iterable[Waiting]) -> list[Waiting]:
    """Take in, answer those who wait, and return those who could not be taken in at this instant."""
    waiting = {each.user_id: each for each in gathered}
    close_old_connections()
    try:
        outcomes = take_fixes({pk: each.batch for pk, each in waiting.items()}, now=timezone.now())
    finally:
        close_old_connections()
    for pk, outcome in outcomes.items():
        answer = waiting[pk].answer
        if answer is not None:
            answer.set_result(outcome)
    return [each for pk, each in waiting.items() if pk not in outcomes]


intake = Intake()


# --- How much one device may send -----------------------------------------------------------------

_sent: dict[int, tuple[float, float]] = {}  # by person: fixes that may still come at once, and when that was counted
_sent_lock = threading.Lock()


def must_wait(user_id: int, count: int) -> int:
    """Seconds until somebody may send `count` fixes (0: now, and they are counted); see CATCH_UP."""
    rate, most = number("CATCH_UP"), 2 * number("BATCH_MOST")
    now = time.monotonic()
    with _sent_lock:
        left, counted = _sent.pop(user_id, (float(most), now))
        left = min(left + (now - counted) * rate, most)
        waits = 0 if left >= count else math.ceil((count - left) / rate)
        _sent[user_id] = (left if waits else left - count, now)
        if len(_sent) > MOST_REMEMBERED:
            del _sent[next(iter(_sent))]
        return waits
