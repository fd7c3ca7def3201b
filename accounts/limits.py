"""How long somebody has to wait whom allauth's rate limits stopped."""

from __future__ import annotations

import math
import time

from allauth.core.internal.ratelimit import get_cache_key, get_rates
from django.core.cache import cache
from django.http import HttpRequest

ACTIONS = {
    "account_login": "login",
    "account_signup": "signup",
    "signup_technician": "signup",
    "account_reset_password": "reset_password",
    "account_reset_password_from_key": "reset_password_from_key",
    "account_reauthenticate": "reauthenticate",
    "account_change_password": "change_password",
    "account_set_password": "change_password",
    "account_email": "manage_email",
}
UNKNOWN = 60


def seconds_to_wait(request: HttpRequest) -> int:
    """Seconds until the oldest try of a full limit no longer counts; a minute where that cannot be known.

    allauth keeps the times of the tries, newest first, under a key for each rate; limits by key (an
    e-mail address) last a minute at most and are covered by the default.
    """
    match = request.resolver_match
    action = ACTIONS.get(match.url_name or "") if match else None
    waits = []
    for rate in get_rates(app="allauth.account", action=action) if action else []:
        if rate.per == "key":
            continue
        tries: list[float] = cache.get(get_cache_key(request, app="allauth.account", action=action, rate=rate)) or []
        if len(tries) >= rate.amount:
            waits.append(math.ceil(tries[-1] + rate.duration - time.time()))
    return max([1, *waits]) if waits else UNKNOWN
