"""Rate limits: how long somebody waits whom allauth's stopped, and one of our own for everybody who is signed out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable

from allauth.core.internal.ratelimit import Rate, consume, get_cache_key, get_rates, respond_429
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

ACTIONS = {
    "account_login": "login",
    "account_signup": "signup",
    "signup_technician": "signup",
    "account_reset_password": "reset_password",
    "account_reset_password_from_key": "reset_password_from_key",
    "account_reauthenticate": "reauthenticate",
    "mfa_reauthenticate": "reauthenticate",
    "mfa_reauthenticate_webauthn": "reauthenticate",
    "account_change_password": "change_password",
    "account_set_password": "change_password",
    "account_email": "manage_email",
}
UNKNOWN = 60
ACCOUNTS = "allauth.account"

# Whatever a page's own limits are: a stranger posts this often and no more. Behind one address may sit an office.
STRANGERS = {"stranger": "100/m/ip"}
SAFE = {"GET", "HEAD", "OPTIONS"}


def seconds_to_wait(request: HttpRequest) -> int:
    """Seconds until the oldest try of a full limit no longer counts; a minute where that cannot be known.

    Limits by key (an e-mail address) last a minute at most where a page is refused and are covered by the default.
    """
    match = request.resolver_match
    action = ACTIONS.get(match.url_name or "") if match else None
    own = [rate for rate in get_rates(app=ACCOUNTS, action=action) if rate.per != "key"] if action else []
    waits = waits_of(request, ACCOUNTS, action or "", own)
    if not action or not waits:
        waits += waits_of(request, "accounts", "stranger", get_rates(app="", action="stranger", config=STRANGERS))
    return max([1, *waits]) if waits else UNKNOWN


def waits_of(request: HttpRequest, app: str, action: str, rates: Iterable[Rate], key: str | None = None) -> list[int]:
    """Seconds until each full one of `rates` lets one more through. allauth keeps the times of tries, newest first."""
    waits = []
    for rate in rates:
        tries: list[float] = cache.get(get_cache_key(request, app=app, action=action, rate=rate, key=key)) or []
        if len(tries) >= rate.amount:
            waits.append(math.ceil(tries[-1] + rate.duration - time.time()))
    return waits


def seconds_locked(request: HttpRequest, key: str) -> int:
    """Seconds for which the account of `key` takes no password: wrong ones were tried too often. 0: it does."""
    rates = [rate for rate in get_rates(app=ACCOUNTS, action="login_failed") if rate.per == "key"]
    return max([0, *waits_of(request, ACCOUNTS, "login_failed", rates, key)])


def in_words(seconds: int) -> str:
    """`40 seconds`, `5 minutes`."""
    return f"{seconds} seconds" if seconds <= 90 else f"{math.ceil(seconds / 60)} minutes"


class StrangersMiddleware:
    """Keeps everybody who is signed out to `STRANGERS`, on every address that takes more than a look from them.

    Pages that mean more than a form (signing in, resetting a password) have tighter limits of their own besides.
    What only sends to the sign-in page, or takes nothing, is not counted.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if getattr(request, "is_strangers", False) and not turned_away(response):
            consume(request, app="accounts", action="stranger", config=STRANGERS)
        return response

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponseBase | None:
        """Called by Django once the address is known, so that what does not exist costs nothing."""
        if request.method in SAFE or request.user.is_authenticated:
            return None
        if consume(request, app="accounts", action="stranger", config=STRANGERS, dry_run=True):
            request.is_strangers = True  # type: ignore[attr-defined]
            return None
        answer: HttpResponseBase = respond_429(request)
        return answer


def turned_away(response: HttpResponseBase) -> bool:
    """Whether a stranger got no further than the door."""
    if response.status_code in (401, 405):
        return True
    address = response.headers.get("Location", "").partition("?")
    return response.status_code == 302 and address[0] == reverse("account_login") and "next=" in address[2]
