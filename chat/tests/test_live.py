"""What open pages are sent: to whom, with how many queries, and never with a contact that is hidden."""

from __future__ import annotations

import json
from functools import partial

import pytest
from django.db import connection
from django.template.loader import get_template
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bookings import actions as jobs
from bookings.tests import make
from bookings.tests.follow import audience, keys_of, sent, touched_by
from bookings.tests.make import NOW
from chat import actions, live
from chat.models import QuickReply
from chat.seen import DESK_KEY
from chat.tests.say import agreed, asking, news, say, session_of, with_desk
from realtime import fragments
from realtime.journal import Touch
from realtime.models import LastSeen
from realtime.presence import Seen
from realtime.render import render
from realtime.topics import Principal

SECRET = "Ring 020 7946 0203, alice@example.org or www.example.org"
HIDDEN = ("7946", "alice@", "example.org")


def whole(conversation, *people) -> dict[str, str | None]:
    """Everything that a page of it and the lists of `people` can be sent."""
    pk = str(conversation.pk)
    topic = live.chat_topic(conversation.pk)
    touches = {Touch(topic, "chat.message", str(row)) for row in conversation.messages.values_list("pk", flat=True)}
    touches |= {Touch(topic, name, pk) for name in ("chat.state", "chat.marks")}
    touches |= {Touch(live.talks_topic(who.pk), "chat.row", f"{pk}-{who.pk}") for who in people}
    touches |= {Touch(live.user_topic(who.pk), "chat.unread", str(who.pk)) for who in people}
    touches |= {Touch(live.desk_talks_topic(), "chat.desk_row", pk), Touch(live.desk_topic(), "chat.unread", DESK_KEY)}
    return sent(touches, *people)


# --- Masking, in every way out --------------------------------------------------------------------


def test_nothing_that_leaves_has_a_contact_before_the_offer_is_accepted(alice, bob, frank):
    conversation = asking(alice, bob)
    for person in (alice, bob):
        say(conversation, person, SECRET)
    html = whole(conversation, alice, bob, frank)
    shown = "".join(filter(None, html.values()))
    assert not [part for part in HIDDEN if part in shown]
    assert "[phone number hidden]" in shown
    assert "Alice" not in (html[f"chat-row-{conversation.pk}-{bob.pk}"] or "")


def test_a_customer_who_is_not_known_yet_has_no_initials_either(alice, bob):
    alice.name = "Zoe Quill"
    alice.save(update_fields=["name"])
    conversation = asking(alice, bob)
    row = f"chat-row-{conversation.pk}-{bob.pk}"
    assert "ZQ" not in (whole(conversation, bob)[row] or "")
    make.accept(conversation.bid)
    assert "ZQ" in (whole(conversation, bob)[row] or "")


def test_acceptance_shows_it_on_the_open_pages_of_both(alice, bob):
    conversation = asking(alice, bob)
    message = say(conversation, alice, SECRET)
    touches = touched_by(lambda: make.accept(conversation.bid))
    assert str(message.pk) in keys_of(touches, "chat.message")
    html = sent(touches, alice, bob)
    assert "020 7946 0203" in (html[f"chat-message-{message.pk}"] or "")
    assert str(conversation.pk) in keys_of(touches, "chat.state")
    assert "Alice" in (html[f"chat-row-{conversation.pk}-{bob.pk}"] or "")  # by name now


def test_of_a_long_talk_the_last_two_hundred_are_sent_again(alice, bob):
    conversation = asking(alice, bob)
    for number in range(205):
        say(conversation, alice, str(number), now=NOW + number * make.MINUTE)
    touches = touched_by(lambda: make.accept(conversation.bid))
    assert len(keys_of(touches, "chat.message")) == 201  # and the line of the system


def test_names_of_files_are_masked_too(alice, bob, media):
    conversation = asking(alice, bob)
    say(conversation, alice, "", files=[make.picture("call 020 7946 0203.jpg")])
    (thing,) = live.message.load([str(conversation.messages.get().pk)]).values()
    assert [name for _, name in thing.files] == ["call [phone number hidden].jpg"]


def test_what_the_desk_writes_is_not_masked(alice, bob, frank):
    conversation = asking(alice, bob)
    message = say(conversation, frank, SECRET)
    (thing,) = live.message.load([str(message.pk)]).values()
    assert "020 7946 0203" in thing.html


