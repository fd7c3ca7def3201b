"""What a page shows of a conversation, loaded with a number of queries that does not grow with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpRequest
from django.urls import reverse

from accounts.access import signed_in
from accounts.models import Role, User
from bookings.links import job_url
from bookings.models import Bid
from chat import access, links, live, seen
from chat.forms import Typed
from chat.models import Conversation, ConversationKind, Participant, Side
from chat.rules.numbers import number
from common.refusals import Refusal, TooFast
from realtime.presence import online

WINDOW = 30  # messages
UNDER = {str(ConversationKind.BROADCAST): "News for several people", str(ConversationKind.DESK): "Help with anything"}


@dataclass
class Talk:
    """One conversation as one person sees it. What is the same for everybody is in its fragments."""

    conversation: Conversation
    viewer: User
    side: Side
    messages: Mapping[str, Any]
    older_from: int | None
    participants: list[Participant]
    typed: Typed
    refusal: Refusal | None = None

    def __post_init__(self) -> None:
        self._state = seen.State(self.conversation)

    @property
    def pk(self) -> int:
        """The conversation's."""
        return self.conversation.pk

    @property
    def topic(self) -> str:
        """On which everything of it is told."""
        return live.chat_topic(self.pk)

    @property
    def state(self) -> Any:
        """What the fragment `chat.state` shows."""
        return self._state

    @property
    def marks(self) -> Any:
        """What the fragment `chat.marks` shows."""
        return seen.marks(self.participants).get(str(self.pk))

    @property
    def read(self) -> int:
        """How far the viewer has read."""
        own = None if self.side == Side.DESK else self.viewer.pk
        return next((each.read for each in self.participants if each.user_id == own), 0)

    @property
    def has_form(self) -> bool:
        """Whether the viewer may ever write here; whether just now, the live state says."""
        return self.conversation.kind != ConversationKind.BROADCAST or self.side == Side.DESK

    # --- Who and what about ---

    @property
    def person(self) -> User | None:
        """Whom the viewer talks with, where that is one person whose coming and going they may know."""
        thread = self.conversation
        if self.side == Side.DESK:
            return thread.person
        if thread.bid is None:
            return None
        return thread.bid.technician.user if self.side == Side.CUSTOMER else thread.bid.booking.customer

    @property
    def to(self) -> str:
        """Who reads what the viewer writes, as a sentence calls them."""
        if self.side == Side.DESK and self.conversation.bid is not None:
            return "both"
        if self.person is None:
            return "everybody" if self.side == Side.DESK else "the desk"
        return self.person.first_name if self.face is not None else self.title[0].lower() + self.title[1:]

    @property
    def title(self) -> str:
        """The heading."""
        thread = self.conversation
        if thread.kind == ConversationKind.BROADCAST:
            return thread.subject
        if self.person is None:
            return "The desk" if thread.bid is None else thread.bid.booking.title
        # A technician knows a customer's name once the job is theirs, and calls them by their first.
        if self.side == Side.TECHNICIAN:
            return seen.name_of(Side.CUSTOMER, self.person, asking=seen.is_asking(thread))
        return self.person.name

    @property
    def under(self) -> str:
        """The line below the heading, where there is no presence to show."""
        return UNDER.get(self.conversation.kind, "")

    @property
    def face(self) -> User | None:
        """Whose picture stands at its head; not even the initials of a customer who is not known yet."""
        return None if self.side == Side.TECHNICIAN and seen.is_asking(self.conversation) else self.person

    @property
    def face_url(self) -> str:
        """Their photo, where the viewer may see it."""
        face = self.face
        shown = face is not None and face.photo and (face.role == Role.TECHNICIAN or self.side == Side.DESK)
        return reverse("photo", args=[face.pk]) if face is not None and shown else ""

    @property
    def shows_presence(self) -> bool:
        """Whether the viewer may know if the other one is here: while they can write with each other."""
        return self.person is not None and (self.side == Side.DESK or self._state.closed is None)

    @property
    def person_topic(self) -> str:
        """On which their coming and going is told."""
        return live.person_topic(self.person.pk) if self.person else ""

    @property
    def presence(self) -> Any:
        """What the fragment `chat.person` shows."""
        return live.Person(self.person.pk, online([self.person.pk])[self.person.pk]) if self.person else None

    @property
    def job_url(self) -> str:
        """The job's page, which both sides have; the desk has another."""
        bid = self.conversation.bid
        return job_url(bid.booking_id) if bid is not None and self.side != Side.DESK else ""

    @property
    def job_title(self) -> str:
        """What the job is called."""
        return self.conversation.bid.booking.title if self.conversation.bid is not None else ""

    # --- Addresses and the form ---

    @property
    def url(self) -> str:
        """The conversation's own page."""
        return links.desk_url(self.pk) if self.side == Side.DESK else links.conversation_url(self.pk)

    @property
    def send_url(self) -> str:
        """Where the form goes."""
        return reverse("chat:send", args=[self.pk])

    @property
    def list_id(self) -> str:
        """The id of the list of messages."""
        return f"chat-log-{self.pk}"

    @property
    def draft(self) -> int:
        """What the form's draft and its fields are known by."""
        return self.pk

    @property
    def new_id(self) -> UUID:
        """The next message's id; after a refusal that may pass, the same again."""
        return self.typed.id if isinstance(self.refusal, TooFast) else uuid4()

    @property
    def text(self) -> str:
        """What was typed and not taken."""
        return self.typed.text

    @property
    def most_files(self) -> int:
        """How many files go with one message."""
        return number("FILES_MOST")


