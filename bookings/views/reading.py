"""What stands on a page that somebody opens is read in their bell too."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone

from accounts.access import signed_in
from notifications.actions import mark_read_about


def read_on_page(request: HttpRequest, group: str) -> None:
    """Mark the viewer's notices of `group` as read.

    Not when an open page asks for itself again: nobody may be looking at it, and what was marked as read
    is neither counted nor mailed.
    """
    if "X-Live-Refresh" not in request.headers:
        mark_read_about(signed_in(request), group, None, timezone.now())
