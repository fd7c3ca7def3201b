"""Orders to end sockets: sign-out, a new password, a deactivated account.

They travel through the journal like everything else, so that they reach every process and survive a
lost bell. A session is named by an id of its own inside it, never by its key.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

from realtime.journal import ORDER, ORDERS_TOPIC, Touch, write

SESSION_FIELD = "live_id"


@receiver(user_logged_in, dispatch_uid="realtime.live_id")
def name_session(sender: Any, request: Any, **_: Any) -> None:
    """Give a new session the id by which its sockets can be ended."""
    if request is not None and hasattr(request, "session"):
        request.session[SESSION_FIELD] = secrets.token_hex(8)


def end_session(live_id: str) -> None:
    """End the sockets of one session, everywhere, when the running transaction commits."""
    if live_id:
        write([Touch(ORDERS_TOPIC, ORDER, f"session.{live_id}")])


def end_sessions_of(user_id: int, except_live_id: str = "") -> None:
    """End all sockets of a user, but those of the session `except_live_id`."""
    write([Touch(ORDERS_TOPIC, ORDER, f"user.{user_id}.{except_live_id}")])
