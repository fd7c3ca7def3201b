"""The customer's job page and what its buttons ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import role_required, signed_in
from accounts.models import Role
from bookings import access, actions
from bookings.actions.bids import check_acceptable
from bookings.actions.visit import missing_for_no_show
from bookings.forms.customer import CancelForm, ChangeTimeForm, ContactForm, MoveVisitForm
from bookings.links import job_url, url
from bookings.live.customer import booking_customer
from bookings.models import Bid, Booking, RescheduleProposal, Session
from bookings.rules.fees import Fee, Policy
from bookings.rules.numbers import minutes
from bookings.rules.words import span
from bookings.states import BookingStatus, CancelReason, Party, SessionStatus
from bookings.views.confirming import Question, ask
from common.idempotency import idempotent
from common.refusals import Conflict
from realtime.pages import live_page


@require_safe
@login_required
@role_required(Role.CUSTOMER)
@live_page(pace="close")
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """One page for the whole job: where it stands, the offers, the technician, what happened."""
    booking = access.own_booking(signed_in(request), pk)
    if booking.status == BookingStatus.DRAFT:
        raise Http404
    offers = booking.bids.standing().values_list("pk", flat=True)
    context = {
        "dispute_key": f"{pk}-{booking.customer_id}",
        "booking": booking,
        "topic": booking_customer(booking.pk),
        "offers": offers,
    }
    return render(request, "bookings/job.html", context)


def deed(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A confirm page of the customer's: GET asks, POST does it once."""
    return require_http_methods(["GET", "HEAD", "POST"])(
        login_required(role_required(Role.CUSTOMER)(idempotent(live_page(view))))
    )


def moved(booking: Booking, sentence: str) -> Conflict:
    """The refusal for a page whose job has moved on."""
    return Conflict(sentence, next_url=job_url(booking.pk), next_label="See the job")


# --- Offers ---------------------------------------------------------------------------------------


def bid_of(request: HttpRequest, pk: int, bid_pk: int) -> Bid:
    """The offer on this job of the person's own; 404 for one on another job."""
    bid = access.bid_on_own_booking(signed_in(request), bid_pk)
    if bid.booking_id != pk:
        raise Http404
    return bid


@deed
def accept(request: HttpRequest, pk: int, bid_pk: int, revision: int) -> HttpResponse:
    """Accept an offer as it stood at `revision`, the one whose price the button showed."""
    user = signed_in(request)
    bid = bid_of(request, pk, bid_pk)
    if request.method != "POST":
        check_acceptable(bid.booking, bid, revision, timezone.now())
    name, booking = bid.technician.user.first_name, bid.booking
    question = Question(
        title=f"Accept {name}'s offer?",
        button=f"Accept {bid.price}",
        back=job_url(pk),
        facts=[
            ("Price", bid.price),
            ("Visit", span(bid.starts_at, bid.ends_at, booking.zone, now=timezone.now())),
            *([("About", bid.technician.about)] if bid.technician.about else []),
        ],
        text=[f"{name} then gets your address and phone number; the other offers are closed."],
        rule=Policy.from_json(booking.policy).in_words(),
    )
    return ask(request, question, lambda: actions.accept_bid(bid, revision=revision, by=user))


@deed
def reject(request: HttpRequest, pk: int, bid_pk: int) -> HttpResponse:
    """Decline one offer; the others stand."""
    user = signed_in(request)
    bid = bid_of(request, pk, bid_pk)
    question = Question(
        title=f"Decline {bid.technician.user.first_name}'s offer?",
        button="Decline the offer",
        back=job_url(pk),
        text=[f"The {bid.price} offer is declined for good and cannot be made again. Other offers stay."],
        danger=True,
    )
    return ask(request, question, lambda: actions.reject_bid(bid, by=user))


# --- The job --------------------------------------------------------------------------------------


