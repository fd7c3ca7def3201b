"""Writing from the desk: to one, to several, to whole roles; what was typed survives every refusal."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role, User
from adminpanel.talk.recipients import MOST_FOUND, ON_DUTY, Recipients
from adminpanel.tests.talk import with_desk
from bookings.tests import make
from chat.models import Conversation, ConversationKind, Message

URL = "/desk/messages/new/"


@pytest.fixture
def desk(client: Client, frank: User) -> Client:
    """Frank's browser."""
    client.force_login(frank)
    return client


def form(to: list[User] | None = None, **typed: Any) -> dict[str, Any]:
    """What the form sends for a message to people."""
    people = to or []
    return {
        "id": str(uuid4()),
        "to": [person.pk for person in people],
        "told": len(people),
        "text": "Hello",
        "step": "send",
        **typed,
    }


def sentence(html: str) -> str:
    """To whom the form says it goes."""
    return re.findall(r'role="status">.*?<span>(.*?)</span>', html, re.S)[0]


def boxes(html: str, name: str = "to") -> dict[int, bool]:
    """The people one can tick on the form, and whether they are."""
    found = re.findall(rf'<input type="checkbox" id="[^"]*" name="{name}" value="(\d+)"( checked)?', html)
    return {int(pk): bool(checked) for pk, checked in found}


# --- To one ---------------------------------------------------------------------------------------


def test_a_message_to_one_goes_into_their_conversation_with_the_desk(desk: Client, alice: User) -> None:
    existing = with_desk(alice)
    response = desk.post(URL, form([alice], text="We have found your keys."))
    assert response.status_code == 303 and response["Location"] == reverse("desk:conversation", args=[existing.pk])
    message = Message.objects.get(text="We have found your keys.")
    assert message.conversation == existing and message.side == "desk"


def test_the_first_message_to_one_makes_the_conversation(desk: Client, alice: User) -> None:
    desk.post(URL, form([alice]))
    conversation = Conversation.objects.get()
    assert conversation.kind == ConversationKind.DESK and conversation.person == alice


def test_a_double_tap_sends_once(desk: Client, alice: User, bob: User) -> None:
    for typed in (form([alice]), form([alice, bob], subject="News")):
        first, second = desk.post(URL, typed), desk.post(URL, typed)
        assert first.status_code == second.status_code == 303 and first["Location"] == second["Location"]
    assert Message.objects.count() == 2 and Conversation.objects.count() == 2


def test_back_and_other_words_is_another_message_after_one_more_tap(desk: Client, alice: User) -> None:
    typed = form([alice])
    desk.post(URL, typed)
    again = desk.post(URL, {**typed, "text": "And another thing"})
    assert again.status_code == 409 and "And another thing" in again.content.decode()
    fresh = re.findall(r'name="id" value="([^"]+)"', again.content.decode())[0]
    assert fresh != typed["id"]
    assert desk.post(URL, {**typed, "id": fresh, "text": "And another thing"}).status_code == 303
    assert Message.objects.count() == 2


def test_a_link_can_name_the_person(desk: Client, alice: User) -> None:
    html = desk.get(f"{URL}?to={alice.pk}").content.decode()
    assert boxes(html) == {alice.pk: True}
    assert sentence(html) == "This goes to Alice Test, in their conversation with the desk."
    assert 'name="told" value="1"' in html


def test_photos_go_along(desk: Client, media: Any, alice: User) -> None:
    response = desk.post(URL, {**form([alice], text=""), "file": [make.picture("one.jpg"), make.picture("two.jpg")]})
    assert response.status_code == 303
    assert Message.objects.get().attachments.count() == 2


# --- To several -----------------------------------------------------------------------------------


def test_several_get_a_broadcast_with_a_subject(desk: Client, alice: User, bob: User, ed: User) -> None:
    response = desk.post(URL, form([alice, bob], subject="Bank holiday", text="We are closed."))
    conversation = Conversation.objects.get()
    assert response["Location"] == reverse("desk:conversation", args=[conversation.pk])
    assert conversation.kind == ConversationKind.BROADCAST and conversation.subject == "Bank holiday"
    assert set(conversation.participants.exclude(user=None).values_list("user", flat=True)) == {alice.pk, bob.pk}


def test_a_whole_role_and_one_more_each_counted_once(
    desk: Client, alice: User, bob: User, dora: User, charlie: User, ed: User
) -> None:
    gone = make.technician("Gone", is_active=False)
    typed = form([bob, alice], roles=[Role.TECHNICIAN, Role.DRIVER], subject="Rain", told=4)
    assert desk.post(URL, typed).status_code == 303
    told = set(Conversation.objects.get().participants.exclude(user=None).values_list("user", flat=True))
    assert told == {alice.pk, bob.pk, dora.pk, ed.pk} and gone.pk not in told


def test_it_says_to_how_many_it_goes_and_asks_again_when_that_is_not_what_was_shown(
    desk: Client, alice: User, bob: User, dora: User
) -> None:
    typed = form([], roles=[Role.TECHNICIAN], subject="Rain", text="Take care.")
    response = desk.post(URL, typed)
    html = response.content.decode()
    assert response.status_code == 422 and not Message.objects.exists()
    assert sentence(html) == "This goes to 2 people, each of whom can answer the desk for themselves."
    assert 'value="2"' in html and "Take care." in html and 'value="Rain"' in html
    assert desk.post(URL, {**typed, "told": 2}).status_code == 303


