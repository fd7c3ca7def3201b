"""The driver's one screen, and its verbs. Each verb is a small page that asks, and does it; on the screen most of
them are one tap, which posts to the same address.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import role_required, signed_in
from accounts.models import Role, User
from bookings.views.confirming import Question, ask
from bookings.views.reading import read_on_page
from common.idempotency import idempotent
from common.refusals import Conflict
from realtime.pages import live_page
from tracking import access, actions
from tracking.forms import DeclineForm, FailForm, FinishForm
from tracking.links import drive_url
from tracking.models import Dispatch, RefusedFixes, Shift
from tracking.rules.words import HELP
from tracking.states import DispatchStatus, Duty
from tracking.telling import DRIVE
from tracking.topics import drive_topic

QUEUED = timedelta(seconds=5)  # a tap that is older waited on the device for the network
OLDEST = timedelta(days=1)
AHEAD = timedelta(minutes=1)
View = Callable[..., HttpResponseBase]


# --- The screen -----------------------------------------------------------------------------------


@require_safe
@login_required
@role_required(Role.DRIVER)
@live_page(pace="close")
def drive(request: HttpRequest) -> HttpResponse:
    """Everything that a driver needs, on one screen."""
    user = signed_in(request)
    driver = access.driver_of(user)
    read_on_page(request, DRIVE)
    return render(request, "tracking/drive.html", {"driver": driver, "topic": drive_topic(user.pk)})


@require_safe
@login_required
@role_required(Role.DRIVER, Role.TECHNICIAN)
@live_page
def gps(request: HttpRequest) -> HttpResponse:
    """Which positions of today were not taken in, why, and what helps."""
    user = signed_in(request)
    rows = RefusedFixes.objects.filter(user=user, day=timezone.now().astimezone(UTC).date()).order_by("-count")
    refused = [(row.count, row.get_reason_display(), HELP[row.reason]) for row in rows]
    back = drive_url() if user.role == Role.DRIVER else "/"
    return render(request, "tracking/gps.html", {"refused": refused, "back": back})


# --- What the verbs have in common ----------------------------------------------------------------


def queued_at(request: HttpRequest) -> datetime | None:
    """When a tap was made that waited on the device: `at`, milliseconds since 1970 by the server's clock as the page
    knows it. None for one that came at once, or says nonsense.
    """
    text = request.POST.get("at", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 15):
        return None
    at, now = datetime.fromtimestamp(int(text) / 1000, UTC), timezone.now()
    return at if now - OLDEST < at <= now - QUEUED else None


def verb(view: View) -> View:
    """The decorators of a driver's verb: GET asks, POST does it, once for each key."""
    guarded = role_required(Role.DRIVER)(idempotent(live_page(pace="close")(view)))
    page: View = require_http_methods(["GET", "HEAD", "POST"])(login_required(guarded))
    return page


def too_late(request: HttpRequest, sentence: str) -> HttpResponse:
    """A confirm page with nothing left to confirm."""
    return render(request, "tracking/drive_already.html", {"sentence": sentence, "back": drive_url()})


def asking(title: str, button: str, *text: str, danger: bool = False) -> Question:
    """A question of the driver's screen."""
    return Question(title, button, drive_url(), text, danger=danger)


# --- Duty -----------------------------------------------------------------------------------------


@verb
def go_on(request: HttpRequest) -> HttpResponse:
    """Begin to work."""
    user = signed_in(request)
    if request.method != "POST" and access.current_shift(user.pk) is not None:
        return too_late(request, "Your shift has begun already.")
    question = asking(
        "Go on duty?",
        "Go on duty",
        "The desk sees where you are and can offer you legs. A customer sees you only on the way to them.",
    )
    return ask(request, question, lambda: actions.go_on_duty(user, by=user, device_at=queued_at(request)))


def of_shift(*duties: str) -> Callable[[Callable[[HttpRequest, Shift, User], HttpResponse]], View]:
    """A verb of the shift that goes on, for the states in which there is something to ask; see `of_leg`."""

    def decorate(view: Callable[[HttpRequest, Shift, User], HttpResponse]) -> View:
        @verb
        @wraps(view)
        def page(request: HttpRequest) -> HttpResponse:
            user = signed_in(request)
            shift = access.current_shift(user.pk)
            if shift is None:
                raise Conflict("You are off duty.", next_url=drive_url(), next_label="To my screen")
            if request.method != "POST" and shift.duty not in duties:
                return too_late(request, f"You are {str(shift.get_duty_display()).lower()}.")
            return view(request, shift, user)

        return page

    return decorate


@of_shift(Duty.ON_DUTY)
def take_break(request: HttpRequest, shift: Shift, user: User) -> HttpResponse:
    """Stop for a while."""
    question = asking("Take a break?", "Take a break", "Nothing is offered to you, and nobody sees where you are.")
    return ask(request, question, lambda: actions.take_break(shift, by=user, device_at=queued_at(request)))


@of_shift(Duty.ON_BREAK)
def end_break(request: HttpRequest, shift: Shift, user: User) -> HttpResponse:
    """Go on."""
    question = asking("Back on duty?", "Back on duty", "The desk sees where you are again.")
    return ask(request, question, lambda: actions.end_break(shift, by=user, device_at=queued_at(request)))


