"""What the demo's people have said to each other so far, told through the same actions that people use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from bookings.models import Bid, Booking, Session
from bookings.states import BookingStatus, SessionStatus
from chat.actions import (
    add_quick_reply,
    ask_about,
    broadcast,
    desk_conversation,
    mark_seen,
    send_message,
)
from chat.models import Conversation, ConversationKind, QuickReply
from demo import pictures
from demo.cast import ADMINS, DOMAIN, TECHNICIANS
from demo.history import Teller
from demo.sayings import QUICK_REPLIES, WELCOME

OLIVIA = ADMINS[0].email


class Said(NamedTuple):
    """A message `ago` (minutes); everybody in the conversation but `unread` has read it a minute later."""

    ago: float
    who: str
    words: str
    picture: Callable[[], SimpleUploadedFile] | None = None
    unread: bool = False


def tell_talks(teller: Teller) -> None:
    """Everything that was said, where it was not told before."""
    keep_quick_replies(teller)
    tell_desk_talks(teller)
    tell_news(teller)
    tell_live_talk(teller)
    tell_visitors_talks(teller)


def tell_visitors_talks(teller: Teller) -> None:
    """What Emma and Tariq find: questions about her open job, and the talk of the visits ahead."""
    tell_emmas_questions(teller)
    tell_emmas_visit(teller)
    tell_tariqs_visit(teller)


def keep_quick_replies(teller: Teller) -> None:
    """Those that the desk begins with, unless it has some."""
    if not QuickReply.objects.exists():
        for role, sentences in QUICK_REPLIES.items():
            for text in sentences:
                add_quick_reply(role, text, by=teller.people[OLIVIA])


# --- Telling --------------------------------------------------------------------------------------


def tell(teller: Teller, begin: Callable[..., Conversation], *talk: Said) -> None:
    """Begin a conversation and say in it what was said, the oldest first; unless somebody has spoken there already."""
    conversation = begin(now=teller.now - timedelta(minutes=talk[0].ago))
    if conversation.messages.exclude(author=None).exists():
        return
    for said in talk:
        at = teller.now - timedelta(minutes=said.ago)
        files = [said.picture()] if said.picture else []
        by = teller.people[f"{said.who}@{DOMAIN}"]
        message = send_message(conversation, by=by, id=uuid4(), text=said.words, files=files, now=at)
        if not said.unread:
            read_by_others(teller, conversation, by, message.seq, at + timedelta(seconds=50))
    if conversation.kind == ConversationKind.JOB:
        desk_has_read(teller, conversation)


def read_by_others(teller: Teller, conversation: Conversation, by: User, seq: int, at: datetime) -> None:
    """All but the author have read up to `seq`; the desk of what was said to it."""
    for participant in conversation.participants.select_related("user"):
        reader = participant.user or teller.people[OLIVIA]
        if reader != by and at <= teller.now:
            mark_seen(conversation, by=reader, delivered=seq, read=seq, now=at)


def desk_has_read(teller: Teller, conversation: Conversation) -> None:
    """The desk has looked into a talk between others."""
    conversation.refresh_from_db()
    seq = conversation.last_seq
    mark_seen(conversation, by=teller.people[OLIVIA], delivered=seq, read=seq, now=teller.now)


def bid_of(booking: Booking | None, technician: str) -> Bid | None:
    """A technician's offer on it."""
    if booking is None:
        return None
    return booking.bids.filter(technician__user__email=f"{technician}@{DOMAIN}").first()


# --- About jobs -----------------------------------------------------------------------------------


def tell_emmas_questions(teller: Teller) -> None:
    """Emma asks about the offers on her open job. Anna's number is masked until the job is hers."""
    emma = teller.people[f"emma@{DOMAIN}"]
    booking = Booking.objects.filter(customer=emma, status=BookingStatus.OPEN).order_by("pk").last()
    if bid := bid_of(booking, "anna.novak"):
        tell(
            teller,
            partial(ask_about, bid, by=emma),
            Said(19, "emma", "Hello Anna, is a new cartridge in the price, should it need one?"),
            Said(
                16,
                "anna.novak",
                "Hello! Yes, cartridge and seals are in it. If the tap itself is gone I tell you first.",
            ),
            Said(14, "emma", "That sounds fair. It is a Bristan, about four years old."),
            Said(12, "anna.novak", "I have those in the van. Ring me on 020 7946 0203 if it gets worse.", unread=True),
        )
    if bid := bid_of(booking, "tariq"):
        tell(
            teller,
            partial(ask_about, bid, by=emma),
            Said(
                8,
                "emma",
                "Hello Tariq, could you also look at the valve under the sink while you are here?",
                unread=True,
            ),
        )


