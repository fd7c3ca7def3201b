"""The populated site, made once a module: it takes some seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from bookings.tests import make
from tests.world import World, make_cast, populate


@dataclass(frozen=True)
class Settled:
    """Everybody by name, what is between them, and the folder of their photos."""

    people: dict[str, User]
    world: World
    media: Path


@pytest.fixture(scope="module")
def settled_once(django_db_setup: Any, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[Settled]:
    """In a transaction around all tests of the module; each test then rolls back to it."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        yield settle(patch, tmp_path_factory.mktemp("media"))
        transaction.set_rollback(True)


def settle(patch: pytest.MonkeyPatch, media: Path) -> Settled:
    """Alice's bookings in every state, with photos in `media` as long as `patch` holds."""
    from django.conf import settings

    patch.setattr(settings, "MEDIA_ROOT", media)
    people = make_cast()
    return Settled(people, populate(people["alice"], people["bob"], people["dora"]), media)


@pytest.fixture
def settled(settled_once: Settled, db: None) -> Settled:
    """Rows of this test's own, which it may change."""
    world = settled_once.world
    rows = {each.name: make.fresh(getattr(world, each.name)) for each in fields(world)}
    return replace(
        settled_once,
        people={name: make.fresh(user) for name, user in settled_once.people.items()},
        world=replace(world, **rows),
    )
