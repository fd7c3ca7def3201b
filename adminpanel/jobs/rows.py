"""A job as the desk sees it: a row of its list, and everything about it on its page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import FilteredRelation, Prefetch, Q
from django.utils import timezone

from accounts.models import User
from adminpanel.audit.lines import Line, Source, Wanted, lines
from adminpanel.jobs import around
from adminpanel.jobs.around import Thing, Things, load_things
from bookings.live.jobs import Job, placed, visits
from bookings.models import Bid, Booking, Session
from bookings.rules.numbers import minutes
from bookings.states import BidStatus, BookingStatus, Party, SessionStatus

LINES = 200  # of a job's history
OVER = (BookingStatus.CANCELLED, BookingStatus.EXPIRED, BookingStatus.NO_SHOW)


@dataclass(frozen=True)
class DeskJob(Job):
    """A job with its visits, at a moment."""

    now: datetime = field(default_factory=timezone.now)

    @property
    def customer(self) -> User:
        """Whose it is."""
        return self.booking.customer

    @property
    def is_late(self) -> bool:
        """Whether its technician should have checked in by now."""
        visit = self.session
        if visit is None or self.status != BookingStatus.ASSIGNED or visit.status != SessionStatus.PENDING:
            return False
        return visit.starts_at <= self.now - minutes("LATE_MINUTES")

    @property
    def waits(self) -> bool:
        """Whether it has waited too long for a technician."""
        return self.is_open and self.booking.target_passed_at is not None

    @property
    def shows(self) -> list[str]:
        """The lists it stands in; see `adminpanel.bookings.SHOWS`."""
        named = {BookingStatus.IN_PROGRESS: "on_site", **dict.fromkeys(OVER, "over")}
        found = [str(named.get(BookingStatus(self.status), self.status))]
        return [*found, *(["late"] if self.is_late else []), *(["unassigned"] if self.waits else [])]

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return not self.booking.is_active


def load_rows(keys: Sequence[str]) -> Mapping[str, DeskJob]:
    """Rows of the list; two queries."""
    now = timezone.now()
    who = visits("technician__user", "bid")
    rows: Any = placed(keys).with_bids().prefetch_related(Prefetch("sessions", who, to_attr="visits"))
    return {str(row.pk): DeskJob(row, row.visits, now) for row in rows}


# --- Its page -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case(DeskJob):
    """The same with what its page adds."""

    bids: Sequence[Bid] = ()
    things: Things = ()

    @property
    def visit(self) -> Session | None:
        """The visit that is booked or under way."""
        found = self.session
        return found if found is not None and found.is_active else None

    @property
    def may_be_sent(self) -> bool:
        """Whether the desk may send somebody, or somebody else."""
        return self.is_open or self.may_be_moved

    @property
    def may_be_moved(self) -> bool:
        """Whether its visit is booked and nobody has checked in."""
        return self.visit is not None and self.visit.status == SessionStatus.PENDING

    @property
    def shows_code(self) -> bool:
        """Whether the start code still opens something."""
        return self.visit is not None and self.visit.status in (SessionStatus.PENDING, SessionStatus.WAITING)

    @property
    def wish(self) -> Thing | None:
        """What somebody asks: to move the visit to another time."""
        found = around.of(self.things, around.WISH)
        return found[-1] if found and self.may_be_moved else None

    @property
    def asked_by(self) -> str:
        """Who asks: the customer, or the technician's first name."""
        if self.wish is None or self.technician is None:
            return ""
        return "The customer" if self.wish.side == Party.CUSTOMER else str(self.technician.user.first_name)

    @property
    def tries(self) -> list[Thing]:
        """How the two sides of the visit tried to reach each other."""
        return around.of(self.things, around.TRY)

    @property
    def done_photos(self) -> list[Thing]:
        """Pictures of what was done."""
        return around.of(self.things, around.DONE)

    @property
    def offered(self) -> dict[str, Bid]:
        """All offers by their key, as their own fragment loads them."""
        return {str(bid.pk): bid for bid in self.bids}

    @property
    def details(self) -> Details:
        """What was asked for, as its own fragment loads it."""
        return Details(self.booking, self.things)