def test_who_was_closed_or_signed_up_meanwhile_is_noticed(desk: Client, alice: User, bob: User, dora: User) -> None:
    typed = form([], roles=[Role.TECHNICIAN], subject="Rain", told=2)
    dora.is_active = False
    dora.save(update_fields=["is_active"])
    response = desk.post(URL, typed)
    assert response.status_code == 422 and "This goes to Bob Test" in response.content.decode()


@pytest.mark.parametrize("number", [20, 200])
def test_a_broadcast_costs_the_request_the_same_for_20_and_for_200(desk: Client, number: int) -> None:
    for each in range(number):
        make.person(f"Person{each}")
    desk.get(URL)
    with CaptureQueriesContext(connection) as seen:
        response = desk.post(URL, form([], roles=[Role.CUSTOMER], subject="News", told=number))
    assert response.status_code == 303
    assert Conversation.objects.get().participants.exclude(user=None).count() == number
    assert len(seen) <= 40


# --- Refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "status", "words"),
    [
        ({"to": [], "told": 0}, 422, "Choose somebody to write to."),
        ({"text": " "}, 422, ""),
        ({"text": "x" * 4001}, 422, "4,000"),
        ({"id": "nonsense", "text": ""}, 422, ""),
    ],
)
def test_a_refusal_keeps_who_was_chosen_and_what_was_typed(
    desk: Client, alice: User, typed: dict[str, Any], status: int, words: str
) -> None:
    sent = {**form([alice], subject="Hello there"), **typed}
    response = desk.post(URL, sent)
    html = response.content.decode()
    assert response.status_code == status and words in html and 'value="Hello there"' in html
    assert boxes(html).get(alice.pk, False) == bool(sent["to"]) and str(sent["text"]) in html
    assert 'role="alert"' in html and not Message.objects.exists()


def test_several_need_a_subject_of_at_most_120_characters(desk: Client, alice: User, bob: User) -> None:
    for subject, words in (("", "a subject"), ("x" * 121, "120 characters at most")):
        response = desk.post(URL, form([alice, bob], subject=subject))
        assert response.status_code == 422 and words in response.content.decode()
        assert boxes(response.content.decode()) == {alice.pk: True, bob.pk: True}


def test_a_file_that_is_no_photo_is_refused_and_the_text_stays(desk: Client, media: Any, alice: User) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    trick = SimpleUploadedFile("cat.jpg", b"<html><script>alert(1)</script></html>", content_type="image/jpeg")
    response = desk.post(URL, {**form([alice], text="Look at this"), "file": trick})
    html = response.content.decode()
    assert response.status_code == 422 and "Look at this" in html and "chosen again" in html
    assert not Conversation.objects.exists() and not list(media.rglob("*.jpg"))


def test_the_desk_is_not_written_to_nor_closed_accounts_nor_nonsense(desk: Client, frank: User) -> None:
    gone = make.person("Gone", is_active=False)
    for to in ([frank.pk], [gone.pk], [999999], ["x"], ["²"], ["9" * 30]):
        response = desk.post(URL, {**form(), "to": to, "told": 1})
        assert response.status_code == 422 and "Choose somebody" in response.content.decode()


# --- Finding people -------------------------------------------------------------------------------


def test_people_are_found_by_name_and_address_and_chosen_ones_stay(
    desk: Client, alice: User, bob: User, charlie: User
) -> None:
    response = desk.post(URL, form([alice], q="charlie", step="find", text="Half a sent", subject="S"))
    html = response.content.decode()
    assert response.status_code == 200 and boxes(html) == {alice.pk: True, charlie.pk: False}
    assert "Half a sent" in html and 'value="charlie"' in html
    assert boxes(desk.post(URL, form(q="test bob@", step="find")).content.decode()) == {bob.pk: False}


def test_a_search_shows_a_dozen_and_says_that_there_are_more(desk: Client) -> None:
    for number in range(MOST_FOUND + 1):
        make.person(f"Person{number}")
    html = desk.post(URL, form(q="person", step="find")).content.decode()
    assert len(boxes(html)) == MOST_FOUND and "There are more" in html


@pytest.mark.parametrize("search", ["nobody", "%", "<b>", "\0"])
def test_a_search_without_a_match_says_so_harmlessly(desk: Client, alice: User, search: str) -> None:
    html = desk.post(URL, form(q=search, step="find")).content.decode()
    assert boxes(html) == {} and "<b>" not in html


def test_groups_say_how_large_they_are(db: None, alice: User, charlie: User, bob: User) -> None:
    from django.http import QueryDict

    groups = Recipients(QueryDict("roles=customer&roles=admin")).groups
    assert [(role, number, chosen) for role, _, number, chosen in groups] == [
        (Role.CUSTOMER, 2, True),
        (Role.TECHNICIAN, 1, False),
        (Role.DRIVER, 0, False),
        (ON_DUTY, 0, False),
    ]
