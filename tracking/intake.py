"""Where the fixes of a process gather for a moment, to be taken in together: one transaction for everybody.

What waits here is in memory only. A device keeps what was not acknowledged, so a process that dies loses nothing.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import timezone

from tracking.actions.fixes import Batch, Outcome, take_fixes
from tracking.rules.numbers import number

log = logging.getLogger(__name__)

MOST_WAITING = 50_000  # fixes; beyond, nothing more is taken until the database is back
MOST_OF_ONE = 1000  # of them from one person
AFTER_FAILURE = 2.0  # seconds at most before the next try
MOST_REMEMBERED = 10_000  # people of whom it is known how much they sent lately


class TooManyError(Exception):
    """More waits than is taken in; the device keeps its fixes and sends them again."""


@dataclass(slots=True, eq=False)
class Waiting:
    """A batch and, where somebody waits for its end, the place to tell it (None: it could not be taken in)."""

    user_id: int
    batch: Batch
    answer: Future[Outcome | None] | None = None


class Intake:
    """Gathers batches and takes them in every FLUSH_EVERY_MS, in a thread of its own."""

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self._held: Counter[int] = Counter()  # fixes of each person that are not dealt with yet
        self._asking: set[int] = set()
        self._lock = threading.Lock()
        self._going = False

    def put(self, user_id: int, batch: Batch) -> None:
        """Have a batch taken in soon; what is too much is dropped, and sent again by the device."""
        if takes_now():
            take_fixes({user_id: batch})
            return
        with contextlib.suppress(TooManyError):
            self._add(Waiting(user_id, batch))

    def ask(self, user_id: int, batch: Batch, *, within: float) -> Outcome | None:
        """Have a batch taken in and wait for what became of it; None when that takes longer than `within` seconds.

        Raises `TooManyError`, also when the same person waits for another: each who waits holds a thread.
        """
        if takes_now():
            return take_fixes({user_id: batch}).get(user_id)
        answer: Future[Outcome | None] = Future()
        waiting = Waiting(user_id, batch, answer)
        self._add(waiting)
        # Back to the pool: those who wait would hold all of it, and the flush needs one.
        connection.close()
        try:
            return answer.result(within)
        except TimeoutError:
            waiting.answer = None  # it may be taken in together with what comes next
            return None
        finally:
            with self._lock:
                self._asking.discard(user_id)

    def _add(self, waiting: Waiting) -> None:
        pk, count = waiting.user_id, len(waiting.batch.sent)
        with self._lock:
            if self._held[pk] + count > MOST_OF_ONE or self._held.total() + count > MOST_WAITING:
                raise TooManyError
            if waiting.answer is not None:
                if pk in self._asking:
                    raise TooManyError
                self._asking.add(pk)
            self._held[pk] += count
            self._waiting.append(waiting)
            start, self._going = not self._going, True
        if start:
            # A process that stops does not wait for a database that is away: devices send again.
            threading.Thread(target=self._run, name="fixes", daemon=True).start()

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
            if not self._goes_on(gathered, left):
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

    def _goes_on(self, gathered: Sequence[Waiting], left: Sequence[Waiting]) -> bool:
        """Put back what is left, forget what was dealt with; whether anything waits."""
        again = set(left)
        with self._lock:
            for each in gathered:
                if each not in again:
                    self._held[each.user_id] -= len(each.batch.sent)
            self._held = +self._held
            self._waiting.extendleft(reversed(left))
            self._going = bool(self._waiting)
            return self._going


def takes_now() -> bool:
    """Whether the caller's thread takes in by itself: within a transaction another could not see what it wrote."""
    return connection.in_atomic_block or number("FLUSH_EVERY_MS") == 0


def flush(gathered: Sequence[Waiting]) -> Sequence[Waiting]:
    """Take in, answer those who wait, and return those who could not be taken in at this instant.

    Raises `OperationalError` or `InterfaceError` where the database is away. Whatever else fails is somebody's own
    trouble: each is taken in alone then, and whose fails again is dropped.
    """
    close_old_connections()
    try:
        return taken_in(gathered)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("Fixes of %s people could not be taken in together.", len(gathered))
        return [left for each in gathered for left in alone(each)]
    finally:
        close_old_connections()


def alone(waiting: Waiting) -> Sequence[Waiting]:
    """Take in one person's."""
    try:
        return taken_in([waiting])
    except (OperationalError, InterfaceError):
        return [waiting]
    except Exception:
        log.exception("Fixes of person %s are dropped.", waiting.user_id)
        tell(waiting, None)
        return []


def taken_in(gathered: Sequence[Waiting]) -> Sequence[Waiting]:
    """Take in together, answer, and return those who are held by somebody else."""
    outcomes = take_fixes({each.user_id: each.batch for each in gathered}, now=timezone.now())
    for each in gathered:
        if each.user_id in outcomes:
            tell(each, outcomes[each.user_id])
    return [each for each in gathered if each.user_id not in outcomes]


def tell(waiting: Waiting, outcome: Outcome | None) -> None:
    """Answer whoever still waits."""
    answer = waiting.answer
    if answer is not None:
        answer.set_result(outcome)


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
