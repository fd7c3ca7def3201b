"""The figures of the dashboard: what each counts, and all of them in one query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, F, QuerySet, Sum

from accounts.access import desk
from accounts.models import Role, User
from adminpanel.dashboard.kept import Kept, kept, kept_lately
from adminpanel.dashboard.spans import DAY, LATELY, Spans
from adminpanel.dashboard.tally import Branch, Place, tally
from adminpanel.health.online import drivers_by_state, pages_here
from adminpanel.queues.waiting import queues
from bookings.models import Booking, Session
from bookings.states import ACTIVE_SESSION, BookingStatus, SessionStatus
from common.money import Money
from realtime.topics import Topic

figures_topic = Topic("desk.figures", users=desk, pace=1.0)
charts_topic = Topic("desk.charts", users=desk, pace=3.0)


@dataclass(frozen=True)
class Figures:
    """Everything that was counted at one instant, by (name, part)."""

    at: datetime
    totals: Mapping[Place, Decimal]
    series: dict[str, Any] = field(default_factory=dict, compare=False)  # what was counted beside it: see `series`

    def count(self, name: str) -> int:
        """How many of that name there are."""
        return int(self.totals.get(Place(name, ""), 0))

    def money(self, name: str) -> list[Money]:
        """The sums of that name, one for each currency, the site's own first; that one is always there."""
        home = settings.DEFAULT_CURRENCY
        sums = {place.part: total for place, total in self.totals.items() if place.name == name}
        others = [Money(sums[code], code) for code in sorted(sums) if code != home]
        return [Money(sums.get(home, Decimal(0)), home), *others]


def figures() -> Figures:
    """The figures as they are now: counted once a second in each process, however many look."""
    return kept("figures", [figures_topic(), charts_topic()], count)


def figures_lately() -> Kept[Figures]:
    """The figures of the last second, for a page that goes on from their cursor: see `realtime.pages.go_on_from`."""
    return kept_lately("figures", count)


def count(now: datetime) -> Figures:
    """Count everything; one query."""
    span = Spans(now)
    return Figures(now, tally({**standing(now), **today(span), **lately(span), **months(span)}))


# --- What is counted ------------------------------------------------------------------------------


def standing(now: datetime) -> dict[str, Branch]:
    """How things stand."""
    rows: dict[str, QuerySet[Any]] = {
        "open": Booking.objects.filter(status=BookingStatus.OPEN),
        "unassigned": Booking.objects.past_target(),
        "waiting": Session.objects.filter(status=SessionStatus.WAITING),
        "live": Session.objects.filter(status__in=(SessionStatus.LIVE, SessionStatus.PAUSED)),
        "late": Booking.objects.late(now),
        "visits": Session.objects.filter(status__in=ACTIVE_SESSION),
        **drivers_by_state(now),
        **queues(),
    }
    people = Branch(pages_here(now), Count("principal", distinct=True))
    return {name: Branch(each) for name, each in rows.items()} | {"people": people}


def today(span: Spans) -> dict[str, Branch]:
    """What was done since midnight at the desk."""
    return finished("completed", "revenue", span.midnight, span.now)


def lately(span: Spans) -> dict[str, Branch]:
    """The last 24 hours, the last 30 days, and as much time before each."""
    return {
        "placed_day": Branch(placed(span.day_ago, span.now)),
        "placed_day_before": Branch(placed(span.day_ago - DAY, span.day_ago)),
        "professionals": Branch(joined(Role.TECHNICIAN, span.lately, span.now)),
        "professionals_before": Branch(joined(Role.TECHNICIAN, span.lately - LATELY, span.lately)),
    }


def months(span: Spans) -> dict[str, Branch]:
    """This month, and the one before up to the same moment."""
    now, before = (span.month, span.now), (span.last_month, span.last_month_until)
    return {
        "placed_month": Branch(placed(*now)),
        "placed_month_before": Branch(placed(*before)),
        "customers_month": Branch(joined(Role.CUSTOMER, *now)),
        "customers_month_before": Branch(joined(Role.CUSTOMER, *before)),
        **finished("completed_month", "revenue_month", *now),
        **finished("completed_month_before", "revenue_month_before", *before),
    }


def placed(since: datetime, until: datetime) -> QuerySet[Booking]:
    """The jobs that were placed in a time, whatever became of them."""
    return Booking.objects.filter(placed_at__gte=since, placed_at__lte=until)


def joined(role: str, since: datetime, until: datetime) -> QuerySet[User]:
    """Who signed up in a time and has that role."""
    found: QuerySet[User] = User.objects.filter(role=role, joined_at__gte=since, joined_at__lte=until)
    return found


def finished(how_many: str, how_much: str, since: datetime, until: datetime) -> dict[str, Branch]:
    """The visits that were finished in a time, and the accepted prices of their jobs, each currency by itself."""
    rows = Session.objects.filter(status=SessionStatus.COMPLETED, finished_at__gte=since, finished_at__lte=until)
    return {how_many: Branch(rows), how_much: Branch(rows, Sum("bid__amount"), F("bid__currency"))}
