"""Presence: who is connected, on which page, last seen. One batch per process, never a write per socket."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, close_old_connections, models, transaction
from django.utils import timezone

from realtime import journal, principals
from realtime.models import LastSeen, Presence, ServerProcess
from realtime.topics import Principal

if TYPE_CHECKING:
    from realtime.hub import Hub

MOST_IN_A_BATCH = 100  # pages
SOCKET, POLL, SWITCHED = "socket", "poll", "switched"  # how a page hears; the last asks because a switch says so
SLOW_MS = (300, 1000)  # a heartbeat there and back
MOST_POLLING = 20  # polling pages of one person that are noted
REFRESH_SHARE = 0.4  # of OFFLINE_AFTER: how old a written `seen_at` may grow before it is written again


Changes = list[tuple[models.Model | None, models.Model | None]]  # (before, after) of rows, as the journal takes them


class Page(NamedTuple):
    """An open page as its process knows it; times in seconds since 1970."""

    id: str
    principal: Principal
    page: str
    transport: str
    away: bool
    since: float
    seen_at: float
    round_trip: int | None = None  # milliseconds


class Polling(NamedTuple):
    """A page without a socket: when it was first and last heard of, and whether a switch keeps it from having one."""

    since: float
    seen_at: float
    has_to: bool

    @property
    def transport(self) -> str:
        """How its row says it."""
        return SWITCHED if self.has_to else POLL


# The page seen longest ago first.
_polling: dict[Principal, dict[str, Polling]] = {}
_polling_lock = threading.Lock()


def polled(principal: Principal, page: str, has_to: bool = False) -> None:
    """Note that a page without a socket has asked; `has_to` says that a switch keeps it from having one."""
    now = time.time()
    with _polling_lock:
        mine = _polling.setdefault(principal, {})
        before = mine.pop(page, None)
        mine[page] = Polling(before.since if before else now, now, has_to)
        if len(mine) > MOST_POLLING:
            del mine[next(iter(mine))]


def _polling_pages() -> list[Page]:
    gone_before = time.time() - settings.LIVE["OFFLINE_AFTER"]
    with _polling_lock:
        for who, pages in list(_polling.items()):
            here = {page: each for page, each in pages.items() if each.seen_at >= gone_before}
            _polling[who] = here
            if not here:
                del _polling[who]
        return [
            Page(f"poll-{_digest(f'{who}{page}')}", who, page, each.transport, False, each.since, each.seen_at)
            for who, pages in _polling.items()
            for page, each in pages.items()
        ]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Book:
    """What one process has written of its open pages, so that a batch writes only what is new."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._written: dict[str, Page] = {}

    def pages_now(self) -> list[Page]:
        """The open pages; call it on the hub's loop."""
        sockets = [
            Page(f"socket-{s.number}", s.principal, s.page, SOCKET, s.away, s.opened_at, s.heard_at, s.round_trip)
            for s in self._hub.sockets
            if s.ready and s.principal is not None
        ]
        return sockets + _polling_pages()

    def write(self, pages: list[Page]) -> bool:
        """Write the batch, in a thread: the process's row with its counters, pages new or changed, pages gone.

        Returns whether more is left to write than one batch takes: a thousand rows at once would hold up
        deliveries for a tenth of a second.
        """
        close_old_connections()
        try:
            return self.put(pages)
        finally:
            close_old_connections()

    def put(self, pages: list[Page]) -> bool:
        """The same where somebody else keeps the thread's connection."""
        with transaction.atomic():
            self._write_process()
            return self._write_pages({page.id: page for page in pages})

    def close(self) -> None:
        """The process is going, and its pages with it: take them out, in a thread."""
        with transaction.atomic():
            left = [self._row(page) for page in self._written.values()]
            gone = self._leave(list(self._written.values()))
            Presence._base_manager.filter(process_id=self._hub.id)._raw_delete(DEFAULT_DB_ALIAS)
            ServerProcess.objects.filter(pk=self._hub.id).delete()
            journal.write_touches([*gone, *((row, None) for row in left)])

    def _write_process(self) -> None:
        ServerProcess.objects.update_or_create(
            id=self._hub.id,
            defaults={
                "name": self._hub.name,
                "started_at": _moment(self._hub.started_at),
                "seen_at": timezone.now(),
                "counters": self._hub.vitals.report(),
            },
        )

    def _write_pages(self, pages: dict[str, Page]) -> bool:
        news = [page for page in pages.values() if self._is_news(page)]
        fresh = news[:MOST_IN_A_BATCH]
        lost = [self._written[key] for key in self._written.keys() - pages.keys()]
        came = [page for page in fresh if self._entered(page)]
        gone: Changes = []
        if fresh:
            models.QuerySet.bulk_create(
                Presence._base_manager.all(),
                [self._row(page) for page in fresh],
                update_conflicts=True,
                unique_fields=["process", "page_id"],
                update_fields=["page", "away", "seen_at", "transport", "round_trip_ms"],
            )
        if lost:
            ids = [page.id for page in lost]
            Presence._base_manager.filter(process_id=self._hub.id, page_id__in=ids)._raw_delete(DEFAULT_DB_ALIAS)
            gone = self._leave(lost)
        # Only coming, going and falling away are news to other pages; being seen again is not.
        gone += [(self._row(page), None) for page in lost]
        journal.write_touches([(None, self._row(page)) for page in came] + gone)
        renewed = {page.id: page for page in fresh}
        self._written = {key: page for key, page in (self._written | renewed).items() if key in pages}
        return len(news) > len(fresh)

    def _leave(self, lost: list[Page]) -> Changes:
        """Keep when people were last seen, whose rows are going; returns what to tell the journal."""
        last = {page.principal: page.seen_at for page in sorted(lost, key=lambda page: page.seen_at)}
        return seen([LastSeen(kind=who.kind, principal=_name(who), seen_at=_moment(at)) for who, at in last.items()])

    def _entered(self, page: Page) -> bool:
        before = self._written.get(page.id)
        return before is None or _what_shows(before) != _what_shows(page)

    def _is_news(self, page: Page) -> bool:
        before = self._written.get(page.id)
        stale = settings.LIVE["OFFLINE_AFTER"] * REFRESH_SHARE
        return before is None or self._entered(page) or page.seen_at - before.seen_at > stale

    def _row(self, page: Page) -> Presence:
        principal = page.principal
        return Presence(
            process_id=self._hub.id,
            page_id=page.id,
            kind=principal.kind,
            principal=_name(principal),
            page=page.page[:200],
            transport=page.transport,
            away=page.away,
            since=_moment(page.since),
            seen_at=_moment(page.seen_at),
            round_trip_ms=page.round_trip,
        )


