"""Receipts of what the desk wrote to many, and its quick replies. Conversations and their rows are chat's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from accounts.access import desk
from adminpanel.talk.shelf import Shelf, shelves
from chat.models import Conversation, ConversationKind, Participant, QuickReply
from realtime.fragments import Fragment, watch
from realtime.topics import Topic

receipts_topic = Topic("desk.receipts.{conversation_id}", users=lambda user_ids, conversation_id: desk(user_ids))
shelves_topic = Topic("desk.replies", users=desk)

# --- Receipts of a broadcast ----------------------------------------------------------------------


def load_receipts(keys: Sequence[str]) -> dict[str, Participant]:
    """Participants with their person and their conversation."""
    rows = Participant.objects.select_related("user", "conversation").filter(pk__in=keys, user__isnull=False)
    return {str(row.pk): row for row in rows}


def receipt_touched(row: Participant) -> Iterable[tuple[str, str]]:
    """Only broadcasts have a list of receipts; a conversation's kind never changes."""
    if row.user_id is not None and row.conversation.kind == ConversationKind.BROADCAST:
        yield receipts_topic(row.conversation_id), str(row.pk)


def receipts_touched(row: Conversation) -> Iterable[tuple[str, str]]:
    """All of a broadcast to which the desk adds something; a new one has nobody yet."""
    if row.kind == ConversationKind.BROADCAST and row.last_seq > 1:
        people = Participant.objects.filter(conversation=row.pk, user__isnull=False)
        return [(receipts_topic(row.pk), str(pk)) for pk in people.values_list("pk", flat=True)]
    return []


receipt = Fragment(
    "adminpanel.receipt",
    template="adminpanel/_receipt.html",
    load=load_receipts,
    topics=lambda row: [receipts_topic(row.conversation_id)],
    watches=[
        watch(Participant, touches=receipt_touched),
        watch(Conversation, fields=("last_seq",), touches=receipts_touched),
    ],
    latest=True,
)


# --- Quick replies --------------------------------------------------------------------------------


def load_shelves(keys: Sequence[str]) -> dict[str, Shelf]:
    """The quick replies of roles; one query."""
    return {shelf.role: shelf for shelf in shelves() if shelf.role in keys}


shelf_fragment = Fragment(
    "adminpanel.shelf",
    template="adminpanel/_shelf.html",
    load=load_shelves,
    topics=lambda shelf: [shelves_topic()],
    watches=[watch(QuickReply, remember=("role",), touches=lambda row: [(shelves_topic(), row.role)])],
    latest=True,
)
