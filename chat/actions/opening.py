"""Making conversations: each bid and each person has one at most."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Role, User
from bookings.models import Bid
from chat.access import Closed, conversation_for, whole, why_closed
from chat.models import Conversation, ConversationKind, Participant, Side
from common.refusals import Conflict, Invalid
from realtime.bulk import bulk_create


def ask_about(bid: Bid, *, by: User, now: datetime | None = None) -> Conversation:
    """The conversation about an offer or its visit, made when first wanted. For its two sides and admins.

    Raises `Conflict` where there is none and nothing could be written in it; 404 for a technician who has lost it.
    """
    if by.role != Role.ADMIN and by.pk not in (bid.technician_id, bid.booking.customer_id):
        raise PermissionDenied("Only the two sides of an offer talk about it.")
    found = Conversation.objects.filter(bid=bid).values_list("pk", flat=True).first()
    if found is None:
        with transaction.atomic():
            found = job_conversation(bid, now=now or timezone.now()).pk
            closed = why_closed(whole(Conversation.objects.all()).get(pk=found))
            if closed is not None:
                raise refused(closed)
    return conversation_for(by, found)


def refused(closed: Closed) -> Conflict:
    """The refusal to write in a closed conversation."""
    return Conflict(closed.sentence)


def job_conversation(bid: Bid, *, now: datetime) -> Conversation:
    """Get or make the conversation about `bid`."""
    sides = [(bid.booking.customer_id, Side.CUSTOMER), (bid.technician_id, Side.TECHNICIAN), (None, Side.DESK)]
    return get_or_make(sides, now, kind=ConversationKind.JOB, bid=bid)


def desk_conversation(person: User, *, by: User, now: datetime | None = None) -> Conversation:
    """The conversation of `person` with the desk, made when first wanted. For that person and admins."""
    if by.role != Role.ADMIN and by.pk != person.pk:
        raise PermissionDenied("This is between that person and the desk.")
    if person.role == Role.ADMIN:
        raise Invalid("Admins are the desk: they talk with the people themselves.")
    sides = [(person.pk, Side(person.role)), (None, Side.DESK)]
    return get_or_make(sides, now or timezone.now(), kind=ConversationKind.DESK, person=person)


def get_or_make(sides: list[tuple[int | None, Side]], now: datetime, **about: Any) -> Conversation:
    """The one conversation `about` something; of two makers at once the second gets the first one's."""
    found: Conversation | None = Conversation.objects.filter(**about).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            made = Conversation.objects.create(**about, created_at=now, last_at=now)
            join(made, sides)
            return made
    except IntegrityError:
        return Conversation.objects.get(**about)


def join(conversation: Conversation, sides: list[tuple[int | None, Side]]) -> list[Participant]:
    """Give a new conversation its participants, with one statement."""
    return bulk_create(
        Participant, [Participant(conversation=conversation, user_id=pk, side=side) for pk, side in sides]
    )
