"""The desk's queue of disputes: which are shown, and all that is known about one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.urls import reverse

from accounts.models import User
from adminpanel.queues import FOR_THE_DESK
from bookings.disputes import Case, cases, shown
from bookings.models import Bid, Dispute, Session
from bookings.states import DisputeStatus, Party
from chat.models import Conversation

PAGE = 30
TABS = {"waiting": "For us", "answering": "Waiting for an answer", "ended": "Ended"}
STATES: dict[str, tuple[str, ...]] = {
    "waiting": FOR_THE_DESK,
    "answering": (DisputeStatus.AWAITING_RESPONSE,),
    "ended": (DisputeStatus.RESOLVED, DisputeStatus.WITHDRAWN),
}
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
        self._page = asked.get("page")

    @cached_property
    def page(self) -> Page[Any]:
        """The ids of a page."""
        return Paginator(listed(self.show).values_list("pk", flat=True), PAGE).get_page(self._page)

    @property
    def new(self) -> str:
        """What becomes of one that is not on the page yet: the latest belongs to one end of the list only."""
        edge = not self.page.has_previous() if self.show == "ended" else not self.page.has_next()
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
    rows = Dispute.objects.select_related("booking", "opened_by", "against").filter(pk__in=keys)
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

    visit: Session | None = None
    conversation_id: int | None = None

    @property
    def bid(self) -> Bid | None:
        """What was agreed."""
        return self.visit.bid if self.visit else None

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
    """Disputes by key; five queries, however many."""
    rows: list[Any] = list(cases().filter(pk__in=keys))
    visits: dict[tuple[int, int], Session] = {}
    among = Session.objects.filter(booking__in={row.booking_id for row in rows}).select_related("bid").order_by("pk")
    for visit in among:
        visits[visit.booking_id, visit.technician_id] = visit
    talks = dict(
        Conversation.objects.filter(bid__in={each.bid_id for each in visits.values()}).values_list("bid", "pk")
    )
    found = {}
    for row in rows:
        technician_id = row.against_id if row.party == Party.CUSTOMER else row.opened_by_id
        at = visits.get((row.booking_id, technician_id))
        talk = talks.get(at.bid_id) if at else None
        found[str(row.pk)] = DeskCase(row, shown(row.pieces), row.steps, visit=at, conversation_id=talk)
    return found
