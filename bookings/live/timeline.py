"""The customer's timeline: the histories of a booking, its offers and its visits, told as one story."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from accounts.models import Role
from bookings.models import BidHistory, Booking, BookingHistory, SessionHistory
from bookings.states import BidStatus, BookingStatus, SessionStatus


@dataclass(frozen=True)
class Event:
    """One line of the story. `tone` is the modifier of its dot."""

    what: str
    at: datetime
    tone: str = "done"
    why: str = ""


@dataclass(frozen=True)
class Timeline:
    """A job's story, oldest first."""

    booking: Booking
    events: Sequence[Event]

    @property
    def pk(self) -> int:
        """The booking's id."""
        return self.booking.pk

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return not self.booking.is_active


def timelines(keys: Sequence[str]) -> Mapping[str, Timeline]:
    """The stories of many jobs, in four queries."""
    rows = Booking.objects.filter(pk__in=[int(key) for key in keys]).exclude(status=BookingStatus.DRAFT)
    bookings = {booking.pk: booking for booking in rows}
    events: dict[int, list[tuple[datetime, int, Event]]] = defaultdict(list)
    for booking_id, order, row, event in told(list(bookings)):
        events[booking_id].append((row.at, order, event))
    return {
        str(pk): Timeline(booking, [event for *_, event in sorted(events[pk], key=lambda each: each[:2])])
        for pk, booking in bookings.items()
    }


def told(booking_ids: Sequence[int]) -> Iterable[tuple[int, int, Any, Event]]:
    """(booking, order among equal times, history row, event) of every row that is worth telling."""
    for row in BookingHistory.objects.filter(subject__in=booking_ids):
        if event := of_booking(row):
            yield row.subject_id, 1, row, event
    bids = BidHistory.objects.filter(subject__booking__in=booking_ids).select_related("subject__technician__user")
    for booking_id, group in groupby(bids.order_by("subject__booking_id", "at", "id"), lambda r: r.subject.booking_id):
        for bid_row in group:
            if event := of_bid(bid_row):
                yield booking_id, 0, bid_row, event
    visits = SessionHistory.objects.filter(subject__booking__in=booking_ids)
    for visit_row in visits.select_related("subject__technician__user", "subject__booking"):
        if event := of_visit(visit_row):
            yield visit_row.subject.booking_id, 2, visit_row, event


def who(row: Any) -> str:
    """The technician that a history row of an offer or a visit is about."""
    return str(row.subject.technician.user.first_name)


def of_booking(row: BookingHistory) -> Event | None:
    """What the booking's own history tells. Its being assigned, begun and done is told by the visit."""
    you = "The desk" if row.actor_role == Role.ADMIN else "You"
    if row.from_state == row.to_state == BookingStatus.OPEN:
        return Event(f"{you} changed the time", row.at)
    if row.to_state == BookingStatus.OPEN:
        again = row.from_state == BookingStatus.ASSIGNED
        return Event("Open for offers again" if again else f"{you} placed the job", row.at)
    if row.to_state == BookingStatus.EXPIRED:
        return Event("Expired", row.at, "bad", row.reason)
    if row.to_state == BookingStatus.CANCELLED:
        return Event(f"Cancelled by {BY.get(row.actor_role, 'the desk')}", row.at, "bad", row.reason)
    if row.to_state == BookingStatus.NO_SHOW:
        return Event("Closed as a no-show", row.at, "bad", row.reason)
    return None


BY = {"customer": "you", "technician": "the technician"}


def of_bid(row: BidHistory) -> Event | None:
    """What an offer's history tells: how it came and changed, not how it was set aside with the others."""
    if row.actor_role == Role.ADMIN:
        return of_bid_at_desk(row)
    if row.to_state == BidStatus.SUBMITTED:
        return Event(f"{who(row)} changed the offer" if row.from_state else f"{who(row)} made an offer", row.at)
    if row.to_state == BidStatus.ACCEPTED:
        return Event(f"You accepted {who(row)}'s offer", row.at, why=str(row.subject.price))
    if row.to_state == BidStatus.REJECTED:
        return Event(f"You declined {who(row)}'s offer", row.at)
    if row.to_state == BidStatus.WITHDRAWN:
        return Event(f"{who(row)} withdrew the offer", row.at)
    if row.to_state == BidStatus.RELEASED:
        return Event(f"{who(row)} can no longer come", row.at, "bad", row.reason)
    return Event(f"{who(row)}'s offer lapsed", row.at) if row.to_state == BidStatus.EXPIRED else None


def of_bid_at_desk(row: BidHistory) -> Event | None:
    """The same, of what the desk did: an offer that it made itself is told by its being accepted."""
    if row.to_state == BidStatus.ACCEPTED:
        return Event(f"The desk booked {who(row)}", row.at, why=str(row.subject.price))
    if row.to_state == BidStatus.REJECTED:
        return Event(f"The desk declined {who(row)}'s offer", row.at)
    if row.to_state == BidStatus.RELEASED:
        return Event(f"{who(row)} no longer comes", row.at, "bad", row.reason)
    return Event(f"{who(row)}'s offer was withdrawn", row.at) if row.to_state == BidStatus.WITHDRAWN else None


def of_visit(row: SessionHistory) -> Event | None:
    """What a visit's history tells."""
    if row.from_state == row.to_state:
        return Event("The visit was moved", row.at, why=row.reason)
    if row.to_state == SessionStatus.WAITING:
        return Event(f"{who(row)} is at the door", row.at)
    if row.to_state == SessionStatus.LIVE:
        again = row.from_state == SessionStatus.PAUSED
        return Event("The work goes on" if again else "The work began", row.at)
    if row.to_state == SessionStatus.PAUSED:
        return Event("The work paused", row.at, "wait", row.reason)
    return Event("The work is finished", row.at) if row.to_state == SessionStatus.COMPLETED else None
