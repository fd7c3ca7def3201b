"""The desk's queue of disputes: what waits for it, one of them beside the list, and what it decides."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import role_required, signed_in
from accounts.models import Role
from accounts.stepping import steps_up
from adminpanel.forms.disputes import DecisionForm
from adminpanel.live.disputes import dispute_topic, list_topic
from adminpanel.queues.deciding import decide
from adminpanel.queues.disputes import DeskCase, case_of, disputes_listed, next_after, tab_of
from adminpanel.views.replies import deed
from bookings import access, actions
from bookings.actions.moves import moved_on
from bookings.forms.disputes import EvidenceForm
from bookings.models import Dispute
from bookings.states import STANDING_DISPUTE, DisputeStatus
from bookings.telling import group_at_desk
from bookings.views.confirming import Question, ask
from bookings.views.disputes import hours
from notifications.actions import mark_read_about
from realtime.pages import live_page


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="dashboard")
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for the desk, for an answer, or has ended."""
    return render(request, "adminpanel/disputes.html", listed(request))


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="dashboard")
def dispute(request: HttpRequest, pk: int) -> HttpResponse:
    """One dispute beside the list: what both sides say, what they agreed on, and what can be done."""
    return render(request, "adminpanel/dispute.html", beside(request, case_of(pk)))


def listed(request: HttpRequest, usual: str = "waiting") -> dict[str, Any]:
    """The list; what the bell told of it is read now."""
    if "X-Live-Refresh" not in request.headers:
        mark_read_about(signed_in(request), group_at_desk("dispute"), None, timezone.now())
    shown = disputes_listed(request.GET, usual)
    return {"queue": shown, "list_topic": list_topic(shown.show)}


def beside(request: HttpRequest, case: DeskCase) -> dict[str, Any]:
    """The list and one dispute."""
    return {**listed(request, tab_of(case.dispute.status)), "case": case, "topic": dispute_topic(case.pk)}


def case_url(pk: int) -> str:
    """Its page."""
    return reverse("desk:dispute", args=[pk])


def onward(found: Dispute) -> str:
    """The next that waits for the desk, or the empty list."""
    following = next_after(found)
    return case_url(following.pk) if following else reverse("desk:disputes")


def required(request: HttpRequest, pk: int, *states: str) -> Dispute:
    """The dispute. Raises `Conflict` where the page that asks is behind; of a POST the action asks that itself."""
    return still(request, access.dispute_for(signed_in(request), pk), *states)


def still(request: HttpRequest, found: Dispute, *states: str) -> Dispute:
    """The same, of a dispute in hand."""
    if request.method != "POST" and found.status not in states:
        raise moved_on(found)
    return found


@deed
def take_on(request: HttpRequest, pk: int) -> HttpResponse:
    """The other side is asked for an answer."""
    found = required(request, pk, DisputeStatus.OPEN)
    other = found.against.first_name
    question = Question(
        title=f"Ask {other} for an answer?",
        button=f"Ask {other}",
        back=case_url(pk),
        text=[f"{other} then reads what {found.opened_by.first_name} says, with all evidence, and has "
              f"{hours('DISPUTE_ANSWER_MINUTES')} hours. After that the desk decides with what it has."],
    )  # fmt: skip
    said = f"{other} is asked about “{found.booking}”."

    def act() -> object:
        return actions.take_on(found, by=signed_in(request))

    return decide(request, question, act, None, said=said, onward=lambda: onward(found))


@deed
@steps_up
def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    """The decision, typed beside what it is about."""
    case = case_of(pk)
    found = still(request, case.dispute, DisputeStatus.UNDER_REVIEW)
    form = DecisionForm(request.POST or None, currency=found.currency, agreed=str(case.agreed or ""))
    question = Question(
        title="Decide",
        button="Decide it",
        back=case_url(pk),
        template="adminpanel/dispute_decide.html",
        context=beside(request, case),
    )

    def act() -> object:
        return actions.resolve_dispute(found, by=signed_in(request), **form.cleaned_data)

    return decide(request, question, act, form, said=f"Decided: “{found.booking}”.", onward=lambda: onward(found))


@deed
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """The desk's own evidence: a note of a call, a document."""
    found = required(request, pk, *STANDING_DISPUTE)
    form = EvidenceForm(request.POST or None, request.FILES or None)
    question = Question(
        title="Add evidence",
        button="Add it",
        back=case_url(pk),
        text=["Both sides see it, as the desk's. For what only the desk should know, write a note on the person."],
        template="bookings/dispute_form.html",
    )

    def act() -> object:
        data = form.cleaned_data
        return actions.add_evidence(found, by=signed_in(request), note=data["note"], files=data["documents"])

    return ask(request, question, act, form)
