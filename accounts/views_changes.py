"""The person's own page of what was changed about them, and why."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import signed_in
from accounts.changes import PAGE, SOURCES, changes_of
from accounts.live_changes import changes_topic
from common.keyset import Mark, mark_of
from realtime.pages import live_page


@require_safe
@login_required
@live_page
def history(request: HttpRequest) -> HttpResponse:
    """Everything that others, the clock or the person changed about their account and documents, newest first."""
    user, before = signed_in(request), mark(request.GET.get("before", ""))
    found = changes_of(user, before=before, limit=PAGE + 1)
    older = urlencode({"before": found[PAGE - 1].cursor}) if len(found) > PAGE else ""
    shown = {change.key: change for change in found[:PAGE]}
    context = {"changes": shown, "older": older, "is_first": before is None, "topic": changes_topic(user.pk)}
    return render(request, "accounts/history.html", context)


def mark(text: str) -> Mark | None:
    """Where the page before ended; None for anything else."""
    try:
        return mark_of(text, list(SOURCES))
    except ValueError:
        return None
