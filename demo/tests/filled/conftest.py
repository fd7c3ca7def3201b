"""The whole demo, filled once for all tests of this folder: it takes half a minute."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from demo.fill import fill
from demo.tests.conftest import NOW, made_once, number_on


@pytest.fixture(scope="package")
def made_demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    yield from made_once(django_db_blocker, lambda: fill(NOW))


@pytest.fixture
def demo(made_demo: None, db: None, settings: Any) -> None:
    """A database with the whole demo, in demo mode."""
    number_on()
    settings.DEMO = True
