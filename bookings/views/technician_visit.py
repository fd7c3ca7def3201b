"""The visit, verb by verb: each is a small page that asks, and does it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.access import role_required, signed_in
from accounts.models import Role, User
from bookings import access, actions
from bookings.actions.visit import missing_for_no_show
from bookings.forms.technician import AttemptForm, CodeForm, CompleteForm, MoveForm, PauseForm, ReleaseForm, StopForm
from bookings.models import COMING_EARLY, RescheduleProposal, Session
from bookings.rules.numbers import minutes
from bookings.rules.words import span
from bookings.states import Party, ProposalStatus, SessionStatus
from bookings.views.technician_asked import Ask, NoQuestions, already, asked, too_late, typed
from common.idempotency import idempotent
from realtime.pages import live_page

PENDING, WAITING, LIVE, PAUSED = (
    SessionStatus.PENDING,
    SessionStatus.WAITING,
    SessionStatus.LIVE,
    SessionStatus.PAUSED,
)
View = Callable[..., HttpResponseBase]


def visit_page(*states: str) -> Callable[[Callable[[HttpRequest, Session, User], HttpResponse]], View]:
    """A page about a visit of one's own, for the states in which there is something to ask.

    In any other state GET says how far the visit is; POST is left to the action, which refuses under its lock.
    """

    def decorate(view: Callable[[HttpRequest, Session, User], HttpResponse]) -> View:
        @require_http_methods(["GET", "POST"])
        @login_required
        @role_required(Role.TECHNICIAN)
        @idempotent
        @live_page(pace="close")
        @wraps(view)
        def page(request: HttpRequest, pk: int) -> HttpResponse:
            user = signed_in(request)
            session = access.own_session(user, pk)
            if request.method == "GET" and session.status not in states:
                return already(request, session)
            return view(request, session, user)

        return page

    return decorate


def confirm(
    request: HttpRequest, session: Session, ask: Ask, form: forms.Form, act: Callable[[dict[str, Any]], object]
) -> HttpResponse:
    """`asked`, about a visit."""
    return asked(request, session.booking_id, ask, form, act)


@visit_page(PENDING)
def check_in(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """The technician has arrived."""
    name = session.booking.customer.first_name
    lead = f"{name} is told that you are there, and sees the start code."
    if (now := timezone.now()) < session.starts_at - COMING_EARLY:
        lead += (
            f" You are early: the visit is {span(session.starts_at, session.ends_at, session.booking.zone, now=now)}."
            " Only if you agreed on that: you cannot give the job back or move it afterwards."
        )
    ask = Ask("Are you at the door?", "I have arrived", lead)
    form = NoQuestions(**typed(request))
    return confirm(request, session, ask, form, lambda _: actions.check_in(session, by=user))


@visit_page(WAITING)
def enter_code(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """The work begins with the customer's code; their own tap does the same."""
    name = session.booking.customer.first_name
    ask = Ask("Ask for the start code", "Start the work", f"{name} can also start the work on their own page.")
    form = CodeForm(**typed(request))
    return confirm(request, session, ask, form, lambda data: actions.start_session(session, by=user, code=data["code"]))


