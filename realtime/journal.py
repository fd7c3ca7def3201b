"""The journal: every change of a live model, written in the transaction that makes it.

Reading it from a cursor gives exactly the rows whose transactions were not yet visible when that cursor
was taken. Ids are handed out before commit, so on PostgreSQL "id > last seen" would skip a transaction
that commits late; there the cursor is the text of `pg_current_snapshot()`. SQLite has one writer at a
time, and the newest id ever given (`sqlite_sequence`, which survives pruning) is enough.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, models, transaction
from django.utils import timezone

from realtime import bell, fragments

# The fragment name of an order to end sockets; see `realtime.orders`.
ORDER = "realtime.end"
ORDERS_TOPIC = "realtime.orders"
ROWS_A_STATEMENT = 150
_begins_anew: ContextVar[bool] = ContextVar("begins_anew", default=False)


class Touch(NamedTuple):
    """Look again at `fragment` of `key` on `topic`."""

    topic: str
    fragment: str
    key: str


class Change(NamedTuple):
    """A journal row as a reader gets it; `at` is in milliseconds since 1970."""

    id: int
    touch: Touch
    at: float
    txid: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a reader has come. `xmin`, `xmax`, `running`: a snapshot; on SQLite xmin is the next row id."""

    epoch: str
    xmin: int
    xmax: int
    running: frozenset[int] = frozenset()

    def __str__(self) -> str:
        if self.xmin == self.xmax and not self.running:
            return f"{self.epoch}.{self.xmin}"
        return f"{self.epoch}.{self.xmin}:{self.xmax}:{','.join(map(str, sorted(self.running)))}"

    @property
    def snapshot(self) -> str:
        """The text PostgreSQL reads as a pg_snapshot."""
        return f"{self.xmin}:{self.xmax}:{','.join(map(str, sorted(self.running)))}"

    @property
    def version(self) -> str:
        """What orders two renderings: the later snapshot, then the one with fewer transactions running.

        On PostgreSQL xmax * 4096 + 4095 - number in progress; on SQLite the newest row id.
        """
        return str(self.xmax * 4096 + 4095 - min(len(self.running), 4095))

    def has_seen(self, change: Change) -> bool:
        """Whether the change was visible when the cursor was taken (pg_visible_in_snapshot)."""
        return change.txid < self.xmin or (change.txid < self.xmax and change.txid not in self.running)


class BadCursorError(ValueError):
    """The text is no cursor of ours."""


_CURSOR = re.compile(r"([a-z0-9]{4,16})\.(\d{1,19})(?::(\d{1,19}):((?:\d{1,19}(?:,\d{1,19})*)?))?", re.ASCII)


