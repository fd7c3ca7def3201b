"""What people are told when the desk itself sends somebody or moves a visit, and what the desk is told of jobs."""

from __future__ import annotations

from accounts.models import Role
from bookings.models import Booking, Session
from bookings.states import BookingStatus, SessionStatus
from bookings.whom import By, Step, Told, Whom
from notifications.kinds import Kind
from notifications.models import Channel, Priority

MAILED = (Channel.PAGE, Channel.EMAIL)
SENT = "sent"  # a visit made by the desk, without anybody's accepting an offer
MOVED = "moved"  # to another time, without anybody's consent
WAITED = "waited"  # a job for which nobody was found in time

VISIT_GIVEN = Kind(
    "bookings.visit_given",
    label="The desk gave you a visit",
    section="Visits",
    text="The desk gave you a visit, {when}, {price}: {job}",
    roles=(Role.TECHNICIAN,),
    priority=Priority.URGENT,
    channels=MAILED,
)
TECHNICIAN_SENT = Kind(
    "bookings.technician_sent",
    label="The desk sends you a technician",
    section="Visits",
    text="The desk sends you {name}, {when}: {job}",
    roles=(Role.CUSTOMER,),
    priority=Priority.HIGH,
    channels=MAILED,
)
VISIT_MOVED = Kind(
    "bookings.visit_moved",
    label="The desk moved a visit",
    section="Visits",
    text="The desk moved the visit to {when}: {job}",
    roles=(Role.CUSTOMER, Role.TECHNICIAN),
    priority=Priority.URGENT,
    channels=MAILED,
)
DESK_UNASSIGNED = Kind(
    "bookings.desk_unassigned",
    label="A job waits too long for a technician",
    section="The desk",
    text="Nobody is assigned yet: {job}",
    grouped="{count} jobs wait too long for a technician",
    roles=(Role.ADMIN,),
    priority=Priority.HIGH,
)

TABLE: dict[Step, tuple[Told, ...]] = {
    (Session, "", SENT): (Told(VISIT_GIVEN, Whom.TECHNICIAN), Told(TECHNICIAN_SENT, Whom.CUSTOMER)),
    (Session, SessionStatus.PENDING, MOVED): (
        Told(VISIT_MOVED, Whom.CUSTOMER),
        Told(VISIT_MOVED, Whom.TECHNICIAN),
    ),
    (Booking, BookingStatus.OPEN, WAITED): (Told(DESK_UNASSIGNED, Whom.DESK, By.CLOCK),),
}
