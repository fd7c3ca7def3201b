"""The poll: the same truth for a page without a socket, at the least cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from realtime import fragments, journal, presence
from realtime.models import JournalRow
from realtime.tests.board.live import board_topic, pulse
from realtime.tests.board.models import Board, Note, Pulse
from realtime.tests.harness import Counted, Live, journal_now, session_key


@pytest.fixture(autouse=True)
def _nobody_polls() -> Any:
    """Forget who has polled in the tests before."""
    presence._polling.clear()
    yield
    presence._polling.clear()


def poll(client: Client, cursor: str, *topics: str, **more: str) -> Any:
    """Poll as live.js does."""
    return client.get("/live/poll", {"c": cursor, "topic": list(topics), "page": "/board/", **more})


# --- Unchanged


def test_an_unchanged_page_costs_three_queries_and_no_body(
    board: Board, alices: Client, topic: str, django_assert_max_num_queries: Any
) -> None:
    cursor, empty = journal_now(), Counted("polls_total", result="empty")
    with django_assert_max_num_queries(3) as queries:
        response = poll(alices, cursor, topic)
    assert response.status_code == 204 and response.content == b"" and empty() == 1
    tables = [sql["sql"] for sql in queries.captured_queries]
    for part, table in zip(tables, ("django_session", "accounts_user", "realtime_journal"), strict=True):
        assert table in part
    assert journal.parse_cursor(response["Live-Cursor"]).epoch == journal.now().epoch
    assert poll(alices, response["Live-Cursor"], topic).status_code == 204


def test_every_answer_says_how_fresh_it_is_and_how_to_go_on(
    board: Board, alices: Client, topic: str, settings: Any
) -> None:
    Note.objects.create(board=board, text="Milk")
    answers = [
        poll(alices, journal_now(), topic),
        poll(alices, "nonsense", topic),
        poll(Client(), journal_now(), topic),
        poll(alices, journal_now(), "x" * 101),
    ]
    assert [answer.status_code for answer in answers] == [204, 200, 401, 400]
    for answer in answers:
        assert abs(int(answer["Live-As-Of"]) - journal.milliseconds()) < 60_000
        assert answer["Live-Transport"] == "socket" and "no-store" in answer["Cache-Control"]
    settings.LIVE = {**settings.LIVE, "TRANSPORT": "poll"}
    assert poll(alices, journal_now(), topic)["Live-Transport"] == "poll"


def test_changes_of_others_are_no_changes(board: Board, alices: Client, topic: str) -> None:
    cursor, other = journal_now(), Board.objects.create(name="Attic")
    Note.objects.create(board=other, text="Elsewhere")
    assert poll(alices, cursor, topic).status_code == 204
    assert poll(alices, cursor).status_code == 204


# --- Changed


def test_a_changed_page_gets_what_a_socket_would(live: Live, board: Board, alices: Client, topic: str) -> None:
    cursor = journal_now()
    made = Note.objects.create(board=board, text="Milk")
    gone = Note.objects.create(board=board, text="Came and went")
    gone.delete()
    live.quiet()
    response, welcome = poll(alices, cursor, topic), live.open(alices).hello([topic], cursor)
    answer = response.json()
    assert response.status_code == 200 and response["Content-Type"] == "application/json"
    assert answer.keys() == welcome.keys() - {"i"} and answer["t"] == "welcome"
    told_apart = {"now", "i"}
    assert {k: answer[k] for k in answer.keys() - told_apart} == {k: welcome[k] for k in welcome.keys() - told_apart}
    assert f"board-note-{made.pk}" in {piece["id"] for piece in answer["f"] if piece["html"]}


def test_from_poll_to_poll_everything_arrives_once(board: Board, alices: Client, topic: str) -> None:
    cursor, found = journal_now(), []
    for number in range(5):
        Note.objects.create(board=board, text=f"Note {number}")
        answer = poll(alices, cursor, topic).json()
        found += [piece["id"] for piece in answer["f"] if piece["live"] == "board.note"]
        cursor = answer["c"]
    assert len(found) == 5 == len(set(found)) and poll(alices, cursor, topic).status_code == 204


def test_a_latest_only_change_reaches_pollers_again_and_again(board: Board, alices: Client, topic: str) -> None:
    beat, cursor = Pulse.objects.create(board=board), journal_now()
    for value in range(3):
        beat.value = value
        beat.save()
        answer = poll(alices, cursor, topic).json()
        assert f">{value}<" in answer["f"][0]["html"] and len(answer["f"]) == 1
        cursor = answer["c"]
    assert JournalRow.objects.filter(fragment=pulse.name).count() == 1


def test_many_changes_cost_a_constant_number_of_queries(board: Board, alices: Client, topic: str) -> None:
    def cost(number: int) -> int:
        cursor = journal_now()
        for count in range(number):
            Note.objects.create(board=board, text=str(count))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(poll(alices, cursor, topic).json()["f"]) == number + 2
        return len(queries)

    assert cost(1) == cost(25)


# --- Who may


def test_nobody_signed_in_gets_a_401_and_no_login_page(board: Board, alice: Any, alices: Client, topic: str) -> None:
    ended = Counted("polls_total", result="signed_out")
    Session.objects.filter(pk=session_key(alices)).delete()
    for client in (Client(), alices):
        response = poll(client, journal_now(), topic)
        assert response.status_code == 401 and response["Content-Type"] == "application/json"
        assert "Location" not in response and response.json() == {"error": "Signed out."}
    assert ended() == 2


def test_a_deactivated_account_gets_a_401(board: Board, alice: Any, alices: Client, topic: str) -> None:
    alice.is_active = False
    alice.save()
    assert poll(alices, journal_now(), topic).status_code == 401


def test_who_does_not_belong_is_told_that_it_is_gone(
    board: Board, charlies: Client, bobs: Client, bob: Any, topic: str
) -> None:
    cursor = journal_now()
    Note.objects.create(board=board, text="Secret")
    board.people.remove(bob)
    for client in (charlies, bobs):
        answer = poll(client, cursor, topic, "nothing").json()
        assert sorted(answer["gone"]) == sorted([topic, "nothing"]) and answer["f"] == []


def test_a_link_opens_its_topic_without_an_account(board: Board, topic: str) -> None:
    cursor = journal_now()
    Note.objects.create(board=board, text="For the bearer")
    answer = poll(Client(), cursor, topic, link=f"open-{board.pk}").json()
    assert "For the bearer" in str(answer["f"]) and answer["gone"] == []
    guessed = poll(Client(), cursor, topic, link="open-0").json()
    assert guessed["gone"] == [topic] and guessed["f"] == []


@pytest.mark.parametrize("link", ["\x00", "x" * 65, "a\u2028b"])
def test_what_is_no_link_is_nobody(board: Board, topic: str, link: str) -> None:
    assert poll(Client(), journal_now(), topic, link=link).status_code == 401


# --- Resets and hostile requests


@pytest.mark.parametrize("cursor", ["", "nonsense", "0ther0ne.5", "{epoch}.0", "\x00", "{epoch}.99999999999999"])
def test_an_unusable_cursor_resets(board: Board, alices: Client, topic: str, cursor: str) -> None:
    resets, told = Counted("resets_total"), Counted("polls_total", result="reset")
    answer = poll(alices, cursor.format(epoch=journal.now().epoch), topic).json()
    assert answer["reset"] and answer["f"] == [] and answer["gone"] == [] and (resets(), told()) == (1, 1)
    assert poll(alices, answer["c"], topic).status_code == 204


def test_a_cursor_older_than_the_journal_resets(board: Board, alices: Client, topic: str) -> None:
    cursor = journal_now()
    Note.objects.create(board=board, text="Old")
    JournalRow.objects.update(at=timezone.now() - timedelta(hours=3))
    journal.prune(timezone.now() - timedelta(hours=1))
    assert poll(alices, cursor, topic).json()["reset"]


@pytest.mark.parametrize("topics", [["x" * 101], [f"board.{n}" for n in range(501)]])
def test_too_much_is_a_400(alices: Client, topics: list[str]) -> None:
    malformed = Counted("polls_total", result="malformed")
    assert poll(alices, journal_now(), *topics).status_code == 400 and malformed() == 1


@pytest.mark.parametrize("name", ["", "board.1\x00", "board.٣", "' OR 1=1 --", "%", "board.%"])
def test_hostile_names_are_gone_and_nothing_else(board: Board, alices: Client, topic: str, name: str) -> None:
    cursor = journal_now()
    Note.objects.create(board=board, text="Milk")
    answer = poll(alices, cursor, topic, name, page="/\x00\ud7ff").json()
    assert answer["gone"] == [name] and len(answer["f"]) == 3
    assert poll(alices, answer["c"], name).status_code == 204


def test_a_page_with_more_topics_than_fit_an_address_posts_them(alices: Client, board: Board, topic: str) -> None:
    cursor = str(journal.now())
    Note.objects.create(board=board, text="Milk")
    answer = alices.post("/live/poll", {"c": cursor, "topic": [topic, "board.99"], "page": "/board/"})
    assert answer.status_code == 200 and "Milk" in answer.content.decode()
    assert alices.put("/live/poll").status_code == 405


def test_a_failing_fragment_does_not_stop_the_others(
    board: Board, alices: Client, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = fragments.get("board.note")
    assert note is not None

    def broken(keys: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_function(1)")

    cursor = journal_now()
    Note.objects.create(board=board, text="Milk")
    monkeypatch.setitem(note.__dict__, "load", broken)
    answer = poll(alices, cursor, topic).json()
    assert {piece["live"] for piece in answer["f"]} == {"board.count", "board.pins"}


# --- Presence of pollers


def test_a_polling_page_is_present_and_a_made_up_link_is_not(
    board: Board, alices: Client, alice: Any, topic: str, settings: Any
) -> None:
    poll(alices, journal_now(), topic)
    poll(alices, journal_now(), topic)
    poll(Client(), journal_now(), topic, link="made-up")
    poll(Client(), journal_now(), topic, link=f"open-{board.pk}")
    pages = presence._polling_pages()
    assert sorted((page.principal.kind, page.page, page.transport) for page in pages) == [
        ("link", "/board/", "poll"),
        ("user", "/board/", "poll"),
    ]
    settings.LIVE = {**settings.LIVE, "OFFLINE_AFTER": 0}
    assert presence._polling_pages() == [] and presence._polling == {}


def test_the_poll_of_another_board_is_another_topic(board: Board, alices: Client) -> None:
    assert poll(alices, journal_now(), board_topic(board.pk + 1)).status_code == 204
