"""Flags: parts of the site that the desk turns off and on while people use it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import flags as asking
from accounts.access import role_required, signed_in
from accounts.models import Flag, Role, User
from accounts.stepping import steps_up
from accounts.turning import Setting, label_of, turn_flag
from adminpanel.flags import all_flags, load_flags
from adminpanel.forms.flags import FlagForm, WhyForm
from adminpanel.live.flags import flags_topic
from adminpanel.views.replies import deed
from bookings.views.confirming import Question, ask
from common.http import SeeOther
from common.idempotency import idempotent
from common.refusals import Refusal
from realtime.pages import live_page


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="dashboard")
def flags(request: HttpRequest) -> HttpResponse:
    """Every flag and for whom it is on."""
    return render(request, "adminpanel/flags.html", {"flags": all_flags(), "topic": flags_topic()})


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.ADMIN)
@steps_up
@idempotent
@live_page(pace="dashboard")
def flag(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One flag: how it stands, for whom it is to be on, and whether a certain person has it."""
    row = get_object_or_404(Flag, pk=pk)
    form = FlagForm.of(row, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            turn_flag(row, form.wanted, by=signed_in(request), reason=form.cleaned_data["reason"])
        except Refusal as refusal:
            form.add_error(None, refusal.sentence)
        else:
            return SeeOther(reverse("desk:flags"))
    email = request.GET.get("who", "").replace("\0", "").strip()[:254]
    context = {
        "flag": row,
        "row": load_flags([str(pk)])[str(pk)],
        "form": form,
        "topic": flags_topic(),
        "who": email,
        "verdict": verdict(row, email) if email else "",
    }
    return render(request, "adminpanel/flag.html", context, status=422 if form.errors else 200)


def verdict(flag: Flag, email: str) -> str:
    """Whether the person with this address has it, in a sentence."""
    person = User.objects.filter(email=email.lower()).first()
    if person is None:
        return f"Nobody has the address {email}."
    found = asking.explained(flag.name, person)
    return f"It is {'on' if found.is_on else 'off'} for {person.name}, because {found.why}."


@deed
@steps_up
def flag_on(request: HttpRequest, pk: int) -> HttpResponse:
    """On for everybody."""
    return turn(request, pk, on=True)


@deed
@steps_up
def flag_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Off for everybody."""
    return turn(request, pk, on=False)


def turn(request: HttpRequest, pk: int, *, on: bool) -> HttpResponse:
    """Asks why, and turns it."""
    row, user, form = get_object_or_404(Flag, pk=pk), signed_in(request), WhyForm(request.POST or None)
    known = load_flags([str(pk)])[str(pk)]
    question = Question(
        title=f"Turn “{label_of(row)}” {'on' if on else 'off'} for everybody?",
        button=f"Turn it {'on' if on else 'off'}",
        back=reverse("desk:flags"),
        text=[f"Now: {known.whom}.", "Open pages get their sockets back." if on else known.off],
        danger=not on,
    )
    return ask(
        request, question, lambda: turn_flag(row, Setting(on), by=user, reason=form.cleaned_data["reason"]), form
    )
