"""Which jobs the desk's list shows: a state, a day, a category, a search, an order, a page by keyset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone

from accounts.models import User
from adminpanel.talk.recipients import called, numbers
from bookings.models import Booking, ServiceCategory, Session
from bookings.querysets import BookingQuerySet
from bookings.states import BookingStatus, SessionStatus
from common.keyset import YEARS

PAGE = 30
LONGEST, WORDS = 100, 4  # of a search: characters, and words that are looked for
COUNTED = 1000  # more are not counted
SHOWS = {
    "all": "All",
    "open": "Open",
    "unassigned": "Past target",
    "assigned": "Booked",
    "late": "Late",
    "on_site": "On site",
    "completed": "Finished",
    "over": "Called off",
}
FEWER = {"waiting": "At the door", "live": "Working", "today": "Finished today"}  # no tab, but where figures lead
SORTS = {"newest": "Newest first", "oldest": "Oldest first", "when": "Wanted soonest"}
OVER = (BookingStatus.CANCELLED, BookingStatus.EXPIRED, BookingStatus.NO_SHOW)
ON_SITE = {"waiting": (SessionStatus.WAITING,), "live": (SessionStatus.LIVE, SessionStatus.PAUSED)}


@dataclass(frozen=True)
class Tab:
    """A state as a link that keeps the rest."""

    slug: str
    label: str
    query: str
    is_chosen: bool


class Found:
    """What the query string `asked` asks of the list; nonsense in it is ignored."""

    def __init__(self, asked: QueryDict, now: datetime | None = None) -> None:
        self.now = now or timezone.now()
        self.show = chosen(asked.get("show", ""), SHOWS | FEWER, "all")
        self.sort = chosen(asked.get("sort", ""), SORTS, "newest")
        self.search = asked.get("q", "").replace("\0", "").strip()[:LONGEST]
        self.category = next(iter(numbers([asked.get("category", "")])), None)
        self.day = day_of(asked.get("day", ""))
        after, before = place_of(asked.get("after", "")), place_of(asked.get("before", ""))
        self._back = after is None and before is not None
        self._place = before if self._back else after

    # --- Rows ---

    @cached_property
    def rows(self) -> BookingQuerySet:
        """All that match, in no order."""
        rows = shown(Booking.objects.exclude(status=BookingStatus.DRAFT), self.show, self.now)
        if self.category is not None:
            rows = rows.filter(category=self.category)
        if self.day is not None:
            # Days at the ends of the calendar have no instants that every zone can show.
            rows = rows.filter(pk__in=on_day(self.day)) if self.day.year in YEARS else rows.none()
        return searched(rows, self.search)

    @cached_property
    def _window(self) -> tuple[list[int], bool, bool]:
        """(ids of the page, whether there is something before it, whether there is something after it)."""
        if self._place is None:
            return self._first[:PAGE], False, len(self._first) > PAGE
        rows = beyond(self.rows, self.sort, self._place, back=self._back)
        found = list(rows.values_list("pk", flat=True)[: PAGE + 1])
        more, found = len(found) > PAGE, found[:PAGE]
        return (found[::-1], more, True) if self._back else (found, True, more)

    @cached_property
    def _first(self) -> list[int]:
        """The ids from the beginning on, one more than are counted: the first page and their number in one query."""
        return list(ordered(self.rows, self.sort).values_list("pk", flat=True)[: COUNTED + 1])

    @property
    def keys(self) -> list[int]:
        """The ids of the page, in its order."""
        return self._window[0]

    @property
    def newer(self) -> str:
        """The query string of the page before this one; empty on the first."""
        return self._at("before", self.keys[0]) if self._window[1] and self.keys else ""

    @property
    def older(self) -> str:
        """The query string of the page after this one; empty on the last."""
        return self._at("after", self.keys[-1]) if self._window[2] and self.keys else ""

    @property
    def is_first(self) -> bool:
        """Whether it is the first page, which says how many there are."""
        return self._place is None

    @property
    def counted(self) -> str:
        """12 jobs, or 1,000+ jobs."""
        number = f"{COUNTED:,}+" if len(self._first) > COUNTED else str(len(self._first))
        return f"{number} job{'' if len(self._first) == 1 else 's'}"

    # --- Words and links ---

    @property
    def is_narrowed(self) -> bool:
        """Whether there may be more than the list shows."""
        return bool(self.search or self.category or self.day) or self.show != "all"

    @property
    def title(self) -> str:
        """What the list is of."""
        return (SHOWS | FEWER)[self.show] if self.show != "all" else "Jobs"

    @property
    def tabs(self) -> list[Tab]:
        """Every state."""
        fewer = {self.show: FEWER[self.show]} if self.show in FEWER else {}
        return [Tab(slug, word, self._query(show=slug), slug == self.show) for slug, word in (SHOWS | fewer).items()]

    @property
    def sorts(self) -> list[tuple[str, str]]:
        """Every order."""
        return list(SORTS.items())

    @cached_property
    def categories(self) -> list[ServiceCategory]:
        """Every kind of job."""
        return list(ServiceCategory.objects.only("pk", "name"))

    @property
    def query(self) -> str:
        """The query string without the page."""
        return self._query()

    def _query(self, **changes: str) -> str:
        wanted = {
            "show": self.show,
            "q": self.search,
            "category": str(self.category or ""),
            "day": str(self.day or ""),
            "sort": self.sort,
            **changes,
        }
        usual = {"show": "all", "sort": "newest"}
        return urlencode({name: value for name, value in wanted.items() if value and usual.get(name) != value})

    def _at(self, way: str, pk: int) -> str:
        return "&".join(part for part in (self.query, urlencode({way: pk})) if part)


def chosen(value: str, among: dict[str, str], usual: str) -> str:
    """`value`, if it is one of them."""
    return value if value in among else usual


def day_of(text: str) -> date | None:
    """2027-03-02 as a date; None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def bounds(day: date) -> tuple[datetime, datetime]:
    """The instants at which a day of the site begins and ends."""
    zone = ZoneInfo(settings.DEFAULT_ZONE)
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + timedelta(days=1)
    return start, datetime(following.year, following.month, following.day, tzinfo=zone)


