"""What chat holds about a person, and how it forgets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from accounts.holdings import Held, Holding, Section, claim_rows, file_of, hold, values_of
from accounts.models import User
from chat import files as attached
from chat.models import Attachment, Conversation, Message, Side
from realtime.bulk import bulk_save, bulk_update

# What a line about a job quotes of the person who moved it (see `chat.transitions`).
QUOTED = {
    Side.TECHNICIAN: r"(?<=^The work is paused): .*|(?<=withdrew from this job): .*(?=\. It is open)"
    r"|(?<=cancelled by the technician): .*",
    Side.CUSTOMER: r"(?<=cancelled by the customer): .*",
}


def sections(user: User) -> Iterable[Section]:
    """What they wrote; what others wrote to them is those people's."""
    written = Message.objects.filter(author=user.pk)
    yield Section("messages", values_of(written, "conversation_id", "conversation__kind", "text", "at", "deleted_at"))
    sent = Attachment.objects.filter(message__author=user.pk)
    yield Section("message_files", values_of(sent, "message_id", "name", "kind", "size"))


def files(user: User) -> Iterable[Held]:
    """What they sent along."""
    for row in Attachment.objects.filter(message__author=user.pk).order_by("pk"):
        yield from file_of(row, "file", "messages", row.name)


def claim(user: User) -> None:
    """The conversations in which they wrote or are quoted: whoever writes there holds them first."""
    wrote = Message.objects.filter(author=user.pk).values("conversation")
    quoted = Conversation.objects.filter(Q(bid__technician=user.pk) | Q(bid__booking__customer=user.pk)).values("pk")
    claim_rows(Conversation.objects.filter(Q(pk__in=wrote) | Q(pk__in=quoted)))


def forget(user: User, now: datetime) -> None:
    """Their words and files go; that there was a message stays, as when they take one back themselves."""
    written = Message.objects.filter(author=user.pk, deleted_at__isnull=True)
    for message in written.filter(attachments__isnull=False).distinct():
        attached.forget(message)
    bulk_update(written, text="", deleted_at=now)
    lines = Message.objects.filter(side=Side.SYSTEM)
    for side, path in ((Side.TECHNICIAN, "technician"), (Side.CUSTOMER, "booking__customer")):
        rows = list(lines.filter(Q(**{f"conversation__bid__{path}": user.pk})))
        for row in rows:
            row.text = nameless(row.text, user, side)
        bulk_save(rows, ["text"])


def nameless(line: str, user: User, side: Side) -> str:
    """A line about a job without the person's name and without their own words."""
    plain = re.sub(QUOTED[side], "", line, flags=re.DOTALL)
    return re.sub(rf"\b{re.escape(user.first_name)}\b", f"The {side.label.lower()}", plain)


hold(Holding("chat", sections=sections, files=files, claim=claim, forget=forget))
