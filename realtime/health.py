"""Whether this process can do its work."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, connection

from realtime import hub, journal


def ready() -> dict[str, Any]:
    """The parts of readiness: `ok`, `database`, `journal` and `hub`. Redis is not among them: without it
    pages are served and the tail delivers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        database = "ok"
        journal.now()
    except DatabaseError as error:
        database = type(error).__name__
    running = hub.current()
    state = running.state if running else {"running": True, "sockets": 0}
    layer = "failing" if running and running.ringer.failing else "ok"
    return {"ok": database == "ok" and bool(state["running"]), "database": database, "hub": state, "layer": layer}
