"""The road for the desk's tests, at the clock's own time: the pages ask it too."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import User
from bookings.tests import make
from realtime.models import Presence, ServerProcess
from tracking.models import Dispatch, Driver, Leg
from tracking.tests import make as road


def leg(customer: User, by: User, **changes: Any) -> Leg:
    """Something to be delivered for a job of `customer`."""
    now = timezone.now()
    window = {"window_start": now + make.DAY, "window_end": now + make.DAY + 4 * make.HOUR}
    return road.leg(make.job(customer, now=now, **window), by, now=now, **changes)


def at_work(name: str, *skills: Any, **more: Any) -> Driver:
    """A driver on duty since just now, near the job unless told otherwise."""
    return road.at_work(name, *skills, now=timezone.now(), **{"at": road.NEAR, **more})


def offered(what: Leg, to: Driver, **terms: Any) -> Dispatch:
    """An offer that waits, made just now."""
    return road.offered(what, to, now=timezone.now(), **terms)


def accepted(what: Leg, who: Driver) -> Dispatch:
    """A leg that its driver has just taken."""
    return road.accepted(what, who, now=timezone.now())


def comes_online(*people: Driver | User, away: bool = False) -> list[Presence]:
    """They have a page open, as their server process would write it."""
    now = timezone.now()
    process, _ = ServerProcess.objects.get_or_create(
        id="00000000-0000-4000-8000-000000000001", defaults={"name": "test:1", "started_at": now, "seen_at": now}
    )
    rows = [
        Presence(
            process=process,
            page_id=f"page-{who.pk}",
            kind="user",
            principal=str(who.pk),
            page="/drive/",
            transport="socket",
            away=away,
            since=now,
            seen_at=now,
        )
        for who in people
    ]
    for row in rows:
        row.save()
    return list(Presence.objects.filter(pk__in=[row.pk for row in rows]))