@deed
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Call the job off. The fee stands on the page, and the answer carries what was read there."""
    user = signed_in(request)
    booking = access.own_booking(user, pk)
    if not booking.is_active:
        raise moved(booking, f"This job is {str(booking.get_status_display()).lower()} already.")
    assigned = booking.status != BookingStatus.OPEN
    form = CancelForm(request.POST or None, assigned=assigned)
    fee = actions.quote_cancellation(booking, by=user)
    late = actions.quote_cancellation(booking, by=user, reason=CancelReason.TECHNICIAN_LATE)
    question = Question(
        title="Cancel the job?",
        button="Cancel the job",
        back=job_url(pk),
        facts=[("Fee", fee.sentence)],
        text=fee_words(booking, fee, late),
        rule=Policy.from_json(booking.policy).in_words() if assigned else (),
        danger=True,
        hidden={"seen_fee": str(fee.money.amount), "seen_fee_late": str(late.money.amount)},
    )

    def act() -> None:
        reason = form.cleaned_data["reason"]
        field = "seen_fee_late" if reason == CancelReason.TECHNICIAN_LATE else "seen_fee"
        seen = amount(request.POST.get(field, ""))
        actions.cancel_booking(booking, by=user, reason=reason, note=form.cleaned_data["note"], seen_fee=seen)

    return ask(request, question, act, form)


def fee_words(booking: Booking, fee: Fee, late: Fee) -> list[str]:
    """What else happens; and the way out where the technician is late by now."""
    if booking.status == BookingStatus.OPEN:
        return ["Standing offers are closed, and their technicians are told."]
    if fee.money and not late.money:
        return ["Free if you cancel because the technician is late: choose that reason."]
    return []


def amount(text: str) -> Decimal | None:
    """The fee that the page showed; None where it is missing or no number."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None  # comparing with a signalling NaN raises


@deed
def change_time(request: HttpRequest, pk: int) -> HttpResponse:
    """Move the window of an open job."""
    user = signed_in(request)
    booking = access.own_booking(user, pk)
    if booking.status != BookingStatus.OPEN:
        raise moved(booking, "This job no longer takes offers: its time is fixed. A booked visit can be moved.")
    form = ChangeTimeForm(request.POST or None, zone=booking.time_zone, initial=ChangeTimeForm.initial_of(booking))
    question = Question(
        title="Change the time",
        button="Change the time",
        back=job_url(pk),
        text=[f"Times are those of {place_of(booking)}. Offers outside the new time lapse, but can be made again."],
    )

    def act() -> None:
        data = form.cleaned_data
        actions.change_window(booking, by=user, window_start=data["window_start"], window_end=data["window_end"])

    return ask(request, question, act, form)


def place_of(booking: Booking) -> str:
    """London, for Europe/London."""
    return booking.time_zone.rpartition("/")[2].replace("_", " ")


# --- The visit ------------------------------------------------------------------------------------


def visit_of(request: HttpRequest, pk: int) -> Session:
    """The visit of this job that is booked or under way. Raises `Conflict` when there is none any more."""
    booking = access.own_booking(signed_in(request), pk)
    session = booking.sessions.active().select_related("booking", "technician__user", "bid").first()
    if session is None:
        raise moved(booking, "There is no visit to change: nobody is booked, or it is over.")
    return session


