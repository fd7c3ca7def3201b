"""The poll: the same truth for a page without a socket. And the counters, for Prometheus."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from realtime import counters, inbound, journal, kept, presence, topics, transport
from realtime.consumer import MOST_TOPICS
from realtime.jobs import frame
from realtime.journal import BadCursorError, Reading
from realtime.render import render
from realtime.topics import Principal

MOST_FAILED = 4  # digits


def principal_of(request: HttpRequest) -> Principal | None:
    """Who asks: the bearer of a share link if the page has one, else the signed-in user."""
    link = request.GET.get("link", "") or request.POST.get("link", "")
    if link:
        return Principal("link", link) if len(link) <= 64 and link.isprintable() else None
    return Principal("user", str(request.user.pk)) if request.user.is_authenticated else None


@never_cache
@csrf_exempt  # it changes nothing; POST is for pages that follow more topics than fit an address
@require_http_methods(["GET", "POST"])
def poll(request: HttpRequest) -> HttpResponse:
    """What changed since the page's cursor `c` on its `topic`s.

    204 with the new cursor in `Live-Cursor` when nothing did (three queries: session, user, journal; one more
    where a topic keeps signals), 200 with the same message as a socket's welcome, 401 when the session has ended.
    """
    principal = principal_of(request)
    if principal is None:
        return _answer(JsonResponse({"error": "Signed out."}, status=401), "signed_out")
    asked = request.POST if request.method == "POST" else request.GET
    names = asked.getlist("topic")
    if len(names) > MOST_TOPICS or any(len(name) > 100 for name in names):
        return _answer(JsonResponse({"error": "Too many topics."}, status=400), "malformed")
    known = [name for name in names if topics.resolve(name)]
    has_to = transport.asks(principal, known, request.user if principal.kind == "user" else None)
    _note(principal, names, asked.get("page", "")[:200], has_to)
    _count_failed(asked.get("failed", ""))
    response = _what_changed(principal, names, known, asked.get("c", ""))
    response["Live-Transport"] = "poll" if has_to else "socket"
    return response


def _count_failed(text: str) -> None:
    """Browsers say how many tries to open a socket failed between two polls that were answered."""
    if text.isascii() and text.isdigit() and len(text) < MOST_FAILED:
        counters.connects_failed.inc(int(text))


def _what_changed(principal: Principal, names: list[str], known: list[str], cursor: str) -> HttpResponse:
    try:
        reading = journal.since(journal.parse_cursor(cursor), known)
    except BadCursorError:
        reading = Reading(journal.now(), [], reset=True)
    # Of topics that are theirs only: a stranger must not even learn that somebody types.
    heard = [each for each in kept.heard(known, principal) if topics.members(each["topic"], {principal})]
    if not reading.changes and not reading.reset and not heard:
        response = HttpResponse(status=204)
        response["Live-Cursor"] = str(reading.cursor)
        return _answer(response, "empty")
    return _answer(_news(principal, names, reading, heard), "reset" if reading.reset else "changed")


def _note(principal: Principal, names: list[str], page: str, has_to: bool) -> None:
    # Anybody can make up links: only one that opens something is worth remembering.
    if principal.kind == "user" or any(topics.members(name, {principal}) for name in names):
        presence.polled(principal, "".join(letter for letter in page if letter.isprintable()), has_to)


def _news(principal: Principal, names: list[str], reading: Reading, heard: list[dict[str, Any]]) -> HttpResponse:
    touches = list(dict.fromkeys(change.touch for change in reading.changes))
    with journal.snapshot():
        version = journal.now().version
        done = render(touches, {name: {principal} for name in names}, version)
    pieces = [done.pieces[touch] for touch in touches if touch in done.pieces]
    gone = [name for name in names if not done.members[name]]
    head: dict[str, Any] = {
        "t": "welcome",
        # What failed to render is asked for again: the page stays where it was.
        "c": None if done.failed else str(reading.cursor),
        "now": int(journal.milliseconds()),
        "gone": gone,
        "reset": reading.reset,
        "more": False,
    }
    if heard:
        head["s"] = heard
    (counters.resets if reading.reset else counters.resumes).inc()
    return HttpResponse(frame(head, pieces), content_type="application/json")


def _answer(response: HttpResponse, result: str) -> HttpResponse:
    counters.polls.labels(result).inc()
    response["Live-As-Of"] = str(int(journal.milliseconds()))
    response["Live-Transport"] = settings.LIVE["TRANSPORT"]
    return response


@never_cache
@require_POST
def say(request: HttpRequest) -> HttpResponse:
    """What a page says over its socket, from one that has none: JSON `{"kind": "app.verb", "data": {...}}`.

    204 when it was heard; 400 for what is not the protocol, 401 signed out, 413 too large, 429 too fast.
    """
    principal = principal_of(request)
    if principal is None:
        return JsonResponse({"error": "Signed out."}, status=401)
    if len(request.body) > settings.LIVE["MESSAGE_BYTES"]:
        return JsonResponse({"error": "Too large."}, status=413)
    if not inbound.may_say(principal):
        return JsonResponse({"error": "Too fast."}, status=429, headers={"Retry-After": "1"})
    try:
        said = json.loads(request.body)
        kind, data = said["kind"], said.get("data") or {}
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return JsonResponse({"error": "Not the protocol."}, status=400)
    if not isinstance(kind, str) or not inbound.knows(kind) or not isinstance(data, dict):
        return JsonResponse({"error": "Not the protocol."}, status=400)
    inbound.hear(kind, principal, data)
    return HttpResponse(status=204)


@never_cache
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """The counters of this process in Prometheus' text format, for who shows the token; a 404 for all others."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not settings.METRICS_TOKEN or not constant_time_compare(token, settings.METRICS_TOKEN):
        raise Http404
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)
