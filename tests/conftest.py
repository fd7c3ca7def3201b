"""The populated site, made once a module: it takes some seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from bookings.tests import make
from tests.road import Road, populate_road
from tests.world import World, make_cast, populate

Rows = TypeVar("Rows", World, Road)


@dataclass(frozen=True)
class Settled:
    """Everybody by name, what is between them, who is on the road, and the folder of their photos."""

    people: dict[str, User]
    world: World
    road: Road
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
    world = populate(people["alice"], people["bob"], people["dora"], people["frank"])
    road = populate_road(people["ed"], people["frank"], world.pending, world.live.booking, timezone.now())
    return Settled(people, world, road, media)


@pytest.fixture
def settled(settled_once: Settled, db: None) -> Settled:
    """Rows of this test's own, which it may change."""
    return replace(
        settled_once,
        people={name: make.fresh(user) for name, user in settled_once.people.items()},
        world=anew(settled_once.world),
        road=anew(settled_once.road),
    )


def anew(rows: Rows) -> Rows:
    """The same rows, as the database has them."""
    return replace(rows, **{each.name: make.fresh(getattr(rows, each.name)) for each in fields(rows)})
