"""A driver's day: shifts and legs as bars along its hours and as a list, and what the track says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date

from common.geo import Point, distance_km
from tracking.models import Dispatch, Fix, Shift, ShiftHistory
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


def load_days(keys: Sequence[str]) -> Mapping[str, Day]:
    """Days of drivers; three queries for any number of them."""
    now = timezone.now()
    found = {key: parsed for key in keys if (parsed := parse_key(key)) is not None}
    made = {key: Day(driver_id, day, now) for key, (driver_id, day) in found.items()}
    fill(list(made.values()))
    return made


def day_of(driver_id: int, day: date, now: datetime) -> Day:
    """One driver's day."""
    made = Day(driver_id, day, now)
    fill([made])
    return made


def fill(wanted: Sequence[Day]) -> None:
    """Put the bars into days."""
    if not wanted:
        return
    ids = {day.driver_id for day in wanted}
    begins, ends = min(day.begins for day in wanted), max(day.ends for day in wanted)
    worked = [(shift.user_id, bar) for shift in shifts_of(ids, begins, ends) for bar in duty_bars(shift)]
    drove = [(dispatch.driver_id, leg_bar(dispatch)) for dispatch in dispatches_of(ids, begins, ends)]
    for day in wanted:
        day.duty = [bar for driver_id, bar in worked if driver_id == day.driver_id and overlaps(bar, day)]
        day.legs = [bar for driver_id, bar in drove if driver_id == day.driver_id and overlaps(bar, day)]


def overlaps(bar: Bar, day: Day) -> bool:
    """Whether some of it is on that day."""
    return bar.start < day.ends and (bar.end is None or bar.end > day.begins or bar.start >= day.begins)


def shifts_of(driver_ids: Iterable[int], begins: datetime, ends: datetime) -> QuerySet[Shift]:
    """The shifts that some of a time was worked in, with their history."""
    rows = Shift.objects.filter(user__in=driver_ids, started_at__lt=ends).exclude(ended_at__lte=begins)
    return rows.order_by("started_at").prefetch_related(Prefetch("history", ShiftHistory.objects.order_by("at", "pk")))


def dispatches_of(driver_ids: Iterable[int], begins: datetime, ends: datetime) -> QuerySet[Dispatch]:
    """What drivers were asked, or had in hand, in a time."""
    rows = Dispatch.objects.filter(driver__in=driver_ids, offered_at__lt=ends).exclude(ended_at__lte=begins)
    return rows.select_related("leg").order_by("offered_at")


def duty_bars(shift: Shift) -> list[Bar]:
    """Each stretch on duty or on a break."""
    steps = [(step.at, step.to_state) for step in shift.history.all()] or [(shift.started_at, shift.duty)]
    stops = [*(at for at, _ in steps[1:]), shift.ended_at]
    return [
        Bar(state, at, stop, str(Duty(state).label))
        for (at, state), stop in zip(steps, stops, strict=True)
        if state != Duty.OFF_DUTY
    ]


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
