"""Lists that leave the house as a file: asked for once more, sent row by row, and never without a line in the audit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts.access import signed_in
from accounts.audit import record
from common.csv import Rows, download

REASON = 200  # characters


@dataclass(frozen=True)
class Export:
    """A list as a file. `filters` are the names of what narrows it, and values that say nothing of a person."""

    verb: str  # as the audit keeps it
    title: str
    what: str  # how many of which, for who is asked
    warning: str  # what is in it
    times: str  # in which zone its instants are
    room: str  # the page that it comes from: its name
    back: str  # and its address
    filename: str
    label: str
    filters: Sequence[str]
    header: Sequence[str]
    count: Callable[[], int]
    batches: Callable[[], Iterable[Rows]]


def answer(request: HttpRequest, export: Export) -> HttpResponseBase:
    """The question, since the file leaves the house; a POST sends it.

    What was searched for may be somebody's name: the line holds which filters were set, and how many rows there are.
    """
    if request.method != "POST":
        return render(request, "adminpanel/export.html", vars(export))
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:REASON]
    details = {"filters": ["", ", ".join(export.filters) or "none"], "rows": ["", export.count()]}
    with transaction.atomic():
        record(signed_in(request), export.verb, label=export.label, reason=reason, details=details)
    return download(export.filename, export.header, export.batches())


def named(wanted: Iterable[tuple[str, str]]) -> list[str]:
    """Filters as the audit names them: of the words of a search, called `q`, only that there were some."""
    return ["words" if name == "q" else f"{name}: {value}" for name, value in wanted]
