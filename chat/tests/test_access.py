"""Who reads and writes which conversation: a table over the cast and every kind, then and afterwards."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.models import User
from bookings import actions as jobs
from bookings.tests import make
from bookings.tests.make import HOUR, NOW
from chat import access, actions
from chat.live import chat_topic, desk_topic, person_topic, replies_topic
from chat.models import Conversation, Side
from chat.tests.say import agreed, asking, news, say, session_of, with_desk
from common.refusals import Conflict, Invalid
from realtime import topics
from realtime.topics import Principal

CAST = ("alice", "bob", "charlie", "dora", "ed", "frank")


@pytest.fixture
def cast(alice, bob, charlie, dora, ed, frank) -> dict[str, User]:
    return dict(zip(CAST, (alice, bob, charlie, dora, ed, frank), strict=True))


def question(cast):
    return asking(cast["alice"], cast["bob"])


def lost(cast):
    thread = question(cast)
    make.accept(make.offer(thread.bid.booking, cast["dora"]))
    return thread


def declined(cast):
    thread = question(cast)
    jobs.reject_bid(thread.bid, by=cast["alice"], now=NOW)
    return thread


def booked(cast):
    return agreed(cast["alice"], cast["bob"])


def released(cast):
    thread = booked(cast)
    jobs.release(session_of(thread), by=cast["bob"], reason="Ill", now=NOW)
    return thread


def cancelled(cast):
    thread = booked(cast)
    jobs.cancel_booking(thread.bid.booking, by=cast["alice"], reason="mistake", now=NOW)
    return thread


def no_show(cast):
    thread = booked(cast)
    session = make.waiting(session_of(thread))
    jobs.record_contact_attempt(session, by=cast["bob"], channel="door", now=session.starts_at)
    jobs.report_no_show(session, by=cast["bob"], now=session.starts_at + HOUR)
    return thread


def finished(cast):
    thread = booked(cast)
    make.finished(session_of(thread))
    return thread


def put_away(cast):
    thread = finished(cast)
    booking = make.fresh(thread.bid.booking)
    booking.put_away_at = NOW
    booking.save(update_fields=["put_away_at"])
    return thread


def desk_of_customer(cast):
    return with_desk(cast["alice"])


def desk_of_driver(cast):
    return with_desk(cast["ed"])


def broadcast(cast):
    return news(cast["frank"], cast["alice"], cast["bob"])


#  kind: what alice (customer) bob (technician) charlie dora ed frank (admin) may: w write, r read, - nothing
TABLE: dict[Callable[..., Conversation], str] = {
    question: "w w - - - w",
    lost: "r r - - - r",
    declined: "r r - - - r",
    booked: "w w - - - w",
    released: "r - - - - r",
    cancelled: "r - - - - r",
    no_show: "r - - - - r",
    finished: "w w - - - w",
    put_away: "r - - - - r",
    desk_of_customer: "w - - - - w",
    desk_of_driver: "- - - - w w",
    broadcast: "r r - - - w",
}


def may(user: User, thread: Conversation) -> str:
    try:
        found = access.conversation_for(user, thread.pk)
    except Http404:
        return "-"
    return "r" if access.may_write(found, user) else "w"


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.__name__)
def test_everybody_may_what_the_table_says(kind, cast):
    thread = kind(cast)
    assert " ".join(may(user, thread) for user in cast.values()) == TABLE[kind]


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.__name__)
def test_pages_lists_and_topics_agree_on_who_reads(kind, cast):
    thread = kind(cast)
    readers = {user.pk for user, may in zip(cast.values(), TABLE[kind].split(), strict=True) if may != "-"}
    everybody = {user.pk for user in cast.values()}
    assert access.members(everybody, thread.pk) == readers
    listed = {user.pk for user in cast.values() if thread in access.visible_conversations(user)}
    assert listed == readers
    followers = {Principal("user", str(pk)) for pk in everybody} | {Principal("link", "x")}
    assert {int(who.id) for who in topics.members(chat_topic(thread.pk), followers)} == readers


@pytest.mark.parametrize("kind", [question, booked], ids=lambda kind: kind.__name__)
def test_files_and_taking_back_ask_the_same(kind, cast, media):
    message = say(kind(cast), cast["alice"], "", files=[make.picture()])
    row = message.attachments.get()
    for name, user in cast.items():
        if name in ("alice", "bob", "frank"):
            assert access.attachment_for(user, row.pk) == row
        else:
            with pytest.raises(Http404):
                access.attachment_for(user, row.pk)
            with pytest.raises(Http404):
                access.message_of(user, message.pk)
    assert access.message_of(cast["alice"], message.pk) == message
    for name in ("bob", "frank"):
        with pytest.raises(PermissionDenied):
            access.message_of(cast[name], message.pk)


def test_members_is_one_query_for_any_number(cast, django_assert_num_queries):
    thread = booked(cast)
    with django_assert_num_queries(1):
        access.members({user.pk for user in cast.values()}, thread.pk)
    assert access.members({user.pk for user in cast.values()}, 999_999) == set()


def test_the_former_technicians_files_are_gone_for_them_and_stay_for_the_customer(cast, media):
    thread = booked(cast)
    row = say(thread, cast["bob"], "", files=[make.picture()]).attachments.get()
    jobs.release(session_of(thread), by=cast["bob"], reason="Ill", now=NOW)
    assert access.attachment_for(cast["alice"], row.pk) == row
    with pytest.raises(Http404):
        access.attachment_for(cast["bob"], row.pk)


def test_a_deleted_messages_file_is_nobodys(cast, media):
    message = say(booked(cast), cast["alice"], "", files=[make.picture()])
    row = message.attachments.get()
    actions.delete_message(message, by=cast["alice"], now=NOW)
    for user in cast.values():
        with pytest.raises(Http404):
            access.attachment_for(user, row.pk)


def test_nobody_has_files_and_messages_that_are_not_there(cast):
    for user in cast.values():
        with pytest.raises(Http404):
            access.attachment_for(user, uuid4())
        with pytest.raises(Http404):
            access.message_of(user, uuid4())


def test_deactivated_people_hear_nothing(cast):
    thread = booked(cast)
    cast["bob"].is_active = False
    cast["bob"].save(update_fields=["is_active"])
    assert access.members({cast["bob"].pk, cast["alice"].pk}, thread.pk) == {cast["alice"].pk}


def test_sides(cast):
    thread = booked(cast)
    assert [access.side_of(thread, cast[name]) for name in ("alice", "bob", "frank")] == [
        Side.CUSTOMER,
        Side.TECHNICIAN,
        Side.DESK,
    ]
    assert access.side_of(desk_of_driver(cast), cast["ed"]) == Side.DRIVER


# --- Opening --------------------------------------------------------------------------------------


def test_a_question_has_one_conversation_whoever_asks(cast):
    thread = question(cast)
    for name in ("alice", "bob", "frank"):
        assert actions.ask_about(thread.bid, by=cast[name]) == thread
    assert thread.unmasked_at is None
    for name in ("charlie", "dora", "ed"):
        with pytest.raises(PermissionDenied):
            actions.ask_about(thread.bid, by=cast[name])


def test_nothing_is_opened_where_nothing_could_be_written(cast):
    bid = make.offer(make.job(cast["alice"]), cast["bob"])
    jobs.reject_bid(bid, by=cast["alice"], now=NOW)
    with pytest.raises(Conflict):
        actions.ask_about(make.fresh(bid), by=cast["bob"])
    assert not Conversation.objects.exists()


def test_a_lost_conversation_is_not_opened_again(cast):
    with pytest.raises(Http404):
        actions.ask_about(released(cast).bid, by=cast["bob"])


def test_the_desk_and_a_person_have_one(cast):
    thread = actions.desk_conversation(cast["alice"], by=cast["frank"])
    assert actions.desk_conversation(cast["alice"], by=cast["alice"]) == thread
    assert set(thread.participants.values_list("user", "side")) == {(cast["alice"].pk, "customer"), (None, "desk")}
    with pytest.raises(PermissionDenied):
        actions.desk_conversation(cast["alice"], by=cast["bob"])
    with pytest.raises(Invalid):
        actions.desk_conversation(cast["frank"], by=cast["frank"])


# --- The other topics -----------------------------------------------------------------------------


def named(topic: str, cast: dict[str, User]) -> set[str]:
    """Who of the cast belongs to a topic."""
    names = {str(user.pk): name for name, user in cast.items()}
    return {names[who.id] for who in topics.members(topic, {Principal("user", pk) for pk in names})}


def test_who_sees_whether_somebody_is_here(cast):
    assert named(person_topic(cast["alice"].pk), cast) == {"frank"}
    thread = booked(cast)
    assert named(person_topic(cast["alice"].pk), cast) == {"bob", "frank"}
    assert named(person_topic(cast["bob"].pk), cast) == {"alice", "frank"}
    jobs.release(session_of(thread), by=cast["bob"], reason="Ill", now=NOW)
    assert named(person_topic(cast["alice"].pk), cast) == {"frank"}
    asking(cast["charlie"], cast["dora"], title="Another job")
    assert named(person_topic(cast["dora"].pk), cast) == {"charlie", "frank"}


def test_replies_and_the_desk(cast):
    assert named(replies_topic("technician"), cast) == {"bob", "dora"}
    assert named(replies_topic("admin"), cast) == {"frank"}
    assert named(replies_topic("nobody"), cast) == set()
    assert named(desk_topic(), cast) == {"frank"}
