"""The audit: what was done, by whom, to whom and why; searched, filtered and exported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from urllib.parse import parse_qsl

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import role_required
from accounts.models import Role
from accounts.stepping import steps_up
from adminpanel.audit.lines import Line, Wanted, count, lines
from adminpanel.audit.search import Asked
from adminpanel.exporting import Export, answer, named
from adminpanel.live.audit import activity_topic
from realtime.pages import live_page

BATCH = 1000
HEADER = ("When (UTC)", "Kind", "Object", "Object's number", "From", "To", "By", "As", "Concerns", "Reason")


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="dashboard")
def audit(request: HttpRequest) -> HttpResponse:
    """Everything, newest first."""
    return render(request, "adminpanel/audit.html", {"asked": Asked(request.GET), "topic": activity_topic()})


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.ADMIN)
@steps_up
@live_page
def audit_export(request: HttpRequest) -> HttpResponseBase:
    """The lines that the search asks for, whatever their number: who did what to whom, in bulk."""
    asked = Asked(request.GET)
    export = Export(
        verb="exported_audit",
        title="Export the audit",
        what=f"Every line that fits ({asked.words or 'all there are'}),",
        warning="The file holds the names of people and why something was done to them.",
        times="Times are UTC.",
        room="Audit",
        back=f"{reverse('desk:audit')}?{asked.query}",
        filename=f"audit-{timezone.now():%Y%m%d-%H%M%S}.csv",
        label="Audit",
        filters=named(parse_qsl(asked.query)),
        header=HEADER,
        count=partial(count, asked.wanted),
        batches=partial(batches, asked.wanted),
    )
    return answer(request, export)


def batches(wanted: Wanted) -> Iterator[Sequence[Sequence[object]]]:
    """The lines as rows, newest first, so many at a time."""
    before = ""
    while found := lines(wanted, before=before, limit=BATCH):
        yield [row_of(line) for line in found]
        before = found[-1].cursor


def row_of(line: Line) -> tuple[object, ...]:
    """One line of the export."""
    return (
        in_utc(line.at),
        line.word,
        line.label,
        line.subject_id or "",
        line.was,
        line.look.word,
        line.actor[1] if line.actor else "The clock",
        line.role,
        line.person[1] if line.person else "",
        line.reason,
    )


def in_utc(moment: datetime) -> str:
    """An instant as spreadsheets read it."""
    return f"{moment.astimezone(timezone.get_default_timezone()):%Y-%m-%d %H:%M:%S}"
