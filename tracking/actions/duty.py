"""Working and not working: the shift, its breaks, and what the desk may ask of somebody on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.access import require_desk
from accounts.audit import record
from accounts.models import Role, User
from common.refusals import Conflict, Invalid
from realtime.inbound import signal
from tracking.access import current_shift, driver_of
from tracking.actions.legs import end_dispatch
from tracking.actions.moves import (
    lock_dispatch,
    lock_drivers,
    lock_legs,
    lock_shift,
    lock_with_rounds,
    move_duty,
    note_duty,
)
from tracking.actions.offers import expire
from tracking.links import drive_url, fleet_url
from tracking.models import Dispatch, Driver, DriverSkill, Position, Shift
from tracking.states import ACTIVE_DISPATCH, DispatchStatus, Duty, VehicleKind
from tracking.topics import drive_topic

TRIES = 20  # how often an offer may come in between our look at the offers and our lock
ASKED_FOR = 30  # seconds a request for the position stands: a page that polls hears of it too


def go_on_duty(user: User, *, by: User, now: datetime | None = None, device_at: datetime | None = None) -> Shift:
    """A driver begins to work: from now on their position is collected. Nobody else can switch that on."""
    now = now or timezone.now()
    if user.role != Role.DRIVER or by.pk != user.pk:
        raise PermissionDenied("Only a driver goes on duty, and only for themselves.")
    driver_of(user)
    try:
        with transaction.atomic():
            lock_drivers([user.pk])
            if (standing := current_shift(user.pk)) is not None:
                raise already(standing)
            shift = Shift(user=user, duty=Duty.ON_DUTY, started_at=now, duty_since=now)
            shift.save(force_insert=True)
            note_duty(shift, "", by=by, now=now, device_at=device_at)
    except IntegrityError as error:
        raise Conflict("You are on duty already.", next_url=drive_url(), next_label="To my screen") from error
    return shift


def take_break(shift: Shift, *, by: User, now: datetime | None = None, device_at: datetime | None = None) -> Shift:
    """Nothing is collected and nothing offered until the break is over. Not while on the way to somebody."""
    require_own(shift, by)
    return stop(shift, Duty.ON_BREAK, by=by, now=now or timezone.now(), device_at=device_at)


def end_break(shift: Shift, *, by: User, now: datetime | None = None, device_at: datetime | None = None) -> Shift:
    """Back on duty. Like going on duty nobody else can do it."""
    now = now or timezone.now()
    if by.pk != shift.user_id:
        raise PermissionDenied("Only the driver ends their break.")
    with transaction.atomic():
        lock_drivers([shift.user_id])
        held = lock_shift(shift.pk)
        move_duty(held, Duty.ON_DUTY, by=by, now=now, device_at=device_at)
    return held


def go_off_duty(shift: Shift, *, by: User, now: datetime | None = None, device_at: datetime | None = None) -> Shift:
    """The shift ends: the position is forgotten at once and standing offers lapse. Not while a leg is unfinished."""
    require_own(shift, by)
    return stop(shift, Duty.OFF_DUTY, by=by, now=now or timezone.now(), device_at=device_at)


def require_own(shift: Shift, by: User) -> None:
    """Only the driver, or an admin for them."""
    if by.pk != shift.user_id and by.role != Role.ADMIN:
        raise PermissionDenied("Only the driver may do that.")


def dismiss(shift: Shift, *, now: datetime) -> Shift:
    """The clock: whose account was closed, or who drives for us no more, has no leg and no shift."""
    with transaction.atomic():
        for pk in Dispatch.objects.filter(driver=shift.user_id, status__in=ACTIVE_DISPATCH).values_list(
            "pk", flat=True
        ):
            end_dispatch(lock_dispatch(pk), by=None, reason="The driver's account was closed.", now=now)
    return stop(shift, Duty.OFF_DUTY, by=None, now=now)


def stop(shift: Shift, to: str, *, by: User | None, now: datetime, device_at: datetime | None = None) -> Shift:
    """Begin a break or end the shift; see `take_break` and `go_off_duty`.

    The standing offers' legs must be held before the driver. One that is made in between is found under the
    driver's lock, and everything is let go and begun anew.
    """
    for _ in range(TRIES):
        legs = set(standing_offers(shift.user_id).values_list("leg_id", flat=True))
        with transaction.atomic():
            held_legs = lock_legs(legs)
            drivers = lock_with_rounds(legs, [shift.user_id])
            offers = list(standing_offers(shift.user_id).select_for_update(of=("self",), no_key=True).order_by("pk"))
            if not {offer.leg_id for offer in offers} <= legs:
                continue
            held = lock_shift(shift.pk)
            check_may_stop(held, to, by)
            move_duty(held, to, by=by, now=now, device_at=device_at)
            Position.objects.filter(user=held.user_id).delete()
            for offer in offers:
                offer.leg, offer.driver = held_legs[offer.leg_id], drivers[shift.user_id]
                why = "Went off duty." if to == Duty.OFF_DUTY else "Took a break."
                expire(offer, by=by, now=now, reason=why)
            return held
    raise Conflict("Offers keep coming in. Please try again.", next_url=drive_url(), next_label="To my screen")


def standing_offers(driver_id: int) -> QuerySet[Dispatch]:
    """The offers that wait for a driver's answer."""
    return Dispatch.objects.filter(driver=driver_id, status=DispatchStatus.OFFERED)


