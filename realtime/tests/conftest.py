"""Fixtures of the live mechanism's tests. Alice and Bob are on the board; Charlie is a stranger."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from realtime import topics
from realtime.tests.board.live import board_topic
from realtime.tests.board.models import Board
from realtime.tests.harness import Live, session_of

_numbers = itertools.count(1)


@pytest.fixture
def person(transactional_db: None) -> Callable[[str], Any]:
    """`person("Alice")` makes a user who can sign in."""

    def make(name: str) -> Any:
        people = get_user_model().objects
        return people.create_user(f"{name.lower()}-{next(_numbers)}@example.org", name=name)

    return make


@pytest.fixture
def alice(person: Callable[[str], Any]) -> Any:
    """On the board."""
    return person("Alice")


@pytest.fixture
def bob(person: Callable[[str], Any]) -> Any:
    """On the board too."""
    return person("Bob")


@pytest.fixture
def charlie(person: Callable[[str], Any]) -> Any:
    """A stranger to the board."""
    return person("Charlie")


@pytest.fixture
def board(alice: Any, bob: Any) -> Board:
    """A board of Alice and Bob."""
    made = Board.objects.create(name="Kitchen")
    made.people.add(alice, bob)
    return made


@pytest.fixture
def topic(board: Board) -> str:
    """The board's topic."""
    return board_topic(board.pk)


@pytest.fixture
def alices(alice: Any) -> Client:
    """Alice's browser, signed in."""
    return session_of(alice)


@pytest.fixture
def bobs(bob: Any) -> Client:
    """Bob's browser, signed in."""
    return session_of(bob)


@pytest.fixture
def charlies(charlie: Any) -> Client:
    """Charlie's browser, signed in."""
    return session_of(charlie)


@pytest.fixture
def live(transactional_db: None, settings: Any) -> Iterator[Live]:
    """The application and its hub, running; its tail looks often, for tests that wait until it is quiet."""
    settings.LIVE = {**settings.LIVE, "TAIL_EVERY": 0.03}
    running = Live()
    yield running
    running.stop()


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Topics declared in this test are forgotten after it."""
    monkeypatch.setattr(topics, "_kinds", dict(topics._kinds))
    topics.resolve.cache_clear()
    yield
    topics.resolve.cache_clear()
