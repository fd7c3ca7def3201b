"""Double taps: the same request sent twice has one effect and one answer (rule 3)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse

from common.models import IdempotencyKey
from common.refusals import Conflict, Invalid, Refusal, TooFast, refusal_response
from common.uploads import files_undone

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

FIELD = "idempotency_key"
HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
SAFE = {"GET", "HEAD", "OPTIONS"}
NOT_CONTENT = {FIELD, "csrfmiddlewaretoken"}


class NotKept(Exception):
    """Rolls the transaction back and carries the answer out of it."""

    def __init__(self, response: HttpResponseBase) -> None:
        self.response = response


def idempotent(view: View[P]) -> View[P]:
    """A view whose mutating requests carry a key (hidden field or header), one a rendered form.

    The key's row is written in the same transaction as the effect. Of two requests at once the second
    waits at the unique row and then gets the first one's answer, with the header `Idempotency-Replayed`.
    An answer of 429 or 5xx is not kept and leaves no effect, so the request may be sent again. The same
    key with other content is a 409. A request without a key is carried out unprotected.
    """

    @wraps(view)
    def once(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        key = key_of(request)
        if request.method in SAFE or not key:
            return view(request, *args, **kwargs)
        try:
            with files_undone(), transaction.atomic():
                return answer_once(request, key, lambda: view(request, *args, **kwargs))
        except NotKept as stopped:
            return stopped.response

    return once


def key_of(request: HttpRequest) -> str:
    """The request's key, empty without one. Raises `Invalid` for one that cannot be ours."""
    key = request.headers.get(HEADER) or request.POST.get(FIELD, "")
    if len(key) > 100 or not key.isprintable():  # PostgreSQL takes no NUL
        raise Invalid("This form's key is damaged. Reload the page and try again.")
    return key


def principal_of(request: HttpRequest) -> str:
    """Whose key it is: keys of two people never meet."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return f"user {user.pk}"
    session = getattr(request, "session", None)
    return f"session {(session and session.session_key) or request.META.get('REMOTE_ADDR', '')}"[:80]


def fingerprint(request: HttpRequest) -> str:
    """A digest of the method, path and content; not of the CSRF token, which differs on every page."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}".encode())
    form = request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data")
    if not form:
        digest.update(request.body)
        return digest.hexdigest()
    for name, values in sorted(request.POST.lists()):
        if name not in NOT_CONTENT:
            digest.update(repr((name, values)).encode())
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            digest.update(repr((name, file.name, file.size, content_digest(file))).encode())
    return digest.hexdigest()


def content_digest(file: UploadedFile[Any]) -> str:
    """A digest of an upload; leaves it at its start."""
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def answer_once(request: HttpRequest, key: str, run: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Claim the key and run, or replay. Inside the transaction that holds the effect too."""
    principal, content = principal_of(request), fingerprint(request)
    row = claim(principal, key, content)
    if row is not None:
        response = run_refusable(request, run)
        keep(row, response)
        return response
    kept = IdempotencyKey.objects.get(principal=principal, key=key)
    if kept.fingerprint != content:
        raise Conflict("This form was sent before with other content. Reload the page and fill it in again.")
    return replay(kept)


def claim(principal: str, key: str, content: str) -> IdempotencyKey | None:
    """Insert the key, or None when it is there. On PostgreSQL this waits for a first request that is under way."""
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(principal=principal, key=key, fingerprint=content)
    except IntegrityError:
        return None


def run_refusable(request: HttpRequest, run: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Run the view; a refusal is an answer like any other, except "too fast", which may succeed later.

    The action has rolled back its own transaction where it refused. What it meant to keep (a counted wrong
    code) stays, as it would without a key.
    """
    try:
        response = run()
    except TooFast:
        raise
    except Refusal as refusal:
        response = refusal_response(request, refusal)
    if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
        response.render()
    if response.status_code == 429 or response.status_code >= 500:
        raise NotKept(response)
    return response


def keep(row: IdempotencyKey, response: HttpResponseBase) -> None:
    """Store the answer with its key. Raises `TypeError` for a streamed one, which cannot be repeated."""
    if not isinstance(response, HttpResponse):
        raise TypeError("A streamed answer cannot be kept; such a view must not be idempotent.")
    row.status = response.status_code
    row.headers = dict(response.items())
    row.body = bytes(response.content)
    row.save(update_fields=["status", "headers", "body"])


def replay(kept: IdempotencyKey) -> HttpResponse:
    """The stored answer again."""
    response = HttpResponse(bytes(kept.body), status=kept.status, headers=kept.headers)
    response[REPLAYED] = "true"
    return response
