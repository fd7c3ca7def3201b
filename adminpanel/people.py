"""The people as the desk sees them: one in a list, which ones a search finds, and what each has in hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, Q, QuerySet, Value, Window
from django.db.models.functions import Replace, RowNumber
from django.http import QueryDict

from accounts.models import Role, Technician, User
from bookings.models import Booking, Session
from bookings.states import BookingStatus
from tracking.models import Dispatch

PAGE = 30
LONGEST = 100  # characters of a search
WORDS = 6  # of a search that are looked for
JOBS = 8  # on a person's page
LAST = 10**12  # above every id: the newest come first


@dataclass(frozen=True)
class Person:
    """Somebody and, where they repair, their trade."""

    user: User
    technician: Technician | None

    @property
    def pk(self) -> int:
        """The user's."""
        return self.user.pk

    @property
    def state(self) -> str:
        """What is to be known of the account at a glance; empty where all is well."""
        if self.user.erased_at is not None:
            return "erased"
        if not self.user.is_active:
            return "suspended"
        waits = self.user.role == Role.TECHNICIAN and not (self.technician and self.technician.is_verified)
        return "unverified" if waits else ""

    @property
    def order(self) -> str:
        """The newest first."""
        return f"{LAST - self.pk:012d}"


def person_of(user: User) -> Person:
    """A user that was loaded with `whole`."""
    return Person(user, getattr(user, "technician", None))


def whole() -> QuerySet[User]:
    """Everybody, with their trade."""
    found: QuerySet[User] = User.objects.select_related("technician")
    return found


def load_people(keys: Sequence[str]) -> Mapping[str, Person]:
    """People by key; one query."""
    return {str(user.pk): person_of(user) for user in whole().filter(pk__in=[int(key) for key in keys])}


# --- Finding --------------------------------------------------------------------------------------

STATES: dict[str, tuple[str, Q]] = {
    "active": ("Open", Q(is_active=True)),
    "unverified": (
        "Not verified yet",
        Q(is_active=True, role=Role.TECHNICIAN, technician__verified_at__isnull=True),
    ),
    "suspended": ("Suspended", Q(is_active=False, erased_at__isnull=True)),
    "erased": ("Erased", Q(erased_at__isnull=False)),
}


def holds(word: str) -> Q:
    """Whether a word is in somebody's name, e-mail address or phone number, however its digits are grouped."""
    found = Q(name__icontains=word) | Q(email__icontains=word) | Q(phone__contains=word)
    digits = "".join(letter for letter in word if letter.isdigit()).lstrip("0")
    return found | Q(digits__contains=digits) if len(digits) > 2 else found


class Found:
    """What the query string `asked` asks of the list: `q` (words), `role`, `state` and `before` (an id)."""

    def __init__(self, asked: QueryDict) -> None:
        self.search = asked.get("q", "").replace("\0", "").strip()[:LONGEST]
        self.role = asked.get("role", "") if asked.get("role") in Role.values else ""
        self.state = asked.get("state", "") if asked.get("state") in STATES else ""
        before = asked.get("before", "")
        self.before = int(before) if before.isascii() and before.isdecimal() and len(before) < 18 else None

    @cached_property
    def rows(self) -> list[User]:
        """The people of this page, and one more where there are others."""
        rows = whole()
        if self.role:
            rows = rows.filter(role=self.role)
        if self.state:
            rows = rows.filter(STATES[self.state][1])
        if self.search:
            rows = rows.alias(digits=Replace("phone", Value(" "), Value("")))
        for word in self.search.split()[:WORDS]:
            rows = rows.filter(holds(word))
        if self.before is not None:
            rows = rows.filter(pk__lt=self.before)
        return list(rows.order_by("-pk")[: PAGE + 1])

    @property
    def shown(self) -> dict[str, Person]:
        """The people of this page by key."""
        return {str(user.pk): person_of(user) for user in self.rows[:PAGE]}

    @property
    def older(self) -> str:
        """The query string of the next page; empty on the last."""
        if len(self.rows) <= PAGE:
            return ""
        return urlencode({**self._named, "before": self.rows[PAGE - 1].pk})

    @property
    def new(self) -> str:
        """What becomes of somebody who is not on the page yet: see `live_list`."""
        return "insert" if not self._named and self.before is None else "pill"

    @property
    def is_narrowed(self) -> bool:
        """Whether there may be more than the list shows."""
        return bool(self._named)

    @property
    def query(self) -> str:
        """The query string without the page."""
        return urlencode(self._named)

    @property
    def tabs(self) -> list[tuple[str, str, bool]]:
        """Every role as (words, query string, whether it is chosen); the search and the state stay."""
        words = [("", "All"), *((role.value, f"{role.label}s") for role in Role)]
        return [(word, self._query(role=role), role == self.role) for role, word in words]

    @property
    def states(self) -> list[tuple[str, str]]:
        """Every state as (value, words)."""
        return [(state, words) for state, (words, _) in STATES.items()]

    @property
    def _named(self) -> dict[str, str]:
        return self._kept()

    def _kept(self, **changes: str) -> dict[str, str]:
        wanted = {"q": self.search, "role": self.role, "state": self.state, **changes}
        return {name: value for name, value in wanted.items() if value}

    def _query(self, **changes: str) -> str:
        return urlencode(self._kept(**changes))


# --- What they have in hand -----------------------------------------------------------------------


@dataclass(frozen=True)
class Jobs:
    """Somebody's newest jobs: booked, visited or driven, by their role."""

    user: User
    newest: Sequence[Any] = field(default_factory=tuple)

    @property
    def kind(self) -> str:
        """What `newest` holds: a booking, a session (the visit) or a dispatch."""
        return {Role.TECHNICIAN: "session", Role.DRIVER: "dispatch"}.get(Role(self.user.role), "booking")


def load_jobs(keys: Sequence[str]) -> Mapping[str, Jobs]:
    """By the ids of users; a query for them and one a role among them."""
    return jobs_of(User.objects.filter(pk__in=[int(key) for key in keys]))


def jobs_of(users: Iterable[User]) -> dict[str, Jobs]:
    """The same for users at hand."""
    people = list(users)
    ids: dict[str, list[int]] = defaultdict(list)
    for user in people:
        ids[user.role].append(user.pk)
    found: dict[int, list[Any]] = defaultdict(list)
    for role, (rows, path) in SOURCES.items():
        if ids[role]:
            for row in newest(rows(), path, ids[role]):
                found[getattr(row, path)].append(row)
    return {str(user.pk): Jobs(user, found[user.pk]) for user in people}


def newest(rows: QuerySet[Any], path: str, ids: list[int]) -> QuerySet[Any]:
    """The last few of each; of one alone without numbering all that they ever had."""
    if len(ids) == 1:
        return rows.filter(**{path: ids[0]}).order_by("-pk")[:JOBS]
    ranked = rows.filter(**{f"{path}__in": ids}).annotate(
        place=Window(RowNumber(), partition_by=F(path), order_by=F("pk").desc())
    )
    last: QuerySet[Any] = ranked.filter(place__lte=JOBS).order_by("-pk")
    return last


PLACED = Booking.objects.exclude(status=BookingStatus.DRAFT)
SOURCES: dict[str, tuple[Any, str]] = {
    Role.CUSTOMER: (lambda: PLACED.select_related("category"), "customer_id"),
    Role.TECHNICIAN: (lambda: Session.objects.select_related("booking__category", "bid"), "technician_id"),
    Role.DRIVER: (lambda: Dispatch.objects.select_related("leg__booking"), "driver_id"),
}
