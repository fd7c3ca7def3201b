"""Quick replies: sentences at hand for each role, kept by the desk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max

from accounts.access import require_desk
from accounts.audit import record
from accounts.models import Role, User
from chat.models import QuickReply
from chat.rules.text import clean_text
from common.refusals import Conflict, Invalid

LONGEST = 200


def add_quick_reply(role: str, text: str, *, by: User, now: datetime | None = None) -> QuickReply:
    """One more sentence for a role, as the last. Raises `Invalid` for one that is there already."""
    require_desk(by)
    if role not in Role.values:
        raise Invalid("Please choose a role.")
    sentence = clean_reply(text)
    last = QuickReply.objects.filter(role=role).aggregate(last=Max("position"))["last"]
    with transaction.atomic():
        made = saved(QuickReply(role=role, text=sentence, position=0 if last is None else last + 1))
        record(by, "added_quick_reply", label=f"{role}: {sentence}", now=now)
    return made


def change_quick_reply(reply: QuickReply, text: str, *, by: User, now: datetime | None = None) -> QuickReply:
    """Put it in other words."""
    require_desk(by)
    before, reply.text = reply.text, clean_reply(text)
    with transaction.atomic():
        changed = saved(reply, "text")
        details = {"text": [before, reply.text]}
        record(by, "changed_quick_reply", label=f"{reply.role}: {reply.text}", details=details, now=now)
    return changed


def remove_quick_reply(reply: QuickReply, *, by: User, now: datetime | None = None) -> None:
    """Take it away."""
    require_desk(by)
    with transaction.atomic():
        reply.delete()
        record(by, "removed_quick_reply", label=f"{reply.role}: {reply.text}", now=now)


def order_quick_replies(role: str, order: Sequence[int], *, by: User, now: datetime | None = None) -> None:
    """Put the replies of a role into the order of their ids. Raises `Conflict` when there are others by now."""
    require_desk(by)
    with transaction.atomic():
        rows = {row.pk: row for row in QuickReply.objects.select_for_update().filter(role=role)}
        if sorted(order) != sorted(rows):
            raise Conflict("The quick replies changed a moment ago. Look at them again.")
        for position, pk in enumerate(order):
            if rows[pk].position != position:
                rows[pk].position = position
                rows[pk].save(update_fields=["position"])
        record(by, "ordered_quick_replies", label=role, now=now)


def clean_reply(text: str) -> str:
    """One line of up to 200 characters."""
    sentence = " ".join(clean_text(text).split())
    if len(sentence) > LONGEST:
        raise Invalid(f"A quick reply has up to {LONGEST} characters.")
    return sentence


def saved(reply: QuickReply, *fields: str) -> QuickReply:
    """Save it; of one role no sentence stands twice."""
    try:
        with transaction.atomic():
            reply.save(update_fields=fields or None)
    except IntegrityError:
        raise Invalid("That quick reply is there already.") from None
    return reply
