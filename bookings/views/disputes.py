"""The two sides of a dispute: opening one, its page, answering, adding evidence, taking it back."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import role_required, signed_in
from accounts.models import Role, User
from bookings import access, actions
from bookings.actions.disputes import check_disputable
from bookings.actions.moves import moved_on
from bookings.disputes import Side, load_sides
from bookings.forms.disputes import AnswerForm, EvidenceForm, OpenForm
from bookings.links import desk_url, dispute_url, job_url
from bookings.live.disputes import side_topic
from bookings.models import Booking, Dispute
from bookings.rules.disputes import sides_of
from bookings.rules.numbers import minutes
from bookings.telling import group_of
from bookings.views.confirming import Question, ask
from bookings.views.reading import read_on_page
from common.documents import served
from common.http import SeeOther
from common.idempotency import idempotent
from common.refusals import Conflict, Refusal
from realtime.pages import live_page

View = Callable[..., HttpResponseBase]


def sides_only(view: View) -> View:
    """A page of the people on the two sides; the desk has its own."""
    guarded = role_required(Role.CUSTOMER, Role.TECHNICIAN)(idempotent(live_page(view)))
    page: View = require_http_methods(["GET", "HEAD", "POST"])(login_required(guarded))
    return page


@require_safe
@login_required
@role_required(Role.CUSTOMER, Role.TECHNICIAN, Role.ADMIN)
@live_page(pace="close")
def dispute(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A dispute: where it stands, what both sides said, and what can be done. Admins are sent to the desk's page."""
    user = signed_in(request)
    found = access.dispute_for(user, pk)
    if user.role == Role.ADMIN:
        return redirect(desk_url("dispute", pk))
    read_on_page(request, group_of(found.booking_id))
    side = side_of(found, user)
    context = {"dispute": found, "booking": found.booking, "side": side, "topic": side_topic(pk, user.pk)}
    return render(request, "bookings/dispute.html", context)


def side_of(found: Dispute, user: User) -> Side:
    """The dispute as `user` sees it, with all that is on the table."""
    key = f"{found.pk}-{user.pk}"
    return load_sides([key])[key]


@sides_only
def open_dispute(request: HttpRequest, pk: int) -> HttpResponse:
    """The form of a new one; it leads to the dispute's own page."""
    user, now = signed_in(request), timezone.now()
    booking = access.booking_for(user, pk)
    visit = check_disputable(booking, user, now)
    form = OpenForm(request.POST or None, request.FILES or None, party=sides_of(booking, visit)[user.pk])
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return SeeOther(dispute_url(opened(booking, form, user).pk))
            except Refusal as refusal:
                if refusal.next_url:
                    raise
                status = refusal.status
                form.add_error(None, refusal.sentence)
    context = {"form": form, "booking": booking, "back": job_url(pk), "hours": hours("DISPUTE_ANSWER_MINUTES")}
    return render(request, "bookings/dispute_open.html", context, status=status)


def opened(booking: Booking, form: OpenForm, by: User) -> Dispute:
    """The dispute as it was typed."""
    data = form.cleaned_data
    return actions.open_dispute(
        booking,
        by=by,
        reason=data["reason"],
        statement=data["statement"],
        wanted=data["wanted"],
        files=data["documents"],
    )


def hours(name: str) -> int:
    """A number of the rules, in hours."""
    return int(minutes(name).total_seconds() // 3600)


def asked(
    request: HttpRequest, pk: int, may: Callable[[Side], bool], *, opener: bool | None = None
) -> tuple[Dispute, User]:
    """A dispute in which the person may do what the page asks; GET says so when things have moved on.

    `opener`: it is the opener's to do (True) or the other side's (False).
    """
    user = signed_in(request)
    found = access.dispute_for(user, pk)
    side = side_of(found, user)
    if side.is_mine is not opener and opener is not None:
        raise PermissionDenied("That is the other side's to do.")
    if request.method != "POST" and not may(side):
        if side.stands and not side.may_read:
            raise Conflict("The desk has not asked you yet. You can read and answer once it has.", **way_back(pk))
        raise moved_on(found)
    return found, user


def way_back(pk: int) -> dict[str, str]:
    """Where a refusal leads."""
    return {"next_url": dispute_url(pk), "next_label": "See the dispute"}


@sides_only
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """The other side's account."""
    found, user = asked(request, pk, lambda side: side.may_answer, opener=False)
    form = AnswerForm(request.POST or None, request.FILES or None)
    question = Question(
        title="Your answer",
        button="Send the answer",
        back=dispute_url(pk),
        text=["You answer once. The desk then decides; you can still add evidence until it has."],
        template="bookings/dispute_form.html",
    )

    def act() -> object:
        return actions.answer_dispute(
            found, by=user, answer=form.cleaned_data["answer"], files=form.cleaned_data["documents"]
        )

    return ask(request, question, act, form)


@sides_only
def add_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """Something more for the table."""
    found, user = asked(request, pk, lambda side: side.may_add)
    form = EvidenceForm(request.POST or None, request.FILES or None)
    question = Question(
        title="Add evidence",
        button="Add it",
        back=dispute_url(pk),
        text=["The other side and the desk see it, with its time."],
        template="bookings/dispute_form.html",
    )

    def act() -> object:
        return actions.add_evidence(
            found, by=user, note=form.cleaned_data["note"], files=form.cleaned_data["documents"]
        )

    return ask(request, question, act, form)


@sides_only
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it back."""
    found, user = asked(request, pk, lambda side: side.may_withdraw, opener=True)
    question = Question(
        title="Withdraw the dispute?",
        button="Withdraw it",
        back=dispute_url(pk),
        text=["It ends here and the desk decides nothing. What was said stays in its records."],
        danger=True,
    )
    return ask(request, question, lambda: actions.withdraw_dispute(found, by=user))


@require_safe
@login_required
def evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """A photo or a PDF of a dispute, for whoever may read what is said in it."""
    found = access.evidence_for(signed_in(request), pk)
    return served(request, found.file, found.name)
