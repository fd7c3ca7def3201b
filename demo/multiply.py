"""The demo's past, many times over: a business that has run for two years, for trying the desk at its full size.

Jobs that are over, with their offers, visits, reviews, disputes and histories, are copied inside the database under
other ids, earlier and earlier, to copies of their people. Every copy is as consistent as the story it was made from:
its history replays to its state. No page is told: it is done before anybody looks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models, transaction

from accounts.models import AccountHistory, Role, Technician, User, WorkingHours
from bookings.models import (
    Bid,
    BidHistory,
    BidRevision,
    Booking,
    BookingHistory,
    Dispute,
    DisputeHistory,
    ProposalHistory,
    RescheduleProposal,
    Review,
    ReviewFlag,
    ReviewHistory,
    Session,
    SessionHistory,
)
from bookings.states import STANDING_DISPUTE, BookingStatus, ReviewStatus

PAST = timedelta(days=730)
OVER = (BookingStatus.COMPLETED, BookingStatus.CANCELLED, BookingStatus.EXPIRED, BookingStatus.NO_SHOW)
OPEN_EACH = 100  # one copy of the open jobs for so many of the others
# What belongs to a job, and the way to it; in the order in which rows may refer to each other.
OF_A_JOB: tuple[tuple[type[models.Model], str], ...] = (
    (Booking, "pk"),
    (BookingHistory, "subject"),
    (Bid, "booking"),
    (BidRevision, "bid__booking"),
    (BidHistory, "subject__booking"),
    (Session, "booking"),
    (SessionHistory, "subject__booking"),
    (RescheduleProposal, "session__booking"),
    (ProposalHistory, "subject__session__booking"),
    (Review, "booking"),
    (ReviewFlag, "review__booking"),
    (ReviewHistory, "subject__booking"),
    (Dispute, "booking"),
    (DisputeHistory, "subject__booking"),
)
OF_A_PERSON: tuple[tuple[type[models.Model], str], ...] = (
    (User, "pk"),
    (AccountHistory, "user"),
    (Technician, "user"),
    (Technician.skills.through, "technician__user"),
    (WorkingHours, "technician__user"),
)


@dataclass
class Copying:
    """What is copied under which ids: copy `n` of row `i` is `i + n * step`; people have `people` copies."""

    people: int
    back: timedelta  # how much earlier each copy is than the one before
    step: int
    ids: dict[type[models.Model], list[int]] = field(default_factory=dict)

    def copy(self, model: type[models.Model], rows: list[int], copies: int, *, back: timedelta) -> int:
        """Copy `rows` so many times; returns how many rows came of it."""
        self.ids[model] = rows
        columns = model._meta.concrete_fields
        names = ", ".join(quoted(str(each.column)) for each in columns)
        values = ", ".join(self.value(model, each) for each in columns)
        table, key = quoted(model._meta.db_table), quoted(str(model._meta.pk.column))
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} "  # noqa: S608 (names of our own columns)
                f"CROSS JOIN generate_series(1, %(copies)s) AS n WHERE {key} = ANY(%(rows)s)",
                {
                    "copies": copies,
                    "rows": rows,
                    "step": self.step,
                    "people": self.people,
                    "back": f"{back.total_seconds()} seconds",
                    **{f"rows_of_{m._meta.model_name}": known for m, known in self.ids.items()},
                },
            )
            return int(cursor.rowcount)

    def value(self, model: type[models.Model], column: models.Field[Any, Any]) -> str:
        """What a copy has in a column: ids of other copies, earlier instants, another address, else the same."""
        name = quoted(str(column.column))
        of = column.related_model if column.is_relation else (model if column.primary_key else None)
        if of in self.ids:
            known = of
            turn = "(1 + (n - 1) %% %(people)s)" if known in (User, Technician) else "n"
            moved = f"{name} + {turn} * %(step)s"
            return f"CASE WHEN {name} = ANY(%(rows_of_{known._meta.model_name})s) THEN {moved} ELSE {name} END"
        if isinstance(column, models.DateTimeField):
            return f"{name} - n * %(back)s::interval"
        if isinstance(column, models.EmailField):
            return f"'n' || n || '.' || {name}"
        return name


def quoted(name: str) -> str:
    """A name as SQL takes it."""
    return connection.ops.quote_name(name)


def multiply(*, bookings: int, people: int) -> dict[str, int]:
    """Copy the demo's past until there are about so many bookings and people; returns rows made by table.

    PostgreSQL only. 100,000 bookings bring about a million rows of history.
    """
    played = User.objects.filter(role__in=(Role.CUSTOMER, Role.TECHNICIAN))
    over = copied(Booking.objects.filter(status__in=OVER, customer__in=played))
    copies = max(1, math.ceil(bookings / max(1, over.count())))
    sets = max(1, min(copies, math.ceil(people / max(1, played.count()))))
    copying = Copying(people=sets, back=PAST / copies, step=step_of((*OF_A_PERSON, *OF_A_JOB)))
    made: dict[str, int] = {}
    with transaction.atomic():
        everybody = list(played.values_list("pk", flat=True))
        for model, path in OF_A_PERSON:
            made[model._meta.model_name or ""] = copying.copy(
                model, rows_of(model, path, everybody), sets, back=copying.back
            )
        done = list(over.values_list("pk", flat=True))
        standing = list(Booking.objects.filter(status=BookingStatus.OPEN).values_list("pk", flat=True))
        some = max(1, copies // OPEN_EACH)
        for model, path in OF_A_JOB:
            finished = copying.copy(model, rows_of(model, path, done), copies, back=copying.back)
            copying.ids.pop(model)
            now = copying.copy(model, rows_of(model, path, standing), some, back=timedelta(0))
            copying.ids[model] = rows_of(model, path, [*done, *standing])
            made[model._meta.model_name or ""] = finished + now
    settle([model for model, _ in (*OF_A_PERSON, *OF_A_JOB)])
    return made


def copied(over: models.QuerySet[Booking]) -> models.QuerySet[Booking]:
    """Those about which nobody waits for anything: a thousand old disputes would come due at once."""
    sealed = Review.objects.filter(status__in=(ReviewStatus.SUBMITTED, ReviewStatus.FLAGGED))
    standing = Dispute.objects.filter(status__in=STANDING_DISPUTE)
    return over.exclude(pk__in=sealed.values("booking")).exclude(pk__in=standing.values("booking"))


def rows_of(model: type[models.Model], path: str, owners: list[int]) -> list[int]:
    """The ids of the rows that belong to some jobs or people."""
    return list(model._default_manager.filter(**{f"{path}__in": owners}).values_list("pk", flat=True))


def step_of(tables: Iterable[tuple[type[models.Model], str]]) -> int:
    """A distance of ids beyond every one that is taken."""
    highest = [model._default_manager.aggregate(top=models.Max("pk"))["top"] or 0 for model, _ in tables]
    return int(10 ** math.ceil(math.log10(max(highest) + 2)))


def settle(tables: list[type[models.Model]]) -> None:
    """The next ids come behind the copies, and the planner knows how much there is."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), tables):
            cursor.execute(statement)
        for model in tables:
            cursor.execute(f"ANALYZE {quoted(model._meta.db_table)}")
