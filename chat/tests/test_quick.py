"""Quick words to the desk from a page that shows no conversation, and the panel on a driver's screen."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from chat import actions
from chat.models import Conversation, Message, QuickReply

DESK = reverse("chat:desk")
HTMX = {"HX-Request": "true"}


@pytest.fixture
def at(ed: User) -> Client:
    """Ed's browser; he is a driver."""
    client = Client()
    client.force_login(ed)
    return client


class TestSending:
    def test_the_first_word_makes_the_conversation_and_comes_back_as_a_push_would_bring_it(self, at, ed):
        response = at.post(DESK, {"id": str(uuid4()), "text": "Please call me"}, headers=HTMX)
        piece = json.loads(response.content)
        assert response.status_code == 200 and piece["live"] == "chat.message" and "Please call me" in piece["html"]
        assert Message.objects.get().conversation == Conversation.objects.get(person=ed)

    def test_with_a_socket_the_push_brings_it(self, at):
        response = at.post(DESK, {"id": str(uuid4()), "text": "Late"}, headers={**HTMX, "Live-Socket": "1"})
        assert response.status_code == 204 and Message.objects.get().text == "Late"

    def test_the_same_word_twice_is_one_message(self, at):
        said = {"id": str(uuid4()), "text": "Please call me"}
        for _ in range(2):
            assert at.post(DESK, said, headers=HTMX).status_code == 200
        assert Message.objects.count() == 1

    def test_a_plain_form_goes_to_the_conversation(self, at, ed):
        response = at.post(DESK, {"id": str(uuid4()), "text": "Please call me"})
        thread = Conversation.objects.get(person=ed)
        assert (response.status_code, response["Location"]) == (303, reverse("chat:conversation", args=[thread.pk]))

    def test_what_is_not_taken_is_a_sentence_and_makes_no_conversation(self, at):
        response = at.post(DESK, {"id": str(uuid4()), "text": "  "}, headers=HTMX)
        assert response.status_code == 422 and "data-refusal" in response.content.decode()
        assert not Conversation.objects.exists()


class TestPanel:
    def test_a_drivers_screen_has_the_replies_of_drivers_and_what_was_said_last(self, at, ed, frank):
        QuickReply.objects.create(role=Role.DRIVER, text="Running late", position=1)
        QuickReply.objects.create(role=Role.CUSTOMER, text="I am at home", position=1)
        thread = actions.desk_conversation(ed, by=ed)
        actions.send_message(thread, by=frank, id=uuid4(), text="The A4 is closed", files=[])
        page = at.get(reverse("tracking:drive")).content.decode()
        assert 'data-reply="Running late"' in page and "I am at home" not in page
        assert "The A4 is closed" in page and f'data-quick="{DESK}"' in page

    def test_there_is_room_for_the_first_conversation(self, at):
        assert 'id="drive-talks"' in at.get(reverse("tracking:drive")).content.decode()
