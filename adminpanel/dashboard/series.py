"""What the charts are drawn from: jobs, money and waiting times, hour by hour or day by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Avg, F, FloatField, Func, Min, OuterRef, QuerySet, Subquery, Sum
from django.db.models.expressions import Combinable
from django.db.models.functions import TruncDay, TruncHour

from adminpanel.dashboard.figures import Figures, figures
from adminpanel.dashboard.spans import begins
from adminpanel.dashboard.tally import Branch, tally
from adminpanel.fleet.days import local_day, zone
from bookings.models import Bid, Booking, Session
from bookings.states import SessionStatus

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Period(NamedTuple):
    """A stretch of time up to now, cut into `number` pieces: hours, or days at the desk."""

    slug: str
    label: str
    number: int
    by_hour: bool = False


PERIODS = {
    each.slug: each
    for each in (Period("day", "Day", 24, by_hour=True), Period("week", "Week", 7), Period("month", "Month", 30))
}


@dataclass(frozen=True)
class Piece:
    """An hour or a day. Waits are minutes on average, None where nobody waited; revenue is in the site's currency."""

    at: datetime
    by_hour: bool
    totals: Mapping[str, Decimal]

    @property
    def label(self) -> str:
        """As the axis says it."""
        local = self.at.astimezone(zone())
        return f"{local:%H:%M}" if self.by_hour else f"{local:%a %-d %b}"

    @property
    def placed(self) -> int:
        """The jobs that were placed."""
        return int(self.totals.get("placed", 0))

    @property
    def finished(self) -> int:
        """The visits that were finished."""
        return int(self.totals.get("finished", 0))

    @property
    def revenue(self) -> Decimal:
        """The accepted prices of what was finished."""
        return self.totals.get("revenue", Decimal(0))

    @property
    def first_offer(self) -> int | None:
        """How long jobs placed then waited for their first offer."""
        return minutes(self.totals.get("first_offer"))

    @property
    def booked(self) -> int | None:
        """How long those had waited whose technician was chosen then."""
        return minutes(self.totals.get("booked"))


def minutes(waited: Decimal | None) -> int | None:
    """Whole minutes."""
    return None if waited is None else round(waited)


@dataclass(frozen=True)
class Series:
    """A period, piece by piece, the oldest first."""

    period: Period
    pieces: Sequence[Piece]

    @property
    def currency(self) -> str:
        """What the revenue is in."""
        return settings.DEFAULT_CURRENCY


class MinutesBetween(Func):
    """From one instant to another, in minutes."""

    arg_joiner = " - "
    template = "(EXTRACT(EPOCH FROM (%(expressions)s)) / 60.0)"
    output_field = FloatField()

    def __init__(self, since: str, until: str) -> None:
        super().__init__(F(until), F(since))

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, tuple[Any, ...]]:
        """SQLite counts days."""
        ends = [compiler.compile(each) for each in self.source_expressions]
        sql = " - ".join(f"julianday({text})" for text, _ in ends)
        return f"(({sql}) * 1440.0)", tuple(param for _, params in ends for param in params)


def load_series(keys: Sequence[str]) -> Mapping[str, Series]:
    """The series of periods by their slugs; one query each."""
    return {key: series_of(PERIODS[key], figures()) for key in keys if key in PERIODS}


def series_of(period: Period, seen: Figures) -> Series:
    """One period up to now, counted once for each time that the figures are."""
    if period.slug not in seen.series:
        seen.series[period.slug] = count(period, seen.at)
    found: Series = seen.series[period.slug]
    return found


def count(period: Period, now: datetime) -> Series:
    """Count a period; one query."""
    starts = starts_of(period, now)
    found: dict[str, dict[str, Decimal]] = {}
    for place, total in tally(branches(period, starts[0], now)).items():
        found.setdefault(place.part, {})[place.name] = total
    return Series(period, [Piece(at, period.by_hour, found.get(part_of(at, period), {})) for at in starts])


def starts_of(period: Period, now: datetime) -> list[datetime]:
    """When each piece begins, the oldest first. Hours are those of UTC: no change of the clocks repeats one."""
    if period.by_hour:
        last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return [last - number * HOUR for number in reversed(range(period.number))]
    today = local_day(now)
    return [begins(today - number * DAY) for number in reversed(range(period.number))]


def part_of(at: datetime, period: Period) -> str:
    """How the database names the piece that begins then."""
    local = at.astimezone(UTC if period.by_hour else zone())
    return f"{local:%Y-%m-%d %H:%M:%S}"


def branches(period: Period, since: datetime, until: datetime) -> dict[str, Branch]:
    """What is counted, by piece."""

    def by(rows: QuerySet[Any], moment: str, measure: Combinable | None = None) -> Branch:
        within = rows.filter(**{f"{moment}__gte": since, f"{moment}__lte": until})
        part = TruncHour(moment, tzinfo=UTC) if period.by_hour else TruncDay(moment, tzinfo=zone())
        return Branch(within, part=part) if measure is None else Branch(within, measure, part)

    jobs, visits = Booking.objects.all(), Session.objects.filter(status=SessionStatus.COMPLETED)
    at_home = visits.filter(bid__currency=settings.DEFAULT_CURRENCY)
    first = Bid.objects.filter(booking=OuterRef("pk")).order_by().values("booking").annotate(at=Min("submitted_at"))
    offered = jobs.annotate(first=Subquery(first.values("at"))).filter(first__isnull=False)
    return {
        "placed": by(jobs, "placed_at"),
        "finished": by(visits, "finished_at"),
        "revenue": by(at_home, "finished_at", Sum("bid__amount")),
        "first_offer": by(offered, "placed_at", Avg(MinutesBetween("placed_at", "first"))),
        "booked": by(Session.objects.all(), "created_at", Avg(MinutesBetween("booking__placed_at", "created_at"))),
    }
