"""What both sides do about reviews: write one, and ask the desk to look at the other's."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import role_required, signed_in
from accounts.models import Role, Technician
from bookings import access, actions
from bookings.forms.reviews import FlagForm, ReviewForm
from bookings.links import job_url
from bookings.live.reviews import reviews_topic
from bookings.models import Review, Session
from bookings.reviewing import ReviewCard, cards
from bookings.rules.words import moment
from bookings.states import Party, ReviewStatus
from bookings.views.confirming import Question, ask
from common.idempotency import idempotent
from common.refusals import Conflict
from realtime.pages import live_page

HINTS = {
    Party.CUSTOMER: "Was the work good, was it on time, would you book again?",
    Party.TECHNICIAN: "Was everything ready, was it as described, would you come again?",
}


def deed(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A confirm page of either side's: GET asks, POST does it once."""
    return require_http_methods(["GET", "HEAD", "POST"])(
        login_required(role_required(Role.CUSTOMER, Role.TECHNICIAN)(idempotent(live_page(view))))
    )


@deed
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """Say how it was, or say it anew while it is sealed."""
    user = signed_in(request)
    visit = finished(access.visit_to_review(user, pk), pk)
    party = Party.CUSTOMER if user.pk == visit.booking.customer_id else Party.TECHNICIAN
    card = card_to_write(visit, party)
    own = card.own
    form = ReviewForm(request.POST or None, own=own, stars=request.GET.get("stars", ""), hint=HINTS[party])
    name = card.other.first_name
    until = moment(card.opens_at, visit.booking.zone)
    question = Question(
        title=f"How was it with {name}?",
        button="Change my review" if own else "Send my review",
        back=job_url(pk),
        text=[f"Sealed: {name} reads it once they have written too, or on {until}. Until then you may change it."],
        template="bookings/review.html",
    )

    def act() -> None:
        actions.write_review(visit.booking, by=user, **form.cleaned_data)

    return ask(request, question, act, form)


def finished(visit: Session | None, pk: int) -> Session:
    """The visit, once there is one to review. Raises `Conflict` before."""
    if visit is None:
        raise too_late(pk, "A job can be reviewed once its work is finished.")
    return visit


def too_late(pk: int, sentence: str) -> Conflict:
    """A refusal that leads back to the job."""
    return Conflict(sentence, next_url=job_url(pk), next_label="See the job")


def card_to_write(visit: Session, party: str) -> ReviewCard:
    """What this side has written so far. Raises `Conflict` where there is nothing to write any more."""
    card = cards([visit], party, timezone.now()).get(visit.booking_id)
    if card is not None and (card.may_write or (card.own and card.own.is_sealed)):
        return card
    if card is not None and card.own is not None:
        raise too_late(visit.booking_id, "Your review is open to read, so it can no longer be changed.")
    raise too_late(visit.booking_id, "The week for reviews of this job is over.")


@deed
def flag_review(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the desk to look at what was said of oneself."""
    user = signed_in(request)
    found = access.review_of_me(user, pk)
    if request.method != "POST" and found.status != ReviewStatus.PUBLISHED:
        state = "hidden" if found.status == ReviewStatus.HIDDEN else "flagged"
        raise too_late(found.booking_id, f"This review is {state} already.")
    form = FlagForm(request.POST or None)
    question = Question(
        title="Flag this review?",
        button="Flag it",
        back=job_url(found.booking_id),
        text=["The desk looks at it and decides. Until then it stays where it is. You can flag a review once."],
        danger=True,
    )
    return ask(request, question, lambda: actions.flag_review(found, by=user, **form.cleaned_data), form)


# --- What customers say of a technician -----------------------------------------------------------

PAGE = 30


@require_safe
@login_required
@live_page
def reviews_of(request: HttpRequest, pk: int) -> HttpResponse:
    """What customers say of a technician, the latest first; for everybody who is signed in."""
    signed_in(request)
    people = Technician.objects.select_related("user").filter(user__is_active=True, user__role=Role.TECHNICIAN)
    technician = get_object_or_404(people, pk=pk)
    asked = request.GET.get("page", "")
    page = min(max(int(asked), 1), 1000) if asked.isdecimal() and len(asked) < 9 else 1
    rows = Review.objects.shown().filter(about=technician.pk, party=Party.CUSTOMER).order_by("-published_at", "-pk")
    keys = list(rows.values_list("pk", flat=True)[(page - 1) * PAGE : page * PAGE + 1])
    context = {
        "technician": technician,
        "topic": reviews_topic(technician.pk),
        "keys": keys[:PAGE],
        "before": page - 1,
        "after": page + 1 if len(keys) > PAGE else 0,
        "new": "insert" if page == 1 else "pill",
    }
    return render(request, "bookings/reviews_of.html", context)
