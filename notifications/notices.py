"""What people are told of accounts and documents. `notifications.about_accounts` says who, and when."""

from __future__ import annotations

from accounts.models import Role
from notifications.kinds import Kind
from notifications.models import Channel, Priority

TECHNICIAN, DESK = (Role.TECHNICIAN,), (Role.ADMIN,)
PAGE, MAILED = (Channel.PAGE,), (Channel.PAGE, Channel.EMAIL)
DOCUMENTS, FOR_THE_DESK = "My documents", "The desk"

# --- To technicians -------------------------------------------------------------------------------

VERIFIED = Kind(
    "accounts.verified",
    label="You are verified",
    section=DOCUMENTS,
    text="You are verified: you can bid now",
    roles=TECHNICIAN,
    priority=Priority.HIGH,
    channels=MAILED,
)
PAUSED = Kind(
    "accounts.paused",
    label="You can make no new offers for now",
    section=DOCUMENTS,
    text="You can make no new offers for now. {reason}",
    roles=TECHNICIAN,
    priority=Priority.HIGH,
    channels=MAILED,
)
APPROVED = Kind(
    "accounts.credential_approved",
    label="A document of yours was approved",
    section=DOCUMENTS,
    text="Approved: your {document}",
    roles=TECHNICIAN,
)
REFUSED = Kind(
    "accounts.credential_refused",
    label="A document of yours was refused",
    section=DOCUMENTS,
    text="Refused: your {document}. {reason}",
    roles=TECHNICIAN,
    priority=Priority.HIGH,
    channels=MAILED,
)
ENDED = Kind(
    "accounts.credential_ended",
    label="A document of yours holds no longer",
    section=DOCUMENTS,
    text="Your {document} holds no longer. {reason}",
    roles=TECHNICIAN,
    priority=Priority.HIGH,
    channels=MAILED,
)
RUNS_OUT = Kind(
    "accounts.credential_runs_out",
    label="A document of yours runs out soon",
    section=DOCUMENTS,
    text="Your {document} runs out on {day}. Send a new one before then",
    roles=TECHNICIAN,
    channels=MAILED,
)

# --- To the desk ----------------------------------------------------------------------------------

CREDENTIAL_WAITS = Kind(
    "accounts.desk_credential",
    label="A document waits to be checked",
    section=FOR_THE_DESK,
    text="{name} sent a document to be checked: {document}",
    grouped="{count} documents wait to be checked",
    roles=DESK,
)
NEW_TECHNICIAN = Kind(
    "accounts.desk_technician",
    label="A new technician signed up",
    section=FOR_THE_DESK,
    text="A new technician signed up: {name}",
    grouped="{count} new technicians signed up",
    roles=DESK,
    priority=Priority.LOW,
)
