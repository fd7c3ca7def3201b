"""What the desk does with one job: sends somebody, moves it, calls it off, answers offers, acts for either side."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone

from accounts.access import signed_in
from accounts.models import User
from adminpanel.forms.bookings import DeskCancelForm, DeskMoveForm, DeskWindowForm, PlanForm, WhyForm
from adminpanel.jobs.candidates import Candidate, candidates
from adminpanel.jobs.rows import Case, load_cases
from adminpanel.jobs.steps import STEPS
from adminpanel.views.replies import deed
from bookings import actions
from bookings.actions import Plan
from bookings.forms.customer import ChangeTimeForm, MoveVisitForm
from bookings.links import desk_url
from bookings.models import Bid
from bookings.rules.words import span
from bookings.states import BidStatus
from bookings.views.confirming import Question, ask
from bookings.views.customer import amount, place_of
from common.refusals import Conflict


def case_for(pk: int) -> Case:
    """The job with its visit, or 404; drafts are their customers' own."""
    case = load_cases([str(pk)]).get(str(pk))
    if case is None:
        raise Http404
    return case


def posted(request: HttpRequest) -> QueryDict | None:
    """What was sent, an empty form too; None where nothing was."""
    return request.POST if request.method == "POST" else None


def page(pk: int) -> str:
    """A job's page at the desk."""
    return desk_url("booking", pk)


def not_now(case: Case, what: str) -> Conflict:
    """The refusal for a page whose job has moved on."""
    state = str(case.booking.get_status_display()).lower()
    if case.visit is not None:
        state += f", its visit {str(case.visit.get_status_display()).lower()}"
    return Conflict(f"{what}: “{case.booking}” is {state}.", next_url=page(case.pk), next_label="See the job")


# --- Sending somebody -----------------------------------------------------------------------------


@deed
def booking_assign(request: HttpRequest, pk: int) -> HttpResponse:
    """Who comes, when and for how much; for a booked job, who comes instead."""
    user, now = signed_in(request), timezone.now()
    case = case_for(pk)
    if not case.may_be_sent:
        raise not_now(case, "Nobody can be sent")
    row, visit = case.booking, case.visit
    start = PlanForm.initial_of(row, visit, now)
    form = PlanForm(posted(request), booking=row, candidates=choices(case), initial=start)
    question = Question(
        title=f"Who comes instead of {visit.technician}?" if visit else f"Who comes to “{row}”?",
        button="Send them instead" if visit else "Send them",
        back=page(pk),
        template="adminpanel/booking_assign.html",
        context={"case": case, "place": place_of(row)},
    )

    def act() -> object:
        data = form.cleaned_data
        plan = Plan(
            form.who, data["starts_at"], data["amount"], data["reason"],
            ends_at=data["ends_at"], overlap_allowed=data["overlap"],
        )  # fmt: skip
        return actions.assign_technician(row, plan, by=user)

    return ask(request, question, act, form)


def choices(case: Case) -> list[Candidate]:
    """Whom to choose from, by the time that is booked or wanted."""
    row, visit = case.booking, case.visit
    start = visit.starts_at if visit else row.window_start
    end = visit.ends_at if visit else (start + row.duration if start else None)
    if start is None or end is None:
        return []
    besides = visit.technician_id if visit else None
    return candidates(row, case.bids, start, end, besides=besides, now=timezone.now())


# --- Moving it ------------------------------------------------------------------------------------


@deed
def booking_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Another time: of the visit, or of an open job's window."""
    user = signed_in(request)
    case = case_for(pk)
    if case.is_open:
        return move_window(request, case, user)
    if not case.may_be_moved or case.visit is None:
        raise not_now(case, "It cannot be moved")
    row, visit = case.booking, case.visit
    start = MoveVisitForm.initial_of(visit)
    form = DeskMoveForm(posted(request), zone=row.time_zone, initial=start)
    question = Question(
        title="Move the visit",
        button="Move it",
        back=page(pk),
        facts=[("Now", span(visit.starts_at, visit.ends_at, row.zone, now=timezone.now()))],
        text=[f"It moves at once, and both sides are told. Times are those of {place_of(row)}."],
    )

    def act() -> object:
        data = form.cleaned_data
        return actions.move_visit(
            visit, by=user, starts_at=data["starts_at"], reason=data["reason"],
            overlap_allowed=data["overlap"], wished_by_customer=data["wished"],
        )  # fmt: skip

    return ask(request, question, act, form)


def move_window(request: HttpRequest, case: Case, user: User) -> HttpResponse:
    """The time that an open job is wanted for."""
    row = case.booking
    form = DeskWindowForm(posted(request), zone=row.time_zone, initial=ChangeTimeForm.initial_of(row))
    question = Question(
        title="Change the time",
        button="Change the time",
        back=page(row.pk),
        text=[f"Times are those of {place_of(row)}. Offers outside the new time lapse, but can be made again."],
    )

    def act() -> object:
        data = form.cleaned_data
        start, end, why = data["window_start"], data["window_end"], data["reason"]
        return actions.change_window(row, by=user, window_start=start, window_end=end, reason=why)

    return ask(request, question, act, form)


