"""An open Today page turns its page at midnight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bookings import due
from bookings.tests import make

MIDNIGHT = datetime(2026, 3, 4, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def touched(monkeypatch) -> list[list[int]]:
    """The technicians that each touch was about."""
    calls: list[list[int]] = []
    monkeypatch.setattr(due, "touch", lambda fragment, keys: calls.append(sorted(keys)))
    return calls


@pytest.mark.django_db
def test_each_technician_in_their_own_zone(touched):
    london, paris = make.technician("Lena"), make.technician("Paul")
    paris.time_zone = "Europe/Paris"
    paris.save()
    due.turn_days(MIDNIGHT - SECOND, MIDNIGHT)
    due.turn_days(MIDNIGHT - timedelta(hours=1, seconds=1), MIDNIGHT - timedelta(hours=1))
    assert touched == [[london.pk], [paris.pk]]


@pytest.mark.django_db
def test_once_and_by_a_clock_that_was_away_too(touched):
    lena = make.technician("Lena")
    due.turn_days(MIDNIGHT, MIDNIGHT + SECOND)
    assert touched == []
    due.turn_days(MIDNIGHT - timedelta(hours=9), MIDNIGHT + timedelta(hours=1))
    assert touched == [[lena.pk]]


@pytest.mark.django_db
def test_asks_nothing_between_quarters_of_an_hour(django_assert_num_queries):
    with django_assert_num_queries(0):
        due.turn_days(MIDNIGHT + SECOND, MIDNIGHT + 2 * SECOND)
