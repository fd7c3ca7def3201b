"""The only ways to fetch what belongs to others on the road: returned, or 404 (may not know) or 403 (may not do)."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404

from accounts.models import Role, User
from bookings.access import found
from tracking.models import Dispatch, Driver, Journey, Leg, ShareLink, Shift
from tracking.states import Duty


def driver_of(user: User) -> Driver:
    """What `user` adds as a driver, made at the first look; 404 for other roles."""
    if user.role != Role.DRIVER:
        raise Http404
    made = getattr(user, "driver", None) or Driver.objects.get_or_create(user=user)[0]
    made.user = user
    return made


def current_shift(user_id: int) -> Shift | None:
    """The shift that somebody is on, a break included; None off duty."""
    return Shift.objects.select_related("user").filter(user=user_id).exclude(duty=Duty.OFF_DUTY).first()


def whole(rows: QuerySet[Dispatch]) -> QuerySet[Dispatch]:
    """With what every page about a dispatch shows joined."""
    return rows.select_related("leg__booking__customer", "leg__skill", "driver__user")


def dispatch_for(user: User, pk: int) -> Dispatch:
    """A dispatch, for its driver and admins; 404 for everybody else, the job's customer included."""
    rows = whole(Dispatch.objects.all())
    if user.role != Role.ADMIN:
        rows = rows.filter(driver_id=user.pk)
    return found(rows, pk)


def own_dispatch(user: User, pk: int) -> Dispatch:
    """A dispatch of this driver; 403 for admins, who have verbs of their own."""
    dispatch = dispatch_for(user, pk)
    if dispatch.driver_id != user.pk:
        raise PermissionDenied("Only the driver of this leg may do that.")
    return dispatch


def leg_for(user: User, pk: int) -> Leg:
    """A leg, for admins; 404 for everybody else: drivers know of their dispatches, not of legs."""
    if user.role != Role.ADMIN:
        raise Http404
    return found(Leg.objects.select_related("booking__customer", "skill"), pk)


def journey_for(user: User, pk: int) -> Journey:
    """A journey, for the customer it leads to, its traveller and admins."""
    rows = Journey.objects.select_related("booking__customer", "traveller", "session", "dispatch__leg")
    found_one = found(rows, pk)
    if user.role == Role.ADMIN or user.pk in (found_one.booking.customer_id, found_one.traveller_id):
        return found_one
    raise Http404


def own_journey(user: User, pk: int) -> Journey:
    """A journey to this customer, who may share it; 403 for its traveller."""
    journey = journey_for(user, pk)
    if journey.booking.customer_id != user.pk:
        raise PermissionDenied("Only the customer who waits may share this.")
    return journey


def own_link(user: User, pk: int) -> ShareLink:
    """A share link to a journey of this customer's; 404 for everybody else, its traveller included."""
    rows = ShareLink.objects.select_related("journey__booking", "journey__traveller")
    return found(rows.filter(journey__booking__customer=user), pk)


def link_for(token: str) -> ShareLink:
    """A share link that exists, revoked or over or not; 404 for a made-up one."""
    rows = ShareLink.objects.select_related("journey__booking", "journey__traveller")
    link = rows.filter(token=token).first()
    if link is None:
        raise Http404
    return link
