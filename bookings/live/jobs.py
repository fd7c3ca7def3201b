"""What the customer's fragments show of a job, loaded for many jobs in a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from accounts.models import Technician
from bookings import banner
from bookings.models import Booking, CompletionNote, RescheduleProposal, Session
from bookings.querysets import BookingQuerySet
from bookings.rating import rate
from bookings.states import ACTIVE_SESSION, BookingStatus, Party, ProposalStatus, SessionStatus
from common.money import Money

# Bookings with a visit that counts; an open or expired one may have had a visit that was given back.
VISITED = (BookingStatus.ASSIGNED, BookingStatus.IN_PROGRESS, BookingStatus.COMPLETED)


@dataclass(frozen=True)
class Job:
    """A booking with its visit, as its customer sees them."""

    booking: Booking
    visits: Sequence[Session]

    @property
    def pk(self) -> int:
        """The booking's id."""
        return self.booking.pk

    @property
    def customer_id(self) -> int:
        """Whose job it is."""
        return self.booking.customer_id

    @property
    def status(self) -> str:
        """The booking's state."""
        return self.booking.status

    @property
    def session(self) -> Session | None:
        """The visit that is booked, under way or done; for a job called off, the one that was called off."""
        gone = self.status in (BookingStatus.OPEN, BookingStatus.EXPIRED)
        return self.visits[-1] if self.visits and not gone else None

    @property
    def state(self) -> str:
        """The one word that says how far the job is: the visit's state once there is one."""
        return self.session.status if self.session and self.status in VISITED else self.status

    @property
    def machine(self) -> str:
        """Whose word `state` is, for its chip."""
        return "session" if self.session and self.status in VISITED else "booking"

    @property
    def technician(self) -> Technician | None:
        """Who comes, works or was here."""
        return self.session.technician if self.session else None

    @property
    def price(self) -> Money | None:
        """What was agreed."""
        return self.session.bid.price if self.session else None

    @property
    def phone(self) -> str:
        """The technician's number, from the acceptance until the finished job is put away."""
        reachable = self.status in VISITED and self.booking.put_away_at is None
        return self.technician.user.phone if self.technician and reachable else ""

    @property
    def is_open(self) -> bool:
        """Whether it takes offers."""
        return self.status == BookingStatus.OPEN

    @property
    def offers(self) -> int:
        """How many offers can still be accepted."""
        return int(getattr(self.booking, "bid_count", 0)) if self.is_open else 0

    @property
    def best(self) -> Money | None:
        """The lowest offer."""
        amount = getattr(self.booking, "best_amount", None)
        return None if amount is None else Money(amount, self.booking.currency)

    @property
    def was_reopened(self) -> bool:
        """Whether a technician gave the job back."""
        return self.is_open and bool(self.visits)

    @property
    def proposal(self) -> RescheduleProposal | None:
        """The wish to move the visit that waits for an answer."""
        standing: list[RescheduleProposal] = getattr(self.session, "standing", [])
        return standing[0] if standing else None

    @property
    def asked_by_us(self) -> bool:
        """Whether it is the customer who proposed to move the visit."""
        return self.proposal is not None and self.proposal.party == Party.CUSTOMER

    @property
    def completion(self) -> CompletionNote | None:
        """What the technician wrote about the work."""
        return getattr(self.session, "completion", None)

    @property
    def clock_from(self) -> datetime | None:
        """From when a running work clock counts."""
        return self.session.clock_from if self.session else None

    @property
    def worked_seconds(self) -> float:
        """What the work clock shows, in seconds; while it runs, the page counts on by itself."""
        return self.session.worked(timezone.now()).total_seconds() if self.session else 0


def placed(keys: Sequence[str]) -> BookingQuerySet:
    """The bookings that `keys` name, drafts left out."""
    return Booking.objects.for_lists().filter(pk__in=[int(key) for key in keys]).exclude(status=BookingStatus.DRAFT)


def wrapped(bookings: Iterable[Any]) -> Mapping[str, Job]:
    """Jobs by key, from bookings whose visits are prefetched as `visits`."""
    return {str(booking.pk): Job(booking, booking.visits) for booking in bookings}


def visits(*related: str) -> QuerySet[Session]:
    """Visits in their order, joined with `related`."""
    rows = Session.objects.order_by("pk")
    return rows.select_related(*related) if related else rows


def heads(keys: Sequence[str]) -> Mapping[str, Job]:
    """Jobs for their headings."""
    return wrapped(placed(keys).with_bids().prefetch_related(Prefetch("sessions", visits(), to_attr="visits")))


def whole(keys: Sequence[str]) -> Mapping[str, Job]:
    """Jobs with everything that the panel in their middle shows."""
    standing = RescheduleProposal.objects.filter(status=ProposalStatus.PROPOSED)
    rows = visits("technician__user", "bid", "completion").prefetch_related(
        "technician__skills", "completion__photos", Prefetch("proposals", standing, to_attr="standing")
    )
    found = wrapped(placed(keys).with_bids().prefetch_related(Prefetch("sessions", rows, to_attr="visits")))
    rate(job.technician for job in found.values() if job.technician)
    return found


def details(keys: Sequence[str]) -> Mapping[str, Booking]:
    """Bookings with their pictures."""
    return {str(booking.pk): booking for booking in placed(keys).prefetch_related("photos")}


def cards(keys: Sequence[str]) -> Mapping[str, Job]:
    """Jobs for the cards at home."""
    shown = visits("technician__user", "bid").filter(status__in=(*ACTIVE_SESSION, SessionStatus.COMPLETED))
    return wrapped(placed(keys).with_bids().prefetch_related(Prefetch("sessions", shown, to_attr="visits")))


def urgency(job: Job) -> str:
    """Sorts cards as the banner chooses its line: what is happening now first."""
    rank, moment = banner.urgency(job.booking)
    return f"{rank} {10**11 + moment:016.3f}"  # moments are negative where the newest comes first
