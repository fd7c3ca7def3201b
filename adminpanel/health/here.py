"""Who is here: people with a page open, where, since when, and how well they are heard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import BigIntegerField, Case, Count, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Cast
from django.http import QueryDict
from django.utils import timezone

from accounts.models import Role, User
from adminpanel.talk.recipients import LONGEST, called
from realtime.models import LastSeen, Presence
from realtime.presence import BETWEEN_PAGES, POLL, SOCKET, SWITCHED, slowness

PAGE = 30
SHOWN_PAGES = 3  # of one person
STATES = {"": "Online and away", "online": "Online", "away": "Away"}
WAYS = {"": "Any connection", SOCKET: "Live", "asking": "Polling"}
QUALITY = ("good", "fair", "poor")


def recent(now: datetime) -> datetime:
    """Pages not heard of since then are gone."""
    return now - timedelta(seconds=settings.LIVE["OFFLINE_AFTER"])


def between(now: datetime) -> datetime:
    """Who was last seen after that goes from one page to the next."""
    return now - timedelta(seconds=settings.LIVE["PRESENCE_EVERY"] * BETWEEN_PAGES)


@dataclass
class PersonHere:
    """One person who is here."""

    user: User
    pages: list[Presence]

    @property
    def pk(self) -> int:
        """The user's."""
        return self.user.pk

    @property
    def state(self) -> str:
        """online, or away where every page is hidden or idle."""
        return "away" if self.pages and all(page.away for page in self.pages) else "online"

    @property
    def since(self) -> datetime | None:
        """Since when the oldest of their pages is open."""
        return min((page.since for page in self.pages), default=None)

    @property
    def shown(self) -> list[Presence]:
        """The pages they looked at last."""
        return sorted(self.pages, key=lambda page: (page.away, -page.since.timestamp()))[:SHOWN_PAGES]

    @property
    def more(self) -> int:
        """How many pages beyond those."""
        return max(len(self.pages) - SHOWN_PAGES, 0)

    @property
    def way(self) -> str:
        """How their worst page hears: socket, poll, or switched where a flag has it poll."""
        ways = {page.transport for page in self.pages}
        return next((way for way in (POLL, SWITCHED) if way in ways), SOCKET)

    @property
    def round_trip(self) -> int | None:
        """Of the slowest of their heartbeats, in milliseconds."""
        return max((page.round_trip_ms for page in self.pages if page.round_trip_ms is not None), default=None)

    @property
    def quality(self) -> str:
        """good, fair or poor."""
        return QUALITY[slowness(self.round_trip)]

    @property
    def order(self) -> str:
        """By name."""
        return f"{self.user.name.casefold()} {self.user.pk:012}"


def load_here(keys: Sequence[str]) -> Mapping[str, PersonHere]:
    """Those of these users who are here; three queries."""
    now = timezone.now()
    pages: dict[str, list[Presence]] = defaultdict(list)
    for row in Presence.objects.filter(kind="user", principal__in=keys, seen_at__gte=recent(now)):
        pages[row.principal].append(row)
    here, others = set(pages), [key for key in keys if key not in pages]
    if others:
        rows = LastSeen.objects.filter(kind="user", principal__in=others, seen_at__gt=between(now))
        here.update(rows.values_list("principal", flat=True))
    users = User.objects.filter(pk__in=[int(key) for key in here], is_active=True) if here else ()
    return {str(user.pk): PersonHere(user, pages[str(user.pk)]) for user in users}


# --- How many -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counts:
    """People here by role, and pages by how they hear."""

    people: Mapping[str, int]
    away: int
    links: int

    @property
    def all(self) -> int:
        """Everybody with an account."""
        return sum(self.people.values())

    @property
    def roles(self) -> list[tuple[str, str, int]]:
        """Each role, its words in the plural, how many."""
        return [(role.value, f"{role.label}s", self.people.get(role.value, 0)) for role in Role]