def parse_cursor(text: str) -> Cursor:
    """Read a cursor that a page sent back. Raises `BadCursorError` for anything else."""
    match = _CURSOR.fullmatch(text) if len(text) <= 40_000 else None
    if match is None:
        raise BadCursorError(text[:80])
    low, high = int(match[2]), int(match[3] or match[2])
    running = frozenset(int(part) for part in match[4].split(",")) if match[4] else frozenset()
    # PostgreSQL refuses a snapshot whose xmin or xmax is a whole multiple of 2**32: no transaction has such an id.
    if not (low % 2**32 and high % 2**32):
        raise BadCursorError(text[:80])
    if not 1 <= low <= high < 2**63 or any(not low <= each < high for each in running):
        raise BadCursorError(text[:80])
    return Cursor(match[1], low, high, running)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a look at the journal gave. `reset`: the cursor is of another epoch or older than what is kept."""

    cursor: Cursor
    changes: list[Change]
    reset: bool = False


# --- Writing --------------------------------------------------------------------------------------


def write(touches: Sequence[Touch], *, latest: bool = False) -> None:
    """Journal `touches` in the running transaction (or one of their own) and ring the bell when it commits.

    Rows are never de-duplicated here: a savepoint that rolls back would swallow the only one.
    """
    if not touches:
        return
    with transaction.atomic(savepoint=False):
        now = timezone.now()
        ids: list[int] = []
        for start in range(0, len(touches), ROWS_A_STATEMENT):
            ids += _insert(touches[start : start + ROWS_A_STATEMENT], latest, now)
        bell.ring_after_commit(list(zip(ids, touches, strict=True)))


def _insert(touches: Sequence[Touch], latest: bool, now: datetime) -> list[int]:
    values = ", ".join(["(%s, %s, %s, %s, %s)"] * len(touches))
    params = [value for touch in touches for value in (*touch, latest, _adapted(now))]
    with connection.cursor() as cursor:
        if latest:
            _make_room(cursor, touches)
        # The columns and their number are ours; every value is a parameter.
        cursor.execute(
            f"INSERT INTO realtime_journal (topic, fragment, key, latest, at) VALUES {values}{_on_conflict(latest)} RETURNING id",  # noqa: S608, E501
            params,
        )
        return [row[0] for row in cursor.fetchall()]


def _adapted(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)


def _on_conflict(latest: bool) -> str:
    if not latest or connection.vendor != "postgresql":
        return ""
    return (
        " ON CONFLICT (topic, fragment, key) WHERE latest"
        " DO UPDATE SET id = EXCLUDED.id, txid = pg_current_xact_id(), at = EXCLUDED.at"
    )


def _make_room(cursor: Any, touches: Sequence[Touch]) -> None:
    # SQLite's sequence moves on an insert only, and it is the cursor: the old row goes, a new one comes.
    if connection.vendor != "postgresql":
        cursor.executemany(
            "DELETE FROM realtime_journal WHERE latest AND topic = %s AND fragment = %s AND key = %s", touches
        )


def write_touches(changes: Iterable[tuple[models.Model | None, models.Model | None]]) -> None:
    """Journal what (before, after) pairs of live rows touch; None stands for a row made or deleted."""
    if _begins_anew.get():
        return
    plain: dict[Touch, None] = {}
    latest: dict[Touch, None] = {}
    pairs = list(changes)
    fragments.make_ready(row for pair in pairs for row in pair if row is not None)
    for before, after in pairs:
        model = type(after if after is not None else before)
        for watching in fragments.watchings(model):  # type: ignore[arg-type]
            fragment = watching.fragment
            into = latest if fragment.latest else plain
            for topic, key in watching.touched(before, after):
                into[Touch(topic, fragment.name, key)] = None
    write(list(plain))
    write(sorted(latest), latest=True)  # in one order, so that two writers of the same rows cannot deadlock


@contextmanager
def anew() -> Iterator[None]:
    """For a transaction that makes nearly everything there is: what it writes is not journaled row by row, but with it
    a new epoch begins, so that each open page looks at all it shows again.
    """
    from realtime.models import JournalState

    with transaction.atomic():
        token = _begins_anew.set(True)
        try:
            yield
        finally:
            _begins_anew.reset(token)
        JournalState.objects.update_or_create(pk=1, defaults={"epoch": secrets.token_hex(4)})


# --- Reading --------------------------------------------------------------------------------------

# The table's oid is part of the epoch: a database restored from a dump is another one.
_READ_POSTGRESQL = """
SELECT s.epoch || to_hex('realtime_journal'::regclass::oid::int), s.horizon, pg_current_snapshot()::text,
       j.id, j.topic, j.fragment, j.key, extract(epoch FROM j.at) * 1000, j.txid::text
FROM realtime_journalstate s LEFT JOIN realtime_journal j
  ON %s AND j.txid >= pg_snapshot_xmin(%s::pg_snapshot) AND NOT pg_visible_in_snapshot(j.txid, %s::pg_snapshot)
  {topics}
ORDER BY j.id
"""
_READ_SQLITE = """
SELECT s.epoch, s.horizon, (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'realtime_journal'),
       j.id, j.topic, j.fragment, j.key, (julianday(j.at) - 2440587.5) * 86400000, j.id
FROM realtime_journalstate s LEFT JOIN realtime_journal j
  ON %s AND j.id >= %s {topics}