@deed
def start_by_tap(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the work begin, instead of saying the code."""
    user = signed_in(request)
    session = visit_of(request, pk)
    name = session.technician.user.first_name
    question = Question(
        title="Let the work begin?",
        button="Start the work",
        back=job_url(pk),
        text=[f"Only if {name} is there with you. The work clock starts at once."],
    )
    return ask(request, question, lambda: actions.start_session(session, by=user))


@deed
def new_code(request: HttpRequest, pk: int) -> HttpResponse:
    """Another start code."""
    user = signed_in(request)
    session = visit_of(request, pk)
    question = Question(
        title="Get a new start code?",
        button="New code",
        back=job_url(pk),
        text=["The old one stops working at once."],
    )
    return ask(request, question, lambda: actions.renew_start_code(session, by=user))


@deed
def reschedule(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the technician to move the visit."""
    user = signed_in(request)
    session = visit_of(request, pk)
    booking = session.booking
    form = MoveVisitForm(request.POST or None, zone=booking.time_zone, initial=MoveVisitForm.initial_of(session))
    name = session.technician.user.first_name
    fee = actions.quote_cancellation(booking, by=user)
    keeps = [f"Cancelling costs {fee.money} now; moving the visit does not make that less."] if fee.money else []
    question = Question(
        title="Move the visit",
        button=f"Ask {name}",
        back=job_url(pk),
        facts=[("Now", span(session.starts_at, session.ends_at, booking.zone, now=timezone.now()))],
        text=[
            f"It moves when {name} agrees. Times are those of {place_of(booking)}.",
            *keeps,
        ],
    )

    def act() -> None:
        data = form.cleaned_data
        actions.propose_reschedule(session, by=user, starts_at=data["starts_at"], message=data["message"])

    return ask(request, question, act, form)


def proposal_of(request: HttpRequest, pk: int, proposal_pk: int) -> RescheduleProposal:
    """The proposal to move this job's visit; 404 for another job's."""
    proposal = access.proposal_for(signed_in(request), proposal_pk)
    if proposal.session.booking_id != pk:
        raise Http404
    return proposal


def proposed(proposal: RescheduleProposal) -> list[tuple[str, str]]:
    """Both times, for the confirm pages."""
    session, now = proposal.session, timezone.now()
    zone = session.booking.zone
    return [
        ("From", span(session.starts_at, session.ends_at, zone, now=now)),
        ("To", span(proposal.starts_at, proposal.ends_at, zone, now=now)),
    ]


@deed
def reschedule_accept(request: HttpRequest, pk: int, proposal_pk: int) -> HttpResponse:
    """Agree to the technician's time."""
    user = signed_in(request)
    proposal = proposal_of(request, pk, proposal_pk)
    question = Question("Move the visit?", "Agree", job_url(pk), facts=proposed(proposal))
    return ask(request, question, lambda: actions.accept_reschedule(proposal, by=user))


@deed
def reschedule_decline(request: HttpRequest, pk: int, proposal_pk: int) -> HttpResponse:
    """Keep the time as it is."""
    user = signed_in(request)
    proposal = proposal_of(request, pk, proposal_pk)
    question = Question("Keep the old time?", "Keep the old time", job_url(pk), facts=proposed(proposal)[:1])
    return ask(request, question, lambda: actions.decline_reschedule(proposal, by=user))


@deed
def reschedule_withdraw(request: HttpRequest, pk: int, proposal_pk: int) -> HttpResponse:
    """Take one's own proposal back."""
    user = signed_in(request)
    proposal = proposal_of(request, pk, proposal_pk)
    question = Question("Take your proposal back?", "Take it back", job_url(pk), facts=proposed(proposal)[:1])
    return ask(request, question, lambda: actions.withdraw_reschedule(proposal, by=user))


# --- Nobody there ---------------------------------------------------------------------------------


@deed
def contact(request: HttpRequest, pk: int) -> HttpResponse:
    """Note that one tried to reach the technician."""
    user = signed_in(request)
    session = visit_of(request, pk)
    form = ContactForm(request.POST or None)
    name, phone = session.technician.user.first_name, session.technician.user.phone
    question = Question(
        title=f"Did you try to reach {name}?",
        button="Note it",
        back=url("bookings:no_show", pk),
        facts=[("Phone", phone)] if phone else [],
        text=["It is kept with the visit. Without it, a visit cannot be closed as a no-show."],
    )

    def act() -> None:
        actions.record_contact_attempt(session, by=user, **form.cleaned_data)

    return ask(request, question, act, form)


@deed
def no_show(request: HttpRequest, pk: int) -> HttpResponse:
    """Report that the technician did not come; the page says what is still missing for that."""
    user = signed_in(request)
    session = visit_of(request, pk)
    name = session.technician.user.first_name
    if session.status != SessionStatus.PENDING:
        raise moved(session.booking, f"{name} has checked in.")
    now = timezone.now()
    missing = still_missing(session, now)
    question = Question(
        title=f"{name} did not come?",
        button="Close as a no-show",
        back=job_url(pk),
        text=[missing or "The visit is closed, and nothing is owed. This cannot be taken back."],
        danger=True,
    )
    if missing and request.method != "POST":
        begun = now >= session.starts_at
        context = {"question": question, "contact_url": url("bookings:contact", pk), "begun": begun}
        return render(request, "bookings/no_show_wait.html", context)
    return ask(request, question, lambda: actions.report_no_show(session, by=user))


def still_missing(session: Session, now: datetime) -> str:
    """What is still to be done or waited for before the visit can be closed as a no-show; empty when nothing is."""
    if now < session.starts_at:
        when = span(session.starts_at, session.ends_at, session.booking.zone, now=now)
        return f"The visit is booked for {when}. It has not begun yet."
    return missing_for_no_show(session, Party.TECHNICIAN, now, wait=minutes("NO_SHOW_WAIT_MINUTES"))
