"""How shifts and dispatches change their state, and which locks are taken in which order.

The order is one for everybody: the booking where it is needed at all, legs by id, drivers by id (those whom a round
may ask next among them), the shift, the dispatch, the journey, the position. Two who race for the same leg wait at
the first lock, and the second sees what the first did.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.models import Role, User
from common.history import keep
from common.refusals import Conflict
from tracking.access import whole
from tracking.links import drive_url, leg_url
from tracking.models import Dispatch, DispatchHistory, Driver, Leg, OfferRound, Shift, ShiftHistory
from tracking.states import DISPATCH_MOVES, DUTY_MOVES, DispatchStatus
from tracking.telling import tell

# --- Locks ----------------------------------------------------------------------------------------


def lock_legs(pks: Iterable[int], *, skip_locked: bool = False) -> dict[int, Leg]:
    """Legs, held in the order of their ids until the transaction ends."""
    rows = Leg.objects.select_for_update(of=("self",), no_key=True, skip_locked=skip_locked).select_related("booking")
    return {leg.pk: leg for leg in rows.filter(pk__in=set(pks)).order_by("pk")}


def lock_leg(pk: int) -> Leg:
    """The leg as it is now. 404 where it is gone."""
    leg = lock_legs([pk]).get(pk)
    if leg is None:
        raise Http404
    return leg


def lock_drivers(pks: Iterable[int]) -> dict[int, Driver]:
    """Drivers, held in the order of their ids."""
    rows = Driver.objects.select_for_update(of=("self",), no_key=True).select_related("user")
    return {driver.pk: driver for driver in rows.filter(pk__in=set(pks)).order_by("pk")}


def lock_with_rounds(legs: Iterable[int], drivers: Iterable[int]) -> dict[int, Driver]:
    """`drivers`, and those whom the open rounds of the held `legs` may ask: whoever says no is followed by the next.

    Rounds are made under their leg's lock, so they cannot change here any more.
    """
    asked = OfferRound.objects.filter(leg__in=list(legs), ended_at__isnull=True).values_list("drivers", flat=True)
    return lock_drivers([*drivers, *(pk for ids in asked for pk in ids)])


def lock_dispatch(pk: int, *, besides: Iterable[int] = ()) -> Dispatch:
    """The dispatch as it is now, its leg and driver (and the drivers `besides`) held before it.

    Call it first in a transaction. Read in statements of its own, after the locks: one that had to wait would
    still see what was before.
    """
    seen = Dispatch.objects.only("leg_id", "driver_id").filter(pk=pk).first()
    if seen is None:
        raise Http404
    leg = lock_leg(seen.leg_id)
    drivers = lock_with_rounds([leg.pk], [seen.driver_id, *besides])
    return held_dispatch(pk, leg, drivers[seen.driver_id])


def held_dispatch(pk: int, leg: Leg, driver: Driver) -> Dispatch:
    """The dispatch as it is now, where its leg and driver are held already."""
    dispatch = whole(Dispatch.objects.select_for_update(of=("self",), no_key=True)).get(pk=pk)
    dispatch.leg, dispatch.driver = leg, driver
    return dispatch


def lock_shift(pk: int) -> Shift:
    """The shift as it is now; its driver must be held already."""
    return Shift.objects.select_for_update(of=("self",), no_key=True).select_related("user").get(pk=pk)


# --- Who ------------------------------------------------------------------------------------------


def require_driver(dispatch: Dispatch, by: User) -> None:
    """Only the driver of it, or an admin for them."""
    if by.pk != dispatch.driver_id and by.role != Role.ADMIN:
        raise PermissionDenied("Only the driver of this leg may do that.")


# --- Dispatches -----------------------------------------------------------------------------------


def move(
    dispatch: Dispatch,
    to: str,
    *,
    by: User | None,
    now: datetime,
    reason: str = "",
    device_at: datetime | None = None,
    **changes: Any,
) -> DispatchHistory:
    """Move a locked dispatch to state `to` with `changes` and write its history row.

    Raises `Conflict` when its state has moved on and does not lead there.
    """
    if to not in DISPATCH_MOVES.get(dispatch.status, ()):
        raise moved_on(dispatch, by)
    before, dispatch.status = dispatch.status, to
    if reason:
        changes["reason"] = reason[:200]
    if to not in DISPATCH_MOVES:
        changes["ended_at"] = now
    for name, value in changes.items():
        setattr(dispatch, name, value)
    dispatch.save(update_fields=["status", *changes])
    return note(dispatch, before, by=by, now=now, reason=reason, device_at=device_at)


def note(
    dispatch: Dispatch,
    before: str,
    *,
    by: User | None,
    now: datetime,
    reason: str = "",
    device_at: datetime | None = None,
) -> DispatchHistory:
    """Write the history row of what became of `dispatch`, which was in state `before`, and tell whom it concerns."""
    kept = keep(
        DispatchHistory,
        before,
        dispatch.status,
        by=by,
        now=now,
        reason=reason,
        device_at=device_at,
        subject=dispatch,
    )
    tell(dispatch, before, dispatch.status, by=by, now=now, event=f"dispatchhistory.{kept.pk}")
    return kept


def moved_on(dispatch: Dispatch, by: User | None) -> Conflict:
    """The refusal for a dispatch whose state is no longer what the page showed."""
    return refusal(became(dispatch, by), dispatch, by)


def became(dispatch: Dispatch, by: User | None) -> str:
    """What a dispatch came to, in a sentence for whoever comes too late."""
    if dispatch.status == DispatchStatus.EXPIRED:
        return lapsed_words(dispatch, by)
    if dispatch.status == DispatchStatus.REVOKED:
        return "The desk took this offer back a moment ago."
    state = str(dispatch.get_status_display()).lower()
    return f"Things moved on a moment ago: this leg is now {state}."


def lapsed_words(dispatch: Dispatch, by: User | None) -> str:
    """When an offer lapsed, in the zone of the person who reads it."""
    reader = by or dispatch.driver.user
    at = min(dispatch.deadline, dispatch.ended_at or dispatch.deadline).astimezone(ZoneInfo(reader.time_zone))
    return f"This offer lapsed at {at:%H:%M:%S}."


def refusal(sentence: str, dispatch: Dispatch, by: User | None) -> Conflict:
    """A refusal with the way on: to the leg for the desk, to their one screen for drivers."""
    if by is not None and by.role == Role.ADMIN:
        return Conflict(sentence, next_url=leg_url(dispatch.leg_id), next_label="See the leg")
    return Conflict(f"{sentence} Your screen shows what is next.", next_url=drive_url(), next_label="To my screen")


# --- Shifts ---------------------------------------------------------------------------------------


def move_duty(shift: Shift, to: str, *, by: User | None, now: datetime, device_at: datetime | None = None) -> None:
    """Move a locked shift to state `to` and write its history row. Raises `Conflict`."""
    if to not in DUTY_MOVES.get(shift.duty, ()):
        state = str(shift.get_duty_display()).lower()
        raise Conflict(f"You are {state} already.", next_url=drive_url(), next_label="See where you stand")
    before, shift.duty, shift.duty_since = shift.duty, to, now
    changed = ["duty", "duty_since"]
    if not DUTY_MOVES[to]:
        shift.ended_at = now
        changed.append("ended_at")
    shift.save(update_fields=changed)
    note_duty(shift, before, by=by, now=now, device_at=device_at)


def note_duty(shift: Shift, before: str, *, by: User | None, now: datetime, device_at: datetime | None = None) -> None:
    """Write the history row of a shift, and tell the driver what the desk did."""
    kept = keep(ShiftHistory, before, shift.duty, by=by, now=now, device_at=device_at, subject=shift)
    tell(shift, before, shift.duty, by=by, now=now, event=f"shifthistory.{kept.pk}")
