"""What the tests of chat stand on: conversations of every kind, made and filled through the actions."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from accounts.models import User
from bookings.models import Bid, Session
from bookings.tests import make
from bookings.tests.make import NOW
from chat import actions
from chat.models import Conversation, Message


def asking(customer: User, technician: User, **job: Any) -> Conversation:
    """A question about an offer that stands."""
    return actions.ask_about(make.offer(make.job(customer, **job), technician), by=customer, now=NOW)


def agreed(customer: User, technician: User, **job: Any) -> Conversation:
    """The conversation of a visit that is booked."""
    return Conversation.objects.get(bid=make.visit(customer, technician, **job).bid)


def with_desk(person: User) -> Conversation:
    """Of one person with the desk."""
    return actions.desk_conversation(person, by=person, now=NOW)


def news(admin: User, *people: User, **more: Any) -> Conversation:
    """From the desk to several."""
    values = {"subject": "Opening hours", "text": "We are closed on Monday.", "now": NOW} | more
    return actions.broadcast(people, by=admin, id=values.pop("id", uuid4()), **values)


def say(conversation: Conversation, by: User, text: str = "Hello", **more: Any) -> Message:
    """A message."""
    more.setdefault("now", NOW)
    return actions.send_message(conversation, by=by, id=more.pop("id", uuid4()), text=text, **more)


def session_of(conversation: Conversation) -> Session:
    """The visit a conversation is about."""
    bid = conversation.bid
    assert isinstance(bid, Bid)
    return bid.sessions.select_related("booking__customer", "technician__user", "bid").get()


def lines(conversation: Conversation) -> list[str]:
    """What stands in it, in order."""
    return list(conversation.messages.order_by("seq").values_list("text", flat=True))
