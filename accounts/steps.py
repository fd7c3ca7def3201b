"""What happened to an account, said inside the action's transaction: the apps above decide who is told of it.

Receivers get what is listed here by name; `by` is the user who did it, None for the system and the clock.
"""

from __future__ import annotations

from django.dispatch import Signal

signed_up = Signal()  # user, now
verification_moved = Signal()  # technician, by, reason, now: the desk's word by hand, without a document
# credential, before, by, now, turned: whether the technician became verified (True), lost it (False), or neither (None)
credential_moved = Signal()
credential_runs_out = Signal()  # credential, now: its last day is near
sessions_changed = Signal()  # user_id: a browser signed in or out
