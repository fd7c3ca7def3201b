"""How a log line is written: one line of key=value for people, JSON where LOG_JSON is on."""

from __future__ import annotations

import os
from typing import Any

import structlog

_shared: list[Any] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]
_last: Any = (
    structlog.processors.JSONRenderer()
    if os.environ.get("LOG_JSON", "").lower() in {"1", "on", "true", "yes"}
    else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "logger", "event"], bool_as_flag=False)
)


def renderer(logger: Any, name: str, event: Any) -> Any:
    """The processor that settings name: turns one event into one line, traceback included."""
    event.pop("_from_structlog", None)
    event["_record"] = event.get("_record")
    for step in _shared:
        event = step(logger, name, event)
    event.pop("_record", None)
    return _last(logger, name, event)
