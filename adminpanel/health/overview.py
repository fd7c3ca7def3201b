"""The live system's health as the desk reads it: its processes, the pages they hold, what came through and how late."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import BigIntegerField, Case, Count, OuterRef, Subquery, Value, When
from django.db.models.functions import Cast
from django.utils import timezone

from accounts.models import Role, User
from adminpanel.health.measures import (
    TO_BROWSER,
    TO_SOCKET,
    Lag,
    Limit,
    Measured,
    added,
    by_label,
    lag,
    limits,
    reported,
    total,
)
from realtime.models import Presence, ServerProcess
from realtime.presence import POLL, SOCKET, SWITCHED

SILENT_AFTER = 3.0  # times PRESENCE_EVERY without a report
AT_ONCE = 250.0  # milliseconds: below it nobody has to look at the database
DEAF_AFTER = 3.0  # seconds since a process last read the journal
BY_LINK = "link"
GROUPS = (*Role.values, BY_LINK)
NOW = ("bells", "hellos", "changes", "behind", "said")  # what waits in a process


@dataclass
class ProcessRow:
    """One process, with its pages by who has them open and by how they hear."""

    process: ServerProcess
    now: datetime
    pages: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    ways: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def is_silent(self) -> bool:
        """It has not reported when it should have."""
        return self.now - self.process.seen_at > timedelta(seconds=settings.LIVE["PRESENCE_EVERY"] * SILENT_AFTER)

    @property
    def by_group(self) -> list[int]:
        """Its pages by group, in the order of `GROUPS`."""
        return [self.pages[group] for group in GROUPS]

    @property
    def all_pages(self) -> int:
        """How many it holds."""
        return sum(self.ways.values())

    @property
    def asking(self) -> int:
        """How many of them poll, for whatever reason."""
        return self.ways[POLL] + self.ways[SWITCHED]

    @property
    def counts(self) -> Mapping[str, float]:
        """What grew lately."""
        return reported(self.process.counters)

    @property
    def waiting(self) -> dict[str, Any]:
        """What waits in it."""
        found: dict[str, Any] = self.process.counters.get("now", {})
        return found

    @property
    def queue(self) -> int:
        """All that waits together."""
        return sum(self.waiting.get(name) or 0 for name in NOW)

    @property
    def lag(self) -> Lag:
        """From commit to its pages."""
        return lag(self.counts, TO_BROWSER)

    @property
    def troubles(self) -> list[str]:
        """What is wrong with it, in words."""
        found = ["does not report"] if self.is_silent else []
        age = self.waiting.get("tail_age")
        if age is not None and age > DEAF_AFTER:
            found.append(f"read the journal {age:.0f} s ago")
        if self.waiting.get("layer") == "failing":
            found.append("does not reach Redis" if settings.REDIS_URL else "its channel layer fails")
        return found + [f"{task} failed" for task in self.waiting.get("failing") or ()]


@dataclass(frozen=True)
class Part:
    """Something the live system stands on, and how it is."""

    label: str
    icon: str
    is_well: bool
    words: str


@dataclass
class Health:
    """Everything on the page."""

    now: datetime
    web: list[ProcessRow]
    clocks: list[ProcessRow]
    answered_in: float  # milliseconds that the database took

    @cached_property
    def counts(self) -> Mapping[str, float]:
        """What grew lately in all processes that report."""
        return added(row.counts for row in self.web if not row.is_silent)

    @cached_property
    def measured(self) -> Measured:
        """What the limits are about."""
        ways: dict[str, int] = defaultdict(int)
        for row in self.web:
            for way, count in row.ways.items():
                ways[way] += count
        return Measured(
            connected=total(self.counts, "connected"),
            failed=total(self.counts, "connects_failed"),
            lag=self.to_browser,
            sockets=ways[SOCKET],
            polling=ways[POLL],
            switched=ways[SWITCHED],
        )

    @cached_property
    def limits(self) -> list[Limit]:
        """As they stand."""
        return limits(self.measured)

    @cached_property
    def to_browser(self) -> Lag:
        """From commit to page, as browsers say."""
        return lag(self.counts, TO_BROWSER)

    @cached_property
    def to_socket(self) -> Lag:
        """From commit to socket."""
        return lag(self.counts, TO_SOCKET)

    @property
    def groups(self) -> list[tuple[str, int]]:
        """All pages by who has them open."""
        words = {**dict(Role.choices), BY_LINK: "By link"}
        return [(words[group], sum(row.pages[group] for row in self.web)) for group in GROUPS]

    @property
    def tallies(self) -> list[tuple[str, int, str]]:
        """What happened lately: words, how often, and what it means."""
        names = (
            ("Frames sent", "frames", "changes and answers, to all pages together"),
            ("Pages that came back", "reconnected", "had a socket before and have one again"),
            ("Resumed", "resumes", "were told what they had missed"),
            ("Reset", "resets", "were away too long, and loaded their parts anew"),
            ("Found by the tail", "tail_finds", "changes that no bell announced; a blink late"),
            ("Slow sockets closed", "slow_closed", "their readers had stopped reading"),
            ("Bells lost", "bells_lost", "messages that did not reach Redis"),
            ("Fragments that failed", "render_errors", "pages kept what they showed; see the log"),
        )
        return [(label, total(self.counts, name), what) for label, name, what in names]

    @property
    def refused(self) -> dict[str, int]:
        """Handshakes refused lately, by why."""
        return by_label(self.counts, "sockets_refused")

    @property
    def parts(self) -> list[Part]:
        """What it stands on."""
        return [self._database, self._layer, self._clock]

    @property
    def _database(self) -> Part:
        kind = "PostgreSQL" if connection.vendor == "postgresql" else "SQLite"
        took = "at once" if self.answered_in < AT_ONCE else f"in {self.answered_in:.0f} ms"
        return Part("Database", "database", True, f"{kind} answers {took}")

    @property
    def _layer(self) -> Part:
        failing = sum(row.waiting.get("layer") == "failing" for row in self.web)
        if not settings.REDIS_URL:
            return Part("Between processes", "radio", True, "In memory: the database tells other processes")
        words = f"{failing} of {len(self.web)} processes do not reach it" if failing else "Redis, reached by all"
        return Part("Between processes", "radio", not failing, words)

    @property
    def _clock(self) -> Part:
        running = [row for row in self.clocks if not row.is_silent]
        if not running:
            return Part("Clock", "timer", False, "None runs: nothing expires, no mail of notices goes out")
        late = sorted({name for row in running for name in row.process.counters.get("late", ())})
        if late:
            return Part("Clock", "timer", False, f"Still busy with the tick before: {', '.join(late)}")
        return Part("Clock", "timer", True, "One runs" if len(running) == 1 else f"{len(running)} run")

    @property
    def troubles(self) -> list[str]:
        """What needs somebody, in words."""
        crossed = [f"{limit.label}: {limit.shown}, {limit.rule}" for limit in self.limits if limit.is_crossed]
        parts = [f"{part.label}: {part.words}" for part in self.parts if not part.is_well]
        return crossed + parts + [f"{row.process.name} {trouble}" for row in self.web for trouble in row.troubles]


def health(now: datetime | None = None) -> Health:
    """How the live system is; two queries."""
    now, began = now or timezone.now(), time.perf_counter()
    rows = [ProcessRow(process, now) for process in ServerProcess.objects.order_by("started_at", "name")]
    took = (time.perf_counter() - began) * 1000
    by_id = {row.process.pk: row for row in rows}
    for process, group, way, count in pages_open(now):
        if process in by_id:
            by_id[process].pages[group] += count
            by_id[process].ways[way] += count
    kinds = (ServerProcess.WEB, ServerProcess.CLOCK)
    web, clocks = ([row for row in rows if row.process.kind == kind] for kind in kinds)
    return Health(now, web, clocks, took)


def pages_open(now: datetime) -> Sequence[tuple[Any, str, str, int]]:
    """The pages open by process, who has them open and how they hear; one query."""
    recent = now - timedelta(seconds=settings.LIVE["OFFLINE_AFTER"])
    user_id = Case(When(kind="user", then=Cast("principal", BigIntegerField())))
    role = Subquery(User.objects.filter(pk=OuterRef("user_id")).values("role"))
    rows = Presence.objects.filter(seen_at__gte=recent).annotate(user_id=user_id)
    grouped = rows.annotate(group=Case(When(kind="user", then=role), default=Value(BY_LINK)))
    counted = grouped.values_list("process_id", "group", "transport").annotate(count=Count("pk")).order_by()
    return [(process, group or BY_LINK, way, count) for process, group, way, count in counted]


def load_health(keys: Sequence[str]) -> Mapping[str, Health]:
    """The one there is, under its key."""
    return {"all": health()} if "all" in keys else {}
