"""Quick replies: the desk keeps them by role, and they move on the open pages of that role at once."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from adminpanel.talk.shelf import shelf_of
from bookings.tests.follow import audience, sent, touched_by
from chat import actions
from chat.models import QuickReply
from realtime import journal

REPLIES = "/desk/replies/"


@pytest.fixture
def desk(client: Client, frank: User) -> Client:
    """Frank's browser."""
    client.force_login(frank)
    return client


@pytest.fixture
def three(frank: User) -> list[QuickReply]:
    """A customer's three."""
    return [actions.add_quick_reply(Role.CUSTOMER, text, by=frank) for text in ("One", "Two", "Three")]


def texts(role: str = Role.CUSTOMER) -> list[str]:
    """A role's, in order."""
    return [reply.text for reply in shelf_of(role).replies]


def test_each_role_has_its_own_in_order(desk: Client, frank: User, three: list[QuickReply]) -> None:
    actions.add_quick_reply(Role.TECHNICIAN, "On my way", by=frank)
    html = desk.get(REPLIES).content.decode()
    assert re.findall(r'class="shelf-text">([^<]+)<', html) == ["One", "Two", "Three", "On my way"]
    assert html.count("None yet.") == 2 and html.count("<h1") == 1


def test_one_is_added_at_the_end(desk: Client, three: list[QuickReply]) -> None:
    url = reverse("desk:reply_add", args=[Role.CUSTOMER])
    assert desk.get(url).status_code == 200
    response = desk.post(url, {"text": "Four <b>"})
    assert response.status_code == 303 and response["Location"].startswith(REPLIES)
    assert texts() == ["One", "Two", "Three", "Four <b>"]
    assert "Four &lt;b&gt;" in desk.get(REPLIES).content.decode()


@pytest.mark.parametrize(("text", "status"), [("", 422), ("x" * 201, 422), ("Two", 422)])
def test_an_empty_a_long_and_a_doubled_one_are_refused_with_the_words_kept(
    desk: Client, three: list[QuickReply], text: str, status: int
) -> None:
    response = desk.post(reverse("desk:reply_add", args=[Role.CUSTOMER]), {"text": text})
    assert response.status_code == status and text in response.content.decode()
    assert texts() == ["One", "Two", "Three"]


def test_the_words_can_be_changed(desk: Client, three: list[QuickReply]) -> None:
    url = reverse("desk:reply_change", args=[three[1].pk])
    assert 'value="Two"' in desk.get(url).content.decode()
    assert desk.post(url, {"text": "Second"}).status_code == 303
    assert texts() == ["One", "Second", "Three"]


def test_one_is_removed_after_a_question(desk: Client, three: list[QuickReply]) -> None:
    url = reverse("desk:reply_remove", args=[three[0].pk])
    assert "Remove the quick reply?" in desk.get(url).content.decode() and texts() == ["One", "Two", "Three"]
    desk.post(url)
    assert texts() == ["Two", "Three"]
    assert desk.get(url).status_code == 404


def test_they_move_up_and_down_and_stop_at_the_ends(desk: Client, three: list[QuickReply]) -> None:
    for number, way, expected in (
        (2, "up", ["One", "Three", "Two"]),
        (2, "up", ["Three", "One", "Two"]),
        (2, "up", ["Three", "One", "Two"]),
        (0, "down", ["Three", "Two", "One"]),
        (0, "down", ["Three", "Two", "One"]),
    ):
        desk.post(reverse(f"desk:reply_{way}", args=[three[number].pk]))
        assert texts() == expected


def test_a_tap_moves_without_a_page_and_without_javascript_there_is_one_that_asks(
    desk: Client, three: list[QuickReply]
) -> None:
    url = reverse("desk:reply_down", args=[three[0].pk])
    assert f'href="{url}" hx-post="{url}"' in desk.get(REPLIES).content.decode()
    assert "Move the quick reply down?" in desk.get(url).content.decode()
    assert desk.post(url, headers={"HX-Request": "true"}).status_code == 204
    assert texts() == ["Two", "One", "Three"]


def test_unknown_ones_and_roles_are_not_found(desk: Client) -> None:
    assert desk.get(reverse("desk:reply_add", args=["pilot"])).status_code == 404
    for name in ("reply_change", "reply_remove", "reply_up", "reply_down"):
        assert desk.get(reverse(f"desk:{name}", args=[999])).status_code == 404
        assert desk.post(reverse(f"desk:{name}", args=[999])).status_code == 404


@pytest.mark.parametrize("who", ["alice", "bob", "ed"])
def test_nobody_else_touches_them(client: Client, request: Any, three: list[QuickReply], who: str) -> None:
    client.force_login(request.getfixturevalue(who))
    pk = three[0].pk
    urls = [reverse(f"desk:{name}", args=[pk]) for name in ("reply_change", "reply_remove", "reply_up", "reply_down")]
    for url in (*urls, reverse("desk:reply_add", args=[Role.CUSTOMER])):
        assert client.get(url).status_code == client.post(url, {"text": "Hacked"}).status_code == 403
    client.logout()
    assert client.post(urls[0], {"text": "Hacked"}).status_code == 302
    assert texts() == ["One", "Two", "Three"]


# --- Live -----------------------------------------------------------------------------------------


def test_a_new_one_reaches_the_open_pages_of_its_role_and_the_desks_own(
    desk: Client, frank: User, alice: User, bob: User, three: list[QuickReply]
) -> None:
    add = reverse("desk:reply_add", args=[Role.CUSTOMER])
    touches = touched_by(lambda: desk.post(add, {"text": "Thank you, see you then."}))
    assert audience(touches, "chat.replies", alice, bob, frank) == {"Alice"}
    assert audience(touches, "adminpanel.shelf", alice, bob, frank) == {"Frank"}
    assert "Thank you, see you then." in str(sent(touches, alice)["chat-replies-customer"])


@pytest.mark.django_db(transaction=True)
def test_push_and_poll_bring_the_same(client: Client, frank: User, alice: User, three: list[QuickReply]) -> None:
    cursor = str(journal.now())
    client.force_login(alice)
    topic = "replies.customer"
    touches = touched_by(lambda: actions.remove_quick_reply(three[1], by=frank))
    pushed = str(sent(touches, alice)["chat-replies-customer"])
    answer = json.loads(client.get(reverse("realtime:poll"), {"c": cursor, "topic": topic}).content)
    (polled,) = [piece["html"] for piece in answer["f"] if piece["id"] == "chat-replies-customer"]

    def plain(html: str) -> str:
        return re.sub(r'data-version="\d+"', "", html)

    assert plain(polled) == plain(pushed) and "One" in pushed and "Two" not in pushed


def test_an_order_is_one_change_for_the_open_page(desk: Client, alice: User, three: list[QuickReply]) -> None:
    touches = touched_by(lambda: desk.post(reverse("desk:reply_up", args=[three[2].pk])))
    html = str(sent(touches, alice)["chat-replies-customer"])
    assert html.index("One") < html.index("Three") < html.index("Two")
