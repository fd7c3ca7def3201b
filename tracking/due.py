"""What happens on the road by the clock. Two clocks at once do nothing twice: each row is claimed by its leg's lock."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from accounts.models import Role
from tracking.actions.duty import dismiss
from tracking.actions.fixes import prune_fixes
from tracking.actions.journeys import call_back
from tracking.actions.moves import held_dispatch, lock_legs, lock_with_rounds
from tracking.actions.offers import UNANSWERED, expire
from tracking.live.journeys import turn_ages
from tracking.models import Dispatch, Position, Shift
from tracking.routing import ask_routes
from tracking.rules.numbers import number
from tracking.states import DispatchStatus, Duty

log = logging.getLogger(__name__)
_looked: dict[str, datetime] = {}  # when this clock last looked at the ages; touching twice does no harm
BATCH = 200  # rows a tick and kind: a backlog is worked off over several ticks
AT_START = timedelta(minutes=1)  # how far back the first look of a clock goes: the one before may have died


def run_due(as_of: datetime) -> int:
    """Do all that is due by `as_of`; returns how many rows that was. What fails holds up nothing else."""
    done = 0
    for work in WORK:
        try:
            done += work(as_of)
        except Exception:
            log.exception("%s failed; it is tried again at the next tick.", work.__name__)
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


# --- Forgetting, ages, routes ---------------------------------------------------------------------


def prune(as_of: datetime) -> int:
    """Tracks older than we keep them, and where people were who never ended their shift: some rows a tick."""
    stale = list(Position.objects.filter(seen_at__lt=as_of - timedelta(days=number("KEPT_DAYS")))[:BATCH])
    for position in stale:
        position.delete()
    return prune_fixes(as_of) + len(stale)


def age(as_of: datetime) -> int:
    """Positions that became stale or lost since the last look: by time alone, so that no row says so."""
    since, _looked["at"] = _looked.get("at", as_of - AT_START), as_of
    return turn_ages(since, as_of)


# A routing server may be slow, so it is asked when all else is done.
WORK = (lapse_offers, dismiss_drivers, call_back, age, prune, ask_routes)
