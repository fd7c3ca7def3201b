"""What being on the way puts into the pages of jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from accounts.access import signed_in
from bookings.live.customer import booking_customer
from bookings.live.technician import work_topic
from bookings.models import Booking
from bookings.states import SessionStatus
from bookings.work import Work
from common.slots import fill
from tracking.actions.journeys import open_of
from tracking.models import Journey


def ride_panel(booking: Booking, request: HttpRequest | None) -> Mapping[str, Any]:
    """The customer's: a place for whoever comes."""
    return {"ride_topic": booking_customer(booking.pk)}


def trip_panel(booking: Booking, request: HttpRequest | None) -> Mapping[str, Any] | None:
    """The technician's own journey to this job."""
    if request is None:
        return None
    user = signed_in(request)
    rows = Journey.objects.filter(booking=booking, traveller=user, session__isnull=False, closed_at__isnull=True)
    return {"trip_keys": list(rows.values_list("pk", flat=True)), "trip_topic": work_topic(booking.pk, user.pk)}


def next_step(work: Work, request: HttpRequest | None) -> Mapping[str, Any] | None:
    """In the place of "I have arrived", while the visit is booked: first one sets out."""
    session = work.session
    if session is None or session.status != SessionStatus.PENDING or work.step is None:
        return None
    return {"work": work, "visit": session, "journey": open_of(session=session)}


fill("bookings.job_first", template="tracking/_ride_panel.html", context=ride_panel)
fill("bookings.work_first", template="tracking/_trips.html", context=trip_panel)
fill("bookings.step", template="tracking/_step.html", context=next_step)