def talk_of(
    request: HttpRequest,
    conversation: Conversation,
    *,
    sides: Sequence[Participant] | None = None,
    before: int | None = None,
    typed: Typed | None = None,
    refusal: Refusal | None = None,
) -> Talk:
    """The newest messages of a conversation that `access` gave out, or those before a number.

    Two queries; one more where `sides`, its participants, are not at hand.
    """
    user = signed_in(request)
    rows = conversation.messages.select_related("author").prefetch_related("attachments").order_by("-seq")
    found = list((rows if before is None else rows.filter(seq__lt=before))[: WINDOW + 1])
    window = found[:WINDOW][::-1]
    people = list(sides or conversation.participants.select_related("user").order_by("pk"))
    for message in window:
        message.conversation = conversation
    for person in people:
        person.conversation = conversation
    return Talk(
        conversation=conversation,
        viewer=user,
        side=access.side_of(conversation, user),
        messages=seen.said(window),
        older_from=window[0].seq if len(found) > WINDOW else None,
        participants=people,
        typed=typed or Typed(),
        refusal=refusal,
    )


def context_of(
    request: HttpRequest,
    conversation: Conversation,
    *,
    sides: Sequence[Participant] | None = None,
    typed: Typed | None = None,
    refusal: Refusal | None = None,
) -> dict[str, Any]:
    """What `chat/_conversation.html` shows."""
    return {"talk": talk_of(request, conversation, sides=sides, typed=typed, refusal=refusal)}


# --- Before there is a conversation ---------------------------------------------------------------


@dataclass
class First:
    """The form for the first message."""

    title: str
    hint: str
    send_url: str
    back: str
    draft: str
    typed: Typed = field(default_factory=Typed)
    refusal: Refusal | None = None

    @property
    def new_id(self) -> UUID:
        """The message's id, minted with the form."""
        return self.typed.id

    @property
    def text(self) -> str:
        """What was typed and not taken."""
        return self.typed.text

    def take(self, typed: Typed, refusal: Refusal) -> None:
        """Show what was typed again, and why it was not taken."""
        self.typed = typed if isinstance(refusal, TooFast) else Typed(text=typed.text)
        self.refusal = refusal


def existing_about(user: User, bid: Bid) -> Conversation | None:
    """The conversation about an offer, if there is one; 404 for a technician who has lost it."""
    if not Conversation.objects.filter(bid=bid).exists():
        return None
    found = access.visible_conversations(user).filter(bid=bid).first()
    if found is None:
        raise Http404
    return found


def about_bid(user: User, bid: Bid) -> First:
    """The first question about an offer."""
    to = "the customer" if user.pk == bid.technician_id else bid.technician.user.first_name
    hint = f"About “{bid.booking.title}”. Phone numbers and the like are hidden until the offer is accepted."
    where = reverse("chat:about", args=[bid.pk])
    return First(f"Ask {to} a question", hint, where, job_url(bid.booking_id), f"about-{bid.pk}")


def to_desk(user: User) -> First:
    """The first message to the desk."""
    hint = "The people who run this site read it and answer here. Say what it is about, and the job if there is one."
    return First("Write to the desk", hint, reverse("chat:desk"), links.messages_url(), "desk")