def _what_shows(page: Page) -> tuple[str, bool, str, int]:
    return page.page, page.away, page.transport, slowness(page.round_trip)


def slowness(round_trip: int | None) -> int:
    """How slow a page's connection is: 0 quick (or not known yet), 1 slow, 2 very slow."""
    return sum((round_trip or 0) >= bound for bound in SLOW_MS)


def _name(principal: Principal) -> str:
    """How rows name somebody: a share link is a secret, and only its digest is kept."""
    return principal.id if principal.kind == "user" else _digest(principal.id)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def signed_in(session_keys: list[str]) -> set[str]:
    """Those of `session_keys` whose sessions still stand; in a thread of the hub."""
    close_old_connections()
    try:
        return set(principals.of_sessions(session_keys))
    finally:
        close_old_connections()


def forget_processes(seen_before: datetime) -> int:
    """Delete processes that have not reported since, with the presence they left behind; returns how many."""
    with transaction.atomic():
        silent = ServerProcess.objects.select_for_update(**journal.unless_locked()).filter(seen_at__lt=seen_before)
        dead = list(silent.values_list("pk", flat=True))
        left = list(Presence.objects.filter(process__in=dead).order_by("seen_at"))
        last = {(row.kind, row.principal): row.seen_at for row in left}
        gone = seen([LastSeen(kind=kind, principal=name, seen_at=at) for (kind, name), at in last.items()])
        Presence._base_manager.filter(process__in=dead)._raw_delete(DEFAULT_DB_ALIAS)
        ServerProcess.objects.filter(pk__in=dead).delete()
        journal.write_touches([*gone, *((row, None) for row in left)])
    return len(dead)