def place_of(text: str) -> int | None:
    """The id that a page begins behind."""
    return next(iter(numbers([text])), None)


# --- Which --------------------------------------------------------------------------------------


def shown(rows: BookingQuerySet, show: str, now: datetime) -> BookingQuerySet:
    """Those of a state, or of what is derived from it."""
    if show in (BookingStatus.OPEN, BookingStatus.ASSIGNED, BookingStatus.COMPLETED):
        return rows.filter(status=show)
    if show == "unassigned":
        return rows.past_target()
    if show == "late":
        return rows.late(now)
    if show == "on_site":
        return rows.filter(status=BookingStatus.IN_PROGRESS)
    if show in ON_SITE:
        visits = Session.objects.filter(status__in=ON_SITE[show])
        return rows.filter(status=BookingStatus.IN_PROGRESS, pk__in=visits.values("booking"))
    if show == "over":
        return rows.filter(status__in=OVER)
    if show == "today":
        midnight = bounds(now.astimezone(ZoneInfo(settings.DEFAULT_ZONE)).date())[0]
        done = Session.objects.filter(status=SessionStatus.COMPLETED, finished_at__gte=midnight)
        return rows.filter(status=BookingStatus.COMPLETED, pk__in=done.values("booking"))
    return rows


def on_day(day: date) -> Any:
    """Ids of the jobs whose visit starts that day, or which are wanted from that day on."""
    times = bounds(day)
    wanted = Booking.objects.filter(window_start__gte=times[0], window_start__lt=times[1])
    visited = Session.objects.filter(starts_at__gte=times[0], starts_at__lt=times[1])
    return wanted.order_by().values("pk").union(visited.order_by().values("booking"))


def searched(rows: BookingQuerySet, search: str) -> BookingQuerySet:
    """Those that each word is found in: the job's number, title and postcode, names, e-mail, phone of both sides. A
    number with its sign, #512, is that job alone.
    """
    for word in search.split()[:WORDS]:
        alone = place_of(word[1:]) if word.startswith("#") else None
        if alone is not None:
            rows = rows.filter(pk=alone)
            continue
        people = User.objects.filter(called(word) | Q(phone__icontains=word)).values("pk")
        visits = Session.objects.filter(technician__in=people).values("booking")
        found = Q(title__icontains=word) | Q(postcode__istartswith=word) | Q(customer__in=people) | Q(pk__in=visits)
        number = place_of(word)
        rows = rows.filter(found | Q(pk=number) if number is not None else found)
    return rows


# --- In which order -------------------------------------------------------------------------------


def ordered(rows: BookingQuerySet, sort: str, *, back: bool = False) -> BookingQuerySet:
    """In the order of the list, or with `back` in the opposite one."""
    sign = "-" if (sort == "newest") != back else ""
    return rows.order_by(f"{sign}window_start", f"{sign}pk") if sort == "when" else rows.order_by(f"{sign}pk")


def beyond(rows: BookingQuerySet, sort: str, place: int, *, back: bool) -> BookingQuerySet:
    """Those that come after the job `place`, the nearest first; with `back` those before it."""
    down = (sort == "newest") != back
    step = "lt" if down else "gt"
    if sort != "when":
        return ordered(rows.filter(**{f"pk__{step}": place}), sort, back=back)
    at = Booking.objects.filter(pk=place).values_list("window_start", flat=True).first()
    if at is None:
        return ordered(rows, sort, back=back)
    later = Q(**{f"window_start__{step}": at}) | Q(**{"window_start": at, f"pk__{step}": place})
    return ordered(rows.filter(later, **{f"window_start__{step}e": at}), sort, back=back)
