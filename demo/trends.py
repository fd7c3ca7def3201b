"""How the dashboard's figures went in the last two days, read out of the histories: hour by hour, where none was kept.

A trial that was not running kept no samples; what happened is known all the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Q, QuerySet

from accounts.models import CredentialHistory, CredentialStatus
from adminpanel.dashboard.samples import SAMPLED
from adminpanel.dashboard.spans import Spans
from adminpanel.models import FigureSample
from adminpanel.queues.waiting import FOR_THE_DESK, queues
from bookings.models import BidHistory, Booking, BookingHistory, DisputeHistory, ReviewHistory, Session, SessionHistory
from bookings.rules.numbers import minutes
from bookings.states import ACTIVE_BOOKING, BookingStatus, ReviewStatus, SessionStatus
from common.history import HistoryRow
from realtime.bulk import bulk_create
from tracking.models import Driver, Shift, ShiftHistory
from tracking.states import Duty

HOUR = timedelta(hours=1)
HOURS = 48
WORKING = (SessionStatus.LIVE, SessionStatus.PAUSED)
ON_SHIFT = (Duty.ON_DUTY, Duty.ON_BREAK)


class Stretch(NamedTuple):
    """A time in which something was in one state; `until` is None while it is."""

    subject: int
    state: str
    since: datetime
    until: datetime | None

    def covers(self, at: datetime) -> bool:
        """Whether it was so then."""
        return self.since <= at and (self.until is None or at < self.until)


def keep_trends(now: datetime) -> int:
    """Write the samples of those full hours of the last two days that have none; returns how many hours."""
    last = now.replace(minute=0, second=0, microsecond=0)
    hours = [last - HOUR * back for back in range(HOURS, -1, -1)]
    kept = set(FigureSample.objects.filter(name=SAMPLED[0], at__gte=hours[0]).values_list("at", flat=True))
    missing = [hour for hour in hours if hour not in kept]
    if missing:
        past = Past.read(hours[0], now)
        found = {at: past.figures(at) for at in missing}
        rows = [FigureSample(name=name, at=at, value=found[at][name]) for at in missing for name in SAMPLED]
        bulk_create(FigureSample, rows, ignore_conflicts=True)
    return len(missing)


def stretches(history: type[HistoryRow], standing: QuerySet[Any], since: datetime) -> list[Stretch]:
    """The times that things spent in their states, of all that moved after `since` or are `standing` now."""
    rows: Any = history._default_manager.all()
    wanted = Q(subject__in=rows.filter(at__gte=since).values("subject")) | Q(subject__in=standing.values("pk"))
    moves = list(rows.filter(wanted).order_by("subject", "at", "pk").values_list("subject", "to_state", "at"))
    found: list[Stretch] = []
    for number, (subject, state, at) in enumerate(moves):
        after = moves[number + 1] if number + 1 < len(moves) else None
        until = after[2] if after and after[0] == subject else None
        before = found[-1] if found else None
        if before is not None and (before.subject, before.state) == (subject, state):
            found[-1] = before._replace(until=until)  # a note, no move
        else:
            found.append(Stretch(subject, state, at, until))
    return [each for each in found if each.until is None or each.until > since]


@dataclass
class Past:
    """What was, since some time."""

    jobs: list[Stretch]
    visits: list[Stretch]
    shifts: list[Stretch]
    documents: list[Stretch]
    reviews: list[Stretch]
    disputes: list[Stretch]
    starts: Mapping[int, datetime]
    finished: list[tuple[datetime, Decimal]]
    acts: list[tuple[datetime, int]]
    drivers: int

    @classmethod
    def read(cls, since: datetime, now: datetime) -> Past:
        """A query for each history."""
        waiting = queues()
        visits = stretches(SessionHistory, Session.objects.active(), since)
        sessions = Session.objects.filter(pk__in={each.subject for each in visits})
        done = Session.objects.filter(status=SessionStatus.COMPLETED, finished_at__gte=Spans(since).midnight)
        paid = done.filter(bid__currency=settings.DEFAULT_CURRENCY).values_list("finished_at", "bid__amount")
        return cls(
            jobs=stretches(BookingHistory, Booking.objects.filter(status__in=ACTIVE_BOOKING), since),
            visits=visits,
            shifts=stretches(ShiftHistory, Shift.objects.filter(ended_at__isnull=True), since),
            documents=stretches(CredentialHistory, waiting["verification"], since),
            reviews=stretches(ReviewHistory, waiting["reviews"], since),
            disputes=stretches(DisputeHistory, waiting["disputes"], since),
            starts=dict(sessions.values_list("pk", "starts_at")),
            finished=[(at, amount) for at, amount in paid if at is not None],
            acts=sorted(acts(since - HOUR, now)),
            drivers=Driver.objects.count(),
        )

    def figures(self, at: datetime) -> dict[str, Decimal]:
        """All that is sampled, as it was then."""
        standing = self.standing(at)
        today = [amount for finished, amount in self.finished if Spans(at).midnight <= finished <= at]
        online = count(self.shifts, ON_SHIFT, at)
        figures: dict[str, int | Decimal] = {
            **standing,
            "completed": len(today),
            "revenue": sum(today, Decimal(0)),
            "drivers_online": online,
            "drivers_stale": 0,
            "drivers_off": max(self.drivers - online, 0),
            "people": self.here(at),
        }
        return {name: Decimal(each) for name, each in figures.items()}

    def standing(self, at: datetime) -> dict[str, int]:
        """What was in which state."""
        target, late = at - minutes("TARGET_MINUTES"), at - minutes("LATE_MINUTES")
        pending = [each for each in self.visits if each.state == SessionStatus.PENDING and each.covers(at)]
        return {
            "open": count(self.jobs, (BookingStatus.OPEN,), at),
            "unassigned": count((each for each in self.jobs if each.since <= target), (BookingStatus.OPEN,), at),
            "waiting": count(self.visits, (SessionStatus.WAITING,), at),
            "live": count(self.visits, WORKING, at),
            "late": sum(self.starts[each.subject] <= late for each in pending),
            "verification": count(self.documents, (CredentialStatus.PENDING,), at),
            "reviews": count(self.reviews, (ReviewStatus.FLAGGED,), at),
            "disputes": count(self.disputes, FOR_THE_DESK, at),
        }

    def here(self, at: datetime) -> int:
        """Who did something in the hour before: who only looked left no trace."""
        first, last = bisect_right(self.acts, (at - HOUR, 0)), bisect_right(self.acts, (at, 0))
        return len({who for _, who in self.acts[first:last]})


def acts(since: datetime, until: datetime) -> Iterable[tuple[datetime, int]]:
    """Who did something when."""
    for history in (BookingHistory, BidHistory, SessionHistory, ShiftHistory, ReviewHistory):
        rows = history._default_manager.filter(at__gte=since, at__lte=until, actor__isnull=False)
        yield from rows.values_list("at", "actor")


def count(rows: Iterable[Stretch], states: Iterable[str], at: datetime) -> int:
    """How many different things were in one of `states` then."""
    wanted = set(states)
    return len({each.subject for each in rows if each.state in wanted and each.covers(at)})
