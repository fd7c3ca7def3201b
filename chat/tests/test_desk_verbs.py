"""What only the desk does: news to several people, and quick replies."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import DeskAction
from bookings.tests import make
from bookings.tests.follow import touched_by
from chat import actions
from chat.models import Conversation, Message, QuickReply, Side
from chat.tests.say import news, say
from common.refusals import Conflict, Invalid, TooFast
from notifications.models import FanOut, Notification


def test_a_broadcast_is_one_message_with_a_participant_for_each(alice, bob, ed, frank):
    conversation = news(frank, alice, bob, ed, subject="  Opening \n hours ")
    assert (conversation.subject, conversation.last_seq) == ("Opening hours", 1)
    message = conversation.messages.get()
    assert (message.text, message.side, message.author) == ("We are closed on Monday.", Side.DESK, frank)
    assert set(conversation.participants.values_list("user", "side")) == {
        (alice.pk, "customer"),
        (bob.pk, "technician"),
        (ed.pk, "driver"),
        (None, "desk"),
    }
    told = Notification.objects.filter(kind="chat.news")
    assert set(told.values_list("user", "text")) == {
        (person.pk, "News from the desk: Opening hours") for person in (alice, bob, ed)
    }


def test_the_inactive_and_the_desk_itself_are_left_out(alice, bob, frank):
    bob.is_active = False
    bob.save(update_fields=["is_active"])
    assert set(news(frank, alice, bob, frank).participants.values_list("user", flat=True)) == {alice.pk, None}
    with pytest.raises(Invalid, match="nobody"):
        news(frank, bob, frank)


def test_only_the_desk_broadcasts(alice, bob):
    with pytest.raises(PermissionDenied):
        news(alice, bob)


@pytest.mark.parametrize("subject", ["", "  ", "\u202e", "x" * 121])
def test_a_subject_is_needed(alice, frank, subject):
    with pytest.raises(Invalid, match="subject"):
        news(frank, alice, subject=subject)
    assert not Conversation.objects.exists()


def test_the_same_again_goes_out_once_and_other_content_is_refused(alice, bob, frank):
    pk = uuid4()
    first = news(frank, alice, bob, id=pk)
    assert not touched_by(lambda: news(frank, bob, alice, id=pk))
    assert news(frank, alice, bob, id=pk) == first
    for changes, people in (({"text": "Other"}, (alice, bob)), ({"subject": "Other"}, (alice, bob)), ({}, (alice,))):
        with pytest.raises(Conflict):
            news(frank, *people, id=pk, **changes)
    assert Message.objects.count() == 1


def test_too_fast_leaves_nothing(alice, frank, settings):
    settings.CHAT = {"A_MINUTE": 1}
    news(frank, alice)
    with pytest.raises(TooFast):
        news(frank, alice)
    assert Conversation.objects.count() == 1


def test_files_go_with_it(alice, frank, media):
    assert news(frank, alice, text="", files=[make.picture()]).messages.get().attachments.count() == 1


def test_two_hundred_people_cost_hardly_more_than_thirty(frank):
    """Everybody's row and count are journalled, 150 in a statement; all else is the same."""
    people = [make.person(f"P{number}") for number in range(200)]
    counts = []
    for size in (30, 200):
        with CaptureQueriesContext(connection) as seen:
            news(frank, *people[:size])
        counts.append(len(seen))
    assert counts[1] - counts[0] <= 6, counts
    assert FanOut.objects.count() == 2
    conversation = news(frank, *people)
    with CaptureQueriesContext(connection) as seen:
        say(conversation, frank, "One more thing")
    assert len(seen) < 25


# --- Quick replies --------------------------------------------------------------------------------


def texts(role="customer") -> list[str]:
    return list(QuickReply.objects.filter(role=role).order_by("position", "pk").values_list("text", flat=True))


@pytest.fixture
def three(frank):
    return [actions.add_quick_reply("customer", text, by=frank) for text in ("One", "Two", "Three")]


def test_the_audit_keeps_when_each_was_done(frank):
    hours = [timezone.now() - timedelta(hours=each) for each in (4, 3, 2, 1)]
    reply = actions.add_quick_reply("customer", "One", by=frank, now=hours[0])
    actions.change_quick_reply(reply, "First", by=frank, now=hours[1])
    actions.order_quick_replies("customer", [reply.pk], by=frank, now=hours[2])
    actions.remove_quick_reply(reply, by=frank, now=hours[3])
    assert list(DeskAction.objects.order_by("pk").values_list("at", flat=True)) == hours


def test_replies_stand_in_the_order_they_came(three, frank):
    actions.add_quick_reply("technician", "One", by=frank)
    assert (texts(), texts("technician")) == (["One", "Two", "Three"], ["One"])


def test_replies_are_put_into_another_order(three, frank):
    one, two, last = three
    actions.order_quick_replies("customer", [last.pk, one.pk, two.pk], by=frank)
    assert texts() == ["Three", "One", "Two"]
    for order in ([one.pk], [one.pk, two.pk, two.pk], [one.pk, two.pk, last.pk, 999]):
        with pytest.raises(Conflict):
            actions.order_quick_replies("customer", order, by=frank)
    assert texts() == ["Three", "One", "Two"]


def test_replies_are_changed_and_removed(three, frank):
    actions.change_quick_reply(three[0], " First\n of all ", by=frank)
    actions.remove_quick_reply(three[1], by=frank)
    assert texts() == ["First of all", "Three"]


@pytest.mark.parametrize("text", ["", " ", "x" * 201, "Two"])
def test_bad_replies_are_refused(three, frank, text):
    with pytest.raises(Invalid):
        actions.add_quick_reply("customer", text, by=frank)
    with pytest.raises(Invalid):
        actions.change_quick_reply(make.fresh(three[0]), text, by=frank)
    assert texts() == ["One", "Two", "Three"]


def test_a_role_that_is_none_is_refused(frank):
    with pytest.raises(Invalid):
        actions.add_quick_reply("nobody", "Hello", by=frank)


def test_only_the_desk_keeps_replies(three, alice, bob):
    for person in (alice, bob):
        for act in (
            lambda by: actions.add_quick_reply("customer", "Four", by=by),
            lambda by: actions.change_quick_reply(three[0], "Four", by=by),
            lambda by: actions.remove_quick_reply(three[0], by=by),
            lambda by: actions.order_quick_replies("customer", [], by=by),
        ):
            with pytest.raises(PermissionDenied):
                act(person)
    assert texts() == ["One", "Two", "Three"]
