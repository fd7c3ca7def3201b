"""What the desk is told of the live system."""

from __future__ import annotations

from accounts.models import Role
from notifications.kinds import Kind
from notifications.models import Channel, Priority

DESK, MAILED = (Role.ADMIN,), (Channel.PAGE, Channel.EMAIL)

ALERT_RAISED = Kind(
    "adminpanel.alert_raised",
    label="The live system crossed a limit",
    section="The desk",
    text="{label}: {value}. It should be {rule}",
    roles=DESK,
    priority=Priority.URGENT,
    channels=MAILED,
)
ALERT_CLEARED = Kind(
    "adminpanel.alert_cleared",
    label="The live system is well again",
    section="The desk",
    text="{label} is well again: {value}",
    roles=DESK,
    channels=MAILED,
)
