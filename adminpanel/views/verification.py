"""The desk's queue of documents: what waits, one of them beside the list, and what is decided about it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import credentials
from accounts.access import credential_for, role_required, signed_in
from accounts.credentials import ENDS, word
from accounts.models import Credential, CredentialStatus, Role, User
from adminpanel.forms.verification import REASONS, SUSPENSIONS, ApproveForm, WhyForm
from adminpanel.live.verification import credential_topic, list_topic
from adminpanel.queues.deciding import decide
from adminpanel.queues.verification import credentials_listed, load_cases, next_after
from adminpanel.views.replies import deed
from bookings.views.confirming import Question
from common.refusals import Conflict
from notifications.about_accounts import QUEUE
from notifications.actions import mark_read_about
from realtime.pages import live_page


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="dashboard")
def queue(request: HttpRequest) -> HttpResponse:
    """What waits, runs out, or was decided."""
    return render(request, "adminpanel/verification.html", listed(request))


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="dashboard")
def credential(request: HttpRequest, pk: int) -> HttpResponse:
    """One document beside the list: what it is, whose, and what can be decided about it."""
    case = load_cases([str(pk)]).get(str(pk))
    if case is None:
        raise Http404
    usual = "waiting" if case.credential.status == CredentialStatus.PENDING else "decided"
    context = {**listed(request, usual), "case": case, "topic": credential_topic(pk)}
    return render(request, "adminpanel/verification_case.html", context)


def listed(request: HttpRequest, usual: str = "waiting") -> dict[str, Any]:
    """The list; what the bell told of it is read now."""
    mark_read_about(signed_in(request), QUEUE, None, timezone.now())
    shown = credentials_listed(request.GET, usual)
    return {"queue": shown, "list_topic": list_topic(shown.show)}


@deed
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """It holds from now on."""
    user = signed_in(request)
    row = required(request, user, pk, CredentialStatus.PENDING)
    form = ApproveForm(request.POST or None, valid_until=row.valid_until, ends=row.kind in ENDS)
    case = load_cases([str(pk)])[str(pk)]
    question = Question(
        title=f"Approve the {word(row.kind)} of {row.technician}?",
        button="Approve",
        back=case_url(pk),
        text=[f"They are told at once. {case.consequence}"],
    )

    def act() -> object:
        return credentials.approve_credential(row, by=user, valid_until=form.cleaned_data["valid_until"])

    return decide(request, question, act, form, said=f"Approved: {called(row)}.", onward=lambda: onward(row))


@deed
def reject(request: HttpRequest, pk: int) -> HttpResponse:
    """It is not taken, and its sender reads why."""
    user = signed_in(request)
    row = required(request, user, pk, CredentialStatus.PENDING)
    form = WhyForm(request.POST or None, reasons=REASONS)
    question = refusing(row, f"Refuse the {word(row.kind)} of {row.technician}?", "Refuse")

    def act() -> object:
        return credentials.reject_credential(row, by=user, reason=form.reason)

    return decide(request, question, act, form, said=f"Refused: {called(row)}.", onward=lambda: onward(row))


@deed
def suspend(request: HttpRequest, pk: int) -> HttpResponse:
    """What was approved holds no longer."""
    user = signed_in(request)
    row = required(request, user, pk, CredentialStatus.APPROVED)
    form = WhyForm(request.POST or None, reasons=SUSPENSIONS)
    question = refusing(row, f"Suspend the {word(row.kind)} of {row.technician}?", "Suspend")

    def act() -> object:
        return credentials.suspend_credential(row, by=user, reason=form.reason)

    return decide(request, question, act, form, said=f"Suspended: {called(row)}.", onward=lambda: case_url(pk))


def required(request: HttpRequest, user: User, pk: int, status: str) -> Credential:
    """The document. Raises `Conflict` where the page that asks is behind; of a POST the action asks that itself."""
    row = credential_for(user, pk)
    if request.method != "POST" and row.status != status:
        state = str(row.get_status_display()).lower()
        raise Conflict(
            f"Things moved on a moment ago: the {word(row.kind)} of {row.technician} is at “{state}”.",
            next_url=case_url(pk),
            next_label="See the document",
        )
    return row


def refusing(row: Credential, title: str, button: str) -> Question:
    """The words of a no, with what it means for their offers."""
    case = load_cases([str(row.pk)])[str(row.pk)]
    text = [each for each in ("They are told at once, with your reason.", case.loss) if each]
    return Question(title=title, button=button, back=case_url(row.pk), text=text, danger=True)


def called(row: Credential) -> str:
    """A document by whose it is."""
    return f"{word(row.kind)} of {row.technician}"


def case_url(pk: int) -> str:
    """Its page."""
    return reverse("desk:credential", args=[pk])


def onward(row: Credential) -> str:
    """The next that waits, or the empty list."""
    following = next_after(row)
    return case_url(following.pk) if following else reverse("desk:verification")
