"""Limits of the live system: crossed, the desk is told once; well again, once more. And who is no longer here."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.access import admins
from adminpanel.health.measures import Limit
from adminpanel.health.numbers import number
from adminpanel.health.overview import health
from adminpanel.live.here import look_at_gone
from adminpanel.models import Alert
from adminpanel.notices import ALERT_CLEARED, ALERT_RAISED
from notifications.actions import notify
from notifications.kinds import Kind

KEPT = timedelta(days=90)

AT_START = timedelta(minutes=1)  # how far back the first look of a clock goes: the one before may have died

_looked: datetime | None = None
_asked: datetime | None = None


def run_due(as_of: datetime) -> int:
    """Look who has gone, and every few seconds at the limits; returns how many people went, and alerts that moved."""
    global _asked
    since, _asked = _asked or as_of - AT_START, as_of
    return look_at_gone(since, as_of) + look_at_limits(as_of)


def look_at_limits(as_of: datetime) -> int:
    """Raise and clear alerts; returns how many."""
    global _looked
    if _looked is not None and timedelta(0) <= as_of - _looked < timedelta(seconds=number("LOOK_SECONDS")):
        return 0
    _looked = as_of
    standing = set(Alert.objects.filter(cleared_at=None).values_list("limit", flat=True))
    return sum(settle(limit, as_of, limit.name in standing) for limit in health(as_of).limits)


def settle(limit: Limit, now: datetime, stands: bool) -> bool:
    """Raise or clear the alert of one limit, if it is time to; returns whether it was."""
    if limit.is_crossed and not stands:
        return raise_alert(limit, now)
    return stands and limit.is_clear and clear_alert(limit, now)


def raise_alert(limit: Limit, now: datetime) -> bool:
    """A limit was crossed; another clock may have said so in the same moment."""
    try:
        with transaction.atomic():
            alert = Alert.objects.create(limit=limit.name, value=limit.value or 0.0, raised_at=now)
            tell(alert, ALERT_RAISED, limit, now)
    except IntegrityError:
        return False
    return True


@transaction.atomic
def clear_alert(limit: Limit, now: datetime) -> bool:
    """It is well again."""
    alert = Alert.objects.select_for_update().filter(limit=limit.name, cleared_at=None).first()
    if alert is None:
        return False
    alert.cleared_at = now
    alert.save(update_fields=["cleared_at"])
    tell(alert, ALERT_CLEARED, limit, now)
    for old in Alert.objects.filter(cleared_at__lt=now - KEPT):
        old.delete()
    return True


def tell(alert: Alert, kind: Kind, limit: Limit, now: datetime) -> None:
    """The desk hears of it."""
    notify(
        admins(),
        kind,
        by=None,
        event=f"{kind.name}.{alert.pk}",
        url=reverse("desk:health"),
        now=now,
        words={"label": limit.label, "value": limit.shown, "rule": limit.rule},
    )
