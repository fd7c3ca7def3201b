"""Receipts: they only grow, reach no further than what was said, and cost one write a second at most."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.http import Http404

from bookings import actions as jobs
from bookings.tests import make
from bookings.tests.follow import keys_of, touched_by
from bookings.tests.make import NOW
from chat import actions, live
from chat.models import Participant
from chat.tests.say import agreed, news, say, session_of, with_desk
from notifications.models import Notification
from realtime.topics import Principal

TICK = timedelta(seconds=1)


def marks(conversation, user=None) -> tuple[int, int]:
    row = conversation.participants.get(user=user)
    return row.delivered, row.read


def see(conversation, by, delivered, read, seconds=0.0) -> bool:
    at = NOW + timedelta(seconds=seconds)
    return actions.mark_seen(conversation, by=by, delivered=delivered, read=read, now=at)


@pytest.fixture
def thread(alice, bob):
    """With five messages, the line of the system included."""
    conversation = agreed(alice, bob)
    for number in range(4):
        say(conversation, bob, str(number))
    return conversation


def test_marks_grow_and_never_shrink(thread, alice):
    assert see(thread, alice, 3, 1)
    assert marks(thread, alice) == (3, 1)
    assert not see(thread, alice, 2, 0, 2)
    assert see(thread, alice, 0, 2, 4)
    assert marks(thread, alice) == (3, 2)


def test_what_was_read_was_delivered(thread, alice):
    assert see(thread, alice, 0, 4)
    assert marks(thread, alice) == (4, 4)


def test_never_beyond_the_last_message(thread, alice):
    assert see(thread, alice, 10_000, 9_000)
    assert marks(thread, alice) == (5, 5)


def test_one_write_a_second(thread, alice, bob):
    assert see(thread, alice, 1, 1)
    assert not see(thread, alice, 2, 2, 0.9)
    assert marks(thread, alice) == (1, 1)
    assert see(thread, alice, 3, 3, 1.0)
    assert not see(thread, alice, 4, 4, 1.5)
    assert see(thread, bob, 5, 5, 1.5)  # another person's row


def test_two_hundred_readers_write_once_a_second_each(frank):
    people = [make.person(f"Reader{number}") for number in range(200)]
    conversation = news(frank, *people)
    say(conversation, frank, "One more thing")
    written = []
    for tenth in range(11):
        written += [see(conversation, person, 2, min(tenth, 2), tenth / 10) for person in people[:20]]
    assert sum(written) == 40  # twenty readers, at 0 s and at 1 s
    assert all(see(conversation, person, 2, 2) for person in people[20:])
    assert Participant.objects.filter(conversation=conversation, read=2, user__isnull=False).count() == 200


def test_the_desk_is_one_side(alice, frank):
    conversation = with_desk(alice)
    say(conversation, alice)
    gina = make.person("Gina", "admin")
    assert see(conversation, frank, 1, 1)
    assert marks(conversation) == (1, 1)
    assert not see(conversation, gina, 1, 1, 5)


def test_what_one_of_the_desk_has_read_is_read_in_the_bells_of_all(alice, frank):
    gina, conversation = make.person("Gina", "admin"), with_desk(alice)
    say(conversation, alice)
    say(conversation, frank, "Hello Alice")
    unread = Notification.objects.filter(read_at=None)
    assert set(unread.values_list("user__name", flat=True)) == {str(who) for who in (alice, frank, gina)}
    touches = touched_by(lambda: see(conversation, gina, 2, 2))
    assert [row.user for row in unread] == [alice]  # hers is hers to read
    assert keys_of(touches, "notifications.bell") == {str(frank.pk), str(gina.pk)}


def test_a_mark_touches_the_receipts_and_the_own_lists(thread, alice):
    touches = touched_by(lambda: see(thread, alice, 5, 5))
    assert keys_of(touches, "chat.marks") == {str(thread.pk)}
    assert keys_of(touches, "chat.row") == {f"{thread.pk}-{alice.pk}"}
    assert keys_of(touches, "chat.unread") == {str(alice.pk)}
    assert not keys_of(touches, "chat.message")


def test_strangers_and_former_technicians_mark_nothing(thread, bob, charlie, dora):
    jobs.release(session_of(thread), by=bob, reason="Ill", now=NOW)
    for person in (bob, charlie, dora):
        with pytest.raises(Http404):
            see(thread, person, 1, 1)


# --- Said by a page -------------------------------------------------------------------------------


def principal(user) -> Principal:
    return Principal("user", str(user.pk))


def test_a_page_says_what_it_has_seen(thread, alice):
    live.seen_by(principal(alice), {"conversation": thread.pk, "delivered": 4, "read": 2})
    assert marks(thread, alice) == (4, 2)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"conversation": "1", "read": 5},
        {"conversation": True, "read": 5},
        {"conversation": None, "read": 5},
        {"conversation": -1, "read": 5},
        {"conversation": 10**30, "read": 5},
        {"conversation": 999_999, "read": 5},
    ],
)
def test_nonsense_is_no_error(thread, alice, data):
    live.seen_by(principal(alice), data)
    live.typing(principal(alice), data)
    assert marks(thread, alice) == (0, 0)


@pytest.mark.parametrize("figure", ["5", None, -1, 2.5, 10**30, [5]])
def test_figures_that_are_none_mark_nothing(thread, alice, figure):
    live.seen_by(principal(alice), {"conversation": thread.pk, "read": figure})
    assert marks(thread, alice) == (0, 0)


def test_strangers_and_links_say_nothing(thread, charlie):
    for who in (principal(charlie), Principal("link", "x"), Principal("user", "999999")):
        live.seen_by(who, {"conversation": thread.pk, "read": 5})
    assert not thread.participants.filter(read__gt=0).exists()


# --- Typing ---------------------------------------------------------------------------------------


@pytest.fixture
def signals(monkeypatch):
    """What is signalled, with a throttle of the test's own."""
    sent = []
    monkeypatch.setattr(live, "throttle", live.Throttle(1.0))
    monkeypatch.setattr(live, "signal", lambda topic, name, data, **more: sent.append((topic, name, data, more)))
    return sent


def test_typing_is_passed_on_once_a_second(thread, alice, bob, signals):
    for _ in range(5):
        live.typing(principal(alice), {"conversation": thread.pk})
    live.typing(principal(bob), {"conversation": thread.pk})
    assert [(topic, data) for topic, _, data, _ in signals] == [
        (f"chat.{thread.pk}", {"side": "customer", "name": "Alice"}),
        (f"chat.{thread.pk}", {"side": "technician", "name": "Bob"}),
    ]
    assert signals[0][3] == {"besides": principal(alice), "keep": 5}


def test_strangers_type_for_nobody(thread, charlie, signals):
    live.typing(principal(charlie), {"conversation": thread.pk})
    assert not signals


def test_who_may_not_write_types_for_nobody(thread, alice, bob, frank, signals):
    """Whom a broadcast went to must not learn of each other."""
    conversation = news(frank, alice, bob)
    live.typing(principal(alice), {"conversation": conversation.pk})
    jobs.release(session_of(thread), by=bob, reason="Ill", now=NOW)
    live.typing(principal(alice), {"conversation": thread.pk})
    assert not signals
    live.typing(principal(frank), {"conversation": conversation.pk})
    assert [data["side"] for _, _, data, _ in signals] == ["desk"]


def test_the_throttle_forgets():
    throttle = live.Throttle(0.0)
    for number in range(3000):
        assert throttle.lets(number)
    assert len(throttle._last) <= throttle.MOST