# --- Calling it off -------------------------------------------------------------------------------


@deed
def booking_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Call the job off. The fee stands on the page, and the answer carries what was read there."""
    user = signed_in(request)
    case = case_for(pk)
    row = case.booking
    if not row.is_active:
        raise not_now(case, "It cannot be called off")
    form = DeskCancelForm(posted(request))
    ours, theirs = (actions.quote_cancellation(row, by=user, for_customer=wished) for wished in (False, True))
    question = Question(
        title="Call the job off?",
        button="Call it off",
        back=page(pk),
        facts=[("Customer", row.customer), ("Fee", ours.sentence), ("If they wished it", theirs.sentence)],
        text=["Both sides are told, and standing offers are closed."],
        danger=True,
        hidden={"seen_fee": str(theirs.money.amount)},
    )

    def act() -> object:
        data = form.cleaned_data
        code, wished = data["code"], data["wished"]
        seen = amount(request.POST.get("seen_fee", ""))
        fee = actions.quote_cancellation(row, by=user, reason=code, for_customer=wished).money.amount
        if wished and seen is not None and seen != theirs.money.amount:
            fee = seen  # another than was read: the action says so
        return actions.cancel_booking(row, by=user, reason=code, note=data["reason"], seen_fee=fee, for_customer=wished)

    return ask(request, question, act, form)


# --- Offers ---------------------------------------------------------------------------------------


@deed
def booking_offer(request: HttpRequest, pk: int, bid_pk: int, verb: str) -> HttpResponse:
    """Accept or decline an offer for the customer, or withdraw it for its technician."""
    user = signed_in(request)
    if verb not in OFFERS:
        raise Http404
    bid = get_object_or_404(Bid.objects.select_related("technician__user", "booking__customer"), pk=bid_pk, booking=pk)
    if request.method != "POST" and bid.status != BidStatus.SUBMITTED:
        raise Conflict(
            f"This offer is {str(bid.get_status_display()).lower()} by now.",
            next_url=page(pk),
            next_label="See the job",
        )
    title, button, text, audited, act_on = OFFERS[verb]
    name, row = bid.technician.user.first_name, bid.booking
    form = WhyForm(posted(request))
    shown = request.POST.get("revision", "")
    question = Question(
        title=title.format(name=name),
        button=button,
        back=page(pk),
        facts=[
            ("Price", bid.price),
            ("Visit", span(bid.starts_at, bid.ends_at, row.zone, now=timezone.now())),
        ],
        text=[text.format(name=name)],
        danger=verb != "accept",
        hidden={"revision": shown or str(bid.revision)},
    )

    def act() -> object:
        why = form.cleaned_data["reason"]
        person = bid.technician.user if verb == "withdraw" else row.customer
        revision = int(shown) if shown.isdecimal() and len(shown) < 6 else bid.revision
        return actions.on_behalf(
            row, lambda: act_on(bid, user, why, revision), verb=audited, by=user, person=person, reason=why
        )

    return ask(request, question, act, form)


Answer = Callable[[Bid, User, str, int], object]
OFFERS: dict[str, tuple[str, str, str, str, Answer]] = {
    "accept": (
        "Accept {name}'s offer for the customer?", "Accept it",
        "{name} gets the address and the phone number; the other offers are closed.", "accepted_offer",
        lambda bid, by, why, revision: actions.accept_bid(bid, revision=revision, by=by),
    ),
    "decline": (
        "Decline {name}'s offer for the customer?", "Decline it",
        "It is declined for good. Other offers stay.", "declined_offer",
        lambda bid, by, why, revision: actions.reject_bid(bid, by=by, reason=why),
    ),
    "withdraw": (
        "Withdraw this offer for {name}?", "Withdraw it",
        "{name} is told, and may offer again while the job is open.", "withdrew_offer",
        lambda bid, by, why, revision: actions.withdraw_bid(bid, by=by, reason=why),
    ),
}  # fmt: skip


# --- Acting for either side -----------------------------------------------------------------------


@deed
def booking_step(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    """A step that the customer or the technician might have taken, for a reason."""
    user = signed_in(request)
    case = case_for(pk)
    if slug not in STEPS:
        raise Http404
    step = STEPS[slug]
    visit = case.visit
    if visit is None or not step.fits(case):
        raise not_now(case, "That cannot be done now")
    visit.booking = case.booking
    person = step.person(visit)
    name = visit.technician.user.first_name
    form = step.form(posted(request))
    question = Question(
        title=step.title.format(name=name),
        button=step.button,
        back=page(pk),
        facts=[("On behalf of", person)],
        text=[step.text.format(name=name)] if step.text else [],
        danger=step.danger,
    )

    def act() -> object:
        data = form.cleaned_data
        return actions.on_behalf(
            case.booking, lambda: step.act(visit, user, data), verb=step.verb, by=user, person=person,
            reason=data["reason"],
        )  # fmt: skip

    return ask(request, question, act, form)
