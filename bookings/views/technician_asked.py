"""What the confirm pages of technicians have in common: their words, and what they say when it is too late."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bookings.links import job_url
from bookings.models import Session
from bookings.states import SessionStatus
from bookings.views.confirming import Question


def typed(request: HttpRequest) -> dict[str, Any]:
    """The arguments of a form: what was sent, also when that is nothing, or for GET a form not filled in."""
    return {"data": request.POST, "files": request.FILES} if request.method == "POST" else {}


def asking(
    booking_id: int,
    title: str,
    button: str,
    lead: str = "",
    *,
    danger: bool = False,
    template: str = "bookings/technician_confirm.html",
    **context: Any,
) -> Question:
    """A question about a job, in the template of technicians; `context` is what else that shows."""
    text = [lead] if lead else []
    return Question(title, button, job_url(booking_id), text, danger=danger, template=template, context=context)


ALREADY = {
    SessionStatus.PENDING: "You have not checked in yet.",
    SessionStatus.WAITING: "You have checked in already. The customer knows that you are there.",
    SessionStatus.LIVE: "The work is under way already.",
    SessionStatus.PAUSED: "The work is paused already.",
    SessionStatus.COMPLETED: "This visit is finished already.",
    SessionStatus.CANCELLED: "This visit was called off.",
    SessionStatus.NO_SHOW: "This visit is closed as a no-show.",
}


def already(request: HttpRequest, session: Session) -> HttpResponse:
    """The page of a transition that has happened already, or can no longer happen."""
    sentence = ALREADY[SessionStatus(session.status)]
    return too_late(request, session.booking_id, sentence)


def too_late(request: HttpRequest, booking_id: int, sentence: str) -> HttpResponse:
    """A confirm page with nothing left to confirm."""
    context = {"sentence": sentence, "back": job_url(booking_id)}
    return render(request, "bookings/technician_already.html", context)
