"""The numbers of the live system's health. A site overrides them by the variable HEALTH, tests in `settings.HEALTH`."""

from __future__ import annotations

from django.conf import settings

DEFAULTS = {
    "CONNECT_PERCENT": 95,  # of the tries to open a socket succeed, at least
    "CONNECT_CLEAR_PERCENT": 97,
    "LAG_MS": 1000,  # from a commit to the page, for 95 of 100 deliveries, at most
    "LAG_CLEAR_MS": 800,
    "POLLING_PERCENT": 10,  # of the pages poll although no flag has them poll, at most
    "POLLING_CLEAR_PERCENT": 8,
    "PAGES_LEAST": 10,  # with fewer open, a share says nothing
    "TRIES_LEAST": 20,
    "LAGS_LEAST": 20,
    "LOOK_SECONDS": 5,  # between two looks of the clock
}


def number(name: str) -> int:
    """A number by its name; raises `KeyError` for a name that is not in `DEFAULTS`."""
    return int(settings.HEALTH.get(name, DEFAULTS[name]))
