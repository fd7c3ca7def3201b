"""Quick replies: sentences at hand for each role, kept by the desk."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Max

from accounts.models import Role, User
from chat.models import QuickReply
from chat.rules.text import clean_text
from common.refusals import Conflict, Invalid

LONGEST = 200


def add_quick_reply(role: str, text: str, *, by: User) -> QuickReply:
    """One more sentence for a role, as the last. Raises `Invalid` for one that is there already."""
    require_desk(by)
    if role not in Role.values:
        raise Invalid("Please choose a role.")
    sentence = clean_reply(text)
    last = QuickReply.objects.filter(role=role).aggregate(last=Max("position"))["last"]
    return saved(QuickReply(role=role, text=sentence, position=0 if last is None else last + 1))


def change_quick_reply(reply: QuickReply, text: str, *, by: User) -> QuickReply:
    """Put it in other words."""
    require_desk(by)
    reply.text = clean_reply(text)
    return saved(reply, "text")


def remove_quick_reply(reply: QuickReply, *, by: User) -> None:
    """Take it away."""
    require_desk(by)
    reply.delete()


def order_quick_replies(role: str, order: Sequence[int], *, by: User) -> None:
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


def require_desk(by: User) -> None:
    """Only admins."""
    if by.role != Role.ADMIN:
        raise PermissionDenied("Quick replies are kept by the desk.")


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
