"""What the desk sees change by the clock alone: who fell away, and positions that grew old."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from accounts.models import Role, User
from adminpanel.live.bookings import tell_late
from adminpanel.live.fleet import asked, driver, driver_now, figures, leg, tray_leg
from realtime.fragments import touch
from realtime.presence import gone_quiet
from tracking.models import Dispatch, Position
from tracking.rules.numbers import seconds
from tracking.states import DispatchStatus

AT_START = timedelta(minutes=1)  # how far back the first look of a clock goes: the one before may have died

_looked: datetime | None = None


def look_at_drivers(as_of: datetime) -> int:
    """Those who became offline, whose position became stale or lost, and who became late for a visit, since the last
    look; returns how many.
    """
    global _looked
    since, _looked = _looked or as_of - AT_START, as_of
    gone = drivers_among(gone_quiet(since, as_of))
    older = drivers_among(grown_old(since, as_of))
    if gone or older:
        touch(driver, gone | older)
        touch(driver_now, gone | older)
    if gone:
        touch(figures, ["all"])
        tell_legs(gone)
    return len(gone | older) + tell_late(since, as_of)


def drivers_among(user_ids: set[int]) -> set[int]:
    """Those who drive."""
    if not user_ids:
        return set()
    return set(User.objects.filter(pk__in=user_ids, role=Role.DRIVER).values_list("pk", flat=True))


def grown_old(since: datetime, until: datetime) -> set[int]:
    """Those whose position came of a new age between two instants."""
    passed = Q()
    for name in ("LIVE_SECONDS", "STALE_SECONDS"):
        age = seconds(name)
        passed |= Q(seen_at__gt=since - age, seen_at__lte=until - age)
    return set(Position.objects.filter(passed).values_list("user_id", flat=True))


def tell_legs(driver_ids: set[int]) -> None:
    """Look again at the legs that these drivers were offered: the offers are queued now."""
    rows = Dispatch.objects.filter(driver__in=driver_ids, status=DispatchStatus.OFFERED)
    keys = set(rows.values_list("leg", flat=True))
    if keys:
        for fragment in (tray_leg, leg, asked):
            touch(fragment, keys)
