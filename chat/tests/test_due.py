"""Somebody leaves: for a moment they may be on the way to another page, then every page says that they are gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from bookings.tests.follow import keys_of, touched_by
from chat import due
from chat.live import load_people
from realtime.models import LastSeen

GRACE = timedelta(seconds=10)  # twice PRESENCE_EVERY


@pytest.fixture(autouse=True)
def first_look(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """A clock that has just started."""
    monkeypatch.setattr(due, "_looked", None)
    settings.LIVE = {**settings.LIVE, "PRESENCE_EVERY": 5.0}


def left(user: User, ago: timedelta) -> LastSeen:
    """They closed their last page."""
    return LastSeen.objects.create(kind="user", principal=str(user.pk), seen_at=timezone.now() - ago)


def test_who_has_just_left_is_still_here_and_gone_after_the_grace(alice: User) -> None:
    row, key = left(alice, timedelta(seconds=1)), str(alice.pk)
    assert load_people([key])[key].seen.state == "online"
    assert touched_by(lambda: due.run_due(row.seen_at + GRACE - timedelta(seconds=1))) == set()
    touches = touched_by(lambda: due.run_due(row.seen_at + GRACE))
    assert keys_of(touches, "chat.person") == {key}
    row.seen_at = timezone.now() - GRACE
    row.save()
    assert load_people([key])[key].seen.state == "offline"


def test_it_is_told_once(alice: User) -> None:
    row = left(alice, timedelta(seconds=30))
    assert due.run_due(row.seen_at + GRACE) == 1
    assert due.run_due(row.seen_at + GRACE + timedelta(seconds=1)) == 0


def test_a_clock_that_starts_looks_a_minute_back_and_no_further(alice: User, bob: User) -> None:
    now = timezone.now()
    left(alice, GRACE + timedelta(seconds=30))
    left(bob, GRACE + timedelta(minutes=2))
    touches = touched_by(lambda: due.run_due(now))
    assert keys_of(touches, "chat.person") == {str(alice.pk)}
