"""Several jobs at once: each for itself, with its own outcome in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts import audit
from accounts.access import role_required, signed_in
from accounts.models import Role, User
from adminpanel.forms.bookings import BulkMoveForm, DeskCancelForm, WhyForm
from adminpanel.jobs.rows import DeskJob, load_rows
from adminpanel.talk.recipients import numbers
from bookings import actions
from bookings.models import Session
from bookings.states import BookingStatus
from common.idempotency import claim, fingerprint, key_of, principal_of
from common.refusals import Conflict, Invalid, Refusal
from realtime.pages import live_page

MOST = 100  # jobs at once
Data = Mapping[str, Any]


@dataclass(frozen=True)
class Bulk:
    """One thing that can be done with several jobs. `act` does it with one, and says in a word what it did."""

    title: str
    button: str
    text: str
    form: type[forms.Form]
    act: Callable[[DeskJob, User, Data], str]
    verb: str
    danger: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of one job."""

    job: DeskJob
    words: str
    fine: bool


def accept_cheapest(job: DeskJob, by: User, data: Data) -> str:
    """Accept the cheapest standing offer for the customer."""
    bid = job.booking.bids.standing().ranked().for_lists().first()
    if bid is None:
        raise Conflict("There is no offer to accept.")
    row, why = job.booking, data["reason"]
    actions.on_behalf(
        row, lambda: actions.accept_bid(bid, revision=bid.revision, by=by), verb="accepted_offer", by=by,
        person=row.customer, reason=why,
    )  # fmt: skip
    return f"{bid.technician.user.first_name} comes for {bid.price}"


def move_by_days(job: DeskJob, by: User, data: Data) -> str:
    """Move the visit, or an open job's window, by whole days at the same local time."""
    days, why, row = timedelta(days=data["days"]), data["reason"], job.booking
    if job.is_open and row.window_start and row.window_end:
        start, end = (later(moment, days, row.zone) for moment in (row.window_start, row.window_end))
        actions.change_window(row, by=by, window_start=start, window_end=end, reason=why)
        return f"wanted {start.astimezone(row.zone):%a %-d %b, %H:%M %Z}"
    visit: Session | None = job.session
    if visit is None or job.status != BookingStatus.ASSIGNED:
        raise Conflict(f"It is {str(row.get_status_display()).lower()}: there is nothing to move.")
    visit.booking = row
    moved = actions.move_visit(visit, by=by, starts_at=later(visit.starts_at, days, row.zone), reason=why)
    return f"moved to {moved.starts_at.astimezone(row.zone):%a %-d %b, %H:%M %Z}"


def later(moment: Any, days: timedelta, zone: Any) -> Any:
    """The same time of day some days later, where the job is: clock changes do not shift it."""
    return (moment.astimezone(zone).replace(tzinfo=None) + days).replace(tzinfo=zone)


def call_off(job: DeskJob, by: User, data: Data) -> str:
    """Call the job off, with the fee that the rule says."""
    done = actions.cancel_booking(
        job.booking, by=by, reason=data["code"], note=data["reason"], for_customer=data["wished"]
    )
    return f"called off, fee {done.fee}" if done.fee else "called off, no fee"


BULKS: dict[str, Bulk] = {
    "accept": Bulk(
        "Accept the cheapest offer of each?", "Accept them",
        "For each customer the cheapest offer that stands is accepted. Jobs without one stay as they are.",
        WhyForm, accept_cheapest, "bulk_accepted",
    ),
    "move": Bulk(
        "Move these jobs by some days?", "Move them",
        "Visits keep their time of day and move at once; of open jobs the wanted time moves. Both sides are told.",
        BulkMoveForm, move_by_days, "bulk_moved",
    ),
    "cancel": Bulk(
        "Call these jobs off?", "Call them off",
        "Both sides of each are told. Each fee is what the rule says at this moment.",
        DeskCancelForm, call_off, "bulk_cancelled", danger=True,
    ),
}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.ADMIN)
@live_page
def bookings_bulk(request: HttpRequest, verb: str) -> HttpResponse:
    """Which jobs, and why; then what became of each.

    Each job is a transaction of its own: locks of many jobs, held until the last, would stand in each other's way.
    """
    user = signed_in(request)
    if verb not in BULKS:
        raise Http404
    bulk = BULKS[verb]
    asked = request.POST if request.method == "POST" else request.GET
    wanted = numbers(asked.getlist("pk"))
    if len(wanted) > MOST:
        raise Invalid(f"That is too many at once. Choose {MOST} jobs at most.")
    jobs = chosen(wanted)
    form = bulk.form(request.POST if request.method == "POST" else None)
    context = {"bulk": bulk, "verb": verb, "jobs": jobs, "form": form, "back": reverse("desk:bookings")}
    if request.method == "POST" and jobs and form.is_valid():
        only_once(request)
        outcomes = [done(bulk, job, user, form.cleaned_data) for job in jobs]
        fine = sum(each.fine for each in outcomes)
        reason = str(form.cleaned_data["reason"])
        details = {"jobs": [len(jobs), fine]}
        audit.record(user, bulk.verb, label=f"{fine} of {len(jobs)} jobs", reason=reason, details=details)
        return render(request, "adminpanel/bulk_done.html", {**context, "outcomes": outcomes, "fine": fine})
    status = 422 if request.method == "POST" else 200
    return render(request, "adminpanel/bulk.html", context, status=status)


def only_once(request: HttpRequest) -> None:
    """Raise `Conflict` where this form was sent before: jobs would be moved twice."""
    key = key_of(request)
    if key and claim(principal_of(request), key, fingerprint(request)) is None:
        raise Conflict(
            "This was sent a moment ago. The list shows what became of each job.",
            next_url=reverse("desk:bookings"),
            next_label="See the jobs",
        )


def chosen(pks: Sequence[int]) -> list[DeskJob]:
    """The jobs that were ticked, in the order of the list."""
    rows = load_rows([str(pk) for pk in dict.fromkeys(pks)])
    return [rows[str(pk)] for pk in dict.fromkeys(pks) if str(pk) in rows]


def done(bulk: Bulk, job: DeskJob, by: User, data: Data) -> Outcome:
    """Do it with one job, in a transaction of its own: a refusal is its outcome and nobody else's."""
    try:
        with transaction.atomic():
            return Outcome(job, bulk.act(job, by, data), fine=True)
    except Refusal as refusal:
        return Outcome(job, refusal.sentence, fine=False)
    except PermissionDenied as denied:
        return Outcome(job, str(denied) or "That is not allowed.", fine=False)
