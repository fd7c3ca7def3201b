"""Simulated people talk with people: they read, type, answer once, greet once, and never talk to one another."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import User
from bookings.actions import accept_bid, place_bid
from bookings.models import Bid, Booking
from chat.actions import ask_about, broadcast, desk_conversation, send_message
from chat.models import Conversation, Message
from demo.simulator import talk
from demo.tests.conftest import NOW, Town, person
from demo.tests.test_simulator import agreed_with_simulated, agreed_with_tariq, job_of, offers_on, watch


def say(town: Town, conversation: Conversation, by: User, text: str, **more: Any) -> Message:
    return send_message(conversation, by=by, id=uuid4(), text=text, now=town.now, **more)


def words(conversation: Conversation, *names: str) -> list[str]:
    """What those of the cast have said."""
    own = conversation.messages.filter(author__in=[person(name) for name in names])
    return [message.text for message in own.order_by("seq")]


def answers(conversation: Conversation, *besides: User) -> list[Message]:
    """What others have said."""
    said = conversation.messages.exclude(author=None).exclude(author__in=besides)
    return list(said.order_by("seq"))


@pytest.fixture
def emma(people: None) -> User:
    return person("emma")


@pytest.fixture
def asked(town: Town, emma: User) -> Conversation:
    """Emma asks the first who offered on her job."""
    booking = job_of(emma)
    town.wait_for(lambda: offers_on(booking), most=6)
    conversation = ask_about(offers_on(booking)[0], by=emma)
    say(town, conversation, emma, "Hello, are parts included?")
    return conversation


def test_a_question_is_read_and_answered_within_half_a_minute(town: Town, asked: Conversation, emma: User) -> None:
    (theirs,) = asked.participants.exclude(user=emma).exclude(user=None)

    def has_read() -> bool:
        theirs.refresh_from_db()
        return theirs.read >= 1

    assert town.wait_for(has_read, most=7) >= 2
    took = town.wait_for(lambda: answers(asked, emma), most=30)
    assert "parts" in answers(asked, emma)[0].text and took >= 1


def test_typing_comes_before_the_answer_and_from_its_author(
    town: Town, asked: Conversation, emma: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed: list[tuple[int, int]] = []
    monkeypatch.setattr(talk, "say_typing", lambda conversation, *, by: typed.append((conversation.pk, by.pk)))
    town.wait_for(lambda: answers(asked, emma), most=30)
    author = answers(asked, emma)[0].author_id
    assert set(typed) == {(asked.pk, author)} and 3 <= len(typed) <= 7


def test_each_message_is_answered_once_even_by_a_simulator_that_starts_again(
    town: Town, asked: Conversation, emma: User
) -> None:
    town.wait_for(lambda: answers(asked, emma), most=30)
    town.simulator = type(town.simulator)(town.simulator.seed)
    town.wait(60)
    assert len(answers(asked, emma)) == 1
    say(town, asked, emma, "Thank you!")
    town.wait_for(lambda: len(answers(asked, emma)) == 2, most=30)
    town.wait(60)
    assert len(answers(asked, emma)) == 2


def test_what_was_deleted_or_is_long_ago_is_not_answered(town: Town, asked: Conversation, emma: User) -> None:
    town.now += timedelta(hours=1)
    town.wait(60)
    assert not answers(asked, emma)


def test_two_simulated_people_do_not_answer_each_other(town: Town) -> None:
    booking = job_of(person("priya.nair"))
    bid = offered_by(person("anna.novak"), booking)
    conversation = ask_about(bid, by=person("priya.nair"))
    say(town, conversation, person("priya.nair"), "Are parts included?")
    town.wait(90)
    assert words(conversation, "anna.novak") == [] and conversation.messages.exclude(author=None).count() == 1


def offered_by(technician: User, booking: Booking) -> Bid:
    assert booking.window_start
    return place_bid(booking, by=technician, amount=Decimal(70), starts_at=booking.window_start, now=NOW)


def test_nobody_answers_for_a_person(town: Town, emma: User) -> None:
    booking = job_of(emma)
    conversation = ask_about(offered_by(person("tariq"), booking), by=emma)
    say(town, conversation, emma, "Are parts included?")
    town.wait(60)
    assert not answers(conversation, emma)


def test_a_simulated_customer_answers_a_technician_whom_a_visitor_plays(town: Town) -> None:
    session = agreed_with_tariq(town)
    conversation = ask_about(session.bid, by=person("tariq"))
    say(town, conversation, person("tariq"), "Which floor are you on?")
    town.wait_for(lambda: answers(conversation, person("tariq")), most=30)
    town.wait(20)
    (said,) = words(conversation, "priya.nair")  # and no greeting besides
    assert "floor" in said.lower()


def test_who_won_a_job_greets_once(town: Town, emma: User) -> None:
    session = agreed_with_simulated(town, emma)
    technician = session.technician.user

    def greetings() -> list[Message]:
        return list(Message.objects.filter(conversation__bid=session.bid, author=technician))

    assert town.wait_for(greetings, most=15) >= 5
    town.wait(40)
    assert len(greetings()) == 1


def test_a_customer_greets_the_technician_they_chose(town: Town) -> None:
    session = agreed_with_tariq(town)
    town.wait_for(lambda: Message.objects.filter(conversation__bid=session.bid, author__isnull=False), most=15)
    assert Message.objects.filter(conversation__bid=session.bid).exclude(author=None).get().author == person(
        "priya.nair"
    )


def test_who_has_talked_before_does_not_greet(town: Town, emma: User, asked: Conversation) -> None:
    town.wait_for(lambda: answers(asked, emma), most=30)
    assert asked.bid is not None
    bid = Bid.objects.get(pk=asked.bid.pk)
    accept_bid(bid, revision=bid.revision, by=emma, now=town.now)
    town.wait(25)
    assert len(answers(asked, emma)) == 1


def test_a_broadcast_is_read_by_the_simulated_over_a_while_and_by_nobody_else(town: Town) -> None:
    olivia, names = person("olivia"), ("anna.novak", "marcus.reid", "tariq", "priya.nair")
    news = broadcast([person(name) for name in names], by=olivia, subject="News", id=uuid4(), text="Hi", now=town.now)
    town.wait(5)
    assert news.participants.filter(delivered=1).exclude(user=None).count() == 3
    town.wait(95)
    readers = set(news.participants.filter(read=1).exclude(user=None).values_list("user__email", flat=True))
    assert readers == {person(name).email for name in names if name != "tariq"}
    assert news.messages.count() == 1


def test_the_desk_gets_an_answer_from_whom_it_writes_to(town: Town) -> None:
    olivia = person("olivia")
    conversation = desk_conversation(person("anna.novak"), by=olivia)
    say(town, conversation, olivia, "Your papers are verified.")
    town.wait_for(lambda: words(conversation, "anna.novak"), most=30)
    assert any(thanks in words(conversation, "anna.novak")[0].lower() for thanks in ("thank", "noted"))


def test_a_step_without_news_costs_a_few_queries_however_much_was_said(
    town: Town, asked: Conversation, emma: User, django_assert_max_num_queries: Any
) -> None:
    from demo.simulator.world import World

    town.wait_for(lambda: answers(asked, emma), most=30)
    for number in range(15):
        say(town, asked, emma, f"Message {number}")
        town.now += timedelta(seconds=10)
    town.now += timedelta(hours=3)
    with django_assert_max_num_queries(10):
        world = World(town.now, 1)
        assert talk.read(world) + talk.answer(world) + talk.greet(world) == 0


def test_the_desk_answers_while_no_visitor_sits_there(town: Town, emma: User) -> None:
    conversation = desk_conversation(emma, by=emma)
    say(town, conversation, emma, "Hello, I would like my fee back.")
    town.wait_for(lambda: answers(conversation, emma), most=30)
    (message,) = answers(conversation, emma)
    assert message.side == "desk" and "the amount" in message.text and message.author == person("nadia.hughes")
    town.wait(60)
    assert len(answers(conversation, emma)) == 1


def test_a_visitor_at_the_desk_answers_for_themselves(town: Town, emma: User) -> None:
    watch(town.now + timedelta(seconds=20), person("olivia"))
    conversation = desk_conversation(emma, by=emma)
    say(town, conversation, emma, "Hello?")
    town.wait(60)
    assert not answers(conversation, emma)
