"""How simulated people talk: they read, they answer people after a while, typing first, and greet whom they won.

They answer people only, each message once and never one another: two of them can not talk for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import partial
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db.models import Exists, F, OuterRef, Prefetch, Q

from accounts.models import User
from bookings.models import Session
from bookings.states import SessionStatus
from chat.actions import ask_about, mark_seen, send_message
from chat.live import say_typing
from chat.models import Attachment, Conversation, ConversationKind, Message, Participant, Side
from demo.sayings import GREETINGS, answer_to
from demo.simulator.world import World

FRESH = timedelta(minutes=10)  # an older message was overlooked, and stays so
READ_WITHIN = timedelta(hours=2)
LOOK_BACK = 8  # messages of a conversation
TYPES_FOR = 5.0  # seconds before the answer


def simulated(world: World) -> dict[int, User]:
    """Everybody for whom the simulator acts."""
    return {**world.customers, **{pk: row.user for pk, row in world.technicians.items()}}


# --- Reading --------------------------------------------------------------------------------------


def read(world: World) -> int:
    """What people write reaches the other side at once and is read some seconds later; a broadcast takes a while."""
    people = simulated(world)
    rows = Participant.objects.filter(user__in=people, read__lt=F("conversation__last_seq"))
    rows = rows.filter(conversation__last_at__gt=world.now - READ_WITHIN).select_related("conversation")
    return sum(look(world, row, people[row.user_id]) for row in rows.order_by("pk") if row.user_id)


def look(world: World, row: Participant, person: User) -> bool:
    """Mark a conversation as delivered, then as read, where its moment has come."""
    conversation, seq = row.conversation, row.conversation.last_seq
    least, most = (8, 90) if conversation.kind == ConversationKind.BROADCAST else (3, 6)
    has_read = world.due(conversation.last_at, least, most, "read", row.pk, seq)
    if not has_read and (row.delivered >= seq or not world.due(conversation.last_at, 0.5, 2, "got", row.pk, seq)):
        return False
    read = seq if has_read else row.read
    see = partial(mark_seen, conversation, by=person, delivered=seq, read=read, now=world.now)
    return world.attempt(see, "see", row.pk, seq, has_read)


# --- Answering ------------------------------------------------------------------------------------


def answer(world: World) -> int:
    """Answer what people wrote last, typing before it."""
    people = simulated(world)
    return sum(answer_in(world, conversation, people) for conversation in fresh_talks(world, people))


def fresh_talks(world: World, people: Iterable[int]) -> Iterable[Conversation]:
    """Conversations of simulated people or with the desk in which something was said lately, with what was."""
    own = Participant.objects.filter(conversation=OuterRef("pk"), user__in=list(people))
    talks = Conversation.objects.filter(Exists(own) | Q(kind=ConversationKind.DESK), last_at__gt=world.now - FRESH)
    talks = talks.exclude(kind=ConversationKind.BROADCAST).order_by("pk")
    files = Exists(Attachment.objects.filter(message=OuterRef("pk")))
    said = Message.objects.exclude(side=Side.SYSTEM).annotate(files=files)
    latest = said.filter(seq__gt=F("conversation__last_seq") - LOOK_BACK).order_by("seq")
    return talks.prefetch_related("participants", Prefetch("messages", latest, to_attr="latest"))


def answer_in(world: World, conversation: Conversation, people: dict[int, User]) -> bool:
    """Answer the last message of one conversation, if a person wrote it and it is time."""
    messages: list[Message] = conversation.latest  # type: ignore[attr-defined]
    if not messages or messages[-1].deleted_at:
        return False
    asked = messages[-1]
    by, key = who_answers(world, conversation, asked, people), ("answer", asked.pk)
    if by is None:
        return False
    if world.due(asked.at, *pace(asked), *key):
        return world.attempt(partial(say, world, conversation, by, asked, messages), *key)
    if world.due(asked.at + timedelta(seconds=-TYPES_FOR), *pace(asked), *key):
        say_typing(conversation, by=by)
    return False


def who_answers(world: World, conversation: Conversation, asked: Message, people: dict[int, User]) -> User | None:
    """The simulated person on the other side of a message, or a colleague at the desk while no visitor sits there."""
    if asked.author_id in people or asked.author_id in world.admins:
        return None
    if conversation.kind == ConversationKind.DESK and asked.side != Side.DESK:
        return None if world.desk_is_played else next(iter(world.admins.values()), None)
    answering = [people[row.user_id] for row in conversation.participants.all() if row.user_id in people]
    return answering[0] if len(answering) == 1 else None


def pace(asked: Message) -> tuple[float, float]:
    """Seconds until the answer: a longer message takes longer to read."""
    reading = min(len(asked.text) / 40, 8.0)
    return 7.0 + reading, 14.0 + reading


def say(world: World, conversation: Conversation, by: User, asked: Message, messages: list[Message]) -> None:
    """Send the answer. Its id follows from the question, so that it can be sent once only."""
    text = answer_to(
        asked.text,
        role=by.role,
        has_files=asked.files,  # type: ignore[attr-defined]
        from_desk=asked.side == Side.DESK,
        said={message.text for message in messages},
        chance=world.chance("words", asked.pk),
    )
    send_message(conversation, by=by, id=id_of("answer", asked.pk), text=text, now=world.now)


def id_of(what: str, cause: object) -> UUID:
    """The id of the message that `cause` brings about."""
    return uuid5(NAMESPACE_URL, f"callout demo {what} {cause}")


# --- Greeting -------------------------------------------------------------------------------------


def greet(world: World) -> int:
    """Whoever agreed a visit with a person says something once, unless they talked before or are asked something."""
    done = 0
    for session, by in just_agreed(world):
        key = ("greet", session.pk)
        if world.due(session.created_at, 6, 12, *key):
            done += world.attempt(partial(say_hello, world, session, by), *key)
    return done


def just_agreed(world: World) -> Iterator[tuple[Session, User]]:
    """Visits between a simulated person and a real one, agreed lately, since when nothing was said, and by the
    simulated one not before either."""
    people = simulated(world)
    fresh = Session.objects.filter(created_at__gt=world.now - FRESH).exclude(status=SessionStatus.CANCELLED)
    mixed = Q(technician_id__in=world.technicians) ^ Q(booking__customer_id__in=world.customers)
    spoken = Q(author__in=people) | Q(author__isnull=False, at__gte=OuterRef("created_at"))
    said = Message.objects.filter(spoken, conversation__bid=OuterRef("bid"))
    rows = fresh.filter(mixed).exclude(Exists(said)).select_related("bid", "booking__customer", "technician__user")
    for session in rows.order_by("pk"):
        is_technician = session.technician_id in people
        yield session, session.technician.user if is_technician else session.booking.customer


def say_hello(world: World, session: Session, by: User) -> None:
    """One of the greetings."""
    words = world.chance("hello", session.pk).choice(GREETINGS[by.role])  # type: ignore[index]
    send_message(ask_about(session.bid, by=by), by=by, id=id_of("greet", session.pk), text=words, now=world.now)
