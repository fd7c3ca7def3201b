"""What people are told of disputes: the kinds of notices, and on which step who gets which.

A notice never holds what was said in a dispute: it goes into mails.
"""

from __future__ import annotations

from accounts.models import Role
from bookings.models import Dispute, DisputeEvidence
from bookings.states import DisputeStatus
from bookings.whom import By, Step, Told, Whom
from notifications.kinds import Kind
from notifications.models import Channel, Priority

DISPUTES, AT_DESK = "Disputes", "The desk"
BOTH, ADMIN = (Role.CUSTOMER, Role.TECHNICIAN), (Role.ADMIN,)
MAILED = (Channel.PAGE, Channel.EMAIL)

ASKED = Kind(
    "bookings.dispute_asked",
    label="Your answer to a dispute is wanted",
    section=DISPUTES,
    text="A dispute about {job} waits for your answer, until {deadline}",
    roles=BOTH,
    priority=Priority.URGENT,
    channels=MAILED,
)
TAKEN_ON = Kind(
    "bookings.dispute_taken_on",
    label="The other side is asked about your dispute",
    section=DISPUTES,
    text="The other side has until {deadline} to answer your dispute about {job}",
    roles=BOTH,
)
ANSWERED = Kind(
    "bookings.dispute_answered",
    label="Your dispute was answered",
    section=DISPUTES,
    text="{who} answered your dispute about {job}. The desk decides next",
    roles=BOTH,
    priority=Priority.HIGH,
    channels=MAILED,
)
UNANSWERED = Kind(
    "bookings.dispute_unanswered",
    label="The time to answer a dispute has passed",
    section=DISPUTES,
    text="Nobody answered the dispute about {job} in time. The desk decides with what it has",
    roles=BOTH,
    priority=Priority.HIGH,
    channels=MAILED,
)
EVIDENCE = Kind(
    "bookings.dispute_evidence",
    label="Something was added to a dispute",
    section=DISPUTES,
    text="{who} added something to the dispute about {job}",
    grouped="{count} things were added to the dispute about {job}",
    roles=BOTH,
)
DECIDED = Kind(
    "bookings.dispute_decided",
    label="The desk decided a dispute",
    section=DISPUTES,
    text="The desk has decided the dispute about {job}: {outcome}",
    roles=BOTH,
    priority=Priority.URGENT,
    channels=MAILED,
)
WITHDRAWN = Kind(
    "bookings.dispute_withdrawn",
    label="A dispute about your job was withdrawn",
    section=DISPUTES,
    text="{who} withdrew the dispute about {job}",
    roles=BOTH,
    channels=MAILED,
)
DESK_NEW = Kind(
    "bookings.desk_dispute",
    label="A new dispute",
    section=AT_DESK,
    text="New dispute about {job}: {reason}",
    grouped="{count} new disputes",
    roles=ADMIN,
    priority=Priority.HIGH,
)
DESK_READY = Kind(
    "bookings.desk_dispute_ready",
    label="A dispute waits for its decision",
    section=AT_DESK,
    text="The dispute about {job} waits for its decision",
    grouped="{count} disputes wait for their decision",
    roles=ADMIN,
    priority=Priority.HIGH,
)

D = DisputeStatus
TABLE: dict[Step, tuple[Told, ...]] = {
    (Dispute, "", D.OPEN): (Told(DESK_NEW, Whom.DESK),),
    (Dispute, D.OPEN, D.AWAITING_RESPONSE): (Told(ASKED, Whom.ASKED), Told(TAKEN_ON, Whom.ASKING)),
    (Dispute, D.AWAITING_RESPONSE, D.UNDER_REVIEW): (
        Told(ANSWERED, Whom.ASKING, By.PERSON),
        Told(UNANSWERED, Whom.ASKING, By.CLOCK),
        Told(UNANSWERED, Whom.ASKED, By.CLOCK),
        Told(DESK_READY, Whom.DESK),
    ),
    (Dispute, D.AWAITING_RESPONSE, D.WITHDRAWN): (Told(WITHDRAWN, Whom.ASKED),),
    (Dispute, D.UNDER_REVIEW, D.WITHDRAWN): (Told(WITHDRAWN, Whom.ASKED),),
    (Dispute, D.UNDER_REVIEW, D.RESOLVED): (Told(DECIDED, Whom.ASKING), Told(DECIDED, Whom.ASKED)),
    (DisputeEvidence, "", ""): (Told(EVIDENCE, Whom.ASKING), Told(EVIDENCE, Whom.ASKED)),
}
SILENT: dict[Step, str] = {
    (Dispute, D.OPEN, D.WITHDRAWN): "The other side had not been asked yet, and nothing was to be decided.",
}
