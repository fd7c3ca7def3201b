"""Whether this process can do its work."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError

from realtime import hub, journal

DEAF_AFTER = 10.0  # seconds since the tail's last good look


def ready() -> dict[str, Any]:
    """The parts of readiness: `ok`, `database`, `hub` and `layer`.

    The channel layer does not count towards `ok`: without it pages are served and the tail delivers.
    """
    try:
        journal.now()
        database = "ok"
    except DatabaseError as error:
        database = type(error).__name__
    running = hub.current()
    state = running.state if running else {"running": True, "tail_age": None, "sockets": 0}
    hears = bool(state["running"]) and (state["tail_age"] or 0) < DEAF_AFTER
    layer = "failing" if running and running.ringer.failing else "ok"
    return {"ok": database == "ok" and hears, "database": database, "hub": state, "layer": layer}