def load_counts(keys: Sequence[str]) -> Mapping[str, Counts]:
    """The counts under their one key; one query."""
    if "all" not in keys:
        return {}
    rows = Presence.objects.filter(seen_at__gte=recent(timezone.now()))
    found = list(with_role(rows).values_list("kind", "role").annotate(
        here=Count("principal", distinct=True), awake=Count("principal", distinct=True, filter=Q(away=False))
    ).order_by())  # fmt: skip
    people = {role: here for kind, role, here, _ in found if role}
    away = sum(here - awake for kind, role, here, awake in found if role)
    return {"all": Counts(people, away, sum(here for kind, _, here, _ in found if kind == "link"))}


def with_role(rows: QuerySet[Presence]) -> QuerySet[Any]:
    """Presence with the role of whoever it is; none for the bearer of a link, and where the account is closed."""
    user_id = Case(When(kind="user", then=Cast("principal", BigIntegerField())))
    role = User.objects.filter(pk=OuterRef("user_id"), is_active=True).values("role")
    return rows.annotate(user_id=user_id).annotate(role=Subquery(role))


# --- The list -------------------------------------------------------------------------------------


class Found:
    """What the query string asks of the list: `role`, `state`, `way`, a search `q`, and `page`."""

    def __init__(self, asked: QueryDict) -> None:
        self.role = clean(asked.get("role", ""), Role.values)
        self.state = clean(asked.get("state", ""), STATES)
        self.way = clean(asked.get("way", ""), WAYS)
        self.search = asked.get("q", "").replace("\0", "").strip()[:LONGEST]
        number = asked.get("page", "")
        self.number = max(int(number), 1) if number.isascii() and number.isdecimal() and len(number) < 6 else 1

    @cached_property
    def _ids(self) -> list[int]:
        """Of a page, by name, and of one more where there is one."""
        now = timezone.now()
        pages = Presence.objects.filter(kind="user", seen_at__gte=recent(now))
        people = User.objects.filter(pk__in=ids(narrowed(pages, self.way)), is_active=True)
        if self.state:
            awake = Q(pk__in=ids(pages.filter(away=False)))
            people = people.filter(awake if self.state == "online" else ~awake)
        if self.role:
            people = people.filter(role=self.role)
        if self.search:
            people = people.filter(called(self.search))
        start = (self.number - 1) * PAGE
        return list(people.order_by("name", "pk").values_list("pk", flat=True)[start : start + PAGE + 1])

    @property
    def keys(self) -> list[str]:
        """Their ids, by name."""
        return [str(pk) for pk in self._ids[:PAGE]]

    @property
    def before(self) -> int:
        """The page before, 0 where there is none."""
        return self.number - 1

    @property
    def after(self) -> int:
        """The next page, 0 where there is none."""
        return self.number + 1 if len(self._ids) > PAGE else 0

    @property
    def new(self) -> str:
        """What becomes of somebody who comes: see `live_list`."""
        return "pill" if self.is_narrowed or self.before or self.after else "insert"

    @property
    def is_narrowed(self) -> bool:
        """Whether there may be more than the list shows."""
        return bool(self.role or self.state or self.way or self.search)

    @property
    def filters(self) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
        """For the form: name, label, what is chosen, the choices."""
        roles = [("", "Everybody"), *((role.value, f"{role.label}s") for role in Role)]
        return [
            ("role", "Who", self.role, roles),
            ("state", "State", self.state, list(STATES.items())),
            ("way", "Connection", self.way, list(WAYS.items())),
        ]

    @property
    def query(self) -> str:
        """The query string without the page."""
        wanted = {"role": self.role, "state": self.state, "way": self.way, "q": self.search}
        return urlencode({name: value for name, value in wanted.items() if value})


def narrowed(pages: QuerySet[Presence], way: str) -> QuerySet[Presence]:
    """The pages that hear in a certain way."""
    if way == SOCKET:
        return pages.filter(transport=SOCKET)
    return pages.exclude(transport=SOCKET) if way else pages


def ids(pages: QuerySet[Presence]) -> QuerySet[Presence, Any]:
    """The ids of those whose pages they are, for a subquery."""
    return pages.annotate(user_id=Cast("principal", BigIntegerField())).values("user_id")


def clean(value: str, allowed: Any) -> str:
    """A value that is one of them; else none."""
    return value if value in allowed else ""
