"""Lines of the system: one for each event, in the transaction of its history row."""

from __future__ import annotations

import pytest
from django.db import transaction

from bookings import actions, due
from bookings.actions.moves import lock_bid, lock_booking
from bookings.models import BidHistory
from bookings.tests import make
from bookings.tests.make import HOUR, MINUTE, NOW
from chat.models import Conversation, Message, Side
from chat.tests.say import agreed, asking, lines, say, session_of
from notifications.models import Mail, Notification

OPENING = "Offer accepted: £60.00, Wed 12:00-13:00 GMT. Phone numbers are in the open now."


def test_an_accepted_offer_makes_its_conversation_and_opens_it(alice, bob):
    conversation = agreed(alice, bob)
    assert lines(conversation) == [OPENING]
    assert conversation.unmasked_at == NOW
    message = conversation.messages.get()
    assert (message.side, message.author, message.seq, conversation.last_seq) == (Side.SYSTEM, None, 1, 1)
    assert set(conversation.participants.values_list("user", "side")) == {
        (alice.pk, "customer"),
        (bob.pk, "technician"),
        (None, "desk"),
    }


def test_questions_go_on_in_the_same_conversation(alice, bob):
    conversation = asking(alice, bob)
    say(conversation, alice, "Is the washer included?")
    make.accept(conversation.bid)
    assert lines(conversation) == ["Is the washer included?", OPENING]
    assert make.fresh(conversation).unmasked_at == NOW


def test_a_visit_from_the_door_to_its_end(alice, bob):
    conversation = agreed(alice, bob)
    session = make.live(session_of(conversation))
    at = session.starts_at
    actions.pause_session(session, by=bob, reason="Fetching a part", now=at + MINUTE)
    actions.resume_session(session, by=bob, now=at + 2 * MINUTE)
    actions.complete_session(session, by=bob, note="New washer.", now=at + 3 * MINUTE)
    assert lines(conversation)[1:] == [
        "Bob is at the door.",
        "The work has begun.",
        "The work is paused: Fetching a part",
        "The work goes on.",
        "The work is finished.",
    ]
    assert list(conversation.messages.values_list("seq", flat=True)) == [1, 2, 3, 4, 5, 6]


def test_a_cancelled_job_says_so_once_with_its_reason(alice, bob):
    conversation = agreed(alice, bob)
    actions.cancel_booking(conversation.bid.booking, by=alice, reason="plans_changed", note="Sorry!", now=NOW)
    assert lines(conversation)[1:] == ["The job was cancelled by the customer: My plans changed. Sorry!"]


@pytest.mark.parametrize(("who", "words"), [("bob", "by the technician"), ("frank", "by the desk")])
def test_a_cancelled_job_says_by_whom(alice, bob, request, who, words):
    conversation = agreed(alice, bob)
    session = make.waiting(session_of(conversation))
    actions.cancel_booking(session.booking, by=request.getfixturevalue(who), reason="unsafe", now=session.starts_at)
    assert lines(conversation)[-1] == f"The job was cancelled {words}: It is not safe to work."


def test_a_released_visit_says_so_once(alice, bob):
    conversation = agreed(alice, bob)
    actions.release(session_of(conversation), by=bob, reason="I am ill", now=NOW)
    assert lines(conversation)[1:] == ["Bob withdrew from this job: I am ill. It is open for others."]


def test_the_next_technician_has_a_conversation_of_their_own(alice, bob, dora):
    first = agreed(alice, bob)
    actions.release(session_of(first), by=bob, reason="I am ill", now=NOW)
    second = Conversation.objects.get(bid=make.accept(make.offer(make.fresh(first.bid.booking), dora)).bid)
    assert second != first
    assert lines(second) == [OPENING]


def test_a_no_show_names_who_was_not_there(alice, bob):
    conversation = agreed(alice, bob)
    session = make.waiting(session_of(conversation))
    actions.record_contact_attempt(session, by=bob, channel="door", now=session.starts_at)
    actions.report_no_show(session, by=bob, now=session.starts_at + HOUR)
    assert lines(conversation)[-1] == "The customer was not there."


def test_a_moved_visit_says_its_new_time(alice, bob):
    conversation = agreed(alice, bob)
    session = session_of(conversation)
    moved = actions.propose_reschedule(session, by=bob, starts_at=session.starts_at + HOUR, now=NOW)
    actions.accept_reschedule(moved, by=alice, now=NOW)
    assert lines(conversation)[1:] == ["The visit was moved to Wed 13:00-14:00 GMT."]


def test_what_nobody_asked_about_gets_no_conversation_and_no_line(alice, bob, dora):
    """Offers that are made, declined, lost or lapse write nothing."""
    booking = make.job(alice)
    make.offer(booking, dora)
    actions.reject_bid(make.offer(booking, bob), by=alice, now=NOW)
    due.run_due(booking.expires_at + MINUTE)
    assert not Conversation.objects.exists()
    assert not Message.objects.exists()


def test_a_transition_that_is_rolled_back_leaves_no_line(alice, bob):
    bid = make.offer(make.job(alice), bob)
    with pytest.raises(RuntimeError), transaction.atomic():
        held = lock_bid(bid.pk, lock_booking(bid.booking_id))
        BidHistory.objects.create(subject=held, from_state="submitted", to_state="accepted", at=NOW)
        assert Message.objects.count() == 1
        raise RuntimeError
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("way", ["release", "cancel"])
def test_whoever_loses_a_conversation_is_no_longer_told_of_it(alice, bob, frank, way):
    conversation = agreed(alice, bob)
    for person in (alice, bob):
        say(conversation, person)
    session, messages = session_of(conversation), Notification.objects.filter(kind="chat.message", read_at=None)
    assert {row.user for row in messages} == {alice, bob}
    if way == "release":
        actions.release(session, by=bob, reason="Ill", now=NOW)
    else:
        actions.cancel_booking(session.booking, by=alice, reason="mistake", now=NOW)
    assert [row.user for row in messages.all()] == [alice]
    mails = Mail.objects.filter(kind="chat.message").values_list("user", "status")
    assert set(mails) == {(alice.pk, "queued"), (bob.pk, "skipped")}
