"""What moves by itself on the desk's pages: a module for each of its rooms."""

from adminpanel.live import (
    audit,
    bookings,
    dashboard,
    disputes,
    flags,
    fleet,
    health,
    here,
    messages,
    people,
    queues,
    reviews,
    verification,
)
from realtime import transport

__all__ = [
    "audit",
    "bookings",
    "dashboard",
    "disputes",
    "flags",
    "fleet",
    "health",
    "here",
    "messages",
    "people",
    "queues",
    "reviews",
    "verification",
]

transport.needs("live_desk", "desk.")