def check_may_stop(shift: Shift, to: str, by: User | None) -> None:
    """Raise `Conflict` while somebody counts on the driver: a leg at all, or for a break being on the way."""
    active = Dispatch.objects.filter(driver=shift.user_id, status__in=ACTIVE_DISPATCH).select_related("leg").first()
    if active is None or (to == Duty.ON_BREAK and active.status != DispatchStatus.EN_ROUTE):
        return
    url = fleet_url(shift.user_id) if by is None or by.role == Role.ADMIN else drive_url()
    state = str(active.get_status_display()).lower()
    raise Conflict(
        f"“{active.leg.note}” is not finished ({state}). Finish it first, or say that it does not work out.",
        next_url=url,
        next_label="See the leg",
    )


def already(shift: Shift) -> Conflict:
    """The refusal for a shift that has begun."""
    state = str(shift.get_duty_display()).lower()
    return Conflict(f"You are {state} already.", next_url=drive_url(), next_label="To my screen")


# --- The desk -------------------------------------------------------------------------------------


def request_position(driver: Driver, *, by: User) -> None:
    """Ask the driver's open page for a position now. Raises `Conflict` where none is collected."""
    require_desk(by)
    shift = current_shift(driver.pk)
    if shift is None or shift.duty != Duty.ON_DUTY:
        raise Conflict(
            f"{driver.user.first_name} is not on duty, so nothing is collected.",
            next_url=fleet_url(driver.pk),
            next_label="See the driver",
        )
    with transaction.atomic():
        signal(drive_topic(driver.pk), "position", {"by": "desk"}, keep=ASKED_FOR)
        record_driver(driver, "asked_for_position", by=by)


def record_driver(driver: Driver, verb: str, *, by: User, details: Mapping[str, Any] | None = None) -> None:
    """The desk's line about a driver."""
    record(
        by,
        verb,
        subject_kind="driver",
        subject_id=driver.pk,
        label=driver.user.name,
        person=driver.user,
        details=details,
    )


def change_driver(
    driver: Driver,
    *,
    by: User,
    vehicle: str,
    plate: str,
    capacity_kg: int,
    skills: Iterable[DriverSkill],
    now: datetime | None = None,
) -> Driver:
    """What the desk says of somebody's vehicle and skills; dispatch asks about them. Raises `Invalid`."""
    require_desk(by)
    if vehicle not in VehicleKind.values:
        raise Invalid("Please choose a kind of vehicle.")
    if not 0 <= capacity_kg <= 50_000:
        raise Invalid("The capacity must be between 0 and 50000 kg.")
    chosen = list(skills)
    with transaction.atomic():
        held = lock_drivers([driver.pk])[driver.pk]
        wanted = {"vehicle": vehicle, "plate": plate.strip()[:12], "capacity_kg": capacity_kg}
        changed = {name: [getattr(held, name), value] for name, value in wanted.items()}
        had = sorted(skill.name for skill in held.skills.all())
        changed["skills"] = [", ".join(had), ", ".join(sorted(skill.name for skill in chosen))]
        held.skills.set(chosen)  # before the row is saved, whose save tells the pages
        for name, value in wanted.items():
            setattr(held, name, value)
        held.save(update_fields=[*wanted])
        different = {name: both for name, both in changed.items() if both[0] != both[1]}
        record_driver(held, "changed_driver", by=by, details=different)
    return held
