"""What the demo's people have said to each other: believable, in order, and something unread for everybody."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.apps import apps

from accounts.models import Role, User
from bookings.due import run_due
from chat.models import Attachment, Conversation, ConversationKind, Message, Participant, QuickReply
from chat.seen import unread_count
from demo import pictures
from demo.cast import PLAYABLE, SIMULATED_EMAILS
from demo.fill import freshen
from demo.sayings import ANSWERS, QUICK_REPLIES, answer_to, fitting_answers
from demo.tests.conftest import NOW, person
from notifications.models import Mail, MailStatus, Notification


def unread(user: User) -> int:
    """The conversations in which something waits for them; for an admin, what people wrote to the desk."""
    own = Participant.objects.filter(user=user)
    if user.role == Role.ADMIN:
        own = Participant.objects.filter(user=None, conversation__kind=ConversationKind.DESK)
    return own.annotate(unread=unread_count()).filter(unread__gt=0).count()


def said(kind: str, **where: Any) -> list[Message]:
    """What people said in conversations of a kind."""
    return list(Message.objects.filter(conversation__kind=kind, author__isnull=False, **where).order_by("at"))


@pytest.mark.parametrize("slug", list(PLAYABLE))
def test_something_waits_for_everybody_whom_a_visitor_can_be(demo: None, slug: str) -> None:
    assert unread(person(slug)) in (1, 2)


def test_each_role_has_quick_replies_in_the_order_of_the_list(demo: None) -> None:
    for role, sentences in QUICK_REPLIES.items():
        kept = QuickReply.objects.filter(role=role).order_by("position").values_list("text", flat=True)
        assert list(kept) == list(sentences) and 4 <= len(sentences) <= 6


def test_people_talk_about_offers_and_visits_with_photos_and_with_the_desk(demo: None) -> None:
    assert len(said(ConversationKind.JOB, author=person("emma"))) >= 4
    assert len(said(ConversationKind.DESK)) >= 9
    assert Attachment.objects.filter(message__author__in=User.objects.all()).count() == 2
    authors = {message.author.email for message in said(ConversationKind.JOB) if message.author}
    assert {"emma@callout.example", "tariq@callout.example"} < authors


def test_a_phone_number_is_in_a_talk_that_masks_it(demo: None) -> None:
    message = Message.objects.get(text__contains="020 7946 0203")
    assert message.conversation.kind == ConversationKind.JOB and message.conversation.unmasked_at is None


def test_a_broadcast_was_read_by_most_got_by_some_and_waits_for_others(demo: None) -> None:
    (news,) = Conversation.objects.filter(kind=ConversationKind.BROADCAST)
    people = news.participants.exclude(user=None)
    assert people.filter(read=1).count() > people.count() / 2
    assert people.filter(read=0, delivered=1).count() >= 2 and people.filter(delivered=0).count() >= 2


def test_nothing_was_said_in_the_future_or_out_of_order(demo: None) -> None:
    for conversation in Conversation.objects.prefetch_related("messages"):
        times = [message.at for message in conversation.messages.all()]
        assert times == sorted(times) and times[-1] <= NOW and conversation.last_at == times[-1]
        assert [message.seq for message in conversation.messages.all()] == list(range(1, len(times) + 1))


def test_the_rows_of_talks_keep_every_constraint(demo: None) -> None:
    for name in ("chat", "notifications"):
        for model in apps.get_app_config(name).get_models():
            for row in model._base_manager.all():
                row.validate_constraints()


def test_the_past_is_not_mailed_now_and_old_news_are_read(demo: None) -> None:
    assert not Mail.objects.filter(status=MailStatus.QUEUED).exists()
    assert not Mail.objects.filter(user__email__in=SIMULATED_EMAILS).exists()
    assert not Notification.objects.filter(read_at=None, at__lt=NOW - timedelta(hours=3)).exists()


def test_days_later_there_are_questions_again_and_nothing_twice(demo: None) -> None:
    later = NOW + timedelta(days=4)
    run_due(later)
    before = Message.objects.filter(author=person("emma")).count()
    freshen(later)
    after = Message.objects.filter(author=person("emma")).count()
    assert after > before
    freshen(later)
    assert Message.objects.filter(author=person("emma")).count() == after
    assert QuickReply.objects.count() == sum(map(len, QUICK_REPLIES.values()))


@pytest.mark.parametrize("draw", [pictures.gauge, pictures.laptop])
def test_pictures_are_small_photos(draw: Any) -> None:
    picture = draw()
    assert picture.content_type == "image/jpeg" and 5_000 < picture.size < 80_000


# --- Words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "text", "fits"),
    [
        (Role.TECHNICIAN, "Are the parts included?", "parts"),
        (Role.TECHNICIAN, "Thank you. Is the price with VAT?", "in it"),
        (Role.TECHNICIAN, "Thank you so much", "welcome|pleasure|problem"),
        (Role.TECHNICIAN, "Could you come a bit later?", "half an hour|on time"),
        (Role.TECHNICIAN, "I have two cats", "doors"),
        (Role.TECHNICIAN, "Will you need to catch anything?", "can be done|look|no problem"),
        (Role.CUSTOMER, "Which floor are you on?", "second floor"),
        (Role.CUSTOMER, "I am running ten minutes late", "at home|see you"),
        (Role.CUSTOMER, "Shall I also look at the other one?", "works for me|look yourself"),
        (Role.CUSTOMER, "The other one too", "all right|good to know|okay"),
    ],
)
def test_an_answer_fits_what_was_said(role: str, text: str, fits: str) -> None:
    options = fitting_answers(text, role, has_files=False, from_desk=False)
    assert options and all(any(word in words.lower() for word in fits.split("|")) for words in options), options


def test_the_same_is_not_said_twice_while_there_is_something_else() -> None:
    ask = {"role": Role.TECHNICIAN, "has_files": False, "from_desk": False}
    said_so_far: set[str] = set()
    for _ in range(3):
        words = answer_to("Thanks!", said=said_so_far, chance=Random(1), **ask)
        assert words not in said_so_far
        said_so_far.add(words)
    assert answer_to("Thanks!", said=said_so_far, chance=Random(1), **ask) in said_so_far


def test_a_photo_and_the_desk_are_answered_as_such() -> None:
    photo = fitting_answers("", Role.TECHNICIAN, has_files=True, from_desk=False)
    assert all("photo" in words or "clear" in words for words in photo)
    assert fitting_answers("Are parts included?", Role.CUSTOMER, has_files=False, from_desk=True)


def test_every_sentence_fits_into_a_message_and_speaks_plainly() -> None:
    everything = [words for answers in ANSWERS.values() for answer in answers for words in answer.to]
    assert all(5 <= len(words) <= 200 and words[0].isupper() for words in everything)
