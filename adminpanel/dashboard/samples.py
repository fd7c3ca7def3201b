"""How the figures went: a sample of each at every full ten minutes, for the trend and the change since yesterday."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q

from adminpanel.dashboard.figures import Figures
from adminpanel.models import FigureSample
from realtime.bulk import bulk_create

STEP = timedelta(minutes=10)
DAY = timedelta(days=1)
KEPT = 35 * DAY
MISSED = timedelta(hours=1)  # how far back yesterday's sample may be where the clock stood still
SUMS = ("revenue",)
SAMPLED = (
    "open",
    "unassigned",
    "waiting",
    "live",
    "late",
    "completed",
    *SUMS,
    "drivers_online",
    "drivers_stale",
    "drivers_off",
    "people",
    "verification",
    "disputes",
    "reviews",
)


@dataclass
class Past:
    """How one figure was: a day ago at this hour, if that is known, and at each full hour since, the oldest first."""

    yesterday: Decimal | None = None
    hours: list[Decimal] = field(default_factory=list)


def value(figures: Figures, name: str) -> Decimal:
    """What is kept of a figure: how many, or the sum in the site's own currency."""
    return figures.money(name)[0].amount if name in SUMS else Decimal(figures.count(name))


def step_of(moment: datetime) -> datetime:
    """The full ten minutes that an instant belongs to."""
    return moment.replace(minute=moment.minute - moment.minute % 10, second=0, microsecond=0)


def take(seen: Figures) -> bool:
    """Keep figures for their step, unless somebody has; whether it was done now. Two clocks at once keep one."""
    at = step_of(seen.at)
    if FigureSample.objects.filter(name=SAMPLED[0], at=at).exists():
        return False
    rows = [FigureSample(name=name, at=at, value=value(seen, name)) for name in SAMPLED]
    bulk_create(FigureSample, rows, ignore_conflicts=True)
    return True


def forget_old(now: datetime) -> int:
    """Delete what no trend asks for any more; returns how many samples."""
    return FigureSample._base_manager.filter(at__lt=now - KEPT).delete()[0]


def past(now: datetime) -> Mapping[str, Past]:
    """How every sampled figure was in the last day; one query."""
    ago = now - DAY
    full_hours = Q(at__gte=ago, at__minute=0)
    yesterday = Q(at__gt=ago - MISSED, at__lte=ago)
    rows = FigureSample.objects.filter(full_hours | yesterday, name__in=SAMPLED, at__gt=ago - MISSED, at__lte=now)
    found: dict[str, Past] = defaultdict(Past)
    for name, at, kept in rows.order_by("at").values_list("name", "at", "value"):
        if at <= ago:
            found[name].yesterday = kept
        if at >= ago and at.minute == 0:
            found[name].hours.append(kept)
    return found
