"""Who is here, as rows to be counted: people with a page open, and drivers by how the desk hears of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from accounts.models import Role, User
from adminpanel.fleet.drivers import at_work, drivers
from realtime.models import LastSeen, Presence
from realtime.presence import BETWEEN_PAGES
from tracking.models import Shift


def pages_here(now: datetime) -> QuerySet[Presence]:
    """The pages that people have open; several of one person are several rows."""
    recent = now - timedelta(seconds=settings.LIVE["OFFLINE_AFTER"])
    return Presence.objects.filter(kind="user", seen_at__gte=recent)


def connected(now: datetime) -> Q:
    """Whether the user of a row is online, as `realtime.presence` says it: looks at a page, or is just between two."""
    own: dict[str, Any] = {"principal": Cast(OuterRef("user_id"), CharField())}
    pages = pages_here(now).filter(**own)
    grace = now - timedelta(seconds=settings.LIVE["PRESENCE_EVERY"] * BETWEEN_PAGES)
    between = LastSeen.objects.filter(kind="user", seen_at__gt=grace, **own)
    return Q(Exists(pages.filter(away=False))) | (~Q(Exists(pages)) & Q(Exists(between)))


def drivers_by_state(now: datetime) -> dict[str, QuerySet[Any]]:
    """Drivers at work whom we hear of, those at work whom we do not, and those who are off: nobody is in two."""
    active = User.objects.filter(pk=OuterRef("user"), role=Role.DRIVER, is_active=True)
    shifts = Shift.objects.filter(Exists(active), ended_at__isnull=True)
    return {
        "drivers_online": shifts.filter(connected(now)),
        "drivers_stale": shifts.filter(~connected(now)),
        "drivers_off": drivers().filter(~at_work()),
    }
