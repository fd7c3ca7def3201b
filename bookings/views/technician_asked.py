"""How every verb of a technician is asked for: a page with one form, which is also a dialog."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from bookings.models import Session
from bookings.states import SessionStatus
from common.http import done
from common.refusals import Refusal


def typed(request: HttpRequest) -> dict[str, Any]:
    """The arguments of a form: what was sent, also when that is nothing, or for GET a form not filled in."""
    return {"data": request.POST, "files": request.FILES} if request.method == "POST" else {}


class NoQuestions(forms.Form):
    """Nothing to fill in: only to confirm."""


@dataclass(frozen=True)
class Ask:
    """The words of a confirm page."""

    title: str
    button: str
    lead: str = ""
    tone: str = "primary"  # of the button: primary or danger
    template: str = "bookings/technician_confirm.html"
    context: dict[str, Any] = field(default_factory=dict)


def asked(
    request: HttpRequest,
    booking_id: int,
    ask: Ask,
    form: forms.Form,
    act: Callable[[dict[str, Any]], object],
) -> HttpResponse:
    """GET shows the form; POST acts and goes back to the job.

    A refusal that names a way on is a page of its own. One that does not can be corrected here: the form
    keeps what was typed, under the sentence.
    """
    refusal: Refusal | None = None
    back = reverse("bookings:job", args=[booking_id])
    if request.method == "POST" and form.is_valid():
        try:
            act(form.cleaned_data)
        except Refusal as error:
            if getattr(error, "next_url", ""):
                raise
            refusal = error
        else:
            return done(request, back)
    status = refusal.status if refusal else 422 if form.errors else 200
    context = {"ask": ask, "form": form, "refusal": refusal, "back": back, **ask.context}
    return render(request, ask.template, context, status=status)


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
    context = {"sentence": sentence, "back": reverse("bookings:job", args=[booking_id])}
    return render(request, "bookings/technician_already.html", context)
