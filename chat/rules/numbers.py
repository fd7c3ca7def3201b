"""The numbers of talking. A site overrides them by the variable CHAT, tests in the setting."""

from __future__ import annotations

from django.conf import settings

DEFAULTS = {
    "A_MINUTE": 20,  # messages of one author
    "TEXT_MOST": 4000,  # characters
    "FILES_MOST": 6,  # of one message
    "MARKS_EVERY_SECONDS": 1,  # how often one participant's receipts are written at most
    "TYPING_SECONDS": 5,  # how long somebody types unless they say so again
}


def number(name: str) -> int:
    """A number by its name; raises `KeyError` for a name that is not in `DEFAULTS`."""
    return int(settings.CHAT.get(name, DEFAULTS[name]))
