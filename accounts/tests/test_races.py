"""Admins who act on each other at the same moment: nobody waits for ever, and nobody meets a database error."""

from __future__ import annotations

from functools import partial

import pytest

from accounts import actions
from accounts.models import User
from common.tests.race import at_once, split

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_admins_who_suspend_each_other_at_once_do_not_wait_for_each_other(olga: User) -> None:
    """Each writes a line that points at the other, whose row the other one holds."""
    for number in range(5):
        pair = [User.objects.create_superuser(f"{one}{number}@example.org", "x", name=one) for one in ("Ann", "Ben")]
        ann, ben = pair
        calls = [partial(actions.deactivate, ann, by=ben, reason="?"), partial(actions.deactivate, ben, by=ann)]
        _, failed = split(at_once(calls))
        assert not failed, failed
        assert not User.objects.filter(pk__in=[ann.pk, ben.pk], is_active=True).exists()
    assert User.objects.get(pk=olga.pk).is_active
