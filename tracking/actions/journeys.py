"""Being on the way: what opens a journey, what closes it, and who may be shown it by a link.

A journey is locked after whatever it belongs to: the visit, or the leg, its driver and the dispatch.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Role, User
from bookings.actions.moves import lock_session, lock_technician, moved_on, require_technician
from bookings.links import job_url
from bookings.models import Session
from bookings.states import SessionStatus
from common.geo import distance_km
from common.refusals import Conflict, Invalid
from tracking.models import Dispatch, Journey, Position, ShareLink, Shift
from tracking.rules.eta import eta, minutes_of
from tracking.rules.numbers import number, seconds
from tracking.states import Duty, JourneyEnd

# --- Opening and closing, for whoever holds the locks ---------------------------------------------


def open_journey(*, now: datetime, session: Session | None = None, dispatch: Dispatch | None = None) -> Journey:
    """Put the traveller of a locked visit or dispatch on the way. Raises `Conflict` where they travel already."""
    booking = session.booking if session is not None else dispatch.leg.booking if dispatch is not None else None
    traveller_id = session.technician_id if session is not None else dispatch.driver_id if dispatch is not None else 0
    if booking is None:
        raise TypeError("A journey belongs to a visit or to a dispatch.")
    if booking.latitude is None or booking.longitude is None:
        raise Invalid("This job has no place on the map, so nobody can be on the way to it.")
    other = Journey.objects.select_related("booking").filter(traveller=traveller_id, closed_at__isnull=True).first()
    if other is not None:
        raise Conflict(
            f"You are on the way to “{other.booking}” already. Turn back there first.",
            next_url=job_url(other.booking_id),
            next_label="See that job",
        )
    journey = Journey(
        booking=booking,
        session=session,
        dispatch=dispatch,
        traveller_id=traveller_id,
        latitude=booking.latitude,
        longitude=booking.longitude,
        opened_at=now,
    )
    position = Position.objects.filter(user=traveller_id).first()
    if position is not None:
        hear(journey, position, now=now)
    journey.save(force_insert=True)
    return journey


def close_journey(journey: Journey | None, end: JourneyEnd, *, now: datetime) -> Journey | None:
    """End a journey in the transaction of what ends it; its links die with it. One that is over is left alone.

    From the commit on no customer is shown a fix. The traveller's position is forgotten, unless they are on duty.
    """
    if journey is None:
        return None
    held = Journey.objects.select_for_update(of=("self",), no_key=True).get(pk=journey.pk)
    if held.closed_at is not None:
        return held
    held.closed_at, held.end, held.eta_minutes = now, end, None
    held.save(update_fields=["closed_at", "end", "eta_minutes"])
    if not Shift.objects.filter(user=held.traveller_id, duty=Duty.ON_DUTY).exists():
        Position.objects.filter(user=held.traveller_id).delete()
    return held


def open_of(*, session: Session | None = None, dispatch: Dispatch | None = None) -> Journey | None:
    """The journey that is under way to a visit or of a dispatch."""
    rows = Journey.objects.filter(closed_at__isnull=True)
    rows = rows.filter(session=session) if session is not None else rows.filter(dispatch=dispatch)
    return rows.first()


def hear(journey: Journey, position: Position, *, now: datetime) -> list[str]:
    """Take what a new position says into `journey`: near the door, and every few seconds how long it takes.

    Returns the names of the fields it set; the caller saves them. None is set by most fixes, so that the banner
    of a whole site is not drawn anew at each.
    """
    point = position.point
    if point is None:
        return []
    changed = []
    metres = distance_km(point, journey.destination) * 1000
    fence = number("GEOFENCE_METRES")
    if metres <= fence and journey.near_at is None:
        journey.near_at = now
        changed.append("near_at")
    elif metres > 2 * fence and journey.near_at is not None:  # they drove past
        journey.near_at = None
        changed.append("near_at")
    if changed or journey.heard_at is None or now - journey.heard_at >= seconds("TOLD_EVERY_SECONDS"):
        journey.eta_minutes = minutes_of(remaining(journey, position, now=now))
        journey.heard_at = position.seen_at
        changed += ["eta_minutes", "heard_at"]
    return changed


def remaining(journey: Journey, position: Position, *, now: datetime) -> timedelta:
    """How long the traveller still takes, as far as `position` says. It must hold a point."""
    point = position.point
    if point is None:
        raise ValueError("Without a point there is no estimate.")
    age = now - journey.route_at if journey.route_at else timedelta()
    fresh = journey.route_at is not None and age <= 3 * seconds("ROUTE_EVERY_SECONDS")
    route = journey.route_seconds if fresh else None
    return eta(point, journey.destination, pace=position.pace, route_seconds=route, route_age=age)


# --- A technician's own ---------------------------------------------------------------------------


def set_out(session: Session, *, by: User, now: datetime | None = None, device_at: datetime | None = None) -> Journey:
    """The technician is on the way to a visit that is booked. Twice is once."""
    now = now or timezone.now()
    with transaction.atomic():
        lock_technician(session.technician_id)  # of two visits set out to at once, one is refused
        held = lock_session(session.pk)
        require_technician(held.technician_id, by)
        if held.status != SessionStatus.PENDING:
            raise moved_on(held)
        if (journey := open_of(session=held)) is not None:
            return journey
        return open_journey(session=held, now=now)


def turn_back(journey: Journey, *, by: User, now: datetime | None = None) -> Journey:
    """Not on the way after all. A driver has other words for it: the leg fails, or the desk cancels it."""
    now = now or timezone.now()
    if journey.session_id is None:
        raise Conflict("This journey belongs to a leg. Say on your own screen that it does not work out.")
    with transaction.atomic():
        held = lock_session(journey.session_id)
        require_technician(held.technician_id, by)
        return close_journey(journey, JourneyEnd.CANCELLED, now=now) or journey


def call_back(as_of: datetime) -> int:
    """End the journeys of technicians who are none any more, or whose account was closed; returns how many."""
    none = ~Q(traveller__role=Role.TECHNICIAN) | Q(traveller__is_active=False)
    rows = Journey.objects.filter(none, closed_at__isnull=True, session__isnull=False)
    found = list(rows.order_by("pk"))
    for journey in found:
        with transaction.atomic():
            lock_session(journey.session_id or 0)
            close_journey(journey, JourneyEnd.CANCELLED, now=as_of)
    return len(found)


# --- Links for others -----------------------------------------------------------------------------


def share(journey: Journey, *, by: User, now: datetime | None = None) -> ShareLink:
    """A link that shows this journey to whoever has it, until its end. The one that stands, where there is one."""
    now = now or timezone.now()
    with transaction.atomic():
        held = Journey.objects.select_for_update(of=("self",), no_key=True).select_related("booking").get(pk=journey.pk)
        require_expecting(held, by)
        if held.closed_at is not None:
            raise over(held)
        standing = held.links.filter(revoked_at__isnull=True).first()
        return standing or ShareLink.objects.create(journey=held, made_by=by, made_at=now)


def revoke_link(link: ShareLink, *, by: User, now: datetime | None = None) -> ShareLink:
    """From now on the link shows nothing, also on pages that have it open. Twice is once."""
    now = now or timezone.now()
    with transaction.atomic():
        held = ShareLink.objects.select_for_update(of=("self",), no_key=True)
        held_link = held.select_related("journey__booking").get(pk=link.pk)
        require_expecting(held_link.journey, by)
        if held_link.revoked_at is None:
            held_link.revoked_at = now
            held_link.save(update_fields=["revoked_at"])
    return held_link


def require_expecting(journey: Journey, by: User) -> None:
    """Only the customer who waits, or an admin for them."""
    if by.pk != journey.booking.customer_id and by.role != Role.ADMIN:
        raise PermissionDenied("Only the customer who waits may do that.")


def over(journey: Journey) -> Conflict:
    """The refusal for a journey that has ended."""
    return Conflict(
        "This trip is over, so there is nothing left to share.",
        next_url=job_url(journey.booking_id),
        next_label="See the job",
    )
