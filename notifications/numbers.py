"""The numbers of telling people. A site overrides them by the variable NOTIFICATIONS, tests in the setting."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

DEFAULTS = {
    "AT_ONCE_MOST": 25,  # people told in the action's own transaction; more are told by the clock
    "PORTION": 100,  # people the clock tells in one transaction
    "MAIL_URGENT_SECONDS": 0,  # how long a mail waits, so that whoever reads the page gets none
    "MAIL_HIGH_SECONDS": 60,
    "MAIL_MEDIUM_SECONDS": 10 * 60,
    "MAIL_LOW_SECONDS": 60 * 60,
    "DIGEST_FROM": 4,  # so many mails of one person that are due together go as one
    "CLAIM_SECONDS": 5 * 60,  # a mail in hand this long without a mark is taken again: its clock has died
    "PAUSE_MINUTES": 60,
    "KEEP_DAYS": 90,  # notices that were read, and mails
}


def number(name: str) -> int:
    """A number by its name; raises `KeyError` for a name that is not in `DEFAULTS`."""
    return int(settings.NOTIFICATIONS.get(name, DEFAULTS[name]))


def seconds(name: str) -> timedelta:
    """A number of seconds, as a span."""
    return timedelta(seconds=number(name))
