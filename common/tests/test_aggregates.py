"""Values of a column as lines."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

from common.aggregates import Lines


@pytest.mark.django_db
def test_the_values_of_a_column_a_line_each() -> None:
    assert Group.objects.aggregate(lines=Lines("name"))["lines"] is None
    for name in ("towing", "50 % off, really", "heavy goods"):
        Group.objects.create(name=name)
    lines = Group.objects.aggregate(lines=Lines("name"))["lines"]
    assert sorted(lines.splitlines()) == ["50 % off, really", "heavy goods", "towing"]
