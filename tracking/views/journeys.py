"""Setting out, turning back, and showing somebody else who is coming: each a small page that asks, and does it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.access import role_required, signed_in
from accounts.models import Role, User
from bookings.links import job_url
from bookings.models import COMING_EARLY, Session
from bookings.rules.words import span
from bookings.views.confirming import Question, ask
from bookings.views.customer import deed
from bookings.views.technician_asked import asking, too_late
from bookings.views.technician_visit import PENDING, visit_page
from common.idempotency import idempotent
from realtime.pages import live_page
from tracking import access, actions


@visit_page(PENDING)
def on_my_way(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """The technician sets out, and the customer sees them come."""
    booking = session.booking
    lead = f"{booking.customer.first_name} then sees where you are on a map, until you check in or turn back."
    if (now := timezone.now()) < session.leave_by - COMING_EARLY:
        lead += f" You are early: the visit is {span(session.starts_at, session.ends_at, booking.zone, now=now)}."
    question = asking(session.booking_id, "Are you on your way?", "On my way", lead)
    return ask(request, question, lambda: actions.set_out(session, by=user))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@role_required(Role.TECHNICIAN)
@idempotent
@live_page
def turn_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Not on the way after all."""
    user = signed_in(request)
    journey = access.journey_for(user, pk)
    if not journey.is_open and request.method != "POST":
        return too_late(request, journey.booking_id, "You are not on the way any more.")
    name = journey.booking.customer.first_name
    lead = f"{name} no longer sees where you are. The visit stays booked; set out again when you leave for it."
    question = asking(journey.booking_id, "Turn back?", "Turn back", lead)
    return ask(request, question, lambda: actions.turn_back(journey, by=user))


@deed
def share(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a link that shows this trip to others."""
    user = signed_in(request)
    journey = access.own_journey(user, pk)
    name = journey.traveller.first_name
    question = Question(
        title="Share this trip?",
        button="Make a link",
        back=job_url(journey.booking_id),
        text=[f"Whoever has the link sees {name} coming, without signing in. It ends with the trip, or when you say."],
    )
    return ask(request, question, lambda: actions.share(journey, by=user))


@deed
def revoke_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the link back."""
    user = signed_in(request)
    link = access.own_link(user, pk)
    question = Question(
        title="Stop sharing?",
        button="Stop sharing",
        back=job_url(link.journey.booking_id),
        text=["The link shows nothing from now on, also where it is open. You can make another."],
        danger=True,
    )
    return ask(request, question, lambda: actions.revoke_link(link, by=user))