@visit_page(LIVE)
def pause_session(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """The work clock stops for a while."""
    ask = Ask("Pause the work", "Pause", "The work clock stops, and the customer sees why.")
    form = PauseForm(**typed(request))
    return confirm(
        request, session, ask, form, lambda data: actions.pause_session(session, by=user, reason=data["reason"])
    )


@visit_page(PAUSED)
def resume_session(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """The work goes on."""
    ask = Ask("Go on working?", "Go on working", "The work clock runs again. The pause does not count.")
    form = NoQuestions(**typed(request))
    return confirm(request, session, ask, form, lambda _: actions.resume_session(session, by=user))


@visit_page(LIVE, PAUSED)
def complete_session(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """The work is done."""
    ask = Ask("Finish the visit", "Finish", "The work clock stops. Your note and photos stay with the job.")
    form = CompleteForm(**typed(request))
    return confirm(
        request,
        session,
        ask,
        form,
        lambda data: actions.complete_session(session, by=user, note=data["note"], photos=data["photos"]),
    )


@visit_page(WAITING, LIVE, PAUSED)
def stop_work(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """The visit is called off by the technician on site."""
    lead = "The visit ends here and the job is cancelled. The customer pays nothing."
    ask = Ask("Stop the visit?", "Stop the visit", lead, tone="danger")
    form = StopForm(**typed(request))
    return confirm(
        request,
        session,
        ask,
        form,
        lambda data: actions.cancel_booking(session.booking, by=user, reason=data["reason"], note=data["note"]),
    )


@visit_page(PENDING)
def release(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """The technician gives the job back."""
    lead = "The job opens again for others, and the customer is told why. You cannot offer on it again."
    ask = Ask("Withdraw from this job?", "Withdraw", lead, tone="danger")
    form = ReleaseForm(**typed(request))
    return confirm(request, session, ask, form, lambda data: actions.release(session, by=user, reason=data["reason"]))


@visit_page(PENDING, WAITING)
def contact_attempt(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """Keep that the technician tried to reach the customer."""
    lead = "Kept with its time: without a try there is no no-show."
    ask = Ask("You tried to reach the customer", "Keep it", lead)
    form = AttemptForm(**typed(request))
    return confirm(request, session, ask, form, lambda data: actions.record_contact_attempt(session, by=user, **data))


@visit_page(WAITING)
def report_no_show(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """The customer is not there. While the rule asks for more, the page says what."""
    missing = missing_for_no_show(session, Party.CUSTOMER, timezone.now(), wait=minutes("NO_SHOW_WAIT_MINUTES"))
    lead = "The visit ends here. What the customer owes is decided by the cancellation rule."
    ask = Ask(
        "Nobody there?",
        "Report a no-show",
        lead,
        tone="danger",
        template="bookings/technician_no_show.html",
        context={"missing": missing, "session": session},
    )
    form = NoQuestions(**typed(request))
    return confirm(request, session, ask, form, lambda _: actions.report_no_show(session, by=user))


# --- Moving a visit, by consent -------------------------------------------------------------------


@visit_page(PENDING)
def propose_move(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """Ask the customer for another time."""
    lead = "It moves when the customer agrees. Until then the visit stays as it is."
    ask = Ask("Propose another time", "Ask the customer", lead, context={"now_at": session})
    form = MoveForm(**typed(request), session=session)
    return confirm(
        request,
        session,
        ask,
        form,
        lambda data: actions.propose_reschedule(session, by=user, starts_at=data["starts_at"], message=data["message"]),
    )


def move_page(request: HttpRequest, pk: int, words: Callable[[str], Ask], act: Callable[..., object]) -> HttpResponse:
    """A page about a proposal to move a visit of one's own."""
    user = signed_in(request)
    proposal = access.proposal_for(user, pk)
    session = proposal.session
    if request.method == "GET" and proposal.status != ProposalStatus.PROPOSED:
        state = str(proposal.get_status_display()).lower()
        return too_late(request, session.booking_id, f"This proposal is {state} by now.")
    form = NoQuestions(**typed(request))
    return confirm(request, session, words(when(proposal)), form, lambda _: act(proposal, by=user))


def when(proposal: RescheduleProposal) -> str:
    """The proposed time in words."""
    return span(proposal.starts_at, proposal.ends_at, proposal.session.booking.zone, now=timezone.now())


def moving(view: View) -> View:
    """The decorators of a page about a proposal."""
    guarded = role_required(Role.TECHNICIAN)(idempotent(live_page(pace="close")(view)))
    page: View = require_http_methods(["GET", "POST"])(login_required(guarded))
    return page


@moving
def accept_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Agree to the customer's time."""

    def words(time: str) -> Ask:
        return Ask("Agree to the new time?", "Agree", f"The visit moves to {time}.")

    return move_page(request, pk, words, actions.accept_reschedule)


@moving
def decline_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the time as it is."""

    def words(time: str) -> Ask:
        return Ask("Decline the new time?", "Decline", f"The visit stays when it is, not {time}.", tone="danger")

    return move_page(request, pk, words, actions.decline_reschedule)


@moving
def withdraw_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one's own proposal back."""

    def words(time: str) -> Ask:
        return Ask("Take your proposal back?", "Take it back", f"You no longer ask for {time}.")

    return move_page(request, pk, words, actions.withdraw_reschedule)
