"""The desk writes to several people at once: one message, and a receipt of each by their marks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from accounts.models import Role, User
from chat import files as attached
from chat.access import conversation_for
from chat.actions.messages import check_may_write, same, say
from chat.actions.opening import join
from chat.links import conversation_url
from chat.models import Conversation, ConversationKind, Message, Participant, Side
from chat.notices import NEWS, group_of
from chat.rules.text import clean_text
from common.refusals import Conflict, Invalid
from common.uploads import files_undone
from notifications.actions import notify


def broadcast(
    people: Iterable[User],
    *,
    by: User,
    subject: str,
    id: UUID,
    text: str,
    files: Sequence[UploadedFile[Any]] = (),
    now: datetime | None = None,
) -> Conversation:
    """Write to all of `people` (inactive ones and admins left out). Raises what `send_message` raises.

    The same `id` again is the same broadcast, without a second effect.
    """
    now = now or timezone.now()
    if by.role != Role.ADMIN:
        raise PermissionDenied("Only the desk writes to several people at once.")
    heading = " ".join(clean_text(subject, empty_allowed=True).split())
    if not heading or len(heading) > 120:
        raise Invalid("Please give it a subject of up to 120 characters.")
    told = {person.pk: Side(person.role) for person in people if person.is_active and person.role != Role.ADMIN}
    if not told:
        raise Invalid("There is nobody to write to. Choose somebody.")
    words = clean_text(text, empty_allowed=bool(files))
    ready = attached.ready(files)
    with files_undone(), transaction.atomic():
        User.objects.select_for_update(no_key=True).only("pk").get(pk=by.pk)  # of two taps the second waits here
        sent = Message.objects.filter(pk=id).first()
        if sent is not None:
            return same_broadcast(sent, by, heading, words, ready, told)
        return begin(told, by=by, subject=heading, id=id, text=words, files=ready, now=now)


def begin(
    told: dict[int, Side],
    *,
    by: User,
    subject: str,
    id: UUID,
    text: str,
    files: Iterable[attached.Ready],
    now: datetime,
) -> Conversation:
    """Make the conversation with its message, then its participants: so each is told of it once."""
    made = Conversation.objects.create(kind=ConversationKind.BROADCAST, subject=subject, created_at=now, last_at=now)
    made.people = []  # type: ignore[attr-defined]
    check_may_write(made, by, now)
    message = say(made, by=by, id=id, text=text, files=files, now=now)
    join(made, [*told.items(), (None, Side.DESK)])
    notify(
        told,
        NEWS,
        by=by,
        event=f"message.{message.pk}",
        url=conversation_url(made.pk),
        now=now,
        group=group_of(made.pk),
        words={"subject": subject},
    )
    return conversation_for(by, made.pk)


def same_broadcast(
    sent: Message, by: User, subject: str, text: str, files: Iterable[attached.Ready], told: dict[int, Side]
) -> Conversation:
    """The broadcast that was sent before, if this is the same again. Raises `Conflict` for anything else."""
    message = same(sent, sent.conversation_id, by, text, files)
    found = conversation_for(by, message.conversation_id)
    rows = Participant.objects.filter(conversation=found, user__isnull=False)
    if found.subject != subject or set(rows.values_list("user_id", flat=True)) != set(told):
        raise Conflict("This was sent before with other content. Write it again.")
    return found