def test_a_deleted_message_is_sent_without_its_words(alice, bob, media):
    conversation = agreed(alice, bob)
    message = say(conversation, alice, "Secret words", files=[make.picture("secret.jpg")])
    touches = touched_by(lambda: actions.delete_message(message, by=alice, now=NOW))
    html = sent(touches, alice, bob)
    assert "ecret" not in "".join(filter(None, html.values()))
    assert html[f"chat-message-{message.pk}"] is not None


# --- Who hears ------------------------------------------------------------------------------------


def test_only_the_two_sides_and_the_desk_hear(alice, bob, charlie, dora, ed, frank):
    everybody = (alice, bob, charlie, dora, ed, frank)
    conversation = agreed(alice, bob)
    touches = touched_by(lambda: say(conversation, bob))
    assert audience(touches, "chat.message", *everybody) == {"Alice", "Bob", "Frank"}
    assert audience(touches, "chat.row", *everybody) == {"Alice", "Bob"}
    assert audience(touches, "chat.desk_row", *everybody) == {"Frank"}


@pytest.mark.parametrize("way", ["release", "cancel", "put away"])
def test_the_former_technicians_page_is_told_at_once_and_shows_nothing(alice, bob, way):
    conversation = agreed(alice, bob)
    session = session_of(conversation)

    def act() -> None:
        if way == "release":
            jobs.release(session, by=bob, reason="Ill", now=NOW)
        elif way == "cancel":
            jobs.cancel_booking(session.booking, by=alice, reason="mistake", now=NOW)
        else:
            session.booking.put_away_at = NOW
            session.booking.save(update_fields=["put_away_at"])

    if way == "put away":
        session = make.finished(session)
    touches = touched_by(act)
    topic = live.chat_topic(conversation.pk)
    assert Touch(topic, "chat.state", str(conversation.pk)) in touches  # so the topic is asked again
    who = {Principal("user", str(person.pk)) for person in (alice, bob)}
    done = render(touches, {touch.topic: set(who) for touch in touches}, "1")
    assert done.members[topic] == {Principal("user", str(alice.pk))}
    rows = [json.loads(piece) for touch, piece in done.pieces.items() if touch.fragment == "chat.row"]
    html = {piece["id"]: piece["html"] for piece in rows}
    assert html[f"chat-row-{conversation.pk}-{bob.pk}"] is None
    assert html[f"chat-row-{conversation.pk}-{alice.pk}"]
    assert str(bob.pk) in keys_of(touches, "chat.unread")


def test_a_page_that_hears_of_the_end_asks_itself_again(alice, bob):
    conversation = agreed(alice, bob)
    (before,) = live.state.load([str(conversation.pk)]).values()
    jobs.cancel_booking(conversation.bid.booking, by=alice, reason="mistake", now=NOW)
    (after,) = live.state.load([str(conversation.pk)]).values()
    assert (before.refresh, after.refresh) == ("open-plain", "closed-plain")
    assert before.closed is None and "cancelled" in after.closed.sentence


def test_a_new_name_is_on_open_pages(alice, bob):
    conversation = agreed(alice, bob)
    message = say(conversation, alice)
    alice.name = "Alicia Test"
    touches = touched_by(lambda: alice.save(update_fields=["name"]))
    assert keys_of(touches, "chat.message") == {str(message.pk)}
    assert f"{conversation.pk}-{bob.pk}" in keys_of(touches, "chat.row")
    assert keys_of(touches, "chat.marks") == {str(conversation.pk)}  # "Read by Alicia"


# --- Unread ---------------------------------------------------------------------------------------


def count(user) -> tuple[int, dict[str, int]]:
    key = live.unread_key(user)
    (found,) = live.unread.load([key]).values()
    return found.count, json.loads(found.delivered)


def test_unread_counts_what_others_said_and_nothing_else(alice, bob, frank):
    conversation = agreed(alice, bob)
    assert count(alice) == (0, {str(conversation.pk): 1})  # the line of the system is no message, but is to arrive
    say(conversation, bob, "One")
    gone = say(conversation, bob, "Two")
    say(conversation, alice, "Mine")
    actions.delete_message(gone, by=bob, now=NOW)
    assert count(alice)[0] == 1
    assert count(bob)[0] == 1
    assert count(frank) == (0, {})  # what others say to each other does not wait for the desk
    actions.mark_seen(conversation, by=alice, delivered=4, read=4, now=NOW)
    assert count(alice) == (0, {})


def test_the_desk_has_one_count_for_all(alice, frank):
    say(with_desk(alice), alice)
    gina = make.person("Gina", "admin")
    assert count(frank) == count(gina) == (1, {str(with_desk(alice).pk): 1})
    actions.mark_seen(with_desk(alice), by=gina, delivered=1, read=1, now=NOW)
    assert count(frank) == (0, {})


