"""Pages without a socket: what they say arrives by POST, and signals that hold reach them with the poll."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client
from django.utils import timezone

from realtime import inbound, kept
from realtime.due import run_due
from realtime.models import KeptSignal
from realtime.tests.board.live import cards_topic
from realtime.tests.board.models import Board, Note
from realtime.tests.harness import Live, journal_now, until
from realtime.topics import Principal


@pytest.fixture(autouse=True)
def _nobody_spoke() -> None:
    """Nobody has used up what they may say."""
    inbound._said.clear()


def say(client: Client, kind: str, data: Any, **headers: Any) -> Any:
    """POST as say.js does."""
    return client.post("/live/say", json.dumps({"kind": kind, "data": data}), "application/json", **headers)


def signals(client: Client, *topics: str) -> list[dict[str, Any]]:
    """The signals that a poll brings."""
    answer = client.get("/live/poll", {"c": journal_now(), "topic": list(topics)})
    return [] if answer.status_code == 204 else answer.json().get("s", [])


def test_what_a_page_says_by_post_does_what_it_does_over_the_socket(board: Board, alices: Client) -> None:
    assert say(alices, "board.write", {"board": board.pk, "text": "By post"}).status_code == 204
    assert Note.objects.get(board=board).text == "By post"


def test_a_stranger_is_heard_but_nothing_comes_of_it_and_the_signed_out_are_told(
    board: Board, charlies: Client
) -> None:
    assert say(charlies, "board.write", {"board": board.pk, "text": "Not mine"}).status_code == 204
    assert say(Client(), "board.write", {"board": board.pk, "text": "Not mine"}).status_code == 401
    assert not Note.objects.exists()


DAMAGED = ("", "{", "[]", "3", "null", '{"data": {}}', "[" * 60_000)
UNKNOWN = ('{"kind": 3}', '{"kind": "no.such"}', '{"kind": "board.write", "data": [1]}')


@pytest.mark.parametrize("body", [*DAMAGED, *UNKNOWN])
def test_what_is_not_the_protocol_is_refused(board: Board, alices: Client, body: str) -> None:
    assert alices.post("/live/say", body, "application/json").status_code == 400


def test_it_takes_the_csrf_token(board: Board, alice: Any) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(alice)
    assert say(careful, "board.write", {"board": board.pk, "text": "Forged"}).status_code == 403
    assert not Note.objects.exists()


def test_too_large_and_too_fast_are_refused_with_a_way_on(board: Board, alices: Client, settings: Any) -> None:
    settings.LIVE = {**settings.LIVE, "MESSAGE_BYTES": 2000}
    assert say(alices, "board.write", {"text": "x" * 2000}).status_code == 413
    answers = [say(alices, "board.typing", {"board": board.pk}).status_code for _ in range(40)]
    assert answers[:15] == [204] * 15 and answers[-1] == 429
    assert say(alices, "board.typing", {"board": board.pk})["Retry-After"] == "1"


def test_who_has_spoken_longest_ago_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound, "MOST_SPEAKING", 3)
    for number in range(5):
        assert inbound.may_say(Principal("user", str(number)))
    assert [who.id for who in inbound._said] == ["2", "3", "4"]


def test_a_handler_that_fails_costs_the_page_nothing(board: Board, alices: Client, caplog: Any) -> None:
    assert say(alices, "board.write", {"board": "no number"}).status_code == 204
    assert "could not be handled" in caplog.text


@pytest.mark.parametrize("refusal", [Http404, PermissionDenied])
def test_what_is_gone_by_the_time_it_is_spoken_of_is_no_fault(
    alices: Client, caplog: Any, monkeypatch: pytest.MonkeyPatch, refusal: type[Exception]
) -> None:
    def gone(principal: Principal, data: dict[str, Any]) -> None:
        raise refusal

    monkeypatch.setitem(inbound._handlers, "board.write", gone)
    assert say(alices, "board.write", {}).status_code == 204
    assert "could not be handled" not in caplog.text


def test_a_signal_that_holds_reaches_polls_of_others_and_not_of_its_sender(
    board: Board, alices: Client, bobs: Client, charlies: Client
) -> None:
    topic = cards_topic(board.pk)
    assert say(alices, "board.shuffling", {"board": board.pk}).status_code == 204
    found = signals(bobs, topic)
    assert [(each["topic"], each["name"]) for each in found] == [(topic, "shuffling")] and found[0]["age"] >= 0
    assert signals(alices, topic) == [] and signals(charlies, topic) == []
    asked = charlies.get("/live/poll", {"c": journal_now(), "topic": topic})
    assert asked.status_code == 204  # as ever: not even that something is said there


def test_it_is_kept_once_a_sender_and_only_while_it_holds(board: Board, alices: Client, bobs: Client) -> None:
    topic = cards_topic(board.pk)
    for _ in range(3):
        say(alices, "board.shuffling", {"board": board.pk})
    row = KeptSignal.objects.get()
    assert timedelta(seconds=2) < row.until - row.at <= timedelta(seconds=3)
    KeptSignal.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert signals(bobs, topic) == []
    run_due(timezone.now())
    assert not KeptSignal.objects.exists()


def test_topics_that_keep_nothing_cost_the_poll_no_query(
    board: Board, alices: Client, topic: str, django_assert_num_queries: Any
) -> None:
    me = Principal("user", "1")
    with django_assert_num_queries(0):
        assert kept.heard([topic, "no.such.topic"], me) == []
    with django_assert_num_queries(1):
        assert kept.heard([topic, cards_topic(board.pk)], me) == []


def test_sockets_hear_a_kept_signal_once_and_at_once(live: Live, board: Board, alices: Client, bobs: Client) -> None:
    topic = cards_topic(board.pk)
    hers, his = live.page(alices, [topic]), live.page(bobs, [topic])
    hers.send(t="say", kind="board.shuffling", data={"board": board.pk})
    until(lambda: his.of("signal"), "the signal")
    Note.objects.create(board=board, text="Later")
    live.quiet()
    assert len(his.of("signal")) == 1 and hers.of("signal") == []


def test_sockets_hear_what_the_layer_did_not_bring(live: Live, board: Board, bobs: Client) -> None:
    """Another process typed, and the layer is in memory or away: the row is all that tells of it."""
    topic = cards_topic(board.pk)
    his = live.page(bobs, [topic])
    message = kept.message_of(topic, "shuffling", {"who": "1"}, sender=Principal("user", "999"))
    kept.keep(message, seconds=3)
    until(lambda: his.of("signal"), "the signal")
    assert his.of("signal")[0]["data"] == {"who": "1"}


def test_a_signal_of_ones_own_is_not_heard_by_that_way_either(
    live: Live, board: Board, alice: Any, alices: Client, bobs: Client
) -> None:
    topic = cards_topic(board.pk)
    hers, his = live.page(alices, [topic]), live.page(bobs, [topic])
    kept.keep(kept.message_of(topic, "shuffling", {}, sender=Principal("user", str(alice.pk))), seconds=3)
    until(lambda: his.of("signal"), "the signal")
    assert hers.of("signal") == []
