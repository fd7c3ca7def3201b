"""The desk's queue of reviews: what was flagged, one of them beside the list, and what is decided about it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import role_required, signed_in
from accounts.models import Role
from adminpanel.forms.reviews import HideForm, KeepForm, TakeUpForm
from adminpanel.live.reviews import list_topic, review_topic
from adminpanel.queues.deciding import decide
from adminpanel.queues.reviews import load_cases, next_after, reviews_listed
from adminpanel.views.replies import deed
from bookings import access, actions
from bookings.actions.reviews import standing
from bookings.models import Review
from bookings.states import ReviewStatus
from bookings.telling import group_at_desk
from bookings.views.confirming import Question, ask
from notifications.actions import mark_read_about
from realtime.pages import live_page


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="dashboard")
def queue(request: HttpRequest) -> HttpResponse:
    """What is flagged, published or hidden."""
    return render(request, "adminpanel/reviews.html", listed(request))


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="dashboard")
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """One review beside the list: what it says, who finds what wrong with it, and what can be decided."""
    case = load_cases([str(pk)]).get(str(pk))
    if case is None:
        raise Http404  # sealed ones too: that they exist is not the desk's to know either
    context = {**listed(request, case.review.status), "case": case, "topic": review_topic(pk)}
    return render(request, "adminpanel/review.html", context)


def listed(request: HttpRequest, usual: str = "flagged") -> dict[str, Any]:
    """The list; what the bell told of it is read now."""
    if "X-Live-Refresh" not in request.headers:
        mark_read_about(signed_in(request), group_at_desk("review"), None, timezone.now())
    shown = reviews_listed(request.GET, usual)
    return {"queue": shown, "list_topic": list_topic(shown.show)}


def case_url(pk: int) -> str:
    """Its page."""
    return reverse("desk:review", args=[pk])


def onward(found: Review) -> str:
    """The next that waits, or the empty list."""
    following = next_after(found)
    return case_url(following.pk) if following else reverse("desk:reviews")


def required(request: HttpRequest, pk: int, state: str) -> Review:
    """The review. Raises `Conflict` where the page that asks is behind; of a POST the action asks that itself."""
    found = access.review_at_desk(pk)
    if request.method != "POST":
        standing(found, signed_in(request), state)
    return found


def called(found: Review) -> str:
    """A review by its two sides."""
    return f"{found.author} about {found.about}"


@deed
def keep(request: HttpRequest, pk: int) -> HttpResponse:
    """Nothing is wrong with it."""
    found = required(request, pk, ReviewStatus.FLAGGED)
    form = KeepForm(request.POST or None)
    question = Question(
        title=f"Keep what {found.author.first_name} says?",
        button="Keep it",
        back=case_url(pk),
        text=[f"It stays where it is, and whoever flagged it is told. {found.about.first_name} cannot flag it again."],
    )

    def act() -> object:
        return actions.keep_review(found, by=signed_in(request), reason=form.cleaned_data["reason"])

    return decide(request, question, act, form, said=f"Kept: {called(found)}.", onward=lambda: onward(found))


@deed
def hide(request: HttpRequest, pk: int) -> HttpResponse:
    """It goes from every page, and counts no more."""
    found = required(request, pk, ReviewStatus.FLAGGED)
    form = HideForm(request.POST or None)
    question = Question(
        title=f"Hide what {found.author.first_name} says?",
        button="Hide it",
        back=case_url(pk),
        text=["It goes from every open page and no longer counts. It is kept here. Both sides are told at once."],
        danger=True,
    )

    def act() -> object:
        return actions.hide_review(found, by=signed_in(request), **form.cleaned_data)

    return decide(request, question, act, form, said=f"Hidden: {called(found)}.", onward=lambda: onward(found))


@deed
def flag(request: HttpRequest, pk: int) -> HttpResponse:
    """The desk takes up a review that nobody has flagged."""
    found = required(request, pk, ReviewStatus.PUBLISHED)
    form = TakeUpForm(request.POST or None)
    question = Question(
        title="Take this review up?",
        button="Flag it",
        back=case_url(pk),
        text=["It joins those to decide, and stays in sight until then. Neither side is told."],
    )

    def act() -> object:
        return actions.flag_review(found, by=signed_in(request), **form.cleaned_data)

    return ask(request, question, act, form)
