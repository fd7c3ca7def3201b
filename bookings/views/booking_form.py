"""Booking a job in four short steps. What is typed is kept in a draft, so Back and errors lose nothing."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.access import signed_in
from accounts.models import User
from bookings import access, actions
from bookings.actions.booking import check_complete
from bookings.forms.booking import WhatForm, WhenForm, WhereForm
from bookings.models import Booking, BookingPhoto
from bookings.rules.fees import Policy
from bookings.states import BookingStatus
from bookings.views.confirming import Question, ask
from bookings.views.customer import deed
from common.http import SeeOther
from common.refusals import Invalid, Refusal

STEPS = (
    ("bookings:book", "What"),
    ("bookings:book_where", "Where"),
    ("bookings:book_when", "When"),
    ("bookings:book_review", "Review"),
)
Step = Callable[[HttpRequest, Booking], HttpResponseBase]


def show(request: HttpRequest, number: int, template: str, status: int = 200, **context: object) -> HttpResponse:
    """The page of step `number` (from 1), with the way through the steps."""
    steps = [(reverse(name), word, place) for place, (name, word) in enumerate(STEPS, 1)]
    return render(request, template, {"steps": steps, "number": number, **context}, status=status)


def onward(request: HttpRequest, number: int) -> HttpResponse:
    """To the step after `number`, or before it where Back was pressed."""
    to = number - 1 if "back" in request.POST else number + 1
    return SeeOther(reverse(STEPS[to - 1][0]))


def with_draft(view: Step) -> Callable[[HttpRequest], HttpResponseBase]:
    """A step after the first: without a draft, it begins at the first."""

    def step(request: HttpRequest) -> HttpResponseBase:
        draft = access.draft_of(signed_in(request))
        return redirect("bookings:book") if draft is None else view(request, draft)

    return step


@deed
def what(request: HttpRequest) -> HttpResponse:
    """Step 1: the kind of job, a title, details, photos."""
    user = signed_in(request)
    draft = access.draft_of(user)
    form = WhatForm(request.POST or None, request.FILES or None, initial=WhatForm.initial_of(draft))
    if request.method == "POST":
        valid = form.is_valid()
        draft = actions.save_draft(draft, by=user, **form.kept())
        fine = add_photos(request, form, draft)
        if "remove" in request.POST:
            take_off(draft, request.POST["remove"], user)
        elif fine and valid:
            return onward(request, 1)
    photos = draft.photos.all() if draft else BookingPhoto.objects.none()
    status = 422 if form.errors and "remove" not in request.POST else 200
    return show(request, 1, "bookings/book_what.html", status, form=form, draft=draft, photos=photos)


def add_photos(request: HttpRequest, form: WhatForm, draft: Booking) -> bool:
    """Keep the pictures that came along; one that cannot be used becomes an error beside the field."""
    fine = True
    for upload in form.cleaned_data.get("photos", []):
        try:
            actions.add_photo(draft, upload, by=signed_in(request))
        except Refusal as refusal:
            form.add_error("photos", refusal.sentence)
            fine = False
    return fine


def take_off(draft: Booking, pk: str, by: User) -> None:
    """Take a picture off the draft; one that is gone already is fine."""
    photo = draft.photos.filter(pk=pk).first() if pk.isdecimal() else None
    if photo is not None:
        actions.remove_photo(photo, by=by)


@deed
@with_draft
def where(request: HttpRequest, draft: Booking) -> HttpResponse:
    """Step 2: the address, and the place on a map."""
    form = WhereForm(request.POST or None, initial=WhereForm.initial_of(draft))
    if request.method == "POST":
        valid = form.is_valid()
        actions.save_draft(draft, by=signed_in(request), **form.kept())
        if valid or "back" in request.POST:
            return onward(request, 2)
    return show(request, 2, "bookings/book_where.html", 422 if form.errors else 200, form=form, draft=draft)


@deed
@with_draft
def when(request: HttpRequest, draft: Booking) -> HttpResponse:
    """Step 3: the window, the length, the budget."""
    form = WhenForm(request.POST or None, draft=draft, initial=WhenForm.initial_for(draft))
    if request.method == "POST":
        valid = form.is_valid()
        actions.save_draft(draft, by=signed_in(request), **form.kept())
        if valid or "back" in request.POST:
            return onward(request, 3)
    return show(request, 3, "bookings/book_when.html", 422 if form.errors else 200, form=form, draft=draft)


@deed
@with_draft
def review(request: HttpRequest, draft: Booking) -> HttpResponse:
    """Step 4: everything once more, the price hint and the cancellation rule; then it is placed."""
    missing = ""
    if request.method == "POST":
        try:
            booking = actions.open_booking(draft, by=signed_in(request))
            return SeeOther(reverse("bookings:job", args=[booking.pk]))
        except Invalid as refusal:
            missing = refusal.sentence
    else:
        missing = what_is_missing(draft)
    context = {"draft": draft, "photos": draft.photos.all(), "rule": Policy().in_words(), "missing": missing}
    status = 422 if missing and request.method == "POST" else 200
    return show(request, 4, "bookings/book_review.html", status, **context)


def what_is_missing(draft: Booking) -> str:
    """The first thing that keeps the draft from being placed, as a sentence; empty when it is whole."""
    try:
        check_complete(draft, timezone.now())
    except Invalid as refusal:
        return refusal.sentence
    return ""


@deed
def discard(request: HttpRequest) -> HttpResponseBase:
    """Throw the draft away."""
    user = signed_in(request)
    draft = access.draft_of(user)
    if draft is None or draft.status != BookingStatus.DRAFT:
        return redirect("home")
    question = Question(
        title="Throw this draft away?",
        button="Throw it away",
        back=reverse("home"),
        text=["What you typed and the photos are deleted."],
        danger=True,
    )
    return ask(request, question, lambda: actions.discard_draft(draft, by=user))
