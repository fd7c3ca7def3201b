"""Stepping up: what moves money or roles asks again who sits there, unless that was asked a moment ago."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import suspend_request
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from accounts import second_factor
from accounts.limits import SAFE
from accounts.models import Role, User

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def steps_up(view: View[P]) -> View[P]:
    """A view that opens only to who proved who they are in the last `STEP_UP_MINUTES`, by signing in or once more.

    An admin who did not is asked for it and then comes back; what a form held is carried out then, not typed again.
    Nobody else is asked: the view refuses them. It may stand anywhere among a view's decorators: it leaves by an
    exception, so that `idempotent` keeps no answer.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        person = request.user
        if isinstance(person, User) and person.role == Role.ADMIN and not is_fresh(request):
            raise ImmediateHttpResponse(asked_again(request))
        return view(request, *args, **kwargs)

    return guarded


def steps_up_to_change(view: View[P]) -> View[P]:
    """The same for whatever is more than a look: Django's admin, where everything is one form away."""
    guarded = steps_up(view)

    @wraps(view)
    def chosen(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return (view if request.method in SAFE else guarded)(request, *args, **kwargs)

    return chosen


def is_fresh(request: HttpRequest) -> bool:
    """Whether the person proved who they are a moment ago, as far as this site asks for it."""
    return settings.STEP_UP_MINUTES == 0 or proved_lately(request, settings.STEP_UP_MINUTES)


def proved_lately(request: HttpRequest, minutes: float) -> bool:
    """Whether the person proved who they are in the last `minutes`; with their second factor, if they have one."""
    if not isinstance(request.user, User):
        return False
    records = second_factor.records_of(request.user, request.session)
    proofs = [each for each in records if each.get("method") == "mfa"]
    if not proofs and second_factor.has_one(request.user):
        return False
    latest = (proofs or records)[-1:]
    return bool(latest) and time.time() - latest[0]["at"] < minutes * 60


def asked_again(request: HttpRequest) -> HttpResponse:
    """The way to the page that asks, for a browser or htmx. Raises `PermissionDenied` where nothing can be asked."""
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    if not methods:
        raise PermissionDenied("There is no password and no second factor to ask for.")
    response: HttpResponse = suspend_request(request, methods[0]["url"])
    if getattr(request, "htmx", False):
        return HttpResponse(headers={"HX-Redirect": response["Location"]})
    return response
