"""Where a device's fixes go while it has no socket, and its queue when it is back."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.access import signed_in
from accounts.models import Role
from tracking.actions.fixes import Batch, Outcome
from tracking.intake import TooManyError, intake, must_wait
from tracking.rules.fixes import to_ms
from tracking.rules.numbers import number

WITHIN = 10.0  # seconds for a flush; a device then sends the same again, and what was taken in twice is there once
MOST_BYTES = 64 * 1024
SENDERS = (Role.DRIVER, Role.TECHNICIAN)


@require_POST
@never_cache
@login_required
def fixes(request: HttpRequest) -> JsonResponse:
    """Take in `{"fixes": [{"at", "lat", "lng", "acc", "spd", "hdg"}, …], "rtt": ms}` of the person's own device.

    200 `{"taken", "late", "refused": {reason: n}, "upto": ms}` when they are dealt with; 409 where nothing is collected
    (off duty), 413 for more than 100, 422 for what is not this, 429 for too many at once, 503 when it is not known.
    """
    user = signed_in(request)
    if user.role not in SENDERS:
        raise PermissionDenied
    if len(request.body) > MOST_BYTES:
        return said(413, "Too large.")
    try:
        data = json.loads(request.body)
        listed = data["fixes"]
    except (ValueError, RecursionError, TypeError, KeyError):
        return said(422, "Not readable.")
    if not isinstance(listed, list) or not listed:
        return said(422, "Not readable.")
    if len(listed) > number("BATCH_MOST"):
        return said(413, f"At most {number('BATCH_MOST')} fixes at once.")
    wait = must_wait(user.pk, len(listed))
    if wait:
        return said(429, "A little slower, please.", wait=wait)
    try:
        outcome = intake.ask(user.pk, Batch.of(listed, data.get("rtt")), within=WITHIN)
    except TooManyError:
        return said(429, "Earlier ones still wait to be taken in.", wait=1)
    return answer(outcome)


def answer(outcome: Outcome | None) -> JsonResponse:
    """What became of them, for the device."""
    if outcome is None:
        return said(503, "Not taken in yet. Please send them again.", wait=5)
    content: dict[str, Any] = {
        "taken": outcome.taken,
        "late": outcome.late,
        "refused": {reason.value: count for reason, count in sorted(outcome.refused.items())},
        "upto": to_ms(outcome.upto) if outcome.upto is not None else None,
    }
    if not outcome.collected:
        return JsonResponse({"error": "Nothing is collected off duty or on a break.", **content}, status=409)
    return JsonResponse(content)


def said(status: int, sentence: str, *, wait: int = 0) -> JsonResponse:
    """A refusal, with the seconds to wait."""
    return JsonResponse({"error": sentence}, status=status, headers={"Retry-After": str(wait)} if wait else {})