ORDER BY j.id
"""


def now() -> Cursor:
    """The cursor of this moment, with no rows: what a page takes before it loads anything."""
    return read(None).cursor


def since(cursor: Cursor, topics: Sequence[str] | None = None) -> Reading:
    """What was committed after `cursor`, on `topics` (None: on all), and the cursor to go on from. One query."""
    return read(cursor, topics)


def read(cursor: Cursor | None, topics: Sequence[str] | None = None) -> Reading:
    """One look at the journal; without a cursor only the cursor of this moment."""
    postgresql = connection.vendor == "postgresql"
    params: list[Any] = [cursor is not None]
    if postgresql:
        params += [cursor.snapshot if cursor else "1:1:"] * 2
    else:
        params += [cursor.xmin if cursor else 0]
    clause = ""
    if topics is not None and postgresql:
        clause, params = "AND j.topic = ANY(%s)", [*params, list(topics)]
    elif topics is not None:  # one parameter for any number of them: SQLite limits how many a statement may have
        clause, params = "AND j.topic IN (SELECT value FROM json_each(%s))", [*params, json.dumps(list(topics))]
    with connection.cursor() as db:
        db.execute((_READ_POSTGRESQL if postgresql else _READ_SQLITE).format(topics=clause), params)
        rows = db.fetchall()
    if not rows:  # a table emptied by hand: begin anew, with a new epoch, so that every page looks again
        make_state()
        return read(cursor, topics)
    return _reading(rows, cursor)


def _reading(rows: list[tuple[Any, ...]], asked: Cursor | None) -> Reading:
    epoch, horizon, snapshot = rows[0][:3]
    if isinstance(snapshot, int):
        here = Cursor(epoch, snapshot + 1, snapshot + 1)
    else:
        low, high, running = snapshot.split(":")
        here = Cursor(epoch, int(low), int(high), frozenset(int(x) for x in running.split(",") if x))
    if asked is not None and (asked.epoch != epoch or asked.xmin <= horizon or asked.xmin > here.xmax):
        return Reading(here, [], reset=True)
    changes = [Change(r[3], Touch(r[4], r[5], r[6]), float(r[7]), int(r[8])) for r in rows if r[3] is not None]
    return Reading(here, changes)


@contextmanager
def snapshot() -> Iterator[None]:
    """Everything read inside is of one instant, and nothing can be written."""
    if connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SAVEPOINT live")
            yield
        return
    with connection.cursor() as cursor:
        # Django's own `atomic` would take the write lock (immediate transactions).
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def mend() -> None:
    """Inside `snapshot()`, after something in it failed: let the rest go on, where PostgreSQL would refuse it.

    Raises what the database raises when it is gone: then nothing was read, and the whole is to be done again.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK TO SAVEPOINT live")
        connection.needs_rollback = False


def newest_id_sqlite() -> int:
    """The newest row id ever given: the tail's cheapest look on SQLite."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = 'realtime_journal'")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


# --- Keeping --------------------------------------------------------------------------------------


def make_state(**_: Any) -> None:
    """Make the journal's one state row with a fresh epoch, where it is missing."""
    from realtime.models import JournalState

    JournalState.objects.get_or_create(pk=1, defaults={"epoch": secrets.token_hex(4)})


# Only what is older than every running transaction: new cursors begin there, and a horizon above it would reset
# each page again and again while a writer stays open.
_PRUNE_POSTGRESQL = """
DELETE FROM realtime_journal WHERE id IN (
  SELECT id FROM realtime_journal
  WHERE at < %s AND txid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY at LIMIT 20000
) RETURNING txid::text
"""
_PRUNE_SQLITE = """
DELETE FROM realtime_journal WHERE id IN (
  SELECT id FROM realtime_journal WHERE at < %s ORDER BY at LIMIT 20000
) RETURNING id
"""


def unless_locked() -> dict[str, Any]:
    """The option of select_for_update that leaves what another process is about to do to that process."""
    return {"skip_locked": True} if connection.features.has_select_for_update_skip_locked else {}


def prune(before: datetime) -> int:
    """Delete the rows written before `before` and move the horizon past them; returns how many went.

    Two processes pruning at once: the second finds the state row locked and leaves.
    """
    from realtime.models import JournalRow, JournalState

    with transaction.atomic():
        state = JournalState.objects.select_for_update(**unless_locked()).filter(pk=1).first()
        if state is None or not JournalRow.objects.filter(at__lt=before).exists():
            return 0
        with connection.cursor() as cursor:
            delete = _PRUNE_POSTGRESQL if connection.vendor == "postgresql" else _PRUNE_SQLITE
            cursor.execute(delete, [_adapted(before)])
            gone = [int(row[0]) for row in cursor.fetchall()]
        if gone:
            state.horizon = max(state.horizon, *gone)
            state.save(update_fields=["horizon"])
        return len(gone)


def milliseconds() -> float:
    """The server's clock in milliseconds since 1970."""
    return time.time() * 1000
