"""A driver's day: shifts and legs as bars along its hours and as a list, and what the track says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_date

from common.geo import Point, distance_km
from tracking.models import Dispatch, Fix, Shift
from tracking.states import DispatchStatus, Duty

HOUR = timedelta(hours=1)
GAP = timedelta(minutes=5)  # a longer silence in a track is told
FIRST_DAY = date(2000, 1, 1)  # before it nobody drove for us
MOST_POINTS = 3000  # of a track that is sent to a map


def zone() -> ZoneInfo:
    """The desk's own time zone: drivers' days are counted in it."""
    return ZoneInfo(settings.DEFAULT_ZONE)


def local_day(moment: datetime) -> date:
    """The day of an instant, at the desk."""
    return moment.astimezone(zone()).date()


def key_of(driver_id: int, day: date) -> str:
    """The key of a driver's day: 7-20270302."""
    return f"{driver_id}-{day:%Y%m%d}"


def parse_key(key: str) -> tuple[int, date] | None:
    """The driver and day of a key."""
    pk, _, day = key.partition("-")
    try:
        return int(pk), datetime.strptime(day, "%Y%m%d").date()  # noqa: DTZ007 (a day, no instant)
    except ValueError:
        return None


def day_asked(text: str, now: datetime) -> date:
    """The day that a page asks for; today where it asks for none, or for one to come or long gone."""
    today = local_day(now)
    try:
        asked = parse_date(text) or today
    except ValueError:
        return today
    return asked if FIRST_DAY <= asked <= today else today


@dataclass(frozen=True)
class Bar:
    """A stretch of the day; `end` is None while it goes on."""

    kind: str  # on_duty, on_break, or the state of a dispatch
    start: datetime
    end: datetime | None
    label: str
    leg_id: int | None = None
    note: str = ""


@dataclass
class Day:
    """A driver's day. Bars are measured in thousandths of the hours that are shown."""

    driver_id: int
    day: date
    now: datetime
    duty: list[Bar] = field(default_factory=list)
    legs: list[Bar] = field(default_factory=list)

    @property
    def begins(self) -> datetime:
        """Midnight before it."""
        return datetime.combine(self.day, time(), zone())

    @property
    def ends(self) -> datetime:
        """Midnight after it."""
        return datetime.combine(self.day + timedelta(days=1), time(), zone())

    @property
    def is_today(self) -> bool:
        """Whether it still goes on."""
        return self.begins <= self.now < self.ends

    @property
    def entries(self) -> list[Bar]:
        """Everything in order, for the list."""
        return sorted([*self.duty, *self.legs], key=lambda bar: bar.start)

    @property
    def first(self) -> datetime:
        """The full hour with which the axis begins; six in the morning at the latest."""
        starts = [max(bar.start, self.begins) for bar in self.entries]
        return min([*starts, self.begins + 6 * HOUR]).astimezone(zone()).replace(minute=0, second=0, microsecond=0)

    @property
    def last(self) -> datetime:
        """The full hour with which it ends; eight in the evening at the earliest."""
        ends = [min(bar.end or self.now, self.ends) for bar in self.entries]
        latest = max([*ends, self.begins + 20 * HOUR]).astimezone(zone())
        full = latest.replace(minute=0, second=0, microsecond=0)
        return min(full if full == latest else full + HOUR, self.ends)

    def place(self, moment: datetime) -> float:
        """Where an instant stands on the axis, from 0 to 1000."""
        share = (moment - self.first) / (self.last - self.first)
        return round(1000 * min(max(share, 0), 1), 1)

    @property
    def hours(self) -> list[tuple[float, str]]:
        """Every second hour as (place, words)."""
        marks = []
        moment = self.first
        while moment <= self.last:
            marks.append((self.place(moment), f"{moment.astimezone(zone()):%H}"))
            moment += 2 * HOUR
        return marks

    @property
    def now_at(self) -> float | None:
        """Where this moment stands, while the day goes on."""
        return self.place(self.now) if self.is_today else None

    @property
    def drawn(self) -> list[tuple[str, list[tuple[Bar, float, float]]]]:
        """The two lanes, each bar as (bar, place, width)."""
        return [("Duty", self._drawn(self.duty)), ("Legs", self._drawn(self.legs))]

    def _drawn(self, bars: Sequence[Bar]) -> list[tuple[Bar, float, float]]:
        placed = [(bar, self.place(bar.start), self.place(bar.end or min(self.now, self.ends))) for bar in bars]
        return [(bar, start, max(end - start, 3)) for bar, start, end in placed]


