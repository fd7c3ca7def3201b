"""What the fragments of conversations are made of, loaded for any number of keys with a constant number of queries.

The views call the same functions with rows at hand, so that what a page paints is what is pushed later.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import (
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce
from django.utils.safestring import SafeString

from accounts.models import User
from chat.access import Closed, belonging, why_closed
from chat.models import Attachment, AttachmentKind, Conversation, ConversationKind, Message, Participant, Side
from chat.rules.links import as_html
from chat.rules.masking import mask

SNIPPET = 80  # characters
DESK_NAME = "The desk"
CUSTOMER_NAME = "The customer"


UUID_SHAPE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PAIR_SHAPE = re.compile(r"\d{1,18}-\d{1,18}")


def ids(keys: Iterable[str]) -> list[int]:
    """Keys as primary keys."""
    return [int(key) for key in keys]


def uuids(keys: Iterable[str]) -> list[UUID]:
    """Keys as messages' primary keys; one of another shape is nobody's."""
    return [UUID(key) for key in keys if UUID_SHAPE.fullmatch(key)]


# --- Messages -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """A message as everybody in the conversation sees it."""

    message: Message
    attachments: list[Attachment]
    masked: bool

    @property
    def html(self) -> SafeString:
        """Its text, escaped, with safe links; or with what is hidden until the job is agreed replaced."""
        return as_html(self.message.text, masked=self.masked)

    @property
    def author(self) -> str:
        """Who wrote it, as the others see them."""
        return name_of(self.message.side, self.message.author, asking=is_asking(self.message.conversation))

    @property
    def is_system(self) -> bool:
        """Whether it is a line about the job."""
        return self.message.side == Side.SYSTEM

    @property
    def is_deleted(self) -> bool:
        """Whether only its place is left."""
        return self.message.deleted_at is not None

    @property
    def zone(self) -> str:
        """The zone its time is shown in: the job's."""
        bid = self.message.conversation.bid
        return bid.booking.time_zone if bid is not None else settings.DEFAULT_ZONE

    @property
    def files(self) -> list[tuple[Attachment, str]]:
        """The files with the names that may be shown."""
        return [(file, mask(file.name) if self.masked else file.name) for file in self.attachments]


def name_of(side: str, person: User | None, *, asking: bool = False) -> str:
    """How a side is called: the desk by its own name, people by their first, a customer once the job is agreed."""
    if side == Side.DESK or person is None:
        return f"{person.first_name}, the desk" if person else DESK_NAME
    return CUSTOMER_NAME if asking and side == Side.CUSTOMER else person.first_name


def is_asking(conversation: Conversation) -> bool:
    """Whether it is about an offer that is not accepted: the two do not know each other yet."""
    return conversation.kind == ConversationKind.JOB and conversation.unmasked_at is None


def is_masked(message: Message) -> bool:
    """Whether contacts in it are hidden: what the two sides of an offer write before it is accepted."""
    return is_asking(message.conversation) and message.side not in (Side.DESK, Side.SYSTEM)


def said(messages: Iterable[Message]) -> dict[str, Said]:
    """Messages (with conversation, author and attachments at hand) as fragments take them."""
    return {str(row.pk): Said(row, list(row.attachments.all()), is_masked(row)) for row in messages}


def for_pages(rows: QuerySet[Message]) -> QuerySet[Message]:
    """With what a message shows: two queries."""
    return rows.select_related("author", "conversation__bid__booking").prefetch_related("attachments")


def load_messages(keys: Sequence[str]) -> Mapping[str, Said]:
    """Messages by key."""
    return said(for_pages(Message.objects.filter(pk__in=uuids(keys))))


# --- The state of a conversation ------------------------------------------------------------------


@dataclass(frozen=True)
class State:
    """Whether it is open, and whether contacts are hidden in it. The same for everybody who reads it."""

    conversation: Conversation

    @cached_property
    def closed(self) -> Closed | None:
        """Why people cannot write, or None."""
        return why_closed(self.conversation)

    @property
    def masked(self) -> bool:
        """Whether phone numbers and the like are hidden."""
        return is_asking(self.conversation)

    @property
    def refresh(self) -> str:
        """Another value means that the page around it looks different."""
        return f"{'closed' if self.closed else 'open'}-{'masked' if self.masked else 'plain'}"


