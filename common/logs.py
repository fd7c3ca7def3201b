"""How a log line is written: one line of key=value for people, JSON where LOG_JSON is on."""

from __future__ import annotations

import os
from typing import Any

import structlog

# What is taken from a record of the standard library, before structlog's formatter forgets the record.
chain: list[Any] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]

# Turns one event into one line; settings name it.
renderer: Any = (
    structlog.processors.JSONRenderer()
    if os.environ.get("LOG_JSON", "").lower() in {"1", "on", "true", "yes"}
    else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "logger", "event"])
)
