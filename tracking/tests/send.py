"""Fixes as devices send them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import User
from bookings.tests.make import CAMDEN
from common.geo import Point
from tracking.actions import take_fixes
from tracking.actions.fixes import Batch, Outcome
from tracking.models import RefusedFixes
from tracking.rules.fixes import to_ms


def fix(at: datetime, place: Point | None = CAMDEN, acc: float | None = 8, **more: Any) -> dict[str, Any]:
    """One fix as JSON has it."""
    lat, lng = place or (None, None)
    return {"at": to_ms(at), "lat": lat, "lng": lng, "acc": acc, "spd": None, "hdg": None, **more}


def send(user: User, *fixes: object, now: datetime, rtt: object = None) -> Outcome:
    """What becomes of fixes that reach the server now."""
    return take_fixes({user.pk: Batch.of(fixes, rtt)}, now=now)[user.pk]


def refused(user: User) -> dict[str, int]:
    """The counts of what was refused, all days."""
    return dict(RefusedFixes.objects.filter(user=user).values_list("reason", "count"))