# --- Receipts -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Marks:
    """How far each side has come."""

    conversation: Conversation
    rows: list[Participant]

    @property
    def is_broadcast(self) -> bool:
        """Those it went to do not learn of each other: only numbers are told."""
        return self.conversation.kind == ConversationKind.BROADCAST

    @property
    def people(self) -> list[Participant]:
        """The participants that are people."""
        return [row for row in self.rows if row.user_id is not None]

    @property
    def json(self) -> str:
        """For the page's script, which paints the ticks."""
        shown = [row for row in self.rows if not (self.is_broadcast and row.user_id)]
        return json.dumps([mark(row) for row in shown], ensure_ascii=False, separators=(",", ":"))

    @property
    def words(self) -> str:
        """In words: how many have read the last message."""
        last = self.conversation.last_seq
        if self.is_broadcast:
            return f"Read by {sum(row.read >= last for row in self.people)} of {len(self.people)}"
        asking = is_asking(self.conversation)
        names = [name_of(row.side, row.user, asking=asking) for row in self.rows if last and row.read >= last]
        return f"Read by {', '.join(names)}" if names else ""


def mark(row: Participant) -> dict[str, Any]:
    """One side's."""
    return {
        "side": row.side,
        "user": row.user_id,
        "name": name_of(row.side, row.user, asking=is_asking(row.conversation)),
        "delivered": row.delivered,
        "read": row.read,
        "at": row.marked_at.isoformat() if row.marked_at else None,
    }


def load_marks(keys: Sequence[str]) -> Mapping[str, Marks]:
    """The receipts of conversations; one query."""
    rows = Participant.objects.filter(conversation__in=ids(keys)).select_related("user", "conversation").order_by("pk")
    return marks(rows)


def marks(rows: Iterable[Participant]) -> dict[str, Marks]:
    """The same, of participants with user and conversation at hand."""
    found: dict[str, Marks] = {}
    for row in rows:
        found.setdefault(str(row.conversation_id), Marks(row.conversation, [])).rows.append(row)
    return found


# --- Rows in lists, and what is unread ------------------------------------------------------------


def unread_count() -> Coalesce:
    """How many messages of the other sides a participant has not read: neither lines of the system nor deleted ones."""
    rows = Message.objects.filter(conversation=OuterRef("conversation"), seq__gt=OuterRef("read"), deleted_at=None)
    rows = rows.exclude(side=Side.SYSTEM).exclude(side=OuterRef("side")).order_by()
    counted = rows.values("conversation").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def allowed() -> Exists:
    """Whether a participant may (still) read their conversation."""
    rows = Conversation.objects.filter(belonging(OuterRef("user_id")), pk=OuterRef("conversation_id"))
    return Exists(rows)


def newest_of(path: str) -> Prefetch[Any]:
    """The newest message of each conversation, as `newest`; `path` leads to the messages."""
    file = Attachment.objects.filter(message=OuterRef("pk")).order_by("position").values("kind")[:1]
    rows = Message.objects.filter(seq=F("conversation__last_seq")).select_related("author")
    return Prefetch(path, rows.annotate(file=Subquery(file)), to_attr="newest")


def snippet_of(message: Message | None, conversation: Conversation) -> str:
    """The newest message in a line, masked as on the page."""
    if message is None:
        return ""
    if message.deleted_at is not None:
        return "Message deleted"
    message.conversation = conversation
    words = mask(message.text) if is_masked(message) else message.text
    line = " ".join(words.split())
    if not line:
        kind = getattr(message, "file", None)
        line = "PDF" if kind == AttachmentKind.PDF else "Photo"
    return line if len(line) <= SNIPPET else f"{line[: SNIPPET - 1]}…"


@dataclass(frozen=True)
class Row:
    """A conversation in somebody's list, or in the desk's."""

    participant: Participant
    conversation: Conversation

    @property
    def unread(self) -> int:
        """Messages that its reader has not read."""
        return int(self.participant.unread)  # type: ignore[attr-defined]

    @property
    def newest(self) -> Message | None:
        """What was said last."""
        rows: list[Message] = self.conversation.newest  # type: ignore[attr-defined]
        return rows[0] if rows else None

    @property
    def snippet(self) -> str:
        """The same in a line."""
        return snippet_of(self.newest, self.conversation)

    @property
    def snippet_by(self) -> str:
        """Who said it; empty for lines of the system and one's own side's."""
        newest = self.newest
        if newest is None or newest.side == Side.SYSTEM:
            return ""
        return (
            "You" if newest.side == self.participant.side else name_of(newest.side, newest.author, asking=self.masked)
        )

    @property
    def other(self) -> User | None:
        """The person on the other side, None where that is the desk."""
        bid = self.conversation.bid
        if bid is not None:
            return bid.technician.user if self.participant.side == Side.CUSTOMER else bid.booking.customer
        return self.conversation.person if self.participant.user_id is None else None

    @property
    def face(self) -> User | None:
        """Whose picture stands beside it; not even the initials of a customer who is not known yet."""
        return None if self.masked and self.participant.side == Side.TECHNICIAN else self.other

    @property
    def title(self) -> str:
        """Whom or what it is with."""
        if self.conversation.kind == ConversationKind.BROADCAST:
            return self.conversation.subject
        bid = self.conversation.bid
        if bid is not None and self.participant.user_id is None:
            return f"{bid.booking.customer.name} and {bid.technician.user.name}"
        person = self.other
        if person is None:
            return DESK_NAME
        return CUSTOMER_NAME if self.masked and self.participant.side == Side.TECHNICIAN else person.name

    @property
    def masked(self) -> bool:
        """Whether the two sides do not know each other yet."""
        return is_asking(self.conversation)

    @property
    def about(self) -> str:
        """The job it is about; empty without one."""
        bid = self.conversation.bid
        return str(bid.booking) if bid is not None else ""


