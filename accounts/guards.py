"""The door behind the sign-in: an admin's session that has shown no second factor opens only the way to show one.

It stands in front of every view, Django's admin included, and of every socket and poll, so that no way of signing in
goes round it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.cache import never_cache

from accounts import second_factor
from accounts.models import User
from realtime.principals import admission

# What knows nobody, and the way out.
FREE = frozenset({"healthz", "readyz", "metrics", "manifest", "account_logout"})
# Whoever has one shows it; with a password alone they must not get as far as adding another.
SHOWING = frozenset({"mfa_reauthenticate", "mfa_reauthenticate_webauthn"})
SETTING_UP = frozenset({"mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate"})
LIVE = "realtime"  # namespace of the poll and what is said without a socket


@admission
def may_listen(user: Any, session: Mapping[str, Any]) -> bool:
    """Whether the sockets of this session are told anything."""
    return second_factor.admits(user, session)


class SecondFactorMiddleware:
    """Lets nobody past who must have a second factor and has not shown it in this session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponseBase | None:
        """Called by Django once the address is known: None lets the view run."""
        match = request.resolver_match
        name = (match.url_name or "") if match else ""
        if not is_half_in(request) or name in FREE:
            return None
        person = request.user
        shows = isinstance(person, User) and second_factor.has_one(person)
        if name in (SHOWING if shows else SETTING_UP):
            request.half_in = True  # type: ignore[attr-defined]  # templates leave out what would be refused
            return None
        if match and LIVE in match.namespaces:
            return JsonResponse({"error": "Show your second factor first."}, status=403)
        return turned_back(request, "mfa_reauthenticate" if shows else "mfa_index")


def is_half_in(request: HttpRequest) -> bool:
    """Whether somebody is signed in who has not shown the second factor they must have."""
    person = request.user
    return isinstance(person, User) and not second_factor.admits(person, request.session)


@never_cache
def turned_back(request: HttpRequest, name: str) -> HttpResponse:
    """To the page where it is shown or set up, and from there to what was looked for."""
    url = reverse(name)
    if request.method == "GET":
        url += f"?{urlencode({'next': request.get_full_path()})}"
    if getattr(request, "htmx", False):
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)
