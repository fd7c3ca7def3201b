"""Conversations for the desk's tests, made through the actions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from accounts.models import User
from bookings.tests import make
from chat import actions
from chat.models import Conversation, Message

DAY = timedelta(days=1)


def say(conversation: Conversation, by: User, text: str = "Hello", **more: Any) -> Message:
    """Something said, just now."""
    return actions.send_message(conversation, by=by, id=uuid4(), text=text, **more)


def with_desk(person: User, text: str = "I have a question", by: User | None = None) -> Conversation:
    """A conversation with the desk in which `by`, or the person, has said something."""
    conversation = actions.desk_conversation(person, by=by or person)
    say(conversation, by or person, text)
    return conversation


def about_job(customer: User, technician: User, title: str = "Kitchen tap leaks", *, days: int = 2) -> Conversation:
    """A question on an offer."""
    now = timezone.now()
    start = now + days * DAY
    window: dict[str, datetime] = {"window_start": start, "window_end": start + DAY / 4}
    booking = make.job(customer, now=now, title=title, **window)
    conversation = actions.ask_about(make.offer(booking, technician, now=now), by=customer)
    say(conversation, customer, "Are parts included?")
    return conversation


def told(
    admin: User, people: Sequence[User], subject: str = "Bank holiday", text: str = "We are closed."
) -> Conversation:
    """A broadcast."""
    return actions.broadcast(people, by=admin, subject=subject, id=uuid4(), text=text)