@of_shift(Duty.ON_DUTY, Duty.ON_BREAK)
def go_off(request: HttpRequest, shift: Shift, user: User) -> HttpResponse:
    """The end of the shift."""
    question = asking(
        "Go off duty?", "Go off duty", "Your shift ends. Your position is forgotten at once, and offers lapse."
    )
    return ask(request, question, lambda: actions.go_off_duty(shift, by=user, device_at=queued_at(request)))


# --- A leg ----------------------------------------------------------------------------------------


def of_leg(*states: str) -> Callable[[Callable[[HttpRequest, Dispatch, User], HttpResponse]], View]:
    """A verb about a leg of one's own, for the states in which there is something to ask.

    In any other state GET says how far it is; POST is left to the action, which refuses under its lock.
    """

    def decorate(view: Callable[[HttpRequest, Dispatch, User], HttpResponse]) -> View:
        @verb
        @wraps(view)
        def page(request: HttpRequest, pk: int) -> HttpResponse:
            user = signed_in(request)
            dispatch = access.own_dispatch(user, pk)
            if request.method != "POST" and dispatch.status not in states:
                return too_late(request, f"This leg is {str(dispatch.get_status_display()).lower()} by now.")
            return view(request, dispatch, user)

        return page

    return decorate


@require_POST
@login_required
@role_required(Role.DRIVER)
def seen(request: HttpRequest, pk: int) -> HttpResponse:
    """The offer stands on the driver's screen: its receipt."""
    user = signed_in(request)
    actions.see_offer(access.own_dispatch(user, pk), by=user)
    return HttpResponse(status=204)


@of_leg(DispatchStatus.OFFERED)
def accept(request: HttpRequest, dispatch: Dispatch, user: User) -> HttpResponse:
    """Take the leg."""
    question = asking("Take this leg?", "Accept", f"{dispatch.leg.get_kind_display()}: {dispatch.leg.note}")
    return ask(request, question, lambda: actions.accept_offer(dispatch, by=user, device_at=queued_at(request)))


@of_leg(DispatchStatus.OFFERED)
def decline(request: HttpRequest, dispatch: Dispatch, user: User) -> HttpResponse:
    """Say no, with a reason; the address may bring one."""
    question = asking("Decline this leg?", "Decline", "You are not asked about it again.")
    form = DeclineForm(**typed(request), initial={"reason": request.GET.get("reason")})

    def act() -> object:
        reason = form.cleaned_data["reason"]
        return actions.reject_offer(dispatch, by=user, reason=reason, device_at=queued_at(request))

    return ask(request, question, act, form)


@of_leg(DispatchStatus.ACCEPTED)
def set_off(request: HttpRequest, dispatch: Dispatch, user: User) -> HttpResponse:
    """On the way: from here on the customer sees the driver."""
    name = dispatch.leg.booking.customer.first_name
    question = asking("Set off?", "Set off", f"{name} sees where you are until you arrive.")
    return ask(request, question, lambda: actions.set_off(dispatch, by=user, device_at=queued_at(request)))


@of_leg(DispatchStatus.EN_ROUTE)
def arrive(request: HttpRequest, dispatch: Dispatch, user: User) -> HttpResponse:
    """At the door."""
    near = dispatch.journeys.filter(closed_at__isnull=True, near_at__isnull=False).exists()
    doubt = () if near else ("As far as your position says, you are not there yet.",)
    name = dispatch.leg.booking.customer.first_name
    question = asking("Have you arrived?", "I have arrived", *doubt, f"{name} no longer sees where you are.")
    return ask(request, question, lambda: actions.arrive(dispatch, by=user, device_at=queued_at(request)))


@of_leg(DispatchStatus.ARRIVED)
def complete(request: HttpRequest, dispatch: Dispatch, user: User) -> HttpResponse:
    """The leg is done."""
    form = FinishForm(**typed(request))

    def act() -> object:
        return actions.complete(dispatch, by=user, note=form.cleaned_data["note"], device_at=queued_at(request))

    return ask(request, asking("Finish this leg", "Finish"), act, form)


@of_leg(DispatchStatus.ACCEPTED, DispatchStatus.EN_ROUTE, DispatchStatus.ARRIVED)
def fail(request: HttpRequest, dispatch: Dispatch, user: User) -> HttpResponse:
    """It does not work out."""
    question = asking(
        "It does not work out?",
        "Give the leg back",
        "The desk is told and finds another way. Nobody sees where you are on the way any more.",
        danger=True,
    )
    form = FailForm(**typed(request))

    def act() -> object:
        why, note = form.cleaned_data["reason"], form.cleaned_data["note"]
        return actions.fail(dispatch, by=user, reason=why, note=note, device_at=queued_at(request))

    return ask(request, question, act, form)


def typed(request: HttpRequest) -> dict[str, Any]:
    """The arguments of a form: what was sent, or for GET a form not filled in."""
    return {"data": request.POST} if request.method == "POST" else {}
