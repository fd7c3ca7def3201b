"""The desk's list of conversations and an open one: filters, search, pages, strangers, what it costs, what moves."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from adminpanel.talk.listing import PAGE
from adminpanel.tests.talk import about_job, say, told, with_desk
from bookings.tests import make
from bookings.tests.follow import audience, sent, touched_by
from chat import actions
from chat.models import Conversation

MESSAGES = "/desk/messages/"


@pytest.fixture
def desk(client: Client, frank: User) -> Client:
    """Frank's browser."""
    client.force_login(frank)
    return client


def rows(client: Client, query: str = "") -> list[int]:
    """The conversations on the list, in its order."""
    html = client.get(f"{MESSAGES}{query}").content.decode()
    return [int(pk) for pk in re.findall(r'id="chat-desk-row-(\d+)"', html)]


# --- Strangers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["alice", "bob", "ed"])
@pytest.mark.parametrize("name", ["messages", "compose", "replies"])
def test_other_roles_are_refused(client: Client, request: Any, who: str, name: str) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.get(reverse(f"desk:{name}")).status_code == 403


def test_a_person_of_the_conversation_reads_it_on_their_own_page_not_on_the_desks(client: Client, alice: User) -> None:
    conversation = with_desk(alice)
    client.force_login(alice)
    assert client.get(reverse("desk:conversation", args=[conversation.pk])).status_code == 403


def test_who_is_signed_out_signs_in_and_comes_back(client: Client, db: None) -> None:
    response = client.get(f"{MESSAGES}?show=unread")
    assert response.status_code == 302 and response["Location"].endswith("?next=/desk/messages/%3Fshow%3Dunread")


def test_a_job_that_goes_by_itself_is_not_in_the_way_until_somebody_says_something(
    desk: Client, alice: User, bob: User, frank: User
) -> None:
    conversation = make.visit(alice, bob).bid.conversation
    assert rows(desk) == [] and desk.get(reverse("desk:conversation", args=[conversation.pk])).status_code == 200
    touches = touched_by(lambda: say(conversation, alice))
    assert rows(desk) == [conversation.pk]
    assert f"chat-desk-row-{conversation.pk}" in sent(touches, frank)


def test_an_unknown_conversation_is_not_found(desk: Client) -> None:
    assert desk.get(reverse("desk:conversation", args=[999])).status_code == 404


def test_the_desks_topics_are_for_active_admins(frank: User, alice: User, bob: User) -> None:
    conversation = told(frank, [alice, bob])
    row = conversation.participants.get(user=alice)
    touches = touched_by(lambda: actions.mark_seen(conversation, by=alice, delivered=1, read=1))
    assert audience(touches, "adminpanel.receipt", frank, alice, bob) == {"Frank"}
    assert f"adminpanel-receipt-{row.pk}" in sent(touches, frank)
    frank.is_active = False
    frank.save(update_fields=["is_active"])
    assert audience(touches, "adminpanel.receipt", frank) == set()


# --- The list -------------------------------------------------------------------------------------


def test_the_first_use_says_what_it_is_for(desk: Client) -> None:
    html = desk.get(MESSAGES).content.decode()
    assert "No messages yet" in html and reverse("desk:compose") in html and html.count("<h1") == 1


def test_every_conversation_is_there_the_latest_first(
    desk: Client, frank: User, alice: User, bob: User, charlie: User
) -> None:
    job, question, news = about_job(alice, bob), with_desk(charlie), told(frank, [alice, bob])
    assert rows(desk) == [news.pk, question.pk, job.pk]
    say(job, bob, "Yes, they are")
    assert rows(desk) == [job.pk, news.pk, question.pk]


def test_filters_show_their_kind(desk: Client, frank: User, alice: User, bob: User, charlie: User) -> None:
    job, question, news = about_job(alice, bob), with_desk(charlie), told(frank, [alice, bob])
    assert rows(desk, "?show=jobs") == [job.pk]
    assert rows(desk, "?show=people") == [question.pk]
    assert rows(desk, "?show=broadcasts") == [news.pk]
    assert rows(desk, "?show=nonsense") == [news.pk, question.pk, job.pk]


def test_what_the_desk_has_read_is_not_unread(desk: Client, frank: User, alice: User, charlie: User) -> None:
    seen, waiting = with_desk(alice), with_desk(charlie)
    actions.mark_seen(seen, by=frank, delivered=1, read=1)
    assert rows(desk, "?show=unread") == [waiting.pk]
    actions.mark_seen(waiting, by=frank, delivered=1, read=1)
    assert rows(desk, "?show=unread") == [] and "All read" in desk.get(f"{MESSAGES}?show=unread").content.decode()


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("charlie", {"question"}),
        ("CHARLIE@example", {"question"}),
        ("alice", {"job", "news"}),
        ("bob kitchen", {"job"}),
        ("tap leaks", {"job"}),
        ("bank", {"news"}),
        ("bob bank", {"news"}),
        ("charlie kitchen", set()),
        ("100%", set()),
    ],
)
def test_a_search_finds_people_jobs_and_subjects(
    desk: Client, frank: User, alice: User, bob: User, charlie: User, search: str, found: set[str]
) -> None:
    talks = {"job": about_job(alice, bob), "question": with_desk(charlie), "news": told(frank, [alice, bob])}
    assert set(rows(desk, f"?q={search.replace('%', '%25')}")) == {talks[name].pk for name in found}


def test_a_search_without_a_match_says_so_and_keeps_the_filter(desk: Client, alice: User) -> None:
    with_desk(alice)
    html = desk.get(f"{MESSAGES}?show=people&q=nobody").content.decode()
    assert "Nothing found" in html and "show=jobs&amp;q=nobody" in html and 'value="nobody"' in html


