"""The visit, verb by verb: each is a small page that asks, and does it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

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
from bookings.views.confirming import ask
from bookings.views.technician_asked import already, asking, too_late, typed
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
    question = asking(session.booking_id, "Are you at the door?", "I have arrived", lead)
    return ask(request, question, lambda: actions.check_in(session, by=user))


@visit_page(WAITING)
def enter_code(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """The work begins with the customer's code; their own tap does the same."""
    name = session.booking.customer.first_name
    question = asking(
        session.booking_id,
        "Ask for the start code",
        "Start the work",
        f"{name} can also start the work on their own page.",
    )
    form = CodeForm(**typed(request))
    return ask(request, question, lambda: actions.start_session(session, by=user, code=form.cleaned_data["code"]), form)


@visit_page(LIVE)
def pause_session(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """The work clock stops for a while."""
    question = asking(session.booking_id, "Pause the work", "Pause", "The work clock stops, and the customer sees why.")
    form = PauseForm(**typed(request))
    return ask(
        request, question, lambda: actions.pause_session(session, by=user, reason=form.cleaned_data["reason"]), form
    )


@visit_page(PAUSED)
def resume_session(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """The work goes on."""
    question = asking(
        session.booking_id, "Go on working?", "Go on working", "The work clock runs again. The pause does not count."
    )
    return ask(request, question, lambda: actions.resume_session(session, by=user))


@visit_page(LIVE, PAUSED)
def complete_session(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """The work is done."""
    question = asking(
        session.booking_id,
        "Finish the visit",
        "Finish",
        "The work clock stops. Your note and photos stay with the job.",
    )
    form = CompleteForm(**typed(request))
    return ask(
        request,
        question,
        lambda: actions.complete_session(
            session, by=user, note=form.cleaned_data["note"], photos=form.cleaned_data["photos"]
        ),
        form,
    )


@visit_page(WAITING, LIVE, PAUSED)
def stop_work(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """The visit is called off by the technician on site."""
    lead = "The visit ends here and the job is cancelled. The customer pays nothing."
    question = asking(session.booking_id, "Stop the visit?", "Stop the visit", lead, danger=True)
    form = StopForm(**typed(request))
    return ask(
        request,
        question,
        lambda: actions.cancel_booking(
            session.booking, by=user, reason=form.cleaned_data["reason"], note=form.cleaned_data["note"]
        ),
        form,
    )


@visit_page(PENDING)
def release(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """The technician gives the job back."""
    lead = "The job opens again for others, and the customer is told why. You cannot offer on it again."
    question = asking(session.booking_id, "Withdraw from this job?", "Withdraw", lead, danger=True)
    form = ReleaseForm(**typed(request))
    return ask(request, question, lambda: actions.release(session, by=user, reason=form.cleaned_data["reason"]), form)


@visit_page(PENDING, WAITING)
def contact_attempt(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """Keep that the technician tried to reach the customer."""
    lead = "Kept with its time: without a try there is no no-show."
    question = asking(session.booking_id, "You tried to reach the customer", "Keep it", lead)
    form = AttemptForm(**typed(request))
    return ask(request, question, lambda: actions.record_contact_attempt(session, by=user, **form.cleaned_data), form)


@visit_page(WAITING)
def report_no_show(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """The customer is not there. While the rule asks for more, the page says what."""
    missing = missing_for_no_show(session, Party.CUSTOMER, timezone.now(), wait=minutes("NO_SHOW_WAIT_MINUTES"))
    lead = "The visit ends here. What the customer owes is decided by the cancellation rule."
    question = asking(
        session.booking_id,
        "Nobody there?",
        "Report a no-show",
        lead,
        danger=True,
        template="bookings/technician_no_show.html",
        missing=missing,
        session=session,
    )
    return ask(request, question, lambda: actions.report_no_show(session, by=user))


# --- Moving a visit, by consent -------------------------------------------------------------------


@visit_page(PENDING)
def propose_move(request: HttpRequest, session: Session, user: User) -> HttpResponse:
    """Ask the customer for another time."""
    lead = "It moves when the customer agrees. Until then the visit stays as it is."
    question = asking(session.booking_id, "Propose another time", "Ask the customer", lead)
    form = MoveForm(**typed(request), session=session)
    return ask(
        request,
        question,
        lambda: actions.propose_reschedule(
            session, by=user, starts_at=form.cleaned_data["starts_at"], message=form.cleaned_data["message"]
        ),
        form,
    )


def move_page(
    request: HttpRequest, pk: int, words: Callable[[str], tuple[str, str, str]], act: Callable[..., object]
) -> HttpResponse:
    """A page about a proposal to move a visit of one's own."""
    user = signed_in(request)
    proposal = access.proposal_for(user, pk)
    session = proposal.session
    if request.method == "GET" and proposal.status != ProposalStatus.PROPOSED:
        state = str(proposal.get_status_display()).lower()
        return too_late(request, session.booking_id, f"This proposal is {state} by now.")
    danger = act is actions.decline_reschedule
    question = asking(session.booking_id, *words(when(proposal)), danger=danger)
    return ask(request, question, lambda: act(proposal, by=user))


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

    def words(time: str) -> tuple[str, str, str]:
        return "Agree to the new time?", "Agree", f"The visit moves to {time}."

    return move_page(request, pk, words, actions.accept_reschedule)


@moving
def decline_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the time as it is."""

    def words(time: str) -> tuple[str, str, str]:
        return "Decline the new time?", "Decline", f"The visit stays when it is, not {time}."

    return move_page(request, pk, words, actions.decline_reschedule)


@moving
def withdraw_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one's own proposal back."""

    def words(time: str) -> tuple[str, str, str]:
        return "Take your proposal back?", "Take it back", f"You no longer ask for {time}."

    return move_page(request, pk, words, actions.withdraw_reschedule)
