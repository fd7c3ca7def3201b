"""The lines of the audit as they come: on its own page and in the dashboard's feed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from accounts.access import desk
from adminpanel.audit.lines import KIND_OF, Line, load_lines
from bookings.models import ReviewHistory
from bookings.states import ReviewStatus
from realtime.fragments import Fragment, watch
from realtime.topics import Topic

activity_topic = Topic("desk.activity", users=desk)


def load(keys: Sequence[str]) -> Mapping[str, Line]:
    """Lines by key; one query."""
    return load_lines(keys)


def touched(row: Any) -> Iterable[tuple[str, str]]:
    """A row of a history, or of what the desk did, is one line."""
    rows = of_review(row) if isinstance(row, ReviewHistory) else [row.pk]
    yield from ((activity_topic(), f"{KIND_OF[type(row)]}-{pk}") for pk in rows)


def of_review(row: ReviewHistory) -> list[int]:
    """None while the review is sealed: even a removal would say that it is there. All of its lines once it opens."""
    if row.subject.is_sealed:
        return []
    opens = row.from_state == ReviewStatus.SUBMITTED
    return (
        list(ReviewHistory.objects.filter(subject=row.subject_id).values_list("pk", flat=True)) if opens else [row.pk]
    )


activity = Fragment(
    "adminpanel.activity",
    template="adminpanel/_activity.html",
    load=load,
    topics=lambda line: [activity_topic()],
    watches=[watch(model, touches=touched) for model in KIND_OF],
    order=lambda line: line.order,
)
