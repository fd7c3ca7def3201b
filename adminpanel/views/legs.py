"""Legs: made for a booking, offered to drivers, taken back, given to another, called off."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import role_required, signed_in
from accounts.models import Role, User
from adminpanel.fleet.legs import OPEN_BOOKING, LegCard, card_of, load_legs
from adminpanel.forms.fleet import LegForm, MaybeReasonForm, OfferForm, ReasonForm, ReassignForm
from adminpanel.live.fleet import leg_topic
from adminpanel.talk.recipients import called, numbers
from adminpanel.views.replies import deed
from bookings.models import Booking
from bookings.views.confirming import Question, ask
from common.http import SeeOther
from common.idempotency import idempotent
from common.refusals import Conflict, Refusal
from realtime.pages import live_page
from tracking import access, actions
from tracking.dispatching import candidates
from tracking.links import leg_url
from tracking.models import Dispatch, Leg
from tracking.states import DispatchStatus

MOST_FOUND = 20


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="close")
def leg(request: HttpRequest, pk: int) -> HttpResponse:
    """A leg: how it stands, what it is, who was asked and what they said."""
    found = access.leg_for(signed_in(request), pk)
    card = load_legs([str(found.pk)])[str(found.pk)]
    context = {"leg": card.leg, "card": card, "topic": leg_topic(found.pk)}
    return render(request, "adminpanel/leg.html", context)


# --- A new one ------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.ADMIN)
@idempotent
@live_page
def leg_new(request: HttpRequest) -> HttpResponseBase:
    """The form for a booking; without one, the bookings to choose from."""
    chosen = next(iter(numbers([request.GET.get("booking", "")])), None)
    if chosen is None:
        return choose(request)
    booking = get_object_or_404(Booking.objects.select_related("customer"), pk=chosen)
    if booking.status not in OPEN_BOOKING:
        raise over(booking)
    form = LegForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = make(booking, form, signed_in(request))
        except Refusal as refusal:
            if refusal.next_url:
                raise
            form.add_error(None, refusal.sentence)
        else:
            return SeeOther(leg_url(made.pk))
    context = {"form": form, "booking": booking}
    return render(request, "adminpanel/leg_new.html", context, status=422 if form.errors else 200)


def over(booking: Booking) -> Conflict:
    """The refusal for a job that nothing is driven for."""
    state = str(booking.get_status_display()).lower()
    return Conflict(
        f"“{booking}” is {state}: nothing can be driven for it.",
        next_url=reverse("desk:leg_new"),
        next_label="Choose another job",
    )


def make(booking: Booking, form: LegForm, by: User) -> Leg:
    """The leg as it was typed."""
    data = form.cleaned_data
    return actions.create_leg(
        booking,
        by=by,
        kind=data["kind"],
        note=data["note"],
        weight_kg=data["weight_kg"],
        skill=data["skill"],
        pick_up=data["pick_up"],
        pick_up_point=form.point,
    )


def choose(request: HttpRequest) -> HttpResponse:
    """The jobs that go on, the next ones first; searched by title, customer or postcode."""
    search = request.GET.get("q", "").replace("\0", "").strip()[:100]
    rows = Booking.objects.filter(status__in=OPEN_BOOKING).select_related("customer")
    for word in search.split()[:6]:
        people = rows.filter(customer__in=User.objects.filter(called(word)))
        rows = people | rows.filter(title__icontains=word) | rows.filter(postcode__icontains=word)
    found = list(rows.order_by("window_start", "pk")[: MOST_FOUND + 1])
    context = {"bookings": found[:MOST_FOUND], "has_more": len(found) > MOST_FOUND, "search": search}
    return render(request, "adminpanel/leg_choose.html", context)


# --- Offering -------------------------------------------------------------------------------------


@deed
def leg_offer(request: HttpRequest, pk: int) -> HttpResponse:
    """Whom to ask: the candidates, best first, each with the reasons."""
    user = signed_in(request)
    found = access.leg_for(user, pk)
    card = card_of(found)
    if request.method != "POST" and not card.may_be_offered:
        raise not_now(card)
    people = candidates(found, now=timezone.now())
    form = OfferForm(request.POST or None, candidates=people, chosen=request.GET.getlist("driver"))
    question = Question(
        title=f"Who takes “{found.note}”?",
        button="Ask those ticked",
        back=leg_url(pk),
        template="adminpanel/offer.html",
        context={"leg": found},
    )
    return ask(request, question, lambda: send(found, form, user), form)


def send(leg: Leg, form: OfferForm, by: User) -> None:
    """Ask one alone, several in turn."""
    asked = form.asked
    if len(asked) == 1:
        actions.offer_leg(leg, asked[0], by=by, seconds=form.time)
    else:
        actions.ask_in_turn(leg, asked, by=by, seconds=form.time)


def not_now(card: LegCard) -> Conflict:
    """Why nobody can be asked just now."""
    holder = card.done or card.taken or card.offer
    if card.leg.cancelled_at is not None:
        sentence = "This leg was called off."
    elif holder is not None and holder.stands:
        sentence = f"{holder.dispatch.driver} has been asked and can still answer. Take that offer back first."
    else:
        sentence = f"{holder.dispatch.driver if holder else 'Somebody'} has this leg already."
    return Conflict(sentence, next_url=leg_url(card.pk), next_label="See the leg")


@deed
def dispatch_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an offer back."""
    user = signed_in(request)
    dispatch = access.dispatch_for(user, pk)
    if request.method != "POST":
        require(dispatch, DispatchStatus.OFFERED)
    form = MaybeReasonForm(request.POST or None)
    question = Question(
        title=f"Take the offer back from {dispatch.driver}?",
        button="Take it back",
        back=leg_url(dispatch.leg_id),
        text=["It goes from their screen at once, and whoever was to be asked next is not asked."],
        danger=True,
    )
    return ask(
        request, question, lambda: actions.revoke_offer(dispatch, by=user, reason=form.cleaned_data["reason"]), form
    )


