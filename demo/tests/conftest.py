"""The demo's people, made once a module: they take a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import User
from demo.cast import DOMAIN
from demo.fill import make_people
from demo.simulator.run import Simulator
from demo.simulator.world import World

NOW = datetime(2026, 3, 11, 10, 5, tzinfo=UTC)  # a Wednesday


def number_on() -> None:
    """Let the next row of each table have the number after its last.

    A rolled back test leaves gaps, and the simulator's dice fall by numbers: which they are must not depend on the
    tests that came before.
    """
    models = apps.get_models()
    tables = [{"table": model._meta.db_table} for model in models]
    statements = connection.ops.sequence_reset_sql(no_style(), models)  # none on SQLite, which needs no last number
    with connection.cursor() as cursor:
        for statement in statements or connection.ops.sequence_reset_by_name_sql(no_style(), tables):
            cursor.execute(statement)


def made_once(blocker: DjangoDbBlocker, make: Callable[[], None]) -> Iterator[None]:
    """Do `make` in a transaction around all tests of a module or folder; each test then rolls back to it."""
    with blocker.unblock(), transaction.atomic():
        number_on()
        make()
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def made_people(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    yield from made_once(django_db_blocker, lambda: make_people(NOW))


@pytest.fixture
def people(made_people: None, db: None) -> None:
    """A database with the demo's people, between whom nothing has happened yet."""
    number_on()


def person(name: str) -> User:
    """Somebody of the cast."""
    return User.objects.get(email=f"{name}@{DOMAIN}")


def rows() -> dict[str, int]:
    """How many rows each of our tables has."""
    models = [
        model for name in ("accounts", "bookings", "tracking") for model in apps.get_app_config(name).get_models()
    ]
    return {model.__name__: model._base_manager.count() for model in models}


class Town:
    """The simulator with a clock of its own."""

    def __init__(self, seed: int = 1) -> None:
        self.now = NOW
        self.simulator = Simulator(seed)

    def wait(self, seconds: float, *, step: float = 1.0) -> datetime:
        """Let that much time pass, a step a second."""
        until = self.now + timedelta(seconds=seconds)
        while self.now < until:
            self.now = min(self.now + timedelta(seconds=step), until)
            self.simulator.step(self.now)
        return self.now

    def load_dice(self, wish: Callable[[World], bool]) -> None:
        """Go on with a seed for which `wish` is true."""
        self.simulator.seed = next(seed for seed in range(1000) if wish(World(self.now, seed)))

    def wait_for(self, happened: Callable[[], Any], *, most: float, step: float = 1.0) -> float:
        """The seconds until `happened`; fails the test after `most` of them."""
        began = self.now
        while not happened():
            self.wait(step, step=step)
            passed = (self.now - began).total_seconds()
            assert passed <= most, f"not within {most} s"
        return (self.now - began).total_seconds()


@pytest.fixture
def town(people: None) -> Town:
    return Town()
