"""What a search of the audit asks for: words, kinds, whose doing, a stretch of days, a person, an object."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cached_property
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date

from accounts.models import User
from adminpanel.audit.lines import KINDS, Line, Wanted, lines
from adminpanel.fleet.days import zone
from common.keyset import YEARS, mark_of

PAGE = 50
LONGEST = 100  # characters of a search
SEARCHED = timedelta(days=30)  # at a time by words, which are looked for line by line
WHOSE = {
    "desk": ("The desk", ("admin",)),
    "customers": ("Customers", ("customer",)),
    "technicians": ("Technicians", ("technician",)),
    "drivers": ("Drivers", ("driver",)),
    "clock": ("The clock", ("clock",)),
}


class Asked:
    """The query string `asked`: q, kind, whose, since and until (days), person, by, about (kind-number), before."""

    def __init__(self, asked: QueryDict) -> None:
        self.search = asked.get("q", "").replace("\0", "").strip()[:LONGEST]
        self.kind = asked.get("kind", "") if asked.get("kind") in KINDS else ""
        self.whose = asked.get("whose", "") if asked.get("whose") in WHOSE else ""
        self.since, self.until = day_of(asked.get("since", "")), day_of(asked.get("until", ""))
        self.person_id, self.actor_id = number_of(asked.get("person", "")), number_of(asked.get("by", ""))
        self.about = subject_of(asked.get("about", ""))
        self.before = cursor_of(asked.get("before", ""))

    # --- For the page ---

    @cached_property
    def found(self) -> list[Line]:
        """The lines of this page, and one more where there are older ones."""
        return lines(self.wanted, before=self.before, limit=PAGE + 1)

    @property
    def shown(self) -> dict[str, Line]:
        """The lines of this page by key."""
        return {line.key: line for line in self.found[:PAGE]}

    @property
    def older(self) -> str:
        """The query string of the next older page; empty on the last."""
        if len(self.found) <= PAGE:
            return ""
        return urlencode({**self._named, "before": self.found[PAGE - 1].cursor})

    @property
    def new(self) -> str:
        """What becomes of a line that is not on the page yet: see `live_list`."""
        return "insert" if not self._named and not self.before else "pill"

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Every kind as (value, word)."""
        return [(kind, source.word) for kind, source in KINDS.items()]

    @property
    def doers(self) -> list[tuple[str, str]]:
        """Everybody whose doing can be asked for, as (value, words)."""
        return [(name, words) for name, (words, _) in WHOSE.items()]

    @cached_property
    def people(self) -> dict[int, User]:
        """The people whom the search names; one query."""
        return {user.pk: user for user in User.objects.filter(pk__in=[self.person_id or 0, self.actor_id or 0])}

    @property
    def person(self) -> User | None:
        """Whom the lines concern."""
        return self.people.get(self.person_id or 0)

    @property
    def actor(self) -> User | None:
        """Who did it."""
        return self.people.get(self.actor_id or 0)

    @property
    def is_narrowed(self) -> bool:
        """Whether there may be more than the list shows."""
        return bool(self._named)

    @property
    def is_short(self) -> bool:
        """Whether only some days are searched: by words alone, among everything."""
        return bool(self.search) and not (self.person_id or self.actor_id or self.about)

    @cached_property
    def days(self) -> tuple[date | None, date | None]:
        """The first and the last day that is looked at: as named, or as many as words are looked for in at a time, up
        to the last day that is named or from the first.
        """
        if not self.is_short:
            return self.since, self.until
        today = timezone.now().astimezone(zone()).date()
        last = self.until or min(self.since + SEARCHED if self.since else today, max(today, self.since or today))
        return max(last - SEARCHED, self.since or last - SEARCHED), last

    @property
    def query(self) -> str:
        """The query string without the page."""
        return urlencode(self._named)

    @property
    def words(self) -> str:
        """The search in words."""
        return ", ".join(f"{name}: {value}" for name, value in self._named.items())

    @property
    def _named(self) -> dict[str, str]:
        wanted = {
            "q": self.search,
            "kind": self.kind,
            "whose": self.whose,
            "since": f"{self.since or ''}",
            "until": f"{self.until or ''}",
            "person": f"{self.person_id or ''}",
            "by": f"{self.actor_id or ''}",
            "about": "-".join(map(str, self.about)) if self.about else "",
        }
        return {name: value for name, value in wanted.items() if value}

    # --- For the tables ---

    @property
    def wanted(self) -> Wanted:
        """What the tables are asked."""
        since, until = self.days
        return Wanted(
            kinds=(self.kind,) if self.kind else (),
            roles=WHOSE[self.whose][1] if self.whose else (),
            person=self.person_id,
            actor=self.actor_id,
            subject=self.about,
            since=start_of(since) if since else None,
            until=start_of(until + timedelta(days=1)) if until else None,
            search=self.search,
        )


def day_of(text: str) -> date | None:
    """A day; None for anything else."""
    try:
        found = parse_date(text)
    except ValueError:
        return None
    return found if found is not None and found.year in YEARS else None


def start_of(day: date) -> datetime:
    """When a day begins at the desk."""
    return datetime.combine(day, time(), zone())


def number_of(text: str) -> int | None:
    """An id; None for anything else."""
    return int(text) if text.isdecimal() and len(text) < 18 else None


def subject_of(text: str) -> tuple[str, int] | None:
    """An object by kind and number: booking-17."""
    kind, _, pk = text.partition("-")
    number = number_of(pk)
    return (kind, number) if kind.isalpha() and number else None


def cursor_of(text: str) -> str:
    """A cursor that can be read; empty for anything else."""
    try:
        mark_of(text, list(KINDS))
    except ValueError:
        return ""
    return text