# --- Asking who is here ---------------------------------------------------------------------------


class Seen(NamedTuple):
    """Whether somebody is here: online, away (every page hidden or idle) or offline, and since when not."""

    state: str
    last_seen: datetime | None


ONLINE, AWAY, OFFLINE = "online", "away", "offline"
BETWEEN_PAGES = 2.0  # times PRESENCE_EVERY: who goes from one page to the next is not offline in between


def seen(rows: Sequence[LastSeen]) -> Changes:
    """Write when people were last seen, in one statement; returns what to tell the journal, all of a batch at once.

    Whoever goes from one process's page to another's is in the batches of both: they lock rows in one order, or
    each waits for the other.
    """
    if not rows:
        return []
    models.QuerySet.bulk_create(
        LastSeen._base_manager.all(),
        sorted(rows, key=lambda row: (row.kind, row.principal)),
        update_conflicts=True,
        unique_fields=["kind", "principal"],
        update_fields=["seen_at"],
    )
    return [(None, row) for row in rows]


def _here(names: Iterable[str], now: datetime) -> models.QuerySet[Presence]:
    """The pages that these users have open."""
    recent = now - timedelta(seconds=settings.LIVE["OFFLINE_AFTER"])
    return Presence.objects.filter(kind="user", principal__in=names, seen_at__gte=recent)


def online(user_ids: Iterable[int], now: datetime | None = None) -> dict[int, Seen]:
    """Whether each of `user_ids` is here. One query for any number of them."""
    now = now or timezone.now()
    names = [str(pk) for pk in user_ids]
    here = _here(names, now).values_list("principal", "away", "seen_at")
    gone = LastSeen.objects.filter(kind="user", principal__in=names)
    left = gone.values_list("principal", models.Value(None, models.BooleanField(null=True)), "seen_at")
    away: dict[str, bool] = {}
    seen_at: dict[str, datetime] = {}
    for name, is_away, moment in here.union(left, all=True) if names else ():
        if is_away is None:
            seen_at[name] = moment
        else:
            away[name] = away.get(name, True) and is_away
    return {int(name): _seen(away.get(name), seen_at.get(name), now) for name in names}


def _seen(away: bool | None, left: datetime | None, now: datetime) -> Seen:
    if away is not None:
        return Seen(AWAY if away else ONLINE, None)
    if left is not None and now - left < _between_pages():
        return Seen(ONLINE, None)
    return Seen(OFFLINE, left)


def _between_pages() -> timedelta:
    return timedelta(seconds=settings.LIVE["PRESENCE_EVERY"] * BETWEEN_PAGES)


def gone_quiet(since: datetime, until: datetime) -> set[int]:
    """The users who became offline by time alone between two instants: no page of theirs opened again."""
    grace = _between_pages()
    rows = LastSeen.objects.filter(kind="user", seen_at__gt=since - grace, seen_at__lte=until - grace)
    return {int(name) for name in rows.values_list("principal", flat=True)}


def looking_at(user_ids: Iterable[int], path: str) -> set[int]:
    """Those of `user_ids` who have the page at `path` open and are not away. One query."""
    pages = _here([str(pk) for pk in user_ids], timezone.now()).filter(away=False)
    found = pages.filter(models.Q(page=path) | models.Q(page__startswith=f"{path}?"))
    return {int(name) for name in found.values_list("principal", flat=True)}
