"""Taking fixes in: whose, what it does to positions and tracks, what is refused and counted, and at what cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from tracking.actions import go_on_duty, take_fixes
from tracking.actions.fixes import Batch
from tracking.models import Fix, Position, RefusedFixes
from tracking.rules.fixes import to_ms

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def fix(at, lat=51.5, lng=-0.12, acc=8, spd=10.0, hdg=90):
    return {"at": to_ms(at), "lat": lat, "lng": lng, "acc": acc, "spd": spd, "hdg": hdg}


@pytest.mark.django_db
def test_a_fix_of_a_driver_on_duty_is_their_position(ed: User) -> None:
    go_on_duty(ed, by=ed, now=NOW)
    at = NOW + timedelta(seconds=10)
    outcome = take_fixes({ed.pk: Batch.of([fix(at)], 80)}, now=at + timedelta(seconds=1))[ed.pk]
    assert (outcome.collected, outcome.taken, outcome.late, outcome.refused) == (True, 1, 0, {})
    row = Position.objects.get()
    assert (row.latitude, row.longitude, row.fix_at, row.seen_at, row.round_trip_ms) == (51.5, -0.12, at, at, 80)
    assert Fix.objects.count() == 1
