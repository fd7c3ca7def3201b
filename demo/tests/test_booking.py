"""When and for how much people of the demo book and offer."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest

from bookings.models import ServiceCategory
from demo.booking import LONDON, local, next_daytime, price
from demo.tests.conftest import NOW


@pytest.mark.parametrize(
    ("hour", "minute", "expected"),
    [(3, 10, (11, 9, 0)), (10, 5, (11, 10, 30)), (10, 30, (11, 10, 30)), (17, 45, (12, 9, 0)), (23, 59, (12, 9, 0))],
)
def test_the_next_daytime(hour: int, minute: int, expected: tuple[int, int, int]) -> None:
    found = next_daytime(local(NOW, hour, minute)).astimezone(LONDON)
    assert (found.day, found.hour, found.minute) == expected


def test_prices_are_round_and_follow_the_budget(people: None) -> None:
    category = ServiceCategory.objects.get(slug="leaks")
    dice = Random(3)
    usual = [price(category, None, dice) for _ in range(50)]
    cheap = [price(category, Decimal(20), dice) for _ in range(50)]
    assert all(amount % 5 == 0 and 50 <= amount <= 150 for amount in usual)
    assert sum(cheap) < sum(usual)
