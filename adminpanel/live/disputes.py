"""What moves by itself in the desk's queue of disputes: the rows of its lists, and the one that is looked at."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.access import desk
from accounts.models import User
from adminpanel.queues.disputes import PILES, load_cases, load_rows, order_of, tab_of
from bookings.models import Dispute, DisputeEvidence
from bookings.states import STANDING_DISPUTE
from realtime.fragments import Fragment, watch
from realtime.topics import Topic

Place = tuple[str, str]

list_topic = Topic("desk.disputes.{show:str}", users=lambda user_ids, show: desk(user_ids) if show in PILES else set())
dispute_topic = Topic("desk.dispute.{dispute_id}", users=lambda user_ids, dispute_id: desk(user_ids))


def standing_of(user: User) -> QuerySet[Dispute]:
    """The disputes of a person that are neither decided nor withdrawn: their name stands there."""
    return Dispute.objects.filter(Q(opened_by=user.pk) | Q(against=user.pk), status__in=STANDING_DISPUTE)


def rows_of(user: User) -> list[Place]:
    """Their rows."""
    return [(list_topic(tab_of(row.status)), str(row.pk)) for row in standing_of(user)]


def cases_of(user: User) -> list[Place]:
    """The same, one by one."""
    return [(dispute_topic(row.pk), str(row.pk)) for row in standing_of(user)]


row = Fragment(
    "adminpanel.dispute_row",
    template="adminpanel/_dispute_row.html",
    load=load_rows,
    topics=lambda dispute: [list_topic(tab_of(dispute.status))],
    watches=[
        watch(Dispute, remember=("status",)),
        watch(User, fields=("name",), touches=rows_of, referring=True),
    ],
    order=order_of,
)
case = Fragment(
    "adminpanel.dispute_case",
    template="adminpanel/_dispute_case.html",
    load=load_cases,
    topics=lambda case: [dispute_topic(case.pk)],
    watches=[
        watch(Dispute),
        watch(DisputeEvidence, touches=lambda piece: [(dispute_topic(piece.dispute_id), str(piece.dispute_id))]),
        watch(User, fields=("name",), touches=cases_of, referring=True),
    ],
)
