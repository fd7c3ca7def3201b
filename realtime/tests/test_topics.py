"""Topics: names, parameters, and who belongs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from realtime import topics
from realtime.models import JournalRow
from realtime.tests.board.live import board_topic
from realtime.tests.board.models import Board
from realtime.topics import Principal, Topic, user_topic

GROUP_NAME = re.compile(r"[a-zA-Z0-9\-_.]{1,99}")  # what every channel layer takes
LONGEST_NUMBER, LONGEST_WORD = 9 * 10**17, "w" * 64


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Topics declared in this test are forgotten after it."""
    monkeypatch.setattr(topics, "_kinds", dict(topics._kinds))
    topics.resolve.cache_clear()
    yield
    topics.resolve.cache_clear()


def users(*people: Any) -> set[Principal]:
    """The principals of some users."""
    return {Principal("user", str(each.pk)) for each in people}


def test_a_name_is_made_and_read_back(kinds: None) -> None:
    leg = Topic("leg.{booking_id}.of.{driver:str}.end")
    assert leg(7, "ann-b_2") == "leg.7.of.ann-b_2.end"
    assert leg.params_of("leg.7.of.ann-b_2.end") == (7, "ann-b_2")
    assert topics.resolve("leg.7.of.ann-b_2.end") == (leg, (7, "ann-b_2"))
    plain = Topic("market")
    assert plain() == "market" and topics.resolve("market") == (plain, ())


def test_the_number_of_parameters_must_fit(kinds: None) -> None:
    with pytest.raises(TypeError, match="takes 1 parameters, 2 given"):
        board_topic(1, 2)


def test_a_pattern_is_declared_once(kinds: None) -> None:
    with pytest.raises(ValueError, match="declared twice"):
        Topic("board.{board_id}")


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "board",
        "board.",
        "board.1.",
        "board.1.2",
        " board.1",
        "board.1\n",
        "board.-1",
        "board.+1",
        "board.1_0",
        "board.1.0",
        "board.01",
        "board.٣",  # a digit to Python, no group name to a channel layer
        "board.1\x00",
        "board.\ud800",
        "board.{board_id}",
        "BOARD.1",
        "boardx1",
        "board.9999999999999999999",  # no bigint
        "board.1;DROP TABLE",
        "x" * 5000,
    ],
)
def test_a_hostile_name_is_no_topic(name: str, alice: Any) -> None:
    assert topics.resolve(name) is None
    assert topics.members(name, users(alice)) == set()


def test_members_are_those_who_belong_now(board: Board, alice: Any, bob: Any, charlie: Any) -> None:
    name = board_topic(board.pk)
    assert topics.members(name, users(alice, bob, charlie)) == users(alice, bob)
    board.people.remove(bob)
    assert topics.members(name, users(alice, bob, charlie)) == users(alice)
    assert topics.members(name, set()) == set()


def test_members_of_many_cost_one_query(
    board: Board, alice: Any, bob: Any, charlie: Any, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        topics.members(board_topic(board.pk), users(alice, bob, charlie))


def test_a_link_opens_its_topic_and_no_other(board: Board, alice: Any) -> None:
    link, foreign = Principal("link", f"open-{board.pk}"), Principal("link", "guessed")
    assert topics.members(board_topic(board.pk), {link, foreign, *users(alice)}) == {link, *users(alice)}
    assert topics.members(board_topic(board.pk + 1), {link}) == set()
    assert topics.members(user_topic(1), {Principal("link", "1")}) == set()


def test_a_rule_cannot_let_in_who_did_not_ask(kinds: None) -> None:
    generous = Topic("generous", users=lambda ids: {1, 2, 3}, links=lambda tokens: {"a", "b"})
    assert topics.members(generous(), {Principal("user", "2"), Principal("link", "b")}) == {
        Principal("user", "2"),
        Principal("link", "b"),
    }


def test_without_a_rule_nobody_belongs(kinds: None) -> None:
    closed = Topic("closed")
    assert topics.members(closed(), {Principal("user", "1"), Principal("link", "x")}) == set()


def test_everybody_has_their_own_topic_and_no_other(alice: Any, bob: Any) -> None:
    assert topics.members(user_topic(alice.pk), users(alice, bob)) == users(alice)


@pytest.mark.parametrize("kind", topics.kinds(), ids=lambda kind: kind.pattern)
def test_every_declared_topic_is_a_safe_group_name(kind: Topic) -> None:
    longest = kind(*(LONGEST_NUMBER if cast is int else LONGEST_WORD for cast in kind._casts))
    assert GROUP_NAME.fullmatch(longest) and len(longest) <= JournalRow._meta.get_field("topic").max_length
    assert topics.resolve(longest) is not None


@pytest.mark.parametrize("kind", topics.kinds(), ids=lambda kind: kind.pattern)
def test_no_declared_topic_lets_a_stranger_in(kind: Topic, charlie: Any, django_assert_max_num_queries: Any) -> None:
    """Nor a made-up user, nor a guessed link; and asking costs one query a kind of principal."""
    params = tuple(LONGEST_NUMBER if cast is int else "guess" for cast in kind._casts)
    asking = {*users(charlie), Principal("user", str(LONGEST_NUMBER - 1)), Principal("link", "guess")}
    with django_assert_max_num_queries(2):
        found = topics.members(kind(*params), asking)
    assert found == set() or not kind._casts, "only a topic for all of a role has no parameter"
