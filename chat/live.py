"""What follows live in conversations, and who hears of it.

A message is one fragment for everybody who reads the conversation: which side a bubble stands on is the page's
affair. What differs by person (a row of their list, their number of unread messages) is on their own topic; the
desk is one side, so it has one of each for all admins.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeGuard

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from accounts.access import desk
from accounts.models import Role, User
from bookings.models import Bid, Booking, Session
from bookings.states import BidStatus, BookingStatus
from chat import seen
from chat.access import conversation_for, may_write, members, side_of, visit_open, whole
from chat.actions.marks import mark_seen
from chat.actions.messages import people_of
from chat.models import Conversation, ConversationKind, Message, Participant, QuickReply, Side
from chat.rules.numbers import number
from realtime import presence, transport
from realtime.fragments import Fragment, site_wide, watch
from realtime.inbound import receives, signal
from realtime.models import LastSeen, Presence
from realtime.topics import Principal, Topic, user_topic

Place = tuple[str, str]
Touched = Iterable[Place]
SHOWN_AGAIN = 200  # messages that change on open pages when contacts come into the open, or a name changes


# --- Who belongs ----------------------------------------------------------------------------------


def acquainted(user_ids: set[int], person_id: int) -> set[int]:
    """Those who may see whether a person is here: who can write with them about a job now, and admins. One query."""
    asking = Q(bid__status=BidStatus.SUBMITTED, bid__booking__status=BookingStatus.OPEN)
    agreed = Q(visit_open(), bid__status=BidStatus.ACCEPTED)
    reader = OuterRef("pk")
    pair = Q(bid__booking__customer=reader, bid__technician=person_id)
    pair |= Q(bid__booking__customer=person_id, bid__technician=reader)
    shared = Exists(Conversation.objects.filter(asking | agreed, pair, kind=ConversationKind.JOB))
    people = User.objects.filter(pk__in=user_ids, is_active=True).filter(shared | Q(role=Role.ADMIN))
    return set(people.values_list("pk", flat=True))


def of_role(user_ids: set[int], role: str) -> set[int]:
    """The active people of a role. One query."""
    return set(User.objects.filter(pk__in=user_ids, role=role, is_active=True).values_list("pk", flat=True))


chat_topic = Topic("chat.{conversation_id}", users=members, keeps_signals=True)
person_topic = Topic("person.{user_id}", users=acquainted)
replies_topic = Topic("replies.{role:str}", users=of_role)
# Lists are on topics of their own: only the pages that show them follow, and everybody else pays nothing for a row.
talks_topic = Topic("user.{user_id}.talks", users=lambda user_ids, user_id: user_ids & {user_id})
desk_topic = Topic("desk.messages", users=desk)
desk_talks_topic = Topic("desk.talks", users=desk)

# Not the list of conversations: it stands on drivers' one screen too, where offers must not wait for a poll.
transport.needs("live_driver_messages", "chat.")


# --- Messages -------------------------------------------------------------------------------------


def latest(rows: QuerySet[Message]) -> Iterator[Place]:
    """The newest of `rows`."""
    found = rows.order_by("-at").values_list("conversation", "pk")[:SHOWN_AGAIN]
    return ((chat_topic(conversation), str(pk)) for conversation, pk in found)


message = Fragment(
    "chat.message",
    template="chat/_message.html",
    load=seen.load_messages,
    topics=lambda said: [chat_topic(said.message.conversation_id)],
    watches=[
        watch(Message, touches=lambda row: [(chat_topic(row.conversation_id), row.pk)]),
        watch(
            Conversation,
            fields=("unmasked_at",),
            touches=lambda row: latest(Message.objects.filter(conversation=row.pk)),
            referring=True,
        ),
        watch(
            User,
            fields=("name",),
            touches=lambda row: latest(Message.objects.filter(author=row.pk)),
            referring=True,
        ),
    ],
    order=lambda said: f"{said.message.seq:09}",
)


# --- State ----------------------------------------------------------------------------------------


def load_states(keys: Sequence[str]) -> Mapping[str, seen.State]:
    """Conversations with all that decides whether they are open; one query."""
    rows = whole(Conversation.objects.filter(pk__in=seen.ids(keys)))
    return {str(row.pk): seen.State(row) for row in rows}


def conversations_of(row: Bid | Booking | Session) -> list[int]:
    """The conversations about an offer, a visit, or any offer on a booking."""
    if isinstance(row, Booking):
        rows = Conversation.objects.filter(bid__booking=row.pk) if row.status != BookingStatus.DRAFT else None
    else:
        rows = Conversation.objects.filter(bid=row.pk if isinstance(row, Bid) else row.bid_id)
    return [] if rows is None else list(rows.values_list("pk", flat=True))


def states_of(row: Bid | Booking | Session) -> Touched:
    """Their states. Touching one has the topic asked again: who lost it is told so at once."""
    return [(chat_topic(pk), str(pk)) for pk in conversations_of(row)]


state = Fragment(
    "chat.state",
    template="chat/_state.html",
    load=load_states,
    topics=lambda state: [chat_topic(state.conversation.pk)],
    watches=[
        watch(Conversation, fields=("unmasked_at",), touches=lambda row: [(chat_topic(row.pk), row.pk)]),
        watch(Bid, fields=("status",), touches=states_of, referring=True),
        watch(Booking, fields=("status", "put_away_at"), touches=states_of, referring=True),
        watch(Session, fields=("status",), touches=states_of),
    ],
)


# --- Receipts -------------------------------------------------------------------------------------

marks = Fragment(
    "chat.marks",
    template="chat/_marks.html",
    load=seen.load_marks,
    topics=lambda marks: [chat_topic(marks.conversation.pk)],
    watches=[
        watch(Participant, touches=lambda row: [(chat_topic(row.conversation_id), row.conversation_id)]),
        watch(
            User,
            fields=("name",),
            touches=lambda user: [(chat_topic(pk), str(pk)) for pk, _ in talks_of(user)],
            referring=True,
        ),
    ],
    latest=True,
)


# --- Who is here ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """Whether somebody is here."""

    user_id: int
    seen: presence.Seen


def load_people(keys: Sequence[str]) -> Mapping[str, Person]:
    """Presence of people; one query."""
    found = presence.online(seen.ids(keys))
    return {str(pk): Person(pk, here) for pk, here in found.items()}


def came_or_went(row: Presence | LastSeen) -> Touched:
    """The person whose page came or went; not the bearer of a link."""
    return [(person_topic(int(row.principal)), row.principal)] if row.kind == "user" else []


person = Fragment(
    "chat.person",
    template="chat/_person.html",
    load=load_people,
    topics=lambda person: [person_topic(person.user_id)],
    watches=[watch(Presence, touches=came_or_went), watch(LastSeen, touches=came_or_went)],
    latest=True,
)


# --- Quick replies --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Replies:
    """The sentences at hand for a role."""

    role: str
    rows: list[QuickReply]


def load_replies(keys: Sequence[str]) -> Mapping[str, Replies]:
    """By role; one query. There, empty, for roles without any."""
    found = {key: Replies(key, []) for key in keys if key in Role.values}
    for row in QuickReply.objects.filter(role__in=list(found)).order_by("position", "pk"):
        found[row.role].rows.append(row)
    return found


replies = Fragment(
    "chat.replies",
    template="chat/_replies.html",
    load=load_replies,
    topics=lambda replies: [replies_topic(replies.role)],
    watches=[watch(QuickReply, remember=("role",), touches=lambda row: [(replies_topic(row.role), row.role)])],
)


# --- Lists and counts -----------------------------------------------------------------------------


def row_of(conversation_id: int, user_id: int) -> Place:
    """The row of a conversation in a person's list."""
    return talks_topic(user_id), f"{conversation_id}-{user_id}"