@deed
def dispatch_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the leg off its driver; it is in the tray again."""
    user = signed_in(request)
    dispatch = access.dispatch_for(user, pk)
    if request.method != "POST":
        require_active(dispatch)
    form = ReasonForm(request.POST or None)
    question = Question(
        title=f"Take “{dispatch.leg.note}” from {dispatch.driver}?",
        button="Take it away",
        back=leg_url(dispatch.leg_id),
        text=["The leg is open again. The customer no longer sees where the driver is."],
        danger=True,
    )
    return ask(
        request, question, lambda: actions.cancel_dispatch(dispatch, by=user, reason=form.cleaned_data["reason"]), form
    )


@deed
def dispatch_reassign(request: HttpRequest, pk: int) -> HttpResponse:
    """Give it to another driver: taken from one and offered to the other, or neither."""
    user = signed_in(request)
    dispatch = access.dispatch_for(user, pk)
    if request.method != "POST":
        require_active(dispatch)
    people = [each for each in candidates(dispatch.leg, now=timezone.now()) if each.driver.pk != dispatch.driver_id]
    form = ReassignForm(request.POST or None, candidates=people)
    question = Question(
        title=f"Give “{dispatch.leg.note}” to another driver",
        button="Take it and ask",
        back=leg_url(dispatch.leg_id),
        template="adminpanel/reassign.html",
        context={"dispatch": dispatch},
    )

    def act() -> object:
        return actions.reassign(dispatch, form.chosen, by=user, reason=form.cleaned_data["reason"])

    return ask(request, question, act, form)


def require(dispatch: Dispatch, *states: str) -> None:
    """Raise `Conflict` where the page that asked shows what is no longer so."""
    if dispatch.status not in states:
        state = str(dispatch.get_status_display()).lower()
        raise Conflict(
            f"Things moved on a moment ago: {dispatch.driver} and this leg are at “{state}”.",
            next_url=leg_url(dispatch.leg_id),
            next_label="See the leg",
        )


def require_active(dispatch: Dispatch) -> None:
    """The same, for a leg that its driver must have."""
    if not dispatch.is_active:
        require(dispatch)


@deed
def leg_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Call the leg off."""
    user = signed_in(request)
    found = access.leg_for(user, pk)
    card = card_of(found)
    form = ReasonForm(request.POST or None)
    text = ["Nobody else is asked."]
    if card.taken or card.offer:
        holder = card.taken or card.offer
        text = [f"{holder.dispatch.driver if holder else ''} is told, and nobody else is asked."]
    question = Question(
        title=f"Call “{found.note}” off?", button="Call it off", back=leg_url(pk), text=text, danger=True
    )
    return ask(request, question, lambda: actions.cancel_leg(found, by=user, reason=form.cleaned_data["reason"]), form)
