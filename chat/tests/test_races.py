"""Sending at the same moment, with real threads on either database."""

from __future__ import annotations

import time
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from bookings import actions as jobs
from bookings.tests import make
from bookings.tests.make import NOW
from chat import actions
from chat.models import Conversation, Message
from chat.tests.say import agreed, say, session_of, with_desk
from common.refusals import Conflict
from common.tests.race import at_once, split
from notifications.models import Notification
from realtime.presence import Book, Page
from realtime.topics import Principal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice():
    return make.person("Alice")


@pytest.fixture
def bob():
    return make.technician("Bob")


def test_twenty_times_the_same_is_one_message(alice, bob):
    conversation, pk = agreed(alice, bob), uuid4()
    sent, failed = split(at_once([partial(say, conversation, alice, "Hello", id=pk)] * 20))
    assert not failed, failed
    assert {message.pk for message in sent} == {pk}
    assert Message.objects.filter(author=alice).count() == 1
    assert make.fresh(conversation).last_seq == 2
    assert Notification.objects.get(user=bob, kind="chat.message").count == 1


def test_the_same_id_in_two_conversations_is_a_message_of_one(alice, bob):
    for _ in range(5):
        pk, places = uuid4(), (agreed_or_desk(alice, bob))
        sent, failed = split(at_once([partial(say, place, alice, "Hello", id=pk) for place in places]))
        assert (len(sent), len(failed)) == (1, 1)
        assert isinstance(failed[0], Conflict), failed
        assert Message.objects.filter(pk=pk).count() == 1


def agreed_or_desk(alice, bob) -> tuple[Conversation, Conversation]:
    """The two conversations of Alice, made once."""
    job = Conversation.objects.filter(kind="job").first() or agreed(alice, bob)
    return job, with_desk(alice)


def test_twenty_messages_of_two_sides_are_numbered_without_a_gap(alice, bob):
    conversation = agreed(alice, bob)
    calls = [partial(say, conversation, (alice, bob)[number % 2], str(number)) for number in range(20)]
    sent, failed = split(at_once(calls))
    assert not failed, failed
    assert sorted(message.seq for message in sent) == list(range(2, 22))
    assert list(conversation.messages.values_list("seq", flat=True)) == list(range(1, 22))
    assert make.fresh(conversation).last_seq == 21


def test_twenty_who_open_the_same_get_the_same(alice, bob):
    bid = make.offer(make.job(alice), bob)
    opened, failed = split(at_once([partial(actions.ask_about, bid, by=by) for by in (alice, bob)] * 5))
    desks, failed_too = split(at_once([partial(actions.desk_conversation, alice, by=alice)] * 10))
    assert not failed and not failed_too, (failed, failed_too)
    assert len({each.pk for each in opened}) == len({each.pk for each in desks}) == 1
    assert opened[0].participants.count() == 3


def test_of_a_message_and_a_release_at_once_nothing_is_said_afterwards(alice, bob):
    for number in range(4):
        conversation = agreed(alice, bob, title=f"Job {number}")
        session = session_of(conversation)
        release = partial(jobs.release, session, by=bob, reason="Ill", now=NOW)
        results = at_once([release, partial(say, conversation, bob, "Still mine?"), partial(say, conversation, alice)])
        assert not isinstance(results[0], Exception), results[0]
        texts = list(conversation.messages.values_list("text", flat=True))
        assert texts[-1].startswith("Bob withdrew"), texts
        assert list(conversation.messages.values_list("seq", flat=True)) == list(range(1, len(texts) + 1))


def test_twenty_marks_at_once_are_one_write(alice, bob):
    conversation = agreed(alice, bob)
    for number in range(5):
        say(conversation, bob, str(number))
    calls = [partial(actions.mark_seen, conversation, by=alice, delivered=6, read=6, now=NOW)] * 20
    results, failed = split(at_once(calls))
    assert not failed and results.count(True) == 1
    row = conversation.participants.get(user=alice)
    assert (row.delivered, row.read) == (6, 6)


def test_a_broadcast_tapped_twice_goes_out_once(alice, bob):
    frank, pk = make.person("Frank", "admin"), uuid4()
    call = partial(actions.broadcast, [alice, bob], by=frank, subject="News", id=pk, text="Hello", now=NOW)
    sent, failed = split(at_once([call] * 10))
    assert not failed, failed
    assert len({conversation.pk for conversation in sent}) == 1
    assert Conversation.objects.filter(kind="broadcast").count() == 1
    assert Notification.objects.filter(kind="chat.news").count() == 2


def a_process(name: str) -> Book:
    """What a server process notes of the pages that people have open there."""
    vitals = SimpleNamespace(report=dict)
    hub: Any = SimpleNamespace(id=uuid4(), name=name, started_at=time.time(), sockets={}, vitals=vitals)
    return Book(hub)


def pages_of(people: list[int]) -> list[Page]:
    """A new page of each."""
    now = time.time()
    return [Page(uuid4().hex, Principal("user", str(pk)), "/messages/", "socket", False, now, now) for pk in people]


def test_people_who_change_places_between_two_processes_lock_nobody_out(db):
    """Whoever goes to a page of another process leaves the one and comes to the other in the same moment."""
    first, second = a_process("one:1"), a_process("two:1")
    here, there = list(range(1, 41)), list(range(80, 40, -1))
    first.write(pages_of(here))
    second.write(pages_of(there))
    for _ in range(12):
        here, there = there, here
        _, failed = split(at_once([partial(first.write, pages_of(here)), partial(second.write, pages_of(there))]))
        assert not failed, failed
