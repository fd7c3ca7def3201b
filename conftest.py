"""The fixed cast. Alice owns what a test is about, Bob works for her; Charlie and Dora are strangers to both."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts import flags
from accounts.models import Role, User
from adminpanel.dashboard import kept
from bookings.tests import make
from tools.emptying import Emptying, emptied_between_tests


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[Emptying]:
    """The test database, and the way back to it as the migrations left it, which tests with real commits go."""
    with contextlib.ExitStack() as stack:
        with django_db_blocker.unblock():
            emptying = stack.enter_context(emptied_between_tests())
        yield emptying


@pytest.fixture(autouse=True)
def flags_untouched() -> None:
    """No flag was turned, and nobody asks the table: until a test turns one, which forgets this."""
    flags.remember({}, math.inf)


@pytest.fixture(autouse=True)
def counted_anew() -> None:
    """What the desk counted in another test is counted again: its rows are gone, and no journal says so."""
    kept.forget()


@pytest.fixture
def alice(db: None) -> User:
    """A customer."""
    return make.person("Alice")


@pytest.fixture
def bob(db: None) -> User:
    """A verified technician who can do plumbing."""
    return make.technician("Bob")


@pytest.fixture
def charlie(db: None) -> User:
    """Another customer."""
    return make.person("Charlie")


@pytest.fixture
def dora(db: None) -> User:
    """Another verified technician who can do plumbing."""
    return make.technician("Dora")


@pytest.fixture
def ed(db: None) -> User:
    """A driver."""
    return make.person("Ed", Role.DRIVER)


@pytest.fixture
def frank(db: None) -> User:
    """An admin."""
    return make.person("Frank", Role.ADMIN, is_staff=True)


@pytest.fixture
def media(settings, tmp_path: Path) -> Iterator[Path]:
    """A media folder of the test's own."""
    settings.MEDIA_ROOT = tmp_path
    yield tmp_path
