"""The desk's queue of disputes: which are shown, and all that is known about one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, QueryDict
from django.urls import reverse

from accounts.models import User
from adminpanel.queues import FOR_THE_DESK
from bookings.disputes import Case, cases, shown
from bookings.models import Dispute, Session
from bookings.states import BidStatus, DisputeStatus, Party
from common.money import Money

PAGE = 30
TABS = {"waiting": "For us", "answering": "Waiting for an answer", "ended": "Ended"}
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


@dataclass(frozen=True)
class Tab:
    """One of the lists, as a link."""

    slug: str
    label: str
    is_chosen: bool

    @property
    def url(self) -> str:
        """Where it is."""
        return reverse("desk:disputes") + ("" if self.slug == "waiting" else f"?show={self.slug}")


class Queue:
    """What the query string `asked` asks of the list: `show` (one of TABS) and `page`. `usual`: without it."""

    def __init__(self, asked: QueryDict, usual: str = "waiting") -> None:
        self.show = asked.get("show", usual)
        if self.show not in TABS:
            self.show = "waiting"
        page = asked.get("page", "")
        self.number = int(page) if page.isascii() and page.isdecimal() and len(page) < 6 and int(page) else 1

    @cached_property
    def _found(self) -> list[Dispute]:
        rows, start = listed(self.show).select_related(*JOINED), (self.number - 1) * PAGE
        found = list(rows[start : start + PAGE + 1])
        if not found and start:  # the queue has become shorter than that
            self.number, found = 1, list(rows[: PAGE + 1])
        return found

    @property
    def rows(self) -> dict[str, Dispute]:
        """The disputes of the page by key, as their fragment loads them. One query: nobody counts what is behind."""
        return {str(row.pk): row for row in self._found[:PAGE]}

    @property
    def has_next(self) -> bool:
        """Whether there are more."""
        return len(self._found) > PAGE

    @property
    def new(self) -> str:
        """What becomes of one that is not on the page yet: the latest belongs to one end of the list only."""
        more = self.has_next
        edge = self.number == 1 if self.show == "ended" else not more
        return "insert" if edge else "pill"

    @property
    def query(self) -> str:
        """The query string without the page."""
        return "" if self.show == "waiting" else urlencode({"show": self.show})

    @property
    def tabs(self) -> list[Tab]:
        """Every list."""
        return [Tab(slug, label, slug == self.show) for slug, label in TABS.items()]


def listed(show: str) -> QuerySet[Dispute]:
    """Those of a list: what waits the oldest first, what has ended the latest first."""
    return Dispute.objects.filter(status__in=STATES[show]).order_by(*ORDERS[show])


def next_after(dispute: Dispute) -> Dispute | None:
    """The next that waits for the desk: what was opened after `dispute`, else the oldest."""
    rows = listed("waiting").exclude(pk=dispute.pk)
    later = rows.filter(Q(opened_at__gt=dispute.opened_at) | Q(opened_at=dispute.opened_at, pk__gt=dispute.pk))
    return later.first() or rows.first()


def load_rows(keys: Sequence[str]) -> Mapping[str, Dispute]:
    """Disputes with their job and both sides; one query."""
    rows = Dispute.objects.select_related(*JOINED).filter(pk__in=keys)
    return {str(row.pk): row for row in rows}


def order_of(row: Dispute) -> str:
    """Where a row stands in its list, as text."""
    if row.status in STATES["ended"]:
        return f"{10**11 - seconds(row.ended_at):018.6f}"
    return f"{seconds(row.answer_by if row.status == DisputeStatus.AWAITING_RESPONSE else row.opened_at):018.6f}"


def seconds(moment: datetime | None) -> float:
    """An instant as a number."""
    return moment.timestamp() if moment else 0.0


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
