"""Switches: which pages have a socket, which have to ask, and how open ones move when a switch is turned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.template import RequestContext, Template
from django.test import Client, RequestFactory

from realtime import presence, switching, transport, vitals
from realtime.models import JournalRow, Presence
from realtime.tests.board.models import Board, Note
from realtime.tests.harness import Counted, Live, journal_now, until
from realtime.topics import Principal, user_topic

INSTEAD = 4014
SWITCH = "live_boards"


class Off:
    """Who has which switches off: `off.add(user, "live_boards")`; turned at once unless told otherwise."""

    def __init__(self) -> None:
        self.switches: dict[str, set[str]] = {}
        self.forgotten = 0

    def add(self, user: Any, *switches: str) -> None:
        """Off for them, told to open pages."""
        self.switches[str(user.pk)] = set(switches)
        transport.turned(switches[0])

    def clear(self) -> None:
        """On for everybody again."""
        self.switches.clear()
        transport.turned(SWITCH)

    def rule(self, people: Any) -> dict[Principal, set[str]]:
        """As an app answers."""
        return {who: self.switches[who.id] for who in people if who.id in self.switches}

    def forget(self) -> None:
        """As an app forgets."""
        self.forgotten += 1


@pytest.fixture
def off(monkeypatch: pytest.MonkeyPatch) -> Iterator[Off]:
    """Boards need a switch of their own."""
    made = Off()
    monkeypatch.setattr(transport, "_needs", [("board.", SWITCH)])
    monkeypatch.setattr(transport, "_rule", made.rule)
    monkeypatch.setattr(transport, "_forget", made.forget)
    transport.switches_of_topic.cache_clear()
    yield made
    transport.switches_of_topic.cache_clear()


def asked(client: Client, *topics: str, **more: Any) -> Any:
    """A poll's answer."""
    return client.get("/live/poll", {"c": journal_now(), "topic": topics, "page": "/board/", **more})


# --- What a page needs ----------------------------------------------------------------------------


def test_a_page_needs_what_its_topics_need_and_sockets(off: Off, topic: str) -> None:
    assert transport.switches_of([]) == {transport.SOCKETS}
    assert transport.switches_of([topic, user_topic(1)]) == {transport.SOCKETS, SWITCH}
    assert transport.switches_of(["board.no-such", "nothing.at.all"]) == {transport.SOCKETS}
    transport.needs("live_self", "user.{user_id}")
    assert transport.switches_of([user_topic(1)]) == {transport.SOCKETS, "live_self"}


def test_with_sockets_off_in_the_settings_everybody_asks(db: None, off: Off, settings: Any) -> None:
    settings.LIVE = {**settings.LIVE, "TRANSPORT": "poll"}
    assert transport.asks(Principal("user", "1"), []) and transport.asks(Principal("link", "abc"), [])


# --- Open pages -----------------------------------------------------------------------------------


def test_turning_a_switch_off_moves_the_pages_that_need_it_and_no_other(
    live: Live, board: Board, alice: Any, alices: Client, bobs: Client, topic: str, off: Off
) -> None:
    hers, her_other, his = live.page(alices, [topic]), live.page(alices, []), live.page(bobs, [topic])
    off.add(alice, SWITCH)
    assert hers.closed(5) == INSTEAD and off.forgotten
    Note.objects.create(board=board, text="Milk")
    his.sees("Milk")
    assert her_other.code is None and his.code is None


def test_sockets_off_moves_every_page_of_theirs(live: Live, alice: Any, alices: Client, bobs: Client, off: Off) -> None:
    hers, his = [live.page(alices, []), live.page(alices, [])], live.page(bobs, [])
    off.add(alice, transport.SOCKETS)
    assert [page.closed(5) for page in hers] == [INSTEAD, INSTEAD] and his.code is None


