"""What waits for the desk's decision: how many in each queue, for the badges of the rail and the dashboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from accounts.credentials import waiting
from adminpanel.dashboard.tally import Branch, Place, tally
from bookings.models import Dispute, Review
from bookings.states import DisputeStatus, ReviewStatus

# Those that wait for an answer of the other side wait for nobody at the desk.
FOR_THE_DESK = (DisputeStatus.OPEN, DisputeStatus.UNDER_REVIEW)


def queues() -> dict[str, QuerySet[Any]]:
    """What waits, by queue."""
    return {
        "verification": waiting(),
        "reviews": Review.objects.filter(status=ReviewStatus.FLAGGED),
        "disputes": Dispute.objects.filter(status__in=FOR_THE_DESK),
    }


@dataclass(frozen=True)
class Queue:
    """One of the queues, named as its room is, and how many wait in it."""

    name: str
    waits: int


def load_queues(keys: Sequence[str]) -> Mapping[str, Queue]:
    """Queues by name; one query for any of them."""
    wanted = {name: Branch(rows) for name, rows in queues().items() if name in keys}
    found = tally(wanted)
    return {name: Queue(name, int(found.get(Place(name, ""), 0))) for name in wanted}