def rows_of_message(row: Message) -> Touched:
    """The rows of everybody in its conversation."""
    return [row_of(row.conversation_id, pk) for pk in people_of(row.conversation)]


def rows_of_participant(row: Participant) -> Touched:
    """The row of one of them."""
    return [row_of(row.conversation_id, row.user_id)] if row.user_id else []


def people_about(row: Bid | Session) -> Touched:
    """The rows of both sides of an offer or visit, which a former technician loses."""
    rows = Participant.objects.filter(conversation__in=conversations_of(row), user__isnull=False)
    return [row_of(conversation, user) for conversation, user in rows.values_list("conversation", "user")]


def people_about_put_away(row: Booking) -> Touched:
    """The same, for a job that is put away; its other ends are ends of its visit."""
    rows = Participant.objects.filter(conversation__bid__booking=row.pk, user__isnull=False)
    return [row_of(conversation, user) for conversation, user in rows.values_list("conversation", "user")]


def talks_of(user: User) -> Iterator[tuple[int, int | None]]:
    """Who stands beside a person in conversations: (conversation, user), None for the desk."""
    own = Participant.objects.filter(user=user.pk).exclude(conversation__kind=ConversationKind.BROADCAST)
    newest = list(own.order_by("-conversation__last_at").values_list("conversation", flat=True)[:SHOWN_AGAIN])
    yield from Participant.objects.filter(conversation__in=newest).values_list("conversation", "user")