@pytest.mark.parametrize("query", ["?q=%00", "?page=last", "?page=99", f"?q={'x' * 5000}", "?show=jobs&q=%F0%9F%98%80"])
def test_odd_questions_get_an_answer(desk: Client, alice: User, query: str) -> None:
    with_desk(alice)
    assert desk.get(f"{MESSAGES}{query}").status_code == 200


def test_the_list_has_pages(desk: Client) -> None:
    talks = [with_desk(make.person(f"Person{number}")) for number in range(PAGE + 2)]
    assert rows(desk) == [talk.pk for talk in reversed(talks)][:PAGE]
    assert rows(desk, "?page=2") == [talks[1].pk, talks[0].pk]
    assert "?show=people&amp;page=2" in desk.get(f"{MESSAGES}?show=people").content.decode()
    assert rows(desk, "?page=3") == rows(desk), "a page that is not there is the first"


def test_a_new_conversation_comes_by_itself_or_by_the_pill_where_the_list_is_narrowed(
    desk: Client, alice: User
) -> None:
    with_desk(alice)
    assert 'data-new="insert"' in desk.get(MESSAGES).content.decode()
    for query in ("?show=unread", "?q=alice"):
        assert 'data-new="pill"' in desk.get(f"{MESSAGES}{query}").content.decode()


def test_a_new_message_reaches_the_open_list_of_the_desk_only(frank: User, alice: User, charlie: User) -> None:
    conversation = with_desk(alice)
    touches = touched_by(lambda: say(conversation, alice, "Are you there?"))
    assert audience(touches, "chat.desk_row", frank, alice, charlie) == {"Frank"}
    assert "Are you there?" in str(sent(touches, frank)[f"chat-desk-row-{conversation.pk}"])


# --- An open conversation -------------------------------------------------------------------------


def page(client: Client, conversation: Conversation, query: str = "") -> str:
    """Its page."""
    response = client.get(reverse("desk:conversation", args=[conversation.pk]) + query)
    assert response.status_code == 200
    return str(response.content.decode())


def test_a_conversation_stands_beside_the_list_with_a_way_back(desk: Client, alice: User, charlie: User) -> None:
    conversation, other = with_desk(alice, "Where is my invoice?"), with_desk(charlie)
    html = page(desk, conversation, "?show=people")
    assert html.count("<h1") == 1 and "Where is my invoice?" in html
    assert f'id="chat-desk-row-{other.pk}"' in html and f'href="{MESSAGES}?show=people"' in html


def test_the_desk_sees_the_talk_about_a_job_and_its_record(desk: Client, alice: User, bob: User) -> None:
    conversation = about_job(alice, bob)
    assert conversation.bid is not None
    html = page(desk, conversation)
    record = reverse("desk:booking", args=[conversation.bid.booking_id])
    assert "Are parts included?" in html and f'href="{record}"' in html


def test_a_broadcast_shows_who_has_read_it(desk: Client, frank: User, alice: User, bob: User, charlie: User) -> None:
    conversation = told(frank, [alice, bob, charlie])
    actions.mark_seen(conversation, by=alice, delivered=1, read=1)
    actions.mark_seen(conversation, by=bob, delivered=1, read=0)
    html = page(desk, conversation)
    states = re.findall(r'<p class="row-title">(\w+) Test</p>.*?<span class="chip[^>]*>.*?</svg>([^<]+)<', html, re.S)
    assert states == [("Alice", "Read"), ("Bob", "Delivered"), ("Charlie", "Not yet")]


def test_a_receipt_moves_by_itself_and_renders_as_on_the_page(
    desk: Client, frank: User, alice: User, bob: User
) -> None:
    conversation = told(frank, [alice, bob])
    row = conversation.participants.get(user=alice)
    touches = touched_by(lambda: actions.mark_seen(conversation, by=alice, delivered=1, read=1))
    pushed = str(sent(touches, frank)[f"adminpanel-receipt-{row.pk}"])

    def plain(html: str) -> str:
        return re.sub(r'data-version="\d+"', "", html)

    assert plain(pushed).strip() in plain(page(desk, conversation)) and "Read" in pushed


def test_marks_of_other_conversations_touch_no_receipt(frank: User, alice: User) -> None:
    conversation = with_desk(alice, by=frank)
    touches = touched_by(lambda: actions.mark_seen(conversation, by=alice, delivered=1, read=1))
    assert not [touch for touch in touches if touch.fragment == "adminpanel.receipt"]


# --- What it costs --------------------------------------------------------------------------------


def cost(client: Client, url: str) -> int:
    """Queries of a page that was asked before."""
    client.get(url)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


@pytest.mark.parametrize("query", ["", "?show=unread", "?q=test"])
def test_the_list_costs_the_same_with_3_and_with_60_conversations(
    desk: Client, frank: User, alice: User, bob: User, query: str
) -> None:
    def more(count: int, start: int) -> None:
        for number in range(start, start + count):
            person = make.person(f"Person{number}")
            with_desk(person)
            if number % 3 == 0:
                about_job(person, bob, f"Job {number}", days=2 + number)
            if number % 7 == 0:
                told(frank, [person, alice])

    more(3, 0)
    few = cost(desk, f"{MESSAGES}{query}")
    more(60, 3)
    assert cost(desk, f"{MESSAGES}{query}") == few <= 25


def test_a_broadcasts_page_costs_the_same_for_3_and_for_60_people(desk: Client, frank: User) -> None:
    people = [make.person(f"Person{number}") for number in range(60)]
    few, many = told(frank, people[:3]), told(frank, people)
    urls = [reverse("desk:conversation", args=[talk.pk]) for talk in (few, many)]
    assert cost(desk, urls[0]) == cost(desk, urls[1])
