"""The audit: what was done, by whom, to whom and why; searched, filtered and exported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import role_required, signed_in
from accounts.audit import record
from accounts.models import Role
from adminpanel.audit import Line, Wanted, lines
from adminpanel.audit_search import Asked
from adminpanel.live_audit import activity_topic
from common.csv import download
from realtime.pages import live_page

BATCH = 1000
HEADER = ("When (UTC)", "Kind", "Object", "Object's number", "From", "To", "By", "As", "Concerns", "Reason")


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="dashboard")
def audit(request: HttpRequest) -> HttpResponse:
    """Everything, newest first."""
    return render(request, "adminpanel/audit.html", {"asked": Asked(request.GET), "topic": activity_topic()})


@require_safe
@role_required(Role.ADMIN)
def audit_export(request: HttpRequest) -> HttpResponseBase:
    """The lines that the search asks for as CSV, whatever their number; the export itself leaves a line."""
    asked = Asked(request.GET)
    with transaction.atomic():
        record(signed_in(request), "exported_audit", label=asked.words, details={"search": asked.query})
    name = f"audit-{timezone.now():%Y%m%d-%H%M%S}.csv"
    return download(name, HEADER, batches(asked.wanted))


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