def newest_first(row: Row) -> str:
    """Sorts lists by what was said last."""
    return f"{10**14 - int(row.conversation.last_at.timestamp() * 1000):015}-{10**12 - row.conversation.pk:013}"


def participants() -> QuerySet[Participant]:
    """Participants with all that a row shows: two queries."""
    about = ("bid__booking__customer", "bid__technician__user", "person")
    rows = Participant.objects.select_related("user", *(f"conversation__{path}" for path in about))
    return rows.annotate(unread=unread_count()).prefetch_related(newest_of("conversation__messages"))


def load_rows(keys: Sequence[str]) -> Mapping[str, Row]:
    """Rows of people's lists; keys are `<conversation>-<user>`."""
    pairs = [key.split("-") for key in keys if PAIR_SHAPE.fullmatch(key)]
    rows = participants().filter(conversation__in=[int(a) for a, _ in pairs], user__in=[int(b) for _, b in pairs])
    found = {f"{row.conversation_id}-{row.user_id}": Row(row, row.conversation) for row in rows.filter(allowed())}
    return {key: found[key] for key in keys if key in found}


def spoken_in(path: str = "pk") -> Q:
    """For the desk's list: whether somebody has said something. Jobs that go by themselves would bury the questions.

    `path` leads to the conversation's id.
    """
    kind = {"pk": "kind", "conversation_id": "conversation__kind"}[path]
    said = Message.objects.filter(conversation=OuterRef(path), author__isnull=False)
    return ~Q(**{kind: ConversationKind.JOB}) | Q(Exists(said))


def load_desk_rows(keys: Sequence[str]) -> Mapping[str, Row]:
    """Rows of the desk's list."""
    rows = participants().filter(spoken_in("conversation_id"), conversation__in=ids(keys), user=None)
    return {str(row.conversation_id): Row(row, row.conversation) for row in rows}


def desk_rows(conversations: QuerySet[Conversation], start: int, count: int) -> list[Row]:
    """The rows of some of the desk's list, where something was last said first; two queries with what was said."""
    wanted = conversations.order_by("-last_at", "-pk").values("pk")[start : start + count]
    rows = participants().filter(conversation__in=wanted, user=None).order_by("-conversation__last_at", "-conversation")
    return [Row(row, row.conversation) for row in rows]


DESK_KEY = "desk"


@dataclass
class Unread:
    """What waits for somebody, or for the desk: the number beside the link to the messages."""

    key: str
    count: int = 0
    undelivered: dict[int, int] = field(default_factory=dict)

    @property
    def is_desk(self) -> bool:
        """Whether it is the desk's: one for all admins."""
        return self.key == DESK_KEY

    @property
    def delivered(self) -> str:
        """For the page's script: which conversations have something that has not reached a page yet, up to where."""
        return json.dumps({str(pk): seq for pk, seq in sorted(self.undelivered.items())}, separators=(",", ":"))


def load_unread(keys: Sequence[str]) -> Mapping[str, Unread]:
    """The counts of people and of the desk; one query. The desk counts what is written to it, not what others say."""
    found = {key: Unread(key) for key in keys}
    people = Q(user__in=ids(key for key in keys if key != DESK_KEY)) & Q(allowed())
    if DESK_KEY in found:
        people |= Q(user=None, conversation__kind=ConversationKind.DESK)
    last = F("conversation__last_seq")
    rows = Participant.objects.filter(Q(read__lt=last) | Q(delivered__lt=last), people)
    shown = rows.annotate(unread=unread_count(), last=last)
    for user_id, pk, delivered, seq, count in shown.values_list("user", "conversation", "delivered", "last", "unread"):
        each = found[str(user_id) if user_id else DESK_KEY]
        each.count += count
        if delivered < seq:
            each.undelivered[pk] = seq
    return found
