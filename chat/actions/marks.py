"""Receipts: two high-water marks a participant, never a row for each message and reader."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import Role, User
from chat.access import conversation_for, side_of
from chat.models import Conversation, Participant, Side
from chat.notices import group_of
from chat.rules.numbers import number
from notifications.actions import mark_read
from notifications.models import Notification


def mark_seen(conversation: Conversation, *, by: User, delivered: int, read: int, now: datetime | None = None) -> bool:
    """Messages up to `delivered` reached a page of theirs, up to `read` were on their screen.

    Marks only grow, never beyond the last message. A participant's row is written at most once a second:
    what comes sooner is refused and said again by the page. Returns whether it was written. 404 for strangers.
    """
    now = now or timezone.now()
    held = conversation_for(by, conversation.pk)
    with transaction.atomic():
        row = participant(held, by)
        if row is None or too_soon(row, now):
            return False
        seen = min(max(read, row.read), held.last_seq)
        came = max(min(max(delivered, row.delivered), held.last_seq), seen)
        if (seen, came) == (row.read, row.delivered):
            return False
        has_read, row.read, row.delivered, row.marked_at = seen > row.read, seen, came, now
        row.save(update_fields=["read", "delivered", "marked_at"])
        if has_read:
            read_in_bells(held, row, now)
    return True


def read_in_bells(conversation: Conversation, row: Participant, now: datetime) -> None:
    """What was read here is read in the bell too; what one of the desk has read, in the bells of all of it."""
    notices = Notification.objects.filter(group=group_of(conversation.pk))
    desk = User.objects.filter(role=Role.ADMIN).values("pk")
    mark_read(notices.filter(user__in=desk) if row.user_id is None else notices.filter(user=row.user_id), now=now)


def participant(conversation: Conversation, by: User) -> Participant | None:
    """The row of the side that `by` is on, locked. The desk has one for all."""
    user_id = None if side_of(conversation, by) == Side.DESK else by.pk
    rows = Participant.objects.filter(conversation=conversation.pk, user=user_id)
    row = rows.select_for_update(no_key=True).first()
    if row is not None:
        row.conversation = conversation  # what watches the row asks for it
    return row


def too_soon(row: Participant, now: datetime) -> bool:
    """Whether the row was written less than a second ago."""
    every = timedelta(seconds=number("MARKS_EVERY_SECONDS"))
    return row.marked_at is not None and abs(now - row.marked_at) < every
