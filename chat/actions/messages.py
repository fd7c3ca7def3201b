"""Saying something, and taking it back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import Role, User
from chat import files as attached
from chat.access import conversation_for, may_write, side_of
from chat.actions.opening import refused
from chat.links import conversation_url, desk_url
from chat.models import Attachment, Conversation, ConversationKind, Message, Participant, Side
from chat.notices import DESK, MESSAGE, group_of
from chat.rules.masking import mask
from chat.rules.numbers import number
from chat.rules.text import clean_text
from common.refusals import Conflict, TooFast
from common.uploads import files_undone
from notifications.actions import notify

MINUTE = timedelta(minutes=1)


def send_message(
    conversation: Conversation,
    *,
    by: User,
    id: UUID,
    text: str = "",
    files: Sequence[UploadedFile[Any]] = (),
    now: datetime | None = None,
) -> Message:
    """Say something. The browser made the `id`: the same again is the same message, without a second effect.

    Raises `Invalid` (empty, too long, a file that is no photo or PDF), `TooLarge`, `TooFast`, `Conflict` (closed,
    or the id is another message's), 404 for strangers. Costs the same queries however many take part.
    """
    now = now or timezone.now()
    words = clean_text(text, empty_allowed=bool(files))
    ready = attached.ready(files)
    try:
        with files_undone(), transaction.atomic():
            held = lock(conversation.pk, by)
            sent = Message.objects.filter(pk=id).first()
            if sent is not None:
                return same(sent, held.pk, by, words, ready)
            check_may_write(held, by, now)
            return say(held, by=by, id=id, text=words, files=ready, now=now)
    except IntegrityError:  # another conversation took the id meanwhile
        return same(Message.objects.get(pk=id), conversation.pk, by, words, ready)


def lock(pk: int, by: User) -> Conversation:
    """The conversation as it is now, held until the transaction ends; 404 for strangers.

    Two statements: one that had to wait for the lock would still see the offer as it was before.
    """
    Conversation.objects.select_for_update(no_key=True).only("pk").filter(pk=pk).first()
    return conversation_for(by, pk)


def same(sent: Message, conversation_id: int, by: User, text: str, files: Iterable[attached.Ready]) -> Message:
    """The message that was sent before, if this is the same again. Raises `Conflict` for anything else."""
    known = (sent.conversation_id, sent.author_id) == (conversation_id, by.pk)
    if known and sent.deleted_at is not None:
        return sent
    kept = list(Attachment.objects.filter(message=sent).values_list("name", "size")) if known else []
    if known and sent.text == text and kept == [file.print for file in files]:
        return sent
    raise Conflict("This message was sent before with other content. Write it again.")


def check_may_write(conversation: Conversation, by: User, now: datetime) -> None:
    """Raise `Conflict` in a closed conversation, `TooFast` after twenty messages in a minute."""
    closed = may_write(conversation, by)
    if closed is not None:
        raise refused(closed)
    most = number("A_MINUTE")
    recent = Message.objects.filter(author=by, at__gt=now - MINUTE, at__lte=now).order_by("-at")
    times = list(recent.values_list("at", flat=True)[:most])
    if len(times) >= most:
        wait = max(math.ceil((times[-1] + MINUTE - now).total_seconds()), 1)
        raise TooFast(
            f"That was {most} messages within a minute. Try again in {wait} second{'' if wait == 1 else 's'}.",
            retry_after=wait,
        )


def say(
    conversation: Conversation,
    *,
    by: User,
    id: UUID,
    text: str,
    files: Iterable[attached.Ready],
    now: datetime,
) -> Message:
    """Write the next message of a locked conversation, with its files, and tell the other sides."""
    side = side_of(conversation, by)
    conversation.last_seq += 1
    conversation.last_at = now
    conversation.people = people_of(conversation)  # type: ignore[attr-defined]
    message = Message(id=id, conversation=conversation, seq=conversation.last_seq, author=by, side=side)
    message.text, message.at = text, now
    message.save(force_insert=True)
    attached.keep(message, files)
    conversation.save(update_fields=["last_seq", "last_at"])
    tell(conversation, message, by=by, now=now)
    record_message("wrote_message", conversation, by=by, now=now)
    return message


def record_message(verb: str, conversation: Conversation, *, by: User, now: datetime) -> None:
    """The desk's line about something it said. The words stand in the conversation alone."""
    record(
        by,
        verb,
        subject_kind="conversation",
        subject_id=conversation.pk,
        label=conversation.subject or str(conversation.person or "") or about_job(conversation).removeprefix(" "),
        person=conversation.person,
        now=now,
    )


def people_of(conversation: Conversation) -> list[int]:
    """The people (the desk aside) of a conversation, asked once: their rows, counts and notices follow."""
    known: list[int] | None = getattr(conversation, "people", None)
    if known is None:
        rows = Participant.objects.filter(conversation=conversation.pk, user__isnull=False)
        known = list(rows.values_list("user_id", flat=True))
    return known


def tell(conversation: Conversation, message: Message, *, by: User, now: datetime) -> None:
    """The notices of a message: to the people of the other sides, and to admins where it is for the desk."""
    if conversation.kind == ConversationKind.BROADCAST:
        return  # its own kind of notice, once
    about = {"by": by, "event": f"message.{message.pk}", "now": now, "group": group_of(conversation.pk)}
    others = people_of(conversation)
    words = {"name": caller(conversation, message.side, by), "about": about_job(conversation)}
    notify(others, MESSAGE, url=conversation_url(conversation.pk), words=words, **about)  # type: ignore[arg-type]
    if conversation.kind == ConversationKind.DESK and message.side != Side.DESK:
        admins = User.objects.filter(role=Role.ADMIN, is_active=True).values_list("pk", flat=True)
        notify(admins, DESK, url=desk_url(conversation.pk), words={"name": by.name}, **about)  # type: ignore[arg-type]


def caller(conversation: Conversation, side: str, by: User) -> str:
    """Who wrote, for a notice: a customer's name is not told before the job is agreed."""
    if side == Side.DESK:
        return "The desk"
    return "The customer" if side == Side.CUSTOMER and conversation.unmasked_at is None else by.first_name


def about_job(conversation: Conversation) -> str:
    """Which job, for a notice: its title is everybody's to read, but not what is hidden in it."""
    return "" if conversation.bid is None else f" about {mask(conversation.bid.booking.title)}"


def delete_message(message: Message, *, by: User, now: datetime | None = None) -> Message:
    """Take a message back: its words and files go, its place stays. Again is no error."""
    with transaction.atomic():
        held = lock(message.conversation_id, by)
        gone = Message.objects.get(pk=message.pk)
        gone.conversation = held
        if gone.side == Side.SYSTEM or gone.side != side_of(held, by):
            raise PermissionDenied("Only whoever wrote a message may take it back.")
        if gone.deleted_at is None:
            attached.forget(gone)
            gone.text, gone.deleted_at = "", now or timezone.now()
            gone.save(update_fields=["text", "deleted_at"])
            record_message("took_back_message", held, by=by, now=gone.deleted_at)
    return gone
