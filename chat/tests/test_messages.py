"""Sending and taking back: order, repeats, limits, who may, and what it costs."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext

from bookings import actions as jobs
from bookings.tests import make
from bookings.tests.follow import keys_of, on, touched_by
from bookings.tests.make import MINUTE, NOW
from chat import actions
from chat.live import chat_topic, talks_topic
from chat.models import Attachment, Message, Side
from chat.tests.say import agreed, asking, lines, news, say, session_of, with_desk
from common.refusals import Conflict, Invalid, TooFast
from notifications.models import Mail, Notification
from realtime.topics import user_topic

SECOND = timedelta(seconds=1)


def test_messages_are_numbered_in_the_servers_order(alice, bob):
    conversation = agreed(alice, bob)
    sent = [say(conversation, by, text) for by, text in ((alice, "One"), (bob, "Two"), (alice, "Three"))]
    assert [message.seq for message in sent] == [2, 3, 4]
    assert [message.side for message in sent] == [Side.CUSTOMER, Side.TECHNICIAN, Side.CUSTOMER]
    fresh = make.fresh(conversation)
    assert (fresh.last_seq, fresh.last_at) == (4, NOW)


@pytest.mark.parametrize("text", ["", "   ", "x" * 4001])
def test_bad_texts_are_refused_and_leave_nothing(alice, bob, text):
    conversation = agreed(alice, bob)
    with pytest.raises(Invalid):
        say(conversation, alice, text)
    assert conversation.messages.count() == 1


# --- The same again -------------------------------------------------------------------------------


def test_the_same_again_is_the_same_message_and_tells_nobody_twice(alice, bob):
    conversation, pk = agreed(alice, bob), uuid4()
    first = say(conversation, alice, "Hello", id=pk)
    touches = touched_by(lambda: say(conversation, alice, " Hello\r\n", id=pk))
    assert not touches
    assert Message.objects.filter(author=alice).get() == first
    assert Notification.objects.filter(user=bob, kind="chat.message").get().count == 1


def test_the_same_id_with_other_words_is_refused(alice, bob):
    conversation, pk = agreed(alice, bob), uuid4()
    say(conversation, alice, "Hello", id=pk)
    with pytest.raises(Conflict):
        say(conversation, alice, "Goodbye", id=pk)
    assert Message.objects.get(pk=pk).text == "Hello"


def test_the_same_id_of_somebody_else_or_elsewhere_is_refused(alice, bob):
    conversation, pk = agreed(alice, bob), uuid4()
    say(conversation, alice, "Hello", id=pk)
    with pytest.raises(Conflict):
        say(conversation, bob, "Hello", id=pk)
    with pytest.raises(Conflict):
        say(with_desk(alice), alice, "Hello", id=pk)


def test_a_repeat_is_answered_after_the_limit_and_after_the_end(alice, bob, settings):
    settings.CHAT = {"A_MINUTE": 1}
    conversation, pk = agreed(alice, bob), uuid4()
    first = say(conversation, alice, "Hello", id=pk)
    jobs.cancel_booking(conversation.bid.booking, by=alice, reason="mistake", now=NOW)
    assert say(conversation, alice, "Hello", id=pk) == first


def test_a_repeat_of_a_deleted_message_does_not_bring_it_back(alice, bob):
    conversation, pk = agreed(alice, bob), uuid4()
    actions.delete_message(say(conversation, alice, "Hello", id=pk), by=alice, now=NOW)
    assert say(conversation, alice, "Hello", id=pk).deleted_at == NOW
    assert Message.objects.get(pk=pk).text == ""


# --- Too fast -------------------------------------------------------------------------------------


def test_twenty_a_minute_in_all_conversations_together(alice, bob):
    conversation, desk = agreed(alice, bob), with_desk(alice)
    for number in range(20):
        say((conversation, desk)[number % 2], alice, str(number), now=NOW + number * SECOND)
    with pytest.raises(TooFast, match="Try again in 35 seconds") as refusal:
        say(conversation, alice, "21", now=NOW + 25 * SECOND)
    assert refusal.value.retry_after == 35
    say(conversation, bob, "Another person may", now=NOW + 25 * SECOND)
    say(conversation, alice, "21", now=NOW + 60 * SECOND)
    with pytest.raises(TooFast, match="in 1 second\\."):
        say(conversation, alice, "22", now=NOW + 60 * SECOND)


# --- Who may --------------------------------------------------------------------------------------


def test_strangers_learn_nothing(alice, bob, charlie, dora, ed):
    for conversation in (agreed(alice, bob), with_desk(alice)):
        for stranger in (charlie, dora, ed):
            with pytest.raises(Http404):
                say(conversation, stranger)


def test_the_desk_may_write_with_both(alice, bob, frank):
    conversation = agreed(alice, bob)
    assert say(conversation, frank, "Can we help?").side == Side.DESK
    assert set(Notification.objects.filter(kind="chat.message").values_list("user", flat=True)) == {alice.pk, bob.pk}


def test_those_a_broadcast_went_to_cannot_answer_in_it(alice, frank):
    with pytest.raises(Conflict, match="write to the desk"):
        say(news(frank, alice), alice)


def test_a_replaced_technician_reads_and_writes_nothing(alice, bob):
    conversation = agreed(alice, bob)
    jobs.release(session_of(conversation), by=bob, reason="Ill", now=NOW)
    with pytest.raises(Http404):
        say(conversation, bob)
    with pytest.raises(Conflict, match="withdrew"):
        say(conversation, alice)


def test_a_finished_job_can_be_talked_about_until_it_is_put_away(alice, bob):
    conversation = agreed(alice, bob)
    session = make.finished(session_of(conversation))
    say(conversation, bob, "The receipt follows")
    session.booking.put_away_at = NOW
    session.booking.save(update_fields=["put_away_at"])
    with pytest.raises(Conflict, match="This job is done"):
        say(conversation, alice)
    with pytest.raises(Http404):
        say(conversation, bob)


def test_an_offer_that_lost_is_read_and_not_written(alice, bob, dora):
    conversation = asking(alice, bob)
    make.accept(make.offer(conversation.bid.booking, dora))
    for person in (alice, bob):
        with pytest.raises(Conflict, match="Another offer was chosen"):
            say(conversation, person)


# --- Notices --------------------------------------------------------------------------------------


def test_a_notice_never_holds_what_was_said(alice, bob, frank):
    secret = "Ring 020 7946 0203 or alice@example.org"
    say(asking(alice, bob, title="Tap, ring 020 7946 0203"), alice, secret)
    say(with_desk(alice), alice, secret)
    texts = [*Notification.objects.values_list("text", flat=True), *Mail.objects.values_list("text", flat=True)]
    told = [text for text in texts if "wrote" in text]
    assert len(told) >= 2
    assert not [text for text in told if "7946" in text or "@" in text or "Ring" in text]
    assert "The customer wrote to you about Tap, ring [phone number hidden]" in told


def test_several_are_one_notice_and_reading_reads_it(alice, bob):
    conversation = agreed(alice, bob)
    for number in range(3):
        say(conversation, alice, str(number))
    notice = Notification.objects.get(user=bob, kind="chat.message")
    assert notice.text == "3 new messages from Alice about Kitchen tap leaks"
    assert not Notification.objects.filter(user=alice, kind="chat.message").exists()
    assert actions.mark_seen(conversation, by=bob, delivered=4, read=4, now=NOW + MINUTE)
    assert make.fresh(notice).read_at == NOW + MINUTE


def test_the_desk_is_told_of_what_is_for_it_and_of_nothing_else(alice, bob, frank):
    say(agreed(alice, bob), alice)
    assert not Notification.objects.filter(user=frank).exists()
    say(with_desk(alice), alice)
    assert Notification.objects.get(user=frank).text == "Alice Test wrote to the desk"


# --- Taking back ----------------------------------------------------------------------------------


def test_a_deleted_message_leaves_its_place(alice, bob, media):
    conversation = agreed(alice, bob)
    message = say(conversation, alice, "Secret", files=[make.picture()])
    (row,) = message.attachments.all()
    actions.delete_message(message, by=alice, now=NOW)
    actions.delete_message(message, by=alice, now=NOW + MINUTE)
    gone = make.fresh(message)
    assert (gone.text, gone.deleted_at, gone.seq) == ("", NOW, 2)
    assert not Attachment.objects.exists()
    assert lines(conversation)[1:] == [""]
    assert row.name == "tap.jpg"


def test_files_of_a_deleted_message_go_from_the_disk(alice, bob, media, django_capture_on_commit_callbacks):
    message = say(agreed(alice, bob), alice, "", files=[make.picture(), make.picture()])
    assert len(list((media / "messages").iterdir())) == 4
    with django_capture_on_commit_callbacks(execute=True):
        actions.delete_message(message, by=alice, now=NOW)
    assert not list((media / "messages").iterdir())


def test_only_the_own_side_takes_back(alice, bob, frank, charlie):
    conversation = agreed(alice, bob)
    message, line = say(conversation, alice), conversation.messages.get(seq=1)
    for other in (bob, frank):
        with pytest.raises(PermissionDenied):
            actions.delete_message(message, by=other, now=NOW)
    with pytest.raises(Http404):
        actions.delete_message(message, by=charlie, now=NOW)
    for person in (alice, bob, frank):
        with pytest.raises(PermissionDenied):
            actions.delete_message(line, by=person, now=NOW)
    assert make.fresh(message).text == "Hello"


def test_colleagues_at_the_desk_are_one_side(alice, frank):
    gina = make.person("Gina", "admin")
    message = say(with_desk(alice), frank, "Wrong window")
    assert actions.delete_message(message, by=gina, now=NOW).deleted_at == NOW


# --- What it costs --------------------------------------------------------------------------------


def cost(act) -> int:
    """The number of queries."""
    with CaptureQueriesContext(connection) as seen:
        act()
    return len(seen)


def test_sending_costs_the_same_with_two_admins_and_with_two_hundred(alice):
    conversation = with_desk(alice)
    make.person("Gina", "admin")
    make.person("Hugo", "admin")
    say(conversation, alice, "First")
    few = cost(lambda: say(conversation, alice))
    for number in range(20):
        make.person(f"Admin{number}", "admin")
    say(conversation, alice, "Now everybody has a notice of it")
    assert cost(lambda: say(conversation, alice)) == few
    for number in range(180):
        make.person(f"More{number}", "admin")
    touches = touched_by(lambda: say(conversation, alice))
    assert len(touches) == 5  # message, row, count, the desk's row and count: whoever looks
    assert cost(lambda: say(conversation, alice)) <= few


def test_a_message_touches_its_conversation_and_the_lists_of_both(alice, bob):
    conversation = agreed(alice, bob)
    pk = uuid4()
    touches = touched_by(lambda: say(conversation, alice, id=pk))
    assert on(touches, chat_topic(conversation.pk)) == {("chat.message", str(pk))}
    for person in (alice, bob):
        row = ("chat.row", f"{conversation.pk}-{person.pk}")
        assert on(touches, talks_topic(person.pk)) == {row}
        assert ("chat.unread", str(person.pk)) in on(touches, user_topic(person.pk))
    assert keys_of(touches, "chat.desk_row") == {str(conversation.pk)}
