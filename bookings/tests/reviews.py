"""What the tests of reviews stand on: a finished visit of Alice's by Bob, and what both said of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import User
from bookings import actions
from bookings.models import Review, Session
from bookings.tests import make
from bookings.tests.make import DAY, HOUR

WEEK = 7 * DAY
SAID, ANSWERED = "Quick, clean and friendly.", "Everything was ready when I came."


def done(customer: User, by: User, **changes: Any) -> Session:
    """A visit whose work is finished, with its two sides at hand."""
    visit = make.finished(make.visit(customer, by, **changes))
    return Session.objects.for_pages().get(pk=visit.pk)


def ended(visit: Session) -> datetime:
    """When its work ended."""
    assert visit.finished_at is not None
    return visit.finished_at


def by_customer(visit: Session, stars: int = 5, text: str = SAID, **options: Any) -> Review:
    """The customer reviews, an hour after the end."""
    now = options.pop("now", ended(visit) + HOUR)
    return actions.write_review(visit.booking, by=visit.booking.customer, stars=stars, text=text, now=now)


def by_technician(visit: Session, stars: int = 4, text: str = ANSWERED, **options: Any) -> Review:
    """The technician does."""
    now = options.pop("now", ended(visit) + HOUR)
    return actions.write_review(visit.booking, by=visit.technician.user, stars=stars, text=text, now=now)


def open_one(visit: Session, stars: int = 5, text: str = SAID) -> Review:
    """The customer's review, open because both have written."""
    by_technician(visit)
    return make.fresh(by_customer(visit, stars, text))


def flagged(visit: Session, **options: Any) -> Review:
    """The same, flagged by the technician whom it is about."""
    review = open_one(visit)
    actions.flag_review(review, by=visit.technician.user, reason="untrue", now=ended(visit) + 2 * HOUR, **options)
    return make.fresh(review)


def hidden(visit: Session, desk: User) -> Review:
    """The same, hidden by the desk."""
    review = flagged(visit)
    actions.hide_review(review, by=desk, why="abuse", reason="It insults.", now=ended(visit) + 3 * HOUR)
    return make.fresh(review)
