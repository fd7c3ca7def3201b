"""Who and what stands behind a changed row: asked by the touches of several fragments."""

from __future__ import annotations

from collections.abc import Iterator

from accounts.models import Technician, User
from bookings.models import Bid, Booking, CompletionNote, CompletionPhoto, ContactAttempt, RescheduleProposal, Session
from bookings.states import ACTIVE_SESSION, BidStatus, BookingStatus, SessionStatus

OfVisit = RescheduleProposal | ContactAttempt | CompletionNote


def booking_of_visit(row: OfVisit) -> int:
    """The booking of what hangs on a visit."""
    return row.session.booking_id


def booking_of_photo(row: CompletionPhoto) -> int:
    """The booking whose completion a picture shows."""
    return row.completion.session.booking_id


def customer_of(row: Bid | Session) -> int:
    """The customer of an offer or a visit."""
    return row.booking.customer_id


def bookings_showing(person: User | Technician) -> Iterator[int]:
    """The bookings whose customers see this technician now: offers that stand, visits not put away."""
    if isinstance(person, User) and person.role != "technician":
        return
    yield from Bid.objects.filter(
        technician_id=person.pk, status=BidStatus.SUBMITTED, booking__status=BookingStatus.OPEN
    ).values_list("booking_id", flat=True)
    yield from Session.objects.filter(
        technician_id=person.pk, status__in=(*ACTIVE_SESSION, SessionStatus.COMPLETED), booking__put_away_at=None
    ).values_list("booking_id", flat=True)


def standing_offers(person: User | Technician) -> list[Bid]:
    """The offers of a technician that may still win."""
    return list(Bid.objects.standing().filter(technician_id=person.pk))


def is_placed(booking: Booking) -> bool:
    """Whether a booking is more than its customer's own draft."""
    return booking.status != BookingStatus.DRAFT