def load_days(keys: Sequence[str], now: datetime | None = None) -> Mapping[str, Day]:
    """Days of drivers; two queries for any number of them."""
    now = now or timezone.now()
    found = {key: parsed for key in keys if (parsed := parse_key(key)) is not None}
    made = {key: Day(driver_id, day, now) for key, (driver_id, day) in found.items()}
    days = list(made.values())
    if days:
        fill(days, Dispatch.objects.filter(within(days)).select_related("leg").order_by("offered_at"))
    return made


def fill(wanted: Sequence[Day], dispatches: Iterable[Dispatch]) -> None:
    """Put the bars into days: those of shifts, and of such of `dispatches` (with their legs) as fall into them."""
    worked = list(duty_bars(wanted))
    drove = [(dispatch.driver_id, leg_bar(dispatch)) for dispatch in dispatches]
    for day in wanted:
        day.duty = [bar for driver_id, bar in worked if driver_id == day.driver_id and overlaps(bar, day)]
        day.legs = [bar for driver_id, bar in drove if driver_id == day.driver_id and overlaps(bar, day)]


def overlaps(bar: Bar, day: Day) -> bool:
    """Whether some of it is on that day."""
    return bar.start < day.ends and (bar.end is None or bar.end > day.begins or bar.start >= day.begins)


def within(wanted: Sequence[Day]) -> Q:
    """The dispatches that drivers were asked, or had in hand, on days of theirs or between them."""
    begins, ends = min(day.begins for day in wanted), max(day.ends for day in wanted)
    over = Q(ended_at__isnull=False, ended_at__lte=begins)
    return Q(driver__in={day.driver_id for day in wanted}, offered_at__lt=ends) & ~over


def duty_bars(wanted: Sequence[Day]) -> Iterator[tuple[int, Bar]]:
    """Each stretch on duty or on a break in the shifts of those days, with whose it is; one query."""
    begins, ends = min(day.begins for day in wanted), max(day.ends for day in wanted)
    rows = Shift.objects.filter(user__in={day.driver_id for day in wanted}, started_at__lt=ends)
    steps = rows.exclude(ended_at__lte=begins).order_by("started_at", "pk", "history__at", "history__pk")
    found = steps.values_list("pk", "user", "started_at", "duty", "ended_at", "history__at", "history__to_state")
    for _, parts in groupby(found, key=lambda row: row[0]):
        shift = list(parts)
        _, user_id, started_at, duty, ended_at, _, _ = shift[0]
        known = [(at, state) for *_, at, state in shift if at is not None] or [(started_at, duty)]
        stops = [*(at for at, _ in known[1:]), ended_at]
        for (at, state), stop in zip(known, stops, strict=True):
            if state != Duty.OFF_DUTY:
                yield user_id, Bar(state, at, stop, str(Duty(state).label))


def leg_bar(dispatch: Dispatch) -> Bar:
    """From the offer to its end."""
    word = str(DispatchStatus(dispatch.status).label)
    note = f"{word}: {dispatch.reason.rstrip('.')}" if dispatch.reason else word
    return Bar(dispatch.status, dispatch.offered_at, dispatch.ended_at, str(dispatch.leg), dispatch.leg_id, note)


# --- The track ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Track:
    """Where a driver went on one day: points as (instant, place), oldest first."""

    points: list[tuple[datetime, Point]]

    @property
    def km(self) -> float:
        """The length of the way, from point to point."""
        return sum(distance_km(here, there) for (_, here), (_, there) in pairwise(self.points))

    @property
    def gaps(self) -> list[tuple[datetime, datetime]]:
        """The silences in it."""
        return [(before, after) for (before, _), (after, _) in pairwise(self.points) if after - before > GAP]

    @property
    def drawn(self) -> list[list[float]]:
        """As a map takes it: [ms since 1970, latitude, longitude], thinned evenly where there are too many."""
        every = -(-len(self.points) // MOST_POINTS) or 1
        kept = self.points[::every]
        if self.points and kept[-1] is not self.points[-1]:
            kept.append(self.points[-1])
        return [[round(at.timestamp() * 1000), round(p.latitude, 5), round(p.longitude, 5)] for at, p in kept]


def track_of(driver_id: int, day: Day) -> Track:
    """The track of a day; one query."""
    rows = Fix.objects.filter(user=driver_id, at__gte=day.begins, at__lt=day.ends).order_by("at")
    found = rows.values_list("at", "latitude", "longitude")
    return Track([(at, Point(latitude, longitude)) for at, latitude, longitude in found])