def tell_emmas_visit(teller: Teller) -> None:
    """The talk of Emma's visit ahead, agreed twenty minutes ago."""
    session = visit_ahead(teller, customer="emma")
    if session is not None:
        emma, name = session.booking.customer, session.technician.user.email.partition("@")[0]
        tell(
            teller,
            partial(ask_about, session.bid, by=emma),
            Said(17, name, "Thank you for choosing me, Emma! Is there somewhere to park near you?"),
            Said(15, "emma", "Yes, right in front of the house, no permit needed after ten."),
            Said(13, name, "Perfect. I bring a dimmer for LEDs as well, in case the old one is the trouble."),
        )


def tell_tariqs_visit(teller: Teller) -> None:
    """Hannah tells Tariq about her boiler."""
    session = visit_ahead(teller, customer="hannah.whitfield", technician="tariq")
    if session is not None:
        tell(
            teller,
            partial(ask_about, session.bid, by=session.booking.customer),
            Said(16, "hannah.whitfield", "This is where the pressure stands this morning.", pictures.gauge),
            Said(13, "tariq", "Thanks, that helps a lot. Please leave it as it is until I am there."),
            Said(
                6, "hannah.whitfield", "Will do. The gate code is 4411, then the second door on the left.", unread=True
            ),
        )


def visit_ahead(teller: Teller, *, customer: str, technician: str = "") -> Session | None:
    """The next visit of a customer, with that technician if one is named."""
    ahead = Session.objects.filter(status=SessionStatus.PENDING, booking__customer__email=f"{customer}@{DOMAIN}")
    if technician:
        ahead = ahead.filter(technician__user__email=f"{technician}@{DOMAIN}")
    rows = ahead.filter(starts_at__gt=teller.now).select_related("booking__customer", "technician__user", "bid")
    return rows.order_by("starts_at").first()


def tell_live_talk(teller: Teller) -> None:
    """What is said where somebody is at work right now."""
    session = Session.objects.filter(status=SessionStatus.LIVE).select_related("booking__customer", "bid").first()
    if session is None:
        return
    tell(
        teller,
        partial(ask_about, session.bid, by=session.booking.customer),
        Said(1.9, "li.wei.tan", "Glad you found it. The laptop is on the kitchen table."),
        Said(1, "sofia.lindqvist", "I check the disk first, that takes a moment. All good so far.", pictures.laptop),
        Said(0.5, "li.wei.tan", "Good news, thank you. Tea or coffee?", unread=True),
    )


# --- With the desk --------------------------------------------------------------------------------


def tell_desk_talks(teller: Teller) -> None:
    """What people asked the desk, and what it answered."""

    def desk(name: str, *talk: Said) -> None:
        person = teller.people[f"{name}@{DOMAIN}"]
        tell(teller, partial(desk_conversation, person, by=teller.people[OLIVIA]), *talk)

    day = 24 * 60
    desk(
        "daniel.osei",
        Said(
            7 * day, "daniel.osei", "The locksmith says that nobody was at home, but I was waiting inside all the time."
        ),
        Said(7 * day - 21, "olivia", "Sorry about that, Daniel. He rang the bell of flat 4; the job says flat 4a."),
        Said(7 * day - 30, "daniel.osei", "Oh, that bell is broken. I put it into the notes next time, thank you."),
    )
    desk(
        "tariq",
        Said(2 * day, "tariq", "Could my area go out to 25 km? I have a van now."),
        Said(2 * day - 14, "olivia", "You can set it yourself: Me, then Your trade. I have looked, it works."),
        Said(2 * day - 18, "tariq", "Found it, thanks Olivia."),
    )
    desk("omar", Said(130, "olivia", WELCOME.format(name="Omar"), unread=True))
    desk(
        "sam",
        Said(95, "sam", "The van is back from its service, brakes are done."),
        Said(80, "olivia", "Good. A delivery for Hackney waits: go on duty and it is yours to take.", unread=True),
    )
    desk(
        "lucy",
        Said(190, "lucy", "Hello, I sent my Part P certificate last week. When can I make offers?"),
        Said(160, "olivia", "Hello Lucy, we are looking at it today. Is your public liability insurance there too?"),
        Said(35, "lucy", "Yes, as a PDF by e-mail this morning. Happy to send it again here.", unread=True),
    )


def tell_news(teller: Teller) -> None:
    """A broadcast to the technicians: most have read it, some have only got it, some were not here yet."""
    if Conversation.objects.filter(kind=ConversationKind.BROADCAST).exists():
        return
    olivia = teller.people[OLIVIA]
    people = [teller.people[person.email] for person in TECHNICIANS]
    sent = teller.now - timedelta(hours=26)
    conversation = broadcast(
        people,
        by=olivia,
        subject="New: talk to customers here",
        id=uuid4(),
        text=(
            "From today you can write with your customers in the job itself: questions while your offer stands, "
            "photos and arrangements once the job is yours. Phone numbers and addresses stay hidden until then."
        ),
        now=sent,
    )
    for number, person in enumerate(person for person in people if person.email != f"lucy@{DOMAIN}"):
        if number % 5 != 4:
            at = sent + timedelta(minutes=7 + 23 * number)
            mark_seen(conversation, by=person, delivered=1, read=number % 4 != 3, now=at)
