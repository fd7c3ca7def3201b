"""Legs: what is to be driven for a booking, until it was or is called off."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.access import require_desk
from accounts.audit import record
from accounts.models import User
from bookings.actions.moves import lock_booking
from bookings.links import job_url
from bookings.models import Booking
from bookings.states import BookingStatus
from common.geo import Point, is_place
from common.refusals import Conflict, Invalid
from tracking.actions.journeys import close_journey, open_of
from tracking.actions.moves import held_dispatch, lock_legs, lock_with_rounds, move
from tracking.links import leg_url
from tracking.models import Dispatch, DriverSkill, Leg, OfferRound
from tracking.states import HOLDING_DISPATCH, DispatchStatus, JourneyEnd, LegKind

FOR = (BookingStatus.OPEN, BookingStatus.ASSIGNED, BookingStatus.IN_PROGRESS)
MOST_KG = 50_000


def create_leg(
    booking: Booking,
    *,
    by: User,
    kind: str,
    note: str,
    weight_kg: int = 0,
    skill: DriverSkill | None = None,
    pick_up: str = "",
    pick_up_point: Point | None = None,
    now: datetime | None = None,
) -> Leg:
    """The desk says what is to be driven for a booking that goes on. Raises `Invalid` or `Conflict`."""
    now = now or timezone.now()
    require_desk(by)
    check_terms(kind, note, weight_kg, pick_up_point)
    with transaction.atomic():
        held = lock_booking(booking.pk)  # or it could be called off at this moment, and the leg would stay
        if held.status not in FOR:
            state = str(held.get_status_display()).lower()
            raise Conflict(
                f"This job is {state}, so nothing is driven for it any more.",
                next_url=job_url(held.pk),
                next_label="See the job",
            )
        latitude, longitude = pick_up_point or (None, None)
        leg = Leg(
            booking=held,
            kind=kind,
            note=note.strip()[:200],
            weight_kg=weight_kg,
            skill=skill,
            pick_up=pick_up.strip()[:120],
            pick_up_latitude=latitude,
            pick_up_longitude=longitude,
            created_by=by,
            created_at=now,
        )
        leg.save(force_insert=True)
        record_leg(leg, "made_leg", by=by, now=now)
    return leg


def record_leg(leg: Leg, verb: str, *, by: User, now: datetime, reason: str = "") -> None:
    """The desk's line about a leg, which has no states of its own."""
    person = leg.booking.customer
    record(by, verb, subject_kind="leg", subject_id=leg.pk, label=str(leg), person=person, reason=reason, now=now)


def check_terms(kind: str, note: str, weight_kg: int, pick_up_point: Point | None) -> None:
    """Raise `Invalid` for what is no leg."""
    if kind not in LegKind.values:
        raise Invalid("Please choose what is to be done: a delivery, a pick-up or a tow.")
    if not note.strip():
        raise Invalid("Please say what is to be driven, as the driver and the customer will read it.")
    if not 0 <= weight_kg <= MOST_KG:
        raise Invalid(f"The weight must be between 0 and {MOST_KG} kg.")
    if pick_up_point is not None and not is_place(*pick_up_point):
        raise Invalid("Where it is fetched is not a place on the map.")


def cancel_leg(leg: Leg, *, by: User, reason: str, now: datetime | None = None) -> Leg:
    """The desk calls a leg off; whoever was asked, or had it, is told so."""
    now = now or timezone.now()
    require_desk(by)
    if not reason.strip():
        raise Invalid("Please say why.")
    with transaction.atomic():
        held = lock_legs([leg.pk])[leg.pk]
        check_not_over(held)
        call_off([held], by=by, reason=reason.strip(), now=now)
        record_leg(held, "called_off_leg", by=by, now=now, reason=reason.strip())
    return held


def check_not_over(leg: Leg) -> None:
    """Raise `Conflict` for a leg that was called off or done."""
    done = leg.dispatches.filter(status=DispatchStatus.COMPLETED).exists()
    if leg.cancelled_at is not None or done:
        what = "done" if done else "called off"
        raise Conflict(f"This leg was {what} already.", next_url=leg_url(leg.pk), next_label="See the leg")


def call_off(legs: Iterable[Leg], *, by: User | None, reason: str, now: datetime) -> None:
    """End locked legs: their rounds, standing offers, dispatches and journeys."""
    held = {leg.pk: leg for leg in legs}
    holding = Dispatch.objects.filter(leg__in=held, status__in=HOLDING_DISPATCH).order_by("pk")
    places = list(holding.values_list("pk", "leg_id", "driver_id"))
    drivers = lock_with_rounds(held, [driver_id for _, _, driver_id in places])
    for leg in held.values():
        leg.cancelled_at, leg.cancel_reason = now, reason[:200]
        leg.save(update_fields=["cancelled_at", "cancel_reason"])
        end_round(leg, now)
    for pk, leg_id, driver_id in places:
        end_dispatch(held_dispatch(pk, held[leg_id], drivers[driver_id]), by=by, reason=reason, now=now)


def end_dispatch(
    dispatch: Dispatch,
    *,
    by: User | None,
    reason: str,
    now: datetime,
    end: JourneyEnd = JourneyEnd.CANCELLED,
) -> None:
    """Take a locked offer back, or the leg off its driver, and close the journey."""
    offered = dispatch.status == DispatchStatus.OFFERED
    to = DispatchStatus.REVOKED if offered else DispatchStatus.CANCELLED
    move(dispatch, to, by=by, now=now, reason=reason)
    close_journey(open_of(dispatch=dispatch), end, now=now)


def open_round(leg: Leg) -> OfferRound | None:
    """The round in which a locked leg's drivers are asked, if one goes on."""
    return OfferRound.objects.filter(leg=leg, ended_at__isnull=True).first()


def end_round(leg: Leg, now: datetime) -> None:
    """Ask nobody else about a locked leg."""
    asking = open_round(leg)
    if asking is not None:
        asking.ended_at = now
        asking.save(update_fields=["ended_at"])
