"""The kinds of the tests are declared for every test here."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import User
from notifications.tests import kinds  # noqa: F401 (declares them)
from realtime.bulk import bulk_create


@pytest.fixture
def crowd(db: None) -> Callable[[int], list[User]]:
    """Many customers, quickly."""

    def make(number: int) -> list[User]:
        rows = [User(email=f"person{index}@example.org", name=f"Person {index}") for index in range(number)]
        return bulk_create(User, rows)

    return make
