"""The desk's jobs: the list, a job's page, the list as a file."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import role_required
from accounts.models import Role
from accounts.stepping import steps_up
from adminpanel.exporting import Export, answer, named
from adminpanel.jobs.listing import Found, beyond, ordered
from adminpanel.jobs.rows import DeskJob, load_cases, load_rows, stories_of
from adminpanel.live.bookings import booking_topic, list_topic
from bookings.models import Booking
from bookings.telling import group_at_desk, group_of
from bookings.views.reading import read_on_page
from realtime.pages import live_page

BATCH = 500  # rows of a file that are in memory at a time


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="dashboard")
def bookings(request: HttpRequest) -> HttpResponse:
    """All of them: filtered, searched, sorted, page by page."""
    read_on_page(request, group_at_desk("booking"))
    found = Found(request.GET)
    context = {"found": found, "topic": list_topic(found.show), "lines": lines(found.keys)}
    return render(request, "adminpanel/bookings.html", context)


def lines(keys: Sequence[int]) -> list[tuple[int, str, DeskJob]]:
    """Rows with the topic that each stands on, in the order of the list."""
    rows = load_rows([str(key) for key in keys])
    return [(key, booking_topic(key), rows[str(key)]) for key in keys if str(key) in rows]


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="close")
def booking(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: where it stands, the offers, both sides, what happened, and what the desk may do."""
    read_on_page(request, group_of(pk))
    case = load_cases([str(pk)]).get(str(pk))
    if case is None:
        raise Http404
    context = {
        "booking": case.booking,
        "case": case,
        "topic": booking_topic(pk),
        "story": stories_of([case.booking])[str(pk)],
    }
    return render(request, "adminpanel/booking.html", context)


# --- As a file ------------------------------------------------------------------------------------

HEADER = (
    "Number", "Job", "Kind", "State", "Late", "Customer", "E-mail", "Phone", "Address", "Town", "Postcode", "Area",
    "Wanted from", "Wanted until", "Time zone", "Minutes", "Technician", "Visit from", "Visit until", "Finished",
    "Price", "Fee", "Currency", "Placed", "Why it ended",
)  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.ADMIN)
@steps_up
@live_page
def bookings_export(request: HttpRequest) -> HttpResponseBase:
    """The list with all that is known about each job: names, addresses and phone numbers in bulk."""
    found = Found(request.GET)
    by_words = f", found by “{found.search}”" if found.search else ""
    export = Export(
        verb="exported_bookings",
        title="Export jobs",
        what=f"{found.counted} of the list “{found.title}”{by_words},",
        warning="The file holds names, addresses and phone numbers.",
        times="Times are those of each job's place.",
        room="Jobs",
        back=f"{reverse('desk:bookings')}?{found.query}",
        filename=f"jobs-{found.now:%Y-%m-%d}.csv",
        label=found.title,
        filters=named(parse_qsl(found.query)),
        header=HEADER,
        count=found.rows.count,
        batches=partial(batches, found),
    )
    return answer(request, export)


def batches(found: Found) -> Iterator[list[list[object]]]:
    """The rows of the file, some at a time: the list may be long, and is nowhere kept whole."""
    place: int | None = None
    while True:
        rows = ordered(found.rows, found.sort) if place is None else beyond(found.rows, found.sort, place, back=False)
        keys = list(rows.values_list("pk", flat=True)[:BATCH])
        jobs = load_rows([str(key) for key in keys])
        lines = [cells(jobs[str(key)]) for key in keys if str(key) in jobs]
        # A job and its visit know each other, so only the collector frees them, and it is rare under `serve`.
        del jobs
        gc.collect(1)
        yield lines
        if len(keys) < BATCH:
            return
        place = keys[-1]


def cells(job: DeskJob) -> list[object]:
    """A row of the file. Times are those of the job's place, written as ISO 8601."""
    row, visit = job.booking, job.session
    address = ", ".join(line for line in (row.address_line1, row.address_line2) if line)
    return [
        row.pk, row.title, row.category.name if row.category else "", row.get_status_display(),
        "late" if job.is_late else "", row.customer.name, row.customer.email, row.customer.phone, address, row.town,
        row.postcode, row.area_label, at(row, row.window_start), at(row, row.window_end), row.time_zone,
        row.duration_minutes, str(visit.technician) if visit else "", at(row, visit and visit.starts_at),
        at(row, visit and visit.ends_at), at(row, visit and visit.finished_at), job.price.amount if job.price else "",
        row.fee_amount, row.currency, at(row, row.placed_at), row.get_cancel_reason_display() or row.no_show_party,
    ]  # fmt: skip


def at(row: Booking, moment: Any) -> str:
    """An instant at the job's place; empty for none."""
    return moment.astimezone(row.zone).isoformat(timespec="minutes") if moment else ""
