"""How old a position is, in one word and in several. static/js/tracking/ages.js says the same, second by second."""

from __future__ import annotations

from datetime import timedelta

from tracking.rules.numbers import number

LIVE, STALE, LOST = "live", "stale", "lost"


def limits() -> tuple[int, int]:
    """Seconds up to which a position is live, and up to which it is stale."""
    return number("LIVE_SECONDS"), number("STALE_SECONDS")


def state_of(age: timedelta) -> str:
    """live, stale or lost (domain.md, rule 7)."""
    live, stale = limits()
    seconds = age.total_seconds()
    return LIVE if seconds <= live else STALE if seconds <= stale else LOST


def ago(age: timedelta) -> str:
    """just now; 8 s ago; 3 min ago; 2 h ago."""
    seconds = max(int(age.total_seconds()), 0)
    if seconds < 3:
        return "just now"
    if seconds < 60:
        return f"{seconds} s ago"
    return f"{seconds // 60} min ago" if seconds < 3600 else f"{seconds // 3600} h ago"
