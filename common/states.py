"""How each state looks: its word, its icon and its tone, the same in lists, board and map.

Several machines use the same word for different things (a booking is `live` nowhere, a session is); where
they do, `status_chip` is told the kind.
"""

from __future__ import annotations

from typing import NamedTuple


class Look(NamedTuple):
    """A state's word, the icon's name in the sprite, and one of the tones of tokens.css."""

    word: str
    icon: str
    tone: str


LOOKS: dict[str, Look] = {
    # booking, and what several machines share
    "draft": Look("Draft", "pencil", "quiet"),
    "open": Look("Open", "search", "info"),
    "assigned": Look("Booked", "calendar-check", "accent"),
    "in_progress": Look("In progress", "wrench", "accent"),
    "completed": Look("Finished", "circle-check", "good"),
    "expired": Look("Expired", "hourglass", "quiet"),
    "cancelled": Look("Cancelled", "ban", "bad"),
    "no_show": Look("No-show", "user-x", "bad"),
    # bid
    "submitted": Look("Sent", "send", "info"),
    "accepted": Look("Accepted", "check", "good"),
    "rejected": Look("Declined", "x", "bad"),
    "withdrawn": Look("Withdrawn", "undo-2", "quiet"),
    "not_selected": Look("Not chosen", "circle-x", "quiet"),
    "closed": Look("Closed", "lock", "quiet"),
    "released": Look("Released", "undo-2", "quiet"),
    # session
    "pending": Look("Pending", "clock", "quiet"),
    "waiting": Look("At the door", "door-open", "wait"),
    "live": Look("Working", "circle-play", "accent"),
    "paused": Look("Paused", "circle-pause", "wait"),
    # dispatch
    "offered": Look("Offered", "timer", "wait"),
    "en_route": Look("On the way", "navigation", "accent"),
    "arrived": Look("Arrived", "map-pin", "good"),
    "revoked": Look("Taken back", "undo-2", "quiet"),
    "failed": Look("Failed", "circle-alert", "bad"),
    # duty, connection, load
    "on_duty": Look("On duty", "circle-dot", "good"),
    "on_break": Look("On a break", "circle-pause", "wait"),
    "off_duty": Look("Off duty", "moon", "quiet"),
    "online": Look("Online", "wifi", "good"),
    "away": Look("Away", "clock", "wait"),
    "offline": Look("Offline", "wifi-off", "quiet"),
    "available": Look("Available", "check", "good"),
    "busy": Look("Busy", "hourglass", "wait"),
    # message
    "sending": Look("Sending", "hourglass", "quiet"),
    "sent": Look("Sent", "check", "quiet"),
    "delivered": Look("Delivered", "circle-check", "info"),
    "read": Look("Read", "eye", "good"),
    # review, dispute
    "published": Look("Published", "star", "good"),
    "flagged": Look("Flagged", "flag", "wait"),
    "hidden": Look("Hidden", "ban", "quiet"),
    "awaiting_response": Look("Awaiting an answer", "hourglass", "wait"),
    "under_review": Look("Under review", "gavel", "info"),
    "resolved": Look("Resolved", "circle-check", "good"),
    # credential, invoice
    "approved": Look("Approved", "badge-check", "good"),
    "suspended": Look("Suspended", "ban", "bad"),
    "paid": Look("Paid", "banknote", "good"),
    "void": Look("Void", "ban", "quiet"),
    "uncollectible": Look("Uncollectible", "circle-alert", "bad"),
    # derived: never stored, only shown
    "late": Look("Late", "triangle-alert", "bad"),
    "stale": Look("Out of date", "clock", "wait"),
    "verified": Look("Verified", "badge-check", "good"),
    "unverified": Look("Not verified yet", "hourglass", "wait"),
}

BY_KIND: dict[tuple[str, str], Look] = {
    ("booking", "open"): Look("Finding technicians", "search", "info"),
    ("session", "pending"): Look("Booked", "calendar-check", "info"),
    ("session", "cancelled"): Look("Cancelled", "calendar-x", "bad"),
    ("review", "submitted"): Look("Sealed", "lock", "info"),
    ("dispute", "open"): Look("Open", "flag", "wait"),
    ("credential", "pending"): Look("Being checked", "hourglass", "wait"),
    ("credential", "rejected"): Look("Refused", "circle-x", "bad"),
    ("invoice", "open"): Look("To be paid", "receipt", "wait"),
    ("account", "active"): Look("Open", "user-check", "good"),
    ("account", "inactive"): Look("Suspended", "ban", "bad"),
    ("account", "suspended"): Look("Suspended", "ban", "bad"),
    ("account", "erased"): Look("Erased", "eraser", "quiet"),
    ("account", "customer"): Look("Customer", "user-round", "quiet"),
    ("account", "technician"): Look("Technician", "wrench", "quiet"),
    ("account", "driver"): Look("Driver", "truck", "quiet"),
    ("account", "admin"): Look("Admin", "shield", "quiet"),
}


def look_of(state: str, kind: str = "") -> Look:
    """How `state` looks; a state nobody named yet shows its own word, so that nothing is ever blank."""
    found = BY_KIND.get((kind, state)) or LOOKS.get(state)
    return found or Look(state.replace("_", " ").capitalize(), "circle-help", "quiet")