def rows_of_people(conversation: Conversation) -> Touched:
    """The rows of everybody in it."""
    return [row_of(conversation.pk, pk) for pk in people_of(conversation)]


row = Fragment(
    "chat.row",
    template="chat/_row.html",
    load=seen.load_rows,
    topics=lambda row: [talks_topic(row.participant.user_id)],
    watches=[
        watch(Message, touches=rows_of_message),
        watch(Participant, touches=rows_of_participant),
        watch(Conversation, fields=("unmasked_at",), touches=rows_of_people, referring=True),
        watch(Bid, fields=("status",), touches=people_about, referring=True),
        watch(Session, fields=("status",), touches=people_about),
        watch(Booking, fields=("put_away_at",), touches=people_about_put_away, referring=True),
        watch(
            User,
            fields=("name",),
            touches=lambda user: [row_of(pk, who) for pk, who in talks_of(user) if who],
            referring=True,
        ),
    ],
    order=seen.newest_first,
)


def desk_row_of(conversation_id: int) -> list[Place]:
    """Its row in the desk's list."""
    return [(desk_talks_topic(), str(conversation_id))]


def desk_rows_naming(user: User) -> list[Place]:
    """The rows in which a person is named."""
    return [place for pk, _ in talks_of(user) for place in desk_row_of(pk)]


desk_row = Fragment(
    "chat.desk_row",
    template="chat/_desk_row.html",
    load=seen.load_desk_rows,
    topics=lambda row: [desk_talks_topic()],
    watches=[
        watch(Message, touches=lambda row: desk_row_of(row.conversation_id)),
        watch(Participant, touches=lambda row: desk_row_of(row.conversation_id) if row.user_id is None else []),
        watch(Conversation, fields=("unmasked_at",), touches=lambda row: desk_row_of(row.pk)),
        watch(User, fields=("name",), touches=desk_rows_naming, referring=True),
    ],
    order=seen.newest_first,
)


def counts_of_message(row: Message) -> Touched:
    """The counts of everybody in its conversation, and the desk's where it is with the desk."""
    places = [(user_topic(pk), str(pk)) for pk in people_of(row.conversation)]
    if row.conversation.kind == ConversationKind.DESK:
        places.append((desk_topic(), seen.DESK_KEY))
    return places


def counts_of_participant(row: Participant) -> Touched:
    """The count of one side, which has read."""
    return [(user_topic(row.user_id), str(row.user_id))] if row.user_id else [(desk_topic(), seen.DESK_KEY)]


