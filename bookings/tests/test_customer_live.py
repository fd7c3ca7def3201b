"""The customer's pages follow: what each change touches, who hears of it, and what is rendered then."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import User
from bookings.models import Booking
from bookings.tests import make
from realtime import journal, render, topics
from realtime.journal import Touch
from realtime.topics import Principal

pytestmark = pytest.mark.django_db


def touched_by(act: Callable[[], object]) -> set[Touch]:
    """What `act` writes into the journal."""
    before = journal.now()
    act()
    return {change.touch for change in journal.since(before).changes}


def on(touches: set[Touch], topic: str) -> set[tuple[str, str]]:
    """The (fragment, key) pairs on one topic."""
    return {(touch.fragment, touch.key) for touch in touches if touch.topic == topic}


def rendered(booking: Booking, user: User, *names: str) -> str:
    """What a push of these fragments of the booking brings its customer."""
    topic = f"booking.{booking.pk}.customer"
    who = {Principal("user", str(user.pk))}
    done = render.render([Touch(topic, name, str(booking.pk)) for name in names], {topic: who}, "1")
    return "".join(done.for_topics([topic]))


def test_the_topic_is_the_customers_alone(alice, bob, charlie, dora, ed, frank) -> None:
    visit = make.visit(alice, bob)
    everybody = {Principal("user", str(each.pk)) for each in (alice, bob, charlie, dora, ed, frank)}
    assert topics.members(f"booking.{visit.booking_id}.customer", everybody) == {Principal("user", str(alice.pk))}


def test_a_closed_account_hears_nothing(alice) -> None:
    booking = make.job(alice)
    alice.is_active = False
    alice.save(update_fields=["is_active"])
    assert not topics.members(f"booking.{booking.pk}.customer", {Principal("user", str(alice.pk))})


def test_a_new_offer_touches_the_offer_the_panel_and_the_timeline(alice, bob) -> None:
    booking = make.job(alice)
    found = touched_by(lambda: make.offer(booking, bob))
    bid = booking.bids.get()
    assert on(found, f"booking.{booking.pk}.customer") == {
        ("bookings.offer", str(bid.pk)),
        ("bookings.job_now", str(booking.pk)),
        ("bookings.job_timeline", str(booking.pk)),
    }
    assert {("bookings.active_job", str(booking.pk)), ("bookings.banner", str(alice.pk))} <= on(
        found, f"user.{alice.pk}"
    )
