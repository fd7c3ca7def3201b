"""On the road: setting off, arriving, finishing, and what goes wrong on the way."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.access import require_desk
from accounts.models import User
from common.refusals import Invalid
from tracking.access import current_shift
from tracking.actions.journeys import close_journey, open_journey, open_of
from tracking.actions.legs import end_dispatch, end_round
from tracking.actions.moves import lock_dispatch, move, moved_on, refusal, require_driver
from tracking.actions.offers import fitting, held_by_somebody, make_offer, time_to_answer
from tracking.models import Dispatch, Driver
from tracking.states import ACTIVE_DISPATCH, HOLDING_DISPATCH, DispatchStatus, Duty, FailReason, JourneyEnd


def set_off(
    dispatch: Dispatch, *, by: User, now: datetime | None = None, device_at: datetime | None = None
) -> Dispatch:
    """The driver is on the way: from this commit on the customer sees where they are."""
    now = now or timezone.now()
    with transaction.atomic():
        held = lock_dispatch(dispatch.pk)
        require_driver(held, by)
        shift = current_shift(held.driver_id)
        if shift is None or shift.duty != Duty.ON_DUTY:
            raise refusal("You are on a break. End it before you set off.", held, by)
        move(held, DispatchStatus.EN_ROUTE, by=by, now=now, device_at=device_at)
        open_journey(dispatch=held, now=now)
    return held


def arrive(dispatch: Dispatch, *, by: User, now: datetime | None = None, device_at: datetime | None = None) -> Dispatch:
    """The driver is there: from this commit on the customer sees no position any more."""
    return go(dispatch, DispatchStatus.ARRIVED, JourneyEnd.ARRIVED, by=by, now=now, device_at=device_at)


def complete(
    dispatch: Dispatch, *, by: User, note: str = "", now: datetime | None = None, device_at: datetime | None = None
) -> Dispatch:
    """The leg is done."""
    return go(
        dispatch,
        DispatchStatus.COMPLETED,
        JourneyEnd.ARRIVED,
        by=by,
        now=now,
        device_at=device_at,
        reason=note.strip(),
    )


def fail(
    dispatch: Dispatch,
    *,
    by: User,
    reason: str,
    note: str = "",
    now: datetime | None = None,
    device_at: datetime | None = None,
) -> Dispatch:
    """It does not work out, with a reason; the leg is open again for others, and for the same driver too."""
    if reason not in FailReason.values:
        raise Invalid("Please choose what went wrong.")
    words = f"{FailReason(reason).label}. {note.strip()}".strip()
    return go(dispatch, DispatchStatus.FAILED, JourneyEnd.FAILED, by=by, now=now, device_at=device_at, reason=words)


def go(dispatch: Dispatch, to: str, end: JourneyEnd, *, by: User, now: datetime | None, **step: Any) -> Dispatch:
    """One step of the driver's, and the end of the journey in the same transaction where one is open."""
    now = now or timezone.now()
    with transaction.atomic():
        held = lock_dispatch(dispatch.pk)
        require_driver(held, by)
        move(held, to, by=by, now=now, **step)
        close_journey(open_of(dispatch=held), end, now=now)
    return held


# --- The desk -------------------------------------------------------------------------------------


def cancel_dispatch(dispatch: Dispatch, *, by: User, reason: str, now: datetime | None = None) -> Dispatch:
    """The desk takes a leg off its driver; it is open again."""
    now = now or timezone.now()
    require_desk(by)
    why = because(reason)
    with transaction.atomic():
        held = lock_dispatch(dispatch.pk)
        if held.status not in ACTIVE_DISPATCH:
            raise moved_on(held, by)
        end_dispatch(held, by=by, reason=why, now=now)
    return held


def reassign(
    dispatch: Dispatch,
    driver: Driver,
    *,
    by: User,
    reason: str,
    seconds: int | None = None,
    now: datetime | None = None,
) -> Dispatch:
    """Take a leg off one driver and offer it to another, both or neither. Returns the new offer."""
    now = now or timezone.now()
    require_desk(by)
    why = because(reason)
    span = time_to_answer(seconds)
    if driver.pk == dispatch.driver_id:
        raise Invalid("Please choose another driver than the one who has it.")
    try:
        with transaction.atomic():
            held = lock_dispatch(dispatch.pk, besides=[driver.pk])
            if held.status not in HOLDING_DISPATCH:
                raise moved_on(held, by)
            end_dispatch(held, by=by, reason=why, now=now, end=JourneyEnd.REASSIGNED)
            end_round(held.leg, now)
            return make_offer(held.leg, fitting(held.leg, driver.pk, now), span, by=by, now=now)
    except IntegrityError as error:
        raise held_by_somebody(dispatch.leg, "Somebody else was asked about this leg a moment ago.") from error


def because(reason: str) -> str:
    """A reason that was given. Raises `Invalid` without one."""
    if not reason.strip():
        raise Invalid("Please say why.")
    return reason.strip()
