"""Lines of the system: what happens to a job stands in its conversation, in the same transaction as the history row.

One line an event. A conversation is made when an offer is accepted; before that there is one only if somebody asked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db.models.signals import post_save

from accounts.models import Role
from bookings.models import Bid, BidHistory, Booking, BookingHistory, Session, SessionHistory
from bookings.rules.words import span
from bookings.states import BidStatus, BookingStatus, SessionStatus
from chat.actions.opening import job_conversation
from chat.models import Conversation, Message, Side
from chat.notices import group_of
from common.history import HistoryRow
from notifications.actions import clear
from notifications.models import Notification

Sentence = Callable[[Session, HistoryRow], str]


def connect() -> None:
    """Listen to the histories of bookings."""
    for model, listener in (
        (BidHistory, bid_moved),
        (SessionHistory, session_moved),
        (BookingHistory, booking_moved),
    ):
        post_save.connect(listener, sender=model, dispatch_uid=f"chat.{model._meta.label_lower}")


# --- Offers ---------------------------------------------------------------------------------------


def bid_moved(instance: BidHistory, created: bool, raw: bool = False, **_: object) -> None:
    """An offer is accepted: its conversation opens for good. Or its technician let the customer down."""
    if not created or raw or instance.from_state == instance.to_state:
        return
    if instance.to_state == BidStatus.ACCEPTED:
        accepted(instance.subject, instance.at, by_desk=instance.actor_role == Role.ADMIN)
    elif instance.to_state == BidStatus.RELEASED:
        write_about(instance.subject_id, released(instance), instance.at)


def released(row: BidHistory) -> str:
    """Why its technician does not come, as the other side reads it."""
    reason = row.reason.rstrip(" .")
    name = row.subject.technician.user.first_name
    because = f": {reason}" if reason else ""
    if row.actor_role == Role.ADMIN:
        return f"The desk took this job back from {name}{because}."
    return f"{name} withdrew from this job{because}. It is open for others."


def accepted(bid: Bid, now: datetime, *, by_desk: bool = False) -> None:
    """Bring contacts into the open, and say what was agreed."""
    conversation = held(job_conversation(bid, now=now).pk)
    conversation.unmasked_at = now
    conversation.save(update_fields=["unmasked_at"])
    when = span(bid.starts_at, bid.ends_at, bid.booking.zone, now=now)
    what = "Booked by the desk" if by_desk else "Offer accepted"
    write(conversation, f"{what}: {bid.price}, {when}. Phone numbers are in the open now.", now)


# --- Visits ---------------------------------------------------------------------------------------


def at_the_door(session: Session, row: HistoryRow) -> str:
    """The technician checked in."""
    return f"{session.technician.user.first_name} is at the door."


def begun(session: Session, row: HistoryRow) -> str:
    """Waiting or paused to live."""
    return "The work goes on." if row.from_state == SessionStatus.PAUSED else "The work has begun."


def paused(session: Session, row: HistoryRow) -> str:
    """With its reason."""
    return f"The work is paused: {row.reason}" if row.reason else "The work is paused."


def finished(session: Session, row: HistoryRow) -> str:
    """The clock stopped."""
    return "The work is finished."


def nobody_there(session: Session, row: HistoryRow) -> str:
    """Which side was absent."""
    return row.reason or "Nobody was there."


# A cancelled visit is told by its booking's line or by its offer's.
LINES: dict[str, Sentence] = {
    SessionStatus.WAITING: at_the_door,
    SessionStatus.LIVE: begun,
    SessionStatus.PAUSED: paused,
    SessionStatus.COMPLETED: finished,
    SessionStatus.NO_SHOW: nobody_there,
}


def session_moved(instance: SessionHistory, created: bool, raw: bool = False, **_: object) -> None:
    """A visit goes on, ends, or stands at another time."""
    if not created or raw:
        return
    session = instance.subject
    if instance.to_state in (SessionStatus.CANCELLED, SessionStatus.NO_SHOW):
        forget_notices(session)
    if instance.from_state == instance.to_state:
        if instance.reason.startswith("Moved"):
            when = span(session.starts_at, session.ends_at, session.booking.zone, now=instance.at)
            write_about(session.bid_id, f"The visit was moved to {when}.", instance.at)
    elif (sentence := LINES.get(instance.to_state)) is not None:
        write_about(session.bid_id, sentence(session, instance), instance.at)


def forget_notices(session: Session) -> None:
    """The technician no longer reads the conversation: what the bell and waiting mails tell of it leads nowhere."""
    groups = [group_of(pk) for pk in Conversation.objects.filter(bid=session.bid_id).values_list("pk", flat=True)]
    clear(Notification.objects.filter(user=session.technician_id, group__in=groups))


# --- Bookings -------------------------------------------------------------------------------------


def booking_moved(instance: BookingHistory, created: bool, raw: bool = False, **_: object) -> None:
    """A job with an agreed visit is called off."""
    agreed = (BookingStatus.ASSIGNED, BookingStatus.IN_PROGRESS)
    if not created or raw or instance.to_state != BookingStatus.CANCELLED or instance.from_state not in agreed:
        return
    pk = instance.subject.bids.filter(status=BidStatus.ACCEPTED).values_list("pk", flat=True).first()
    if pk is not None:
        write_about(pk, f"The job was cancelled{by_whom(instance.subject, instance)}: {instance.reason}", instance.at)


def by_whom(booking: Booking, row: BookingHistory) -> str:
    """By which side."""
    if row.actor_id is None:
        return ""
    if row.actor_id == booking.customer_id:
        return " by the customer"
    return " by the technician" if row.actor_role == "technician" else " by the desk"


# --- Writing --------------------------------------------------------------------------------------


def held(pk: int) -> Conversation:
    """A conversation, locked, with what its lines touch joined."""
    return Conversation.objects.select_for_update(of=("self",), no_key=True).get(pk=pk)


def write_about(bid_id: int, text: str, now: datetime) -> None:
    """A line in the conversation about an offer, if there is one."""
    pk = Conversation.objects.filter(bid=bid_id).values_list("pk", flat=True).first()
    if pk is not None:
        write(held(pk), text, now)


def write(conversation: Conversation, text: str, now: datetime) -> Message:
    """The next line of a locked conversation."""
    conversation.last_seq += 1
    conversation.last_at = now
    line = Message(conversation=conversation, seq=conversation.last_seq, side=Side.SYSTEM, text=text, at=now)
    line.save(force_insert=True)
    conversation.save(update_fields=["last_seq", "last_at"])
    return line