def load_cases(keys: Sequence[str]) -> Mapping[str, Case]:
    """Jobs with what stands in the middle of their pages; three queries for any number of them."""
    now = timezone.now()
    bookings: dict[int, Any] = {row.pk: row for row in placed(keys)}
    rows = with_visits(Bid.objects.filter(booking__in=bookings)) if bookings else []
    things = load_things(list(bookings)) if bookings else {}
    return {str(pk): case_of(row, [bid for bid in rows if bid.booking_id == pk], things.get(pk, ()), now)
            for pk, row in bookings.items()}  # fmt: skip


def with_visits(bids: Any) -> list[Any]:
    """Offers, each with a visit that came of it as `visit`; one that was given twice stands there twice."""
    rows = bids.annotate(visit=FilteredRelation("sessions"))
    return list(
        rows.select_related("technician__user", "conversation", "visit__completion").order_by("visit__pk", "pk")
    )


def case_of(booking: Any, rows: Sequence[Any], things: Things, now: datetime) -> Case:
    """A job, its visits in their order and its offers, each once."""
    visits = []
    for bid in rows:
        bid.booking = booking
        visit = getattr(bid, "visit", None)  # Django sets none where there is none
        if visit is not None:
            visit.booking, visit.bid, visit.technician = booking, bid, bid.technician
            visits.append(visit)
    bids = list({bid.pk: bid for bid in rows}.values())
    standing = [bid.amount for bid in bids if bid.status == BidStatus.SUBMITTED]
    booking.bid_count, booking.best_amount = len(standing), min(standing, default=None)
    return Case(booking, visits, now, bids, things)


@dataclass(frozen=True)
class Details:
    """What was asked for, by whom, and what hangs on it."""

    booking: Booking
    things: Things

    @property
    def pk(self) -> int:
        """The booking's."""
        return self.booking.pk

    @property
    def photos(self) -> list[Thing]:
        """Pictures of what is to be done."""
        return around.of(self.things, around.PHOTO)

    @property
    def legs(self) -> list[Thing]:
        """What is driven for it."""
        return around.of(self.things, around.LEG)

    @property
    def disputes(self) -> list[Thing]:
        """Complaints about it."""
        return around.of(self.things, around.DISPUTE)


def load_details(keys: Sequence[str]) -> Mapping[str, Details]:
    """What was asked for; two queries."""
    rows = {row.pk: row for row in placed(keys)}
    things = load_things(list(rows)) if rows else {}
    return {str(pk): Details(row, things.get(pk, ())) for pk, row in rows.items()}


# --- Offers ---------------------------------------------------------------------------------------


def load_offers(keys: Sequence[str]) -> Mapping[str, Bid]:
    """Offers in any state, with their conversations."""
    rows = Bid.objects.select_related("technician__user", "booking", "conversation").filter(pk__in=list(map(int, keys)))
    return {str(bid.pk): bid for bid in rows}


STANDS_FIRST = {BidStatus.ACCEPTED: 0, BidStatus.SUBMITTED: 1}


def order_of_offer(bid: Bid) -> str:
    """The one that was accepted, then those that stand by their price, then the rest."""
    return f"{STANDS_FIRST.get(BidStatus(bid.status), 2)} {bid.amount:013.3f} {bid.pk:012}"


# --- History --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AboutJobs(Wanted):
    """Everything that happened to some jobs, their offers and visits, and what the desk did about them."""

    bookings: tuple[int, ...] = ()

    def of(self, source: Source) -> Q | None:
        """The condition for one table."""
        if source.kind in ("booking", "bid", "visit", "move"):
            return Q(**{f"{source.subject}__in": self.bookings})
        if source.kind == "desk":
            return Q(subject_kind="booking", subject_id__in=self.bookings)
        return None


@dataclass(frozen=True)
class Story:
    """A job's history, newest first."""

    booking: Booking
    lines: Sequence[Line]

    @property
    def pk(self) -> int:
        """The booking's."""
        return self.booking.pk


def load_stories(keys: Sequence[str]) -> Mapping[str, Story]:
    """The histories of jobs; two queries."""
    return stories_of(list(placed(keys)))


def stories_of(bookings: Sequence[Booking]) -> dict[str, Story]:
    """The same of jobs that were loaded; one query."""
    told: dict[int, list[Line]] = defaultdict(list)
    if bookings:
        wanted = AboutJobs(bookings=tuple(row.pk for row in bookings))
        for line in lines(wanted, limit=LINES * len(bookings)):
            told[line.subject_id or 0].append(line)
    return {str(row.pk): Story(row, told[row.pk]) for row in bookings}
