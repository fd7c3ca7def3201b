"""How shifts and dispatches change their state, and which locks are taken in which order.

The order is one for everybody: the leg, then drivers by id, then the dispatch. Two who race for the same leg wait at
the first lock, and the second sees what the first did.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.models import Role, User
from common.refusals import Conflict
from tracking.access import whole
from tracking.links import drive_url, leg_url
from tracking.models import Dispatch, DispatchHistory, Driver, Leg, Shift, ShiftHistory
from tracking.states import DISPATCH_MOVES, DUTY_MOVES


def lock_leg(pk: int) -> Leg:
    """The leg as it is now, held until the transaction ends. 404 where it is gone."""
    leg = Leg.objects.select_for_update(of=("self",), no_key=True).select_related("booking").filter(pk=pk).first()
    if leg is None:
        raise Http404
    return leg


def lock_drivers(pks: Iterable[int]) -> dict[int, Driver]:
    """Drivers, held in the order of their ids."""
    rows = Driver.objects.select_for_update(of=("self",), no_key=True).select_related("user")
    return {driver.pk: driver for driver in rows.filter(pk__in=set(pks)).order_by("pk")}


def lock_dispatch(pk: int) -> Dispatch:
    """The dispatch as it is now, its leg and driver held before it. Call it first in a transaction.

    Read in statements of its own, after the locks: one that had to wait would still see what was before.
    """
    seen = Dispatch.objects.only("leg_id", "driver_id").get(pk=pk)
    leg = lock_leg(seen.leg_id)
    driver = lock_drivers([seen.driver_id])[seen.driver_id]
    dispatch = whole(Dispatch.objects.select_for_update(of=("self",), no_key=True)).get(pk=pk)
    dispatch.leg, dispatch.driver = leg, driver
    return dispatch


def require_driver(dispatch: Dispatch, by: User) -> None:
    """Only the driver of it, or an admin for them."""
    if by.pk != dispatch.driver_id and by.role != Role.ADMIN:
        raise PermissionDenied("Only the driver of this leg may do that.")


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
    """Write the history row of what became of `dispatch`, which was in state `before`."""
    return DispatchHistory.objects.create(
        subject=dispatch,
        from_state=before,
        to_state=dispatch.status,
        actor=by,
        actor_role=by.role if by else "clock",
        reason=reason[:300],
        at=now,
        device_at=device_at,
    )


def move_duty(shift: Shift, to: str, *, by: User, now: datetime, device_at: datetime | None = None) -> None:
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


def note_duty(shift: Shift, before: str, *, by: User, now: datetime, device_at: datetime | None = None) -> None:
    """Write the history row of a shift."""
    ShiftHistory.objects.create(
        subject=shift,
        from_state=before,
        to_state=shift.duty,
        actor=by,
        actor_role=by.role,
        at=now,
        device_at=device_at,
    )


def moved_on(dispatch: Dispatch, by: User | None) -> Conflict:
    """The refusal for a dispatch whose state is no longer what the page showed."""
    state = str(dispatch.get_status_display()).lower()
    sentence = f"Things moved on a moment ago: this leg is now {state}."
    if by is not None and by.role == Role.ADMIN:
        return Conflict(sentence, next_url=leg_url(dispatch.leg_id), next_label="See the leg")
    return Conflict(f"{sentence} Your screen shows what is next.", next_url=drive_url(), next_label="To my screen")
