"""The audit: every transition and everything the desk did, as one list.

It is no table of its own: the histories and the desk's actions are read together, newest first, so nothing can be
missing from it that happened. A page of it costs one query, whatever the number of rows behind it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, Model, Q, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce
from django.urls import reverse

from accounts.models import AccountHistory, CredentialHistory, DeskAction, Role
from bookings.models import (
    BidHistory,
    BookingHistory,
    DisputeHistory,
    ProposalHistory,
    ReviewHistory,
    SessionHistory,
)
from bookings.states import ReviewStatus
from common.keyset import cursor_of, mark_of, older_than
from common.states import Look, look_of
from tracking.models import DispatchHistory, ShiftHistory


@dataclass(frozen=True)
class Source:
    """One table of the audit, and the paths to what its rows are about.

    `subject` is the object's id, `label` what it is called, `person` whom it concerns: users who may read what the
    desk did about them. Only rows that meet `shown` are in the audit.
    """

    kind: str
    word: str
    model: type[Model]
    subject: str
    label: str
    person: str
    shown: Q = field(default_factory=Q)


SOURCES = (
    Source("booking", "Job", BookingHistory, "subject_id", "subject__title", "subject__customer_id"),
    Source("bid", "Offer", BidHistory, "subject__booking_id", "subject__booking__title",
           "subject__technician__user_id"),
    Source("visit", "Visit", SessionHistory, "subject__booking_id", "subject__booking__title",
           "subject__technician__user_id"),
    Source("move", "Move of a visit", ProposalHistory, "subject__session__booking_id",
           "subject__session__booking__title", "subject__proposed_by_id"),
    Source("review", "Review", ReviewHistory, "subject_id", "subject__booking__title", "subject__author_id",
           shown=~Q(subject__status=ReviewStatus.SUBMITTED)),  # a sealed review leaves no trace
    Source("dispute", "Dispute", DisputeHistory, "subject_id", "subject__booking__title", "subject__opened_by_id"),
    Source("credential", "Document", CredentialHistory, "subject_id", "subject__kind", "subject__technician__user_id"),
    Source("account", "Account", AccountHistory, "user_id", "user__name", "user_id"),
    Source("shift", "Shift", ShiftHistory, "subject_id", "subject__user__name", "subject__user_id"),
    Source("dispatch", "Leg", DispatchHistory, "subject__leg_id", "subject__leg__note", "subject__driver__user_id"),
    Source("desk", "Desk", DeskAction, "subject_id", "label", "person_id"),
)  # fmt: skip
# Where the desk looks at the object of a line: the address, by the kind of object.
PAGES = {
    "booking": "desk:booking",
    "bid": "desk:booking",
    "visit": "desk:booking",
    "move": "desk:booking",
    "review": "desk:review",
    "dispute": "desk:dispute",
    "credential": "desk:credential",
    "account": "desk:person",
    "user": "desk:person",
    "dispatch": "desk:leg",
    "leg": "desk:leg",
    "driver": "desk:driver",
    "flag": "desk:flag",
    "conversation": "desk:conversation",
}
KINDS: dict[str, Source] = {source.kind: source for source in SOURCES}
LOOKS = {"visit": "session", "move": "proposal"}  # kinds whose states are known by another name
KIND_OF: dict[type[Model], str] = {source.model: source.kind for source in SOURCES}


@dataclass(frozen=True)
class Line:
    """One thing that happened. `person` and `actor` are (id, name), or None."""

    kind: str
    pk: int
    at: datetime
    before: str
    after: str
    subject_id: int | None
    subject_kind: str
    label: str
    actor: tuple[int, str] | None
    role: str
    person: tuple[int, str] | None
    reason: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """As fragments name it: booking-123."""
        return f"{self.kind}-{self.pk}"

    @property
    def order(self) -> str:
        """As live lists sort it, newest first."""
        return f"{10**17 - round(self.at.timestamp() * 1_000_000):018d}"

    @property
    def cursor(self) -> str:
        """Where the next older page begins."""
        return cursor_of(self.at, self.kind, self.pk)

    @property
    def word(self) -> str:
        """What kind of thing it is about."""
        return KINDS[self.kind].word

    @property
    def url(self) -> str:
        """Where the desk looks at what it is about; empty where that has no page of its own."""
        name = PAGES.get(self.subject_kind)
        return reverse(name, args=[self.subject_id]) if name and self.subject_id else ""

    @property
    def look(self) -> Look:
        """The state it came into, or what the desk did: word, icon and tone."""
        if self.kind == "desk":
            return Look(self.after.replace("_", " ").capitalize(), "shield", "quiet")
        return look_of(self.after, LOOKS.get(self.kind, self.kind))

    @property
    def was(self) -> str:
        """The word of the state before; empty where there was none, or the same."""
        if not self.before or self.before == self.after:
            return ""
        return look_of(self.before, LOOKS.get(self.kind, self.kind)).word

    @property
    def changes(self) -> list[tuple[str, Any, Any]]:
        """What the desk changed, as (field, before, after)."""
        pairs = ((name, both) for name, both in self.details.items() if isinstance(both, list) and len(both) == 2)
        return [(name.replace("_", " "), *both) for name, both in pairs]

    @property
    def is_desk(self) -> bool:
        """Whether an admin did it."""
        return self.role == Role.ADMIN


# --- Which lines ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """Which lines: of these kinds, about or by a person, in a stretch of time, with a word in label or reason."""

    kinds: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    person: int | None = None
    actor: int | None = None
    subject: tuple[str, int] | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str = ""

    def of(self, source: Source) -> Q | None:
        """The condition for one table; None where none of its rows is wanted."""
        if self.kinds and source.kind not in self.kinds:
            return None
        found = source.shown
        if self.subject is not None:
            kind, pk = self.subject
            if source.kind == "desk":
                found &= Q(subject_kind=kind, subject_id=pk)
            elif source.kind == kind:
                found &= Q(**{source.subject: pk})
            else:
                return None
        if self.roles:
            if source.kind == "desk":
                if Role.ADMIN not in self.roles:
                    return None
            else:
                found &= Q(actor_role__in=self.roles)
        for path, value in ((source.person, self.person), ("actor_id", self.actor)):
            if value is not None:
                found &= Q(**{path: value})
        if self.since is not None:
            found &= Q(at__gte=self.since)
        if self.until is not None:
            found &= Q(at__lt=self.until)
        for word in self.search.split():
            found &= Q(**{f"{source.label}__icontains": word}) | Q(reason__icontains=word)
        return found


EVERYTHING = Wanted()


def lines(wanted: Wanted = EVERYTHING, *, before: str = "", limit: int = 50) -> list[Line]:
    """The newest `limit` lines that are `wanted`, of those older than the cursor `before`; one query.

    Raises `ValueError` for a cursor that is none.
    """
    after = mark_of(before, list(KINDS)) if before else None
    parts = []
    for rank, source in enumerate(SOURCES):
        condition = wanted.of(source)
        if condition is not None:
            older = older_than(after, rank) if after else Q()
            newest = source.model._default_manager.filter(condition, older).order_by("-at", "-pk")
            # A slice inside a union is nothing SQLite takes; as a condition both databases do.
            parts.append(columns(source, rank, Q(pk__in=newest.values("pk")[:limit])))
    if not parts:
        return []
    rows = parts[0].union(*parts[1:], all=True).order_by("-at", "rank", "-pk")[:limit]
    return [line_of(row) for row in rows]


def count(wanted: Wanted = EVERYTHING) -> int:
    """How many lines are `wanted`: a query a table, so for exports only."""
    conditions = ((source, wanted.of(source)) for source in SOURCES)
    return sum(source.model._default_manager.filter(which).count() for source, which in conditions if which is not None)


def load_lines(keys: Iterable[str]) -> dict[str, Line]:
    """Lines by their keys; one query."""
    ids: dict[str, list[int]] = {}
    for key in keys:
        kind, _, pk = key.partition("-")
        if kind in KINDS and pk.isdecimal():
            ids.setdefault(kind, []).append(int(pk))
    parts = [columns(source, 0, source.shown & Q(pk__in=ids[source.kind])) for source in SOURCES if source.kind in ids]
    if not parts:
        return {}
    return {line.key: line for line in map(line_of, parts[0].union(*parts[1:], all=True))}


def columns(source: Source, rank: int, which: Q) -> QuerySet[Any, dict[str, Any]]:
    """The rows of one table in the columns that all have in common: the same types everywhere, or no union."""
    desk = source.kind == "desk"
    rows: QuerySet[Any] = source.model._default_manager.filter(which).order_by()
    return rows.values(
        "pk",
        "at",
        rank=Value(rank),
        kind=text(Value(source.kind)),
        before=text(Value("") if desk else F("from_state")),
        after=text(F("verb") if desk else F("to_state")),
        about=F(source.subject),
        about_kind=text(F("subject_kind") if desk else Value(source.kind)),
        called=text(F(source.label)),
        by_id=F("actor_id"),
        by_name=text(Coalesce(F("actor__name"), Value(""))),
        role=text(Value(str(Role.ADMIN)) if desk else F("actor_role")),
        whom_id=F(source.person),
        whom_name=text(Coalesce(F(f"{source.person.removesuffix('_id')}__name"), Value(""))),
        why=text(F("reason")),
        more=text(F("details")) if desk else text(Value("")),
    )


def text(value: Combinable | F) -> Cast:
    """As text, whatever the width of its column."""
    return Cast(value, TextField())


def line_of(row: Mapping[str, Any]) -> Line:
    """A row of the union as a line."""
    return Line(
        kind=row["kind"],
        pk=row["pk"],
        at=row["at"],
        before=row["before"],
        after=row["after"],
        subject_id=row["about"],
        subject_kind=row["about_kind"],
        label=row["called"],
        actor=(row["by_id"], row["by_name"]) if row["by_id"] else None,
        role=row["role"],
        person=(row["whom_id"], row["whom_name"]) if row["whom_id"] else None,
        reason=row["why"],
        details=json.loads(row["more"]) if row["more"] else {},
    )