def counts_about(row: Bid | Session | Booking) -> Touched:
    """The counts of both sides of an offer or visit: who loses a conversation loses what was unread in it."""
    about = people_about_put_away(row) if isinstance(row, Booking) else people_about(row)
    people = {key.partition("-")[2] for _, key in about}
    return [(user_topic(int(pk)), pk) for pk in people]


unread = Fragment(
    "chat.unread",
    template="chat/_unread.html",
    load=seen.load_unread,
    topics=lambda unread: [desk_topic() if unread.is_desk else user_topic(int(unread.key))],
    watches=[
        watch(Message, touches=counts_of_message),
        watch(Participant, touches=counts_of_participant),
        watch(Bid, fields=("status",), touches=counts_about, referring=True),
        watch(Session, fields=("status",), touches=counts_about),
        watch(Booking, fields=("put_away_at",), touches=counts_about, referring=True),
    ],
)


def unread_key(user: User) -> str:
    """Everybody has a count; the admins have one together."""
    return seen.DESK_KEY if user.role == Role.ADMIN else str(user.pk)


def unread_topic(user: User) -> str:
    """Where it belongs."""
    return desk_topic() if user.role == Role.ADMIN else user_topic(user.pk)


site_wide(unread, key=unread_key, topic=unread_topic, place="nav")


# --- What pages say -------------------------------------------------------------------------------


class Throttle:
    """Lets a thing through once a second, in this process; what was let through long ago is forgotten."""

    MOST = 1000

    def __init__(self, seconds: float) -> None:
        self._seconds, self._lock = seconds, Lock()
        self._last: dict[object, float] = {}

    def lets(self, what: object) -> bool:
        """Whether `what` may pass now."""
        now = time.monotonic()
        with self._lock:
            if now - self._last.get(what, -1e9) < self._seconds:
                return False
            if len(self._last) >= self.MOST:
                self._last = {key: at for key, at in self._last.items() if now - at < self._seconds}
            self._last[what] = now
            return True


throttle = Throttle(1.0)


def say_typing(conversation: Conversation, *, by: User) -> None:
    """Tell the other pages of a conversation that `by` types: it holds five seconds, and is passed on once a second.

    Who may not write there types for nobody: those whom a broadcast went to would learn of each other by it.
    """
    if may_write(conversation, by) is not None or not throttle.lets((conversation.pk, by.pk)):
        return
    side = side_of(conversation, by)
    name = seen.DESK_NAME if side == Side.DESK else seen.name_of(side, by, asking=seen.is_asking(conversation))
    data = {"side": side.value, "name": name}
    keep = number("TYPING_SECONDS")
    signal(chat_topic(conversation.pk), "typing", data, besides=Principal("user", str(by.pk)), keep=keep)


def is_whole(value: object, *, below: int) -> TypeGuard[int]:
    """Whether what a page sent is a whole number that the database takes; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < below


def asked(principal: Principal, data: Mapping[str, Any]) -> tuple[User, Conversation] | None:
    """Who says it, and of which conversation; None for strangers and nonsense."""
    pk = data.get("conversation")
    if principal.user_id is None or not is_whole(pk, below=2**63):
        return None
    user = User.objects.filter(pk=principal.user_id, is_active=True).first()
    try:
        return (user, conversation_for(user, pk)) if user else None
    except Http404:
        return None


@receives("chat.typing")
def typing(principal: Principal, data: dict[str, Any]) -> None:
    """Somebody types in `conversation`."""
    found = asked(principal, data)
    if found is not None:
        say_typing(found[1], by=found[0])


@receives("chat.seen")
def seen_by(principal: Principal, data: dict[str, Any]) -> None:
    """Messages up to `delivered` reached a page of `conversation`, up to `read` were on screen."""
    found = asked(principal, data)
    if found is not None:
        figures = [data.get(name, 0) for name in ("delivered", "read")]
        if all(is_whole(figure, below=2**31) for figure in figures):
            mark_seen(found[1], by=found[0], delivered=figures[0], read=figures[1])
