"""A technician's offer: making it, changing it, taking it back."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.access import role_required, signed_in, technician_of
from accounts.models import Role, Technician, User
from bookings import access, actions
from bookings.actions.moves import taken
from bookings.forms.technician import OfferForm
from bookings.live.technician import onlookers
from bookings.models import Bid, Booking
from bookings.states import BidStatus, BookingStatus
from bookings.views.confirming import Question, ask
from bookings.views.technician import lacking
from bookings.views.technician_asked import asking, too_late, typed
from bookings.work import load_open_jobs
from common.idempotency import idempotent
from realtime.pages import live_page

NOT_VERIFIED = "You may look, but not offer yet: not all of your papers are approved."


@require_http_methods(["GET", "POST"])
@login_required
@role_required(Role.TECHNICIAN)
@idempotent
@live_page
def offer(request: HttpRequest, pk: int) -> HttpResponse:
    """Make an offer on a job, or change the one made."""
    user, now = signed_in(request), timezone.now()
    technician = technician_of(user)
    booking = offerable(user, technician, pk, now)
    bid = booking.bids.filter(technician=technician).first()
    if why := cannot_offer(booking, technician):
        return render(request, "bookings/technician_cannot_offer.html", {"booking": booking, "why": why}, status=403)
    if request.method == "GET" and (sentence := nothing_to_offer(booking, bid)):
        return too_late(request, booking.pk, sentence)
    form = OfferForm(**typed(request), booking=booking, bid=bid, now=now)
    return ask(request, offer_words(booking, bid), lambda: send(booking, bid, form, request, now), form)


def offerable(user: User, technician: Technician, pk: int, now: datetime) -> Booking:
    """A job one may see. Who comes too late for one that has just left the market is told so, not "nothing here"."""
    if onlookers({user.pk}, pk) and not access.visible_bookings(user).filter(pk=pk).exists():
        raise taken(Booking.objects.get(pk=pk), technician, now)
    return access.booking_for(user, pk)


def send(booking: Booking, bid: Bid | None, form: OfferForm, request: HttpRequest, now: datetime) -> Bid:
    """Place the offer, or make its next revision."""
    user = signed_in(request)
    if bid is None:
        return actions.place_bid(booking, by=user, now=now, **form.terms())
    return actions.revise_bid(bid, by=user, now=now, **form.terms())


def offer_words(booking: Booking, bid: Bid | None) -> Question:
    """The words of the offer page, for a first offer, a change, or another try."""
    title, button = "Make an offer", "Send the offer"
    if bid is not None:
        standing = bid.status == BidStatus.SUBMITTED
        title, button = ("Change your offer", "Send the change") if standing else ("Offer again", "Send the offer")
    return asking(booking.pk, title, button, template="bookings/technician_offer.html", booking=booking, bid=bid)


def cannot_offer(booking: Booking, technician: Technician) -> str:
    """Why this technician may not offer on any terms, or nothing."""
    if not technician.is_verified:
        return NOT_VERIFIED
    skill = lacking(booking, technician)
    return f"This job needs {skill}, which is not among your skills." if skill else ""


def nothing_to_offer(booking: Booking, bid: Bid | None) -> str:
    """Why there is nothing left to offer, or nothing."""
    if booking.status != BookingStatus.OPEN:
        return load_open_jobs([str(booking.pk)])[str(booking.pk)].gone
    if bid is not None and bid.status != BidStatus.SUBMITTED and not bid.may_return:
        return bid.outcome or "Your offer on this job has ended."
    return ""


@require_http_methods(["GET", "POST"])
@login_required
@role_required(Role.TECHNICIAN)
@idempotent
@live_page
def withdraw_offer(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an offer back before it is accepted."""
    user = signed_in(request)
    bid = access.own_bid(user, pk)
    if request.method == "GET" and bid.status != BidStatus.SUBMITTED:
        return too_late(request, bid.booking_id, ended(bid))
    question = asking(
        bid.booking_id,
        "Withdraw your offer?",
        "Withdraw it",
        f"The customer will no longer see your {bid.price}. While the job is open you may offer again.",
        danger=True,
    )
    return ask(request, question, lambda: actions.withdraw_bid(bid, by=user))


def ended(bid: Bid) -> str:
    """Why there is nothing to withdraw."""
    if bid.status == BidStatus.ACCEPTED:
        return "The customer has chosen this offer a moment ago: the job is yours. See what comes next."
    return bid.outcome or "This offer has ended already."
