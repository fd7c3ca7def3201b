"""Who may read and write which conversation. The only ways to fetch one, a message or a file: 404 for strangers.

A conversation about a job: its customer always; its technician while their offer was never taken back (then they
may read what was asked), and once it is accepted as long as they may know the address: never after a release, a
cancellation or a no-show, and until the job is put away. With the desk: that person. A broadcast: those it went
to. All admins read everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from accounts.models import Role, User
from bookings.access import CONTACT_OPEN
from bookings.models import Session
from bookings.states import BidStatus, BookingStatus
from chat.models import Attachment, Conversation, ConversationKind, Message, Participant, Side

JOINED = ("bid__booking__customer", "bid__technician__user", "person")


@dataclass(frozen=True)
class Closed:
    """Why nothing can be written (any more), as a sentence."""

    sentence: str


def visit_open() -> Exists:
    """Whether the visit of a conversation's offer stands, or was done and is not put away yet."""
    return Exists(Session.objects.filter(CONTACT_OPEN, bid=OuterRef("bid_id")))


def belonging(user: int | OuterRef) -> Q:
    """The conversations that a user who is no admin may read; `user` may be a column of an outer query."""
    within = OuterRef(user) if isinstance(user, OuterRef) else user
    asking = Q(unmasked_at__isnull=True) & ~Q(bid__status=BidStatus.RELEASED)
    told = Participant.objects.filter(conversation=OuterRef("pk"), user=within)
    return (
        Q(bid__booking__customer=user)
        | Q(bid__technician=user) & (asking | Q(visit_open()))
        | Q(kind=ConversationKind.DESK, person=user)
        | Q(Exists(told), kind=ConversationKind.BROADCAST)
    )


def whole(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """With everybody concerned joined, and `visit_open`: what `why_closed` asks for."""
    return rows.select_related(*JOINED).annotate(visit_open=visit_open())


def visible_conversations(user: User) -> QuerySet[Conversation]:
    """Every conversation that `user` may read."""
    rows = whole(Conversation.objects.all())
    return rows if user.role == Role.ADMIN else rows.filter(belonging(user.pk))


def conversation_for(user: User, pk: int) -> Conversation:
    """A conversation that `user` may read; 404 for strangers. One query."""
    found = visible_conversations(user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def conversation_and_sides(user: User, pk: int) -> tuple[Conversation, list[Participant]]:
    """The same with its participants, and still one query: a page has not many to spend."""
    within = visible_conversations(user).filter(pk=pk).values("pk")
    about = [f"conversation__{path}" for path in JOINED]
    is_open = Exists(Session.objects.filter(CONTACT_OPEN, bid=OuterRef("conversation__bid_id")))
    rows = Participant.objects.filter(conversation__in=within).select_related("user", *about)
    sides: list[Any] = list(rows.annotate(visit_open=is_open).order_by("pk"))
    if not sides:
        raise Http404
    thread: Conversation = sides[0].conversation
    thread.visit_open = sides[0].visit_open  # type: ignore[attr-defined]
    return thread, sides


def members(user_ids: set[int], conversation_id: int) -> set[int]:
    """Those of `user_ids` who may read a conversation now. One query."""
    rows = Conversation.objects.filter(pk=conversation_id)
    mine = Exists(rows.filter(belonging(OuterRef("pk"))))
    people = User.objects.filter(pk__in=user_ids, is_active=True).filter(mine | Q(Exists(rows), role=Role.ADMIN))
    return set(people.values_list("pk", flat=True))


def side_of(conversation: Conversation, user: User) -> Side:
    """On whose behalf `user` speaks in it."""
    bid = conversation.bid
    if bid is not None and user.pk == bid.booking.customer_id:
        return Side.CUSTOMER
    if bid is not None and user.pk == bid.technician_id:
        return Side.TECHNICIAN
    return Side.DESK if user.role == Role.ADMIN else Side(user.role)


def why_closed(conversation: Conversation) -> Closed | None:
    """Why people cannot write in it, or None while they can. `conversation` comes from `whole`."""
    if conversation.kind == ConversationKind.DESK:
        return None
    if conversation.kind == ConversationKind.BROADCAST:
        return Closed("News from the desk. To answer, write to the desk.")
    bid = conversation.bid
    if bid is None:  # never: a constraint stands behind it
        return Closed(LAPSED)
    if bid.status == BidStatus.SUBMITTED and bid.booking.status == BookingStatus.OPEN:
        return None
    if bid.status == BidStatus.ACCEPTED and conversation.visit_open:  # type: ignore[attr-defined]
        return None
    return Closed(ENDS.get(bid.booking.status if bid.status == BidStatus.ACCEPTED else bid.status, LAPSED))


LAPSED = "This offer no longer stands, so this conversation is closed."
ENDS: dict[str, str] = {
    BookingStatus.COMPLETED: "This job is done, and this conversation closed. The desk helps with what is left.",
    BookingStatus.CANCELLED: "This job was cancelled, so this conversation is closed.",
    BookingStatus.NO_SHOW: "Nobody was there for this job, so this conversation is closed.",
    BidStatus.RELEASED: "The technician withdrew from this job, so this conversation is closed.",
    BidStatus.REJECTED: "This offer was declined, so this conversation is closed.",
    BidStatus.NOT_SELECTED: "Another offer was chosen, so this conversation is closed.",
    BidStatus.CLOSED: "This job takes no offers any more, so this conversation is closed.",
}


def may_write(conversation: Conversation, user: User) -> Closed | None:
    """Why `user` cannot write in it, or None. The desk writes in its broadcasts."""
    if conversation.kind == ConversationKind.BROADCAST and user.role == Role.ADMIN:
        return None
    return why_closed(conversation)


def attachment_for(user: User, pk: UUID) -> Attachment:
    """A file, for those who may read its conversation. One query."""
    rows = Attachment.objects.select_related("message__conversation").filter(pk=pk, message__deleted_at=None)
    found = rows.filter(message__conversation__in=visible_conversations(user).values("pk")).first()
    if found is None:
        raise Http404
    return found


def message_of(user: User, pk: UUID) -> Message:
    """A message that `user` may take back: 404 for strangers to it, 403 for the other sides."""
    rows = Message.objects.filter(conversation__in=visible_conversations(user).values("pk"))
    found = rows.select_related("conversation__bid__booking", "author").filter(pk=pk).first()
    if found is None:
        raise Http404
    if found.side == Side.SYSTEM or found.side != side_of(found.conversation, user):
        raise PermissionDenied("Only whoever wrote a message may take it back.")
    return found
