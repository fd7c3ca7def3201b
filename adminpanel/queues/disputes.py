"""The desk's queue of disputes: which are shown, and all that is known about one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import F, FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.http import Http404

from accounts.models import User
from adminpanel.queues.piles import Listed, Pile, next_among, seconds
from adminpanel.queues.waiting import FOR_THE_DESK
from bookings.disputes import Case, cases, shown
from bookings.models import Dispute, Session
from bookings.states import BidStatus, DisputeStatus, Party
from common.money import Money

STATES: dict[str, tuple[str, ...]] = {
    "waiting": FOR_THE_DESK,
    "answering": (DisputeStatus.AWAITING_RESPONSE,),
    "ended": (DisputeStatus.RESOLVED, DisputeStatus.WITHDRAWN),
}
JOINED = ("booking", "opened_by", "against")
ORDERS = {"waiting": ("opened_at", "pk"), "answering": ("answer_by", "pk"), "ended": ("-ended_at", "-pk")}


def tab_of(status: str) -> str:
    """The list in which a dispute of that state stands."""
    return next(slug for slug, states in STATES.items() if status in states)


# --- The list -------------------------------------------------------------------------------------


def listed(show: str) -> QuerySet[Dispute]:
    """Those of a list: what waits the oldest first, what has ended the latest first."""
    return Dispute.objects.filter(status__in=STATES[show]).select_related(*JOINED).order_by(*ORDERS[show])


PILES: dict[str, Pile[Dispute]] = {
    "waiting": Pile("For us", partial(listed, "waiting"), "last"),
    "answering": Pile("Waiting for an answer", partial(listed, "answering"), "last"),
    "ended": Pile("Ended", partial(listed, "ended"), "first"),
}
disputes_listed = partial(Listed, "desk:disputes", PILES)


def next_after(dispute: Dispute) -> Dispute | None:
    """The next that waits for the desk: what was opened after `dispute`, else the oldest."""
    return next_among(listed("waiting"), "opened_at", dispute.opened_at, dispute.pk)


def load_rows(keys: Sequence[str]) -> Mapping[str, Dispute]:
    """Disputes with their job and both sides; one query."""
    rows = Dispute.objects.select_related(*JOINED).filter(pk__in=keys)
    return {str(row.pk): row for row in rows}


def order_of(row: Dispute) -> str:
    """Where a row stands in its list, as text."""
    if row.status in STATES["ended"]:
        return f"{10**11 - seconds(row.ended_at):018.6f}"
    return f"{seconds(row.answer_by if row.status == DisputeStatus.AWAITING_RESPONSE else row.opened_at):018.6f}"


# --- One ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DeskCase(Case):
    """A dispute as the desk sees it: with the job, the visit, and where the two sides have talked."""

    agreed: Money | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    conversation_id: int | None = None

    @property
    def by_customer(self) -> bool:
        """Whether it was the customer who opened it."""
        return self.dispute.party == Party.CUSTOMER

    @property
    def customer(self) -> User:
        """The customer's side."""
        return self.opener if self.by_customer else self.other

    @property
    def technician(self) -> User:
        """The technician's side."""
        return self.other if self.by_customer else self.opener

    @property
    def is_new(self) -> bool:
        """Whether the desk has not taken it on."""
        return self.dispute.status == DisputeStatus.OPEN

    @property
    def is_ready(self) -> bool:
        """Whether it can be decided."""
        return self.dispute.status == DisputeStatus.UNDER_REVIEW


def load_cases(keys: Sequence[str]) -> Mapping[str, DeskCase]:
    """Disputes by key; three queries, however many."""
    visit = Session.objects.filter(booking=OuterRef("booking_id")).order_by("-pk")
    rows: Any = cases().annotate(
        bid=FilteredRelation("booking__bids", condition=Q(booking__bids__status=BidStatus.ACCEPTED)),
        price=F("bid__amount"),
        talk=F("bid__conversation"),
        starts_at=Subquery(visit.values("starts_at")[:1]),
        ends_at=Subquery(visit.values("ends_at")[:1]),
    )
    return {str(row.pk): whole_case(row) for row in rows.filter(pk__in=keys)}


def whole_case(row: Any) -> DeskCase:
    """One row with what was joined to it."""
    return DeskCase(
        row,
        shown(row.pieces),
        row.steps,
        agreed=None if row.price is None else Money(row.price, row.currency),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        conversation_id=row.talk,
    )


def case_of(pk: int) -> DeskCase:
    """One, for the desk, which may read all of them. Raises `Http404` where there is none."""
    found = load_cases([str(pk)]).get(str(pk))
    if found is None:
        raise Http404
    return found
