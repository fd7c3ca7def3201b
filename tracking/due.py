"""What happens on the road by the clock. Two clocks at once do nothing twice: each row is claimed by its leg's lock."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from accounts.models import Role
from tracking.actions.duty import dismiss
from tracking.actions.moves import held_dispatch, lock_legs, lock_with_rounds
from tracking.actions.offers import UNANSWERED, expire
from tracking.models import Dispatch, Fix, Position, RefusedFixes, Shift
from tracking.rules.numbers import number, seconds
from tracking.states import DispatchStatus, Duty

log = logging.getLogger(__name__)
_looked: dict[str, datetime] = {}  # when this clock last looked at the ages; touching twice does no harm
BATCH = 200  # rows a tick and kind: a backlog is worked off over several ticks
PRUNED = 2000  # fixes a tick
AT_START = timedelta(minutes=1)  # how far back the first look of a clock goes: the one before may have died


def run_due(as_of: datetime) -> int:
    """Do all that is due by `as_of`; returns how many rows it moved."""
    done = 0
    for duty in (lapse_offers, dismiss_drivers, prune):
        try:
            done += duty(as_of)
        except Exception:  # what fails must not hold up the offers
            log.exception("%s failed; it is tried again at the next tick.", duty.__name__)
    turn_ages(_looked.get("at", as_of - AT_START), as_of)
    _looked["at"] = as_of
    return done


def lapse_offers(as_of: datetime) -> int:
    """Offers that nobody answered in time; the next of a round is asked in the same transaction."""
    rows = Dispatch.objects.filter(status=DispatchStatus.OFFERED, deadline__lte=as_of).order_by("deadline", "pk")
    done = 0
    for pk, leg_id, driver_id in list(rows.values_list("pk", "leg_id", "driver_id")[:BATCH]):
        try:
            done += settle(pk, leg_id, driver_id, as_of)
        except Exception:
            log.exception("due: offer %s failed", pk)
    return done


def settle(pk: int, leg_id: int, driver_id: int, as_of: datetime) -> bool:
    """Let one offer lapse, unless somebody holds its leg (an answer at this moment) or has settled it."""
    with transaction.atomic():
        leg = lock_legs([leg_id], skip_locked=True).get(leg_id)
        if leg is None:
            return False
        drivers = lock_with_rounds([leg_id], [driver_id])
        dispatch = held_dispatch(pk, leg, drivers[driver_id])
        if dispatch.status != DispatchStatus.OFFERED or dispatch.deadline > as_of:
            return False
        expire(dispatch, by=None, now=as_of, reason=UNANSWERED)
    return True


def dismiss_drivers(as_of: datetime) -> int:
    """Whose account was closed, or who is no driver any more: their leg is for others, and nothing is collected."""
    gone = Shift.objects.exclude(duty=Duty.OFF_DUTY).filter(~Q(user__role=Role.DRIVER) | Q(user__is_active=False))
    done = 0
    for shift in list(gone.order_by("pk")[:BATCH]):
        try:
            dismiss(shift, now=as_of)
            done += 1
        except Exception:
            log.exception("due: shift %s failed", shift.pk)
    return done


# --- Forgetting -----------------------------------------------------------------------------------


def prune(as_of: datetime) -> int:
    """Positions older than we keep them: the track some rows a tick, until there are none."""
    before = as_of - timedelta(days=number("KEPT_DAYS"))
    old = list(Fix.objects.filter(at__lt=before).order_by("at").values_list("pk", flat=True)[:PRUNED])
    done = Fix.objects.filter(pk__in=old).delete()[0] if old else 0
    stale = list(Position.objects.filter(seen_at__lt=before).order_by("seen_at")[:BATCH])
    for position in stale:
        position.delete()
    refused = RefusedFixes.objects.filter(day__lt=before.date())
    return done + len(stale) + (refused.delete()[0] if refused.exists() else 0)


# --- Ages -----------------------------------------------------------------------------------------


def turn_ages(since: datetime, as_of: datetime) -> None:
    """Positions that became stale or lost since the last look: by time alone, so that no row says so."""
    turned: set[int] = set()
    for limit in ("LIVE_SECONDS", "STALE_SECONDS"):
        span = seconds(limit)
        rows = Position.objects.filter(seen_at__gt=since - span, seen_at__lte=as_of - span)
        turned.update(rows.values_list("user_id", flat=True))
    if turned:
        look_again(turned)


def look_again(user_ids: Iterable[int]) -> None:
    """Have every page that shows one of these people say how old that is."""
