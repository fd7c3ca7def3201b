"""Topics: names, parameters, and who belongs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from realtime import journal, topics
from realtime.models import JournalRow
from realtime.render import render
from realtime.tests.board.live import board_topic
from realtime.tests.board.models import Board
from realtime.topics import Principal, Topic, user_topic

GROUP_NAME = re.compile(r"[a-zA-Z0-9\-_.]{1,99}")  # what every channel layer takes
LONGEST_NUMBER, LONGEST_WORD = 9 * 10**17, "w" * 64


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


# --- Many topics at once


def test_a_kind_may_say_of_many_topics_at_once_who_belongs(kinds: None) -> None:
    asked: list[tuple[set[int], list[tuple[int | str, ...]]]] = []

    def together(user_ids, params):
        asked.append((set(user_ids), list(params)))
        return {((room,), user) for (room,) in params for user in user_ids if user == room * 10}

    rooms = Topic(
        "rooms.{room}",
        users=lambda user_ids, room: user_ids & {room * 10},
        links=lambda tokens, room: tokens & {f"to-{room}"},
        together=together,
    )
    ann, ben = Principal("user", "10"), Principal("user", "20")
    key, other = Principal("link", "to-1"), Principal("link", "to-2")
    wanted = {(1,): {ann, ben, key, other}, (2,): {ben}, (3,): {ann}, (4,): {other}}
    assert rooms.members_of_each(wanted) == {(1,): {ann, key}, (2,): {ben}, (3,): set(), (4,): set()}
    assert asked == [({10, 20}, [(1,), (2,), (3,), (4,)])]
    assert rooms.members_of_each({(1,): {ann, key}}) == {(1,): {ann, key}} and len(asked) == 1  # one is asked plainly


def test_without_such_a_rule_each_is_asked(kinds: None) -> None:
    asked = []

    def users(user_ids, hall):
        asked.append(hall)
        return user_ids & {hall}

    halls = Topic("halls.{hall}", users=users)
    one, two = Principal("user", "1"), Principal("user", "2")
    assert halls.members_of_each({(1,): {one, two}, (2,): {one}}) == {(1,): {one}, (2,): set()}
    assert asked == [1, 2]


def test_names_by_kind(kinds: None) -> None:
    first, second = Topic("towers.{n}"), Topic("gates.{name:str}")
    found = topics.kinds_of(["towers.1", "gates.a", "towers.2", "nonsense"])
    assert found == {first: {(1,): "towers.1", (2,): "towers.2"}, second: {("a",): "gates.a"}}


def test_a_rule_that_fails_for_all_is_asked_for_each(kinds: None, transactional_db: None, caplog) -> None:
    def together(user_ids, params):
        raise ZeroDivisionError

    Topic("cellars.{n}", users=lambda user_ids, n: {1 // (n - 2)} & user_ids, together=together)
    one = Principal("user", "1")
    audience = {f"cellars.{n}": {one} for n in (2, 3)}
    with journal.snapshot():
        done = render([], audience, "1")
    assert done.members == {"cellars.2": set(), "cellars.3": {one}}
    assert "cellars.2 could not be found out" in caplog.text
