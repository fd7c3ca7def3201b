"""What the live mechanism does by the clock: it prunes."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from realtime import journal, kept, presence

DEAD_AFTER = 3  # times OFFLINE_AFTER without a report from a process


def run_due(as_of: datetime) -> int:
    """Prune the journal, signals that no longer hold and the presence of dead processes; returns how many rows went."""
    old = as_of - timedelta(seconds=settings.LIVE["KEEP_JOURNAL"])
    dead = as_of - timedelta(seconds=settings.LIVE["OFFLINE_AFTER"] * DEAD_AFTER)
    return journal.prune(old) + kept.forget(as_of) + presence.forget_processes(dead)