def test_many_pages_go_spread_over_time(
    live: Live, alice: Any, alices: Client, off: Off, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(switching, "AT_ONCE", 1)
    settings.LIVE = {**settings.LIVE, "RETURN_SPREAD": 0.2}
    pages = [live.page(alices, []) for _ in range(4)]
    off.add(alice, transport.SOCKETS)
    assert {page.closed(5) for page in pages} == {INSTEAD}


def test_an_order_of_a_rolled_back_change_moves_nobody(
    live: Live, alice: Any, alices: Client, topic: str, off: Off
) -> None:
    page = live.page(alices, [topic])
    with transaction.atomic():
        transport.turned(SWITCH)
        transaction.set_rollback(True)
    off.switches[str(alice.pk)] = {SWITCH}
    live.quiet()
    assert page.code is None and not off.forgotten
    live.on_loop(live.hub.switcher.look())  # as the keeper does each minute: a role may have changed
    assert page.closed(5) == INSTEAD


def test_who_says_hello_while_it_is_off_is_sent_to_ask(
    live: Live, alice: Any, alices: Client, topic: str, off: Off
) -> None:
    off.add(alice, SWITCH)
    welcomed = Counted("connected_total")
    assert live.open(alices).say_hello([topic]).closed(5) == INSTEAD
    page = live.page(alices, [])
    assert welcomed() == 1 and page.code is None


def test_a_page_that_begins_to_follow_what_needs_it_is_sent_to_ask(
    live: Live, alice: Any, alices: Client, topic: str, off: Off
) -> None:
    off.add(alice, SWITCH)
    page = live.page(alices, [])
    page.send(t="follow", c=journal_now(), topics=[topic])
    assert page.closed(5) == INSTEAD


def test_it_is_no_order_to_end_a_session(live: Live, alices: Client, topic: str, off: Off) -> None:
    page = live.page(alices, [topic])
    transport.turned(SWITCH)
    until(lambda: off.forgotten, "heard of")
    later = live.page(alices, [topic])
    assert page.code is None and later.code is None
    assert [row.key for row in JournalRow.objects.filter(topic="realtime.orders")] == [f"transport.{SWITCH}"]


# --- Polls and pages ------------------------------------------------------------------------------


def test_the_poll_says_which_way_to_go(board: Board, alice: Any, alices: Client, topic: str, off: Off) -> None:
    assert asked(alices, topic)["Live-Transport"] == "socket"
    off.add(alice, SWITCH)
    assert asked(alices, topic)["Live-Transport"] == "poll" and asked(alices)["Live-Transport"] == "socket"
    Note.objects.create(board=board, text="Milk")
    assert asked(alices, topic, c="")["Live-Transport"] == "poll"
    off.clear()
    assert asked(alices, topic)["Live-Transport"] == "socket"


def test_a_page_that_has_to_ask_is_present_as_such(alice: Any, alices: Client, topic: str, off: Off) -> None:
    presence._polling.clear()
    asked(alices, topic)
    assert [page.transport for page in presence._polling_pages()] == [presence.POLL]
    off.add(alice, SWITCH)
    asked(alices, topic)
    assert [page.transport for page in presence._polling_pages()] == [presence.SWITCHED]
    presence._polling.clear()


def test_the_page_itself_begins_by_asking_where_sockets_are_off(alice: Any, off: Off) -> None:
    request = RequestFactory().get("/")
    request.user = alice
    head = Template("{% live_head %}")
    assert 'data-transport="socket"' in head.render(RequestContext(request))
    off.add(alice, transport.SOCKETS)
    assert 'data-transport="poll"' in head.render(RequestContext(request))


@pytest.mark.parametrize(("said", "counted"), [("3", 3), ("", 0), ("-1", 0), ("99999", 0), ("²", 0), ("x", 0)])
def test_polls_report_the_tries_that_failed(alices: Client, off: Off, said: str, counted: int) -> None:
    failed = Counted("connects_failed_total")
    asked(alices, failed=said)
    assert failed() == counted


# --- What a page says of its connection -----------------------------------------------------------


def test_a_page_that_comes_back_is_counted_once(live: Live, alices: Client) -> None:
    again, welcomed = Counted("reconnected_total"), Counted("connected_total")
    live.page(alices, [])
    page = live.page(alices, [], back=True)
    page.hello([], back=True)  # says hello again on the same socket
    assert (again(), welcomed()) == (1, 2)


def test_the_round_trip_of_heartbeats_is_written_with_presence(live: Live, alices: Client, settings: Any) -> None:
    settings.LIVE = {**settings.LIVE, "PRESENCE_EVERY": 0.1}
    live.restart("presence")
    page = live.page(alices, [])
    page.send(t="beat", away=False, rtt=None)
    page.send(t="beat", away=True, rtt=87)
    until(lambda: Presence.objects.filter(away=True, round_trip_ms=87).first(), "written")


@pytest.mark.parametrize("wrong", [-1, "5", 1.5])
def test_a_round_trip_that_is_none_is_not_the_protocol(live: Live, alices: Client, wrong: object) -> None:
    page = live.page(alices, [])
    page.send(t="beat", away=False, rtt=wrong)
    assert page.closed() == 4400


# --- Vitals ---------------------------------------------------------------------------------------


def test_lately_is_what_grew_in_the_last_minutes() -> None:
    kept = vitals.Vitals(None)  # type: ignore[arg-type]
    assert kept.lately({"a": 5, "b": 1}, 100) == {"seconds": 0, "grew": {}}
    assert kept.lately({"a": 7, "b": 1, "c": 2}, 105) == {"seconds": 5, "grew": {"a": 2, "c": 2}}
    kept.lately({"a": 8, "b": 1}, 200)
    later = 100 + vitals.LATELY + 90
    assert kept.lately({"a": 9, "b": 1}, later) == {"seconds": later - 100, "grew": {"a": 4}}
    assert kept.lately({"a": 9, "b": 4}, later + 15)["grew"] == {"a": 1, "b": 3}


def test_a_process_says_what_waits_in_it(live: Live, alices: Client) -> None:
    live.page(alices, [])
    said = live.hub.vitals.report()
    assert said["callout_live_sockets_open"] == 1
    assert said["now"] | {"tail_age": 0} == {
        "bells": 0, "hellos": 0, "changes": 0, "behind": 0, "said": 0, "tail_age": 0, "layer": "ok", "failing": [],
    }  # fmt: skip
