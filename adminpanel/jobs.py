"""A job as the desk sees it: a row of its list, and everything about it on its page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, Q
from django.utils import timezone

from accounts.models import User
from adminpanel.audit import Line, Source, Wanted, lines
from bookings.live.jobs import Job, placed, visits
from bookings.models import Bid, Booking, ContactAttempt, RescheduleProposal, Session
from bookings.rules.numbers import minutes
from bookings.states import BidStatus, BookingStatus, Party, ProposalStatus, SessionStatus

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

    attempts: Sequence[ContactAttempt] = ()

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
    def is_waiting(self) -> bool:
        """Whether the technician is at the door."""
        return self.visit is not None and self.visit.status == SessionStatus.WAITING

    @property
    def shows_code(self) -> bool:
        """Whether the start code still opens something."""
        return self.may_be_moved or self.is_waiting

    @property
    def asked_by(self) -> str:
        """Who asks to move the visit: the customer, or the technician's first name."""
        if self.proposal is None or self.technician is None:
            return ""
        return "The customer" if self.proposal.party == Party.CUSTOMER else str(self.technician.user.first_name)


def load_cases(keys: Sequence[str]) -> Mapping[str, Case]:
    """Jobs with what stands in the middle of their pages; six queries for any number of them."""
    standing = RescheduleProposal.objects.filter(status=ProposalStatus.PROPOSED)
    attempts = ContactAttempt.objects.select_related("by")
    told = visits("technician__user", "bid", "completion").prefetch_related(
        Prefetch("completion__photos"),
        Prefetch("proposals", standing, to_attr="standing"),
        Prefetch("contact_attempts", attempts, to_attr="tries"),
    )
    now = timezone.now()
    rows: Any = placed(keys).with_bids().prefetch_related(Prefetch("sessions", told, to_attr="visits"))
    return {str(row.pk): case_of(row, now) for row in rows}


def case_of(booking: Any, now: datetime) -> Case:
    """A booking whose visits were loaded with everything."""
    last = booking.visits[-1] if booking.visits else None
    return Case(booking, booking.visits, now, tuple(last.tries) if last is not None else ())


def load_details(keys: Sequence[str]) -> Mapping[str, Booking]:
    """Bookings with their pictures and their customers."""
    return {str(booking.pk): booking for booking in placed(keys).prefetch_related("photos")}


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
    bookings: dict[int, Booking] = {row.pk: row for row in placed(keys)}
    told: dict[int, list[Line]] = defaultdict(list)
    if bookings:
        for line in lines(AboutJobs(bookings=tuple(bookings)), limit=LINES * len(bookings)):
            told[line.subject_id or 0].append(line)
    return {str(pk): Story(booking, told[pk]) for pk, booking in bookings.items()}
