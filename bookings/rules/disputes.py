"""When a job can be disputed, and by whom. Pure: everything comes in, nothing is asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bookings.models import Booking, Dispute, Session
from bookings.rules.numbers import minutes
from bookings.states import STANDING_DISPUTE, BookingStatus, DisputeStatus, Party

# Under way, or ended with something to argue about. A job called off before anybody came has its fee, which is a rule.
DISPUTABLE = (BookingStatus.IN_PROGRESS, BookingStatus.COMPLETED, BookingStatus.NO_SHOW, BookingStatus.CANCELLED)


def sides_of(booking: Booking, visit: Session) -> dict[int, str]:
    """The two sides of a job by the ids of their people; `visit` is its last one."""
    return {booking.customer_id: Party.CUSTOMER, visit.technician_id: Party.TECHNICIAN}


def open_until(ended_at: datetime) -> datetime:
    """Until when a job that ended then can be disputed."""
    return ended_at + minutes("DISPUTE_WITHIN_MINUTES")


def why_not(
    booking: Booking, visit: Session | None, disputes: Sequence[Dispute], ended_at: datetime, now: datetime
) -> str:
    """Why neither side can open a dispute, as a sentence with what to do next; nothing while they can.

    `disputes` are all there were about the job, `ended_at` is when it last changed its state.
    """
    if booking.status not in DISPUTABLE or visit is None or not came(booking, visit):
        return "A job can be disputed once the technician has come. Until then you can cancel or move the visit."
    if any(each.status in STANDING_DISPUTE for each in disputes):
        return "There is a dispute about this job already. Add to that one what you have to say."
    if any(each.status == DisputeStatus.RESOLVED for each in disputes):
        return "The desk has decided about this job already. Write to the desk if something new has come up."
    if booking.status != BookingStatus.IN_PROGRESS and now >= open_until(ended_at):
        days = minutes("DISPUTE_WITHIN_MINUTES") // timedelta(days=1)
        return f"A job can be disputed for {days} days after its end. Write to the desk if you still need help."
    return ""


def came(booking: Booking, visit: Session) -> bool:
    """Whether a job got as far as a visit: the technician checked in, or somebody was not there."""
    return booking.status == BookingStatus.NO_SHOW or visit.checked_in_at is not None


def is_told(dispute: Dispute) -> bool:
    """Whether the other side reads what is said: from the moment their answer is asked for, for good."""
    return dispute.answer_by is not None


def may_answer(dispute: Dispute, now: datetime) -> bool:
    """Whether the other side's answer still counts. The clock ends the wait; between its ticks the deadline does."""
    awaited = dispute.status == DisputeStatus.AWAITING_RESPONSE
    return awaited and dispute.answer_by is not None and now < dispute.answer_by