def test_a_lost_conversation_is_not_unread(alice, bob):
    conversation = agreed(alice, bob)
    say(conversation, alice, "Are you coming?")
    assert count(bob)[0] == 1
    jobs.release(session_of(conversation), by=bob, reason="Ill", now=NOW)
    assert count(bob) == (0, {})


# --- Receipts and the rest ------------------------------------------------------------------------


def test_receipts_name_the_sides(alice, bob):
    conversation = agreed(alice, bob)
    actions.mark_seen(conversation, by=bob, delivered=1, read=1, now=NOW)
    (found,) = live.marks.load([str(conversation.pk)]).values()
    marks = {row["side"]: row for row in json.loads(found.json)}
    assert (marks["technician"]["read"], marks["technician"]["name"], marks["technician"]["user"]) == (1, "Bob", bob.pk)
    assert (marks["customer"]["read"], marks["desk"]["user"]) == (0, None)
    assert found.words == "Read by Bob"


def test_those_a_broadcast_went_to_do_not_learn_of_each_other(alice, bob, frank):
    conversation = news(frank, alice, bob)
    actions.mark_seen(conversation, by=alice, delivered=1, read=1, now=NOW)
    (found,) = live.marks.load([str(conversation.pk)]).values()
    assert found.words == "Read by 1 of 2"
    assert [row["user"] for row in json.loads(found.json)] == [None]
    html = "".join(filter(None, whole(conversation, bob).values()))
    assert "Alice" not in html


def test_who_is_here(alice):
    (found,) = live.person.load([str(alice.pk)]).values()
    assert found == live.Person(alice.pk, Seen("offline", None))
    row = LastSeen(kind="user", principal=str(alice.pk), seen_at=timezone.now())
    assert keys_of(touched_by(row.save), "chat.person") == {str(alice.pk)}
    link = LastSeen(kind="link", principal="0f0f", seen_at=timezone.now())
    assert not keys_of(touched_by(link.save), "chat.person")


def test_quick_replies_move_on_the_pages_of_their_role(alice, bob, frank):
    touches = touched_by(lambda: actions.add_quick_reply("customer", "I am at home", by=frank))
    assert audience(touches, "chat.replies", alice, bob, frank) == {"Alice"}
    assert "I am at home" in (sent(touches, alice)["chat-replies-customer"] or "")
    assert not live.replies.load(["nobody"])


# --- What it costs --------------------------------------------------------------------------------


def cost(act) -> int:
    """The number of queries."""
    with CaptureQueriesContext(connection) as seen:
        act()
    return len(seen)


def paint(fragment, keys) -> None:
    """Load and render."""
    for key, thing in fragment.load(keys).items():
        fragment.render(key, thing, "x", "1")


def test_loading_costs_the_same_for_any_number(alice, bob, dora, frank, media):
    """Every fragment of chat: for one key, and for all of a talk in which much happened."""
    first = agreed(alice, bob)
    day = make.DAY
    window = {"window_start": NOW + 5 * day, "window_end": NOW + 5 * day + 4 * make.HOUR}
    threads = [first, asking(alice, dora, title="B"), agreed(alice, dora, title="C", **window), with_desk(alice)]
    for thread in threads:
        for number in range(4):
            say(thread, alice, str(number), files=[make.picture()] if number == 1 else [])
    news(frank, alice, bob, dora)
    QuickReply.objects.create(role="customer", text="Hello")
    people = [str(person.pk) for person in (alice, bob, dora)]
    pks = [str(thread.pk) for thread in threads]
    keys = {
        "chat.message": [str(pk) for thread in threads for pk in thread.messages.values_list("pk", flat=True)],
        "chat.state": pks,
        "chat.marks": pks,
        "chat.person": people,
        "chat.replies": ["customer", "technician"],
        "chat.row": [f"{pk}-{person}" for pk in pks for person in people],
        "chat.desk_row": pks,
        "chat.unread": [*people, DESK_KEY],
    }
    most = {"chat.message": 2, "chat.row": 2, "chat.desk_row": 2}
    assert set(keys) == {each.name for each in fragments.declared() if each.name.startswith("chat.")}
    for name, wanted in keys.items():
        fragment = fragments.get(name)
        assert fragment is not None

        get_template(fragment.template)
        one = cost(partial(paint, fragment, wanted[:1]))
        assert cost(partial(paint, fragment, wanted)) == one, name
        assert one <= most.get(name, 1), name
