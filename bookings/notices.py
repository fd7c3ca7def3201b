"""What people are told of jobs, offers and visits: the kinds of notices, and on which step who gets which.

`bookings.telling` reads the tables. A notice never holds an address, a phone number, a surname or a start code:
it goes into mails.
"""

from __future__ import annotations

from accounts.models import Role
from bookings import notices_desk, notices_disputes, notices_reviews
from bookings.models import Bid, Booking, ContactAttempt, RescheduleProposal, Session
from bookings.states import BidStatus, BookingStatus, ProposalStatus, SessionStatus
from bookings.whom import By, Step, Told, Whom
from notifications.kinds import Kind
from notifications.models import Channel, Priority

CUSTOMER, TECHNICIAN = (Role.CUSTOMER,), (Role.TECHNICIAN,)
BOTH = (*CUSTOMER, *TECHNICIAN)
PAGE, MAILED = (Channel.PAGE,), (Channel.PAGE, Channel.EMAIL)
LOW, MEDIUM, HIGH, URGENT = Priority.LOW, Priority.MEDIUM, Priority.HIGH, Priority.URGENT
OFFERS, VISITS, JOBS = "Offers", "Visits", "Jobs"

# --- To customers ---------------------------------------------------------------------------------

OFFER_NEW = Kind(
    "bookings.offer_new",
    label="A new offer on your job",
    section=OFFERS,
    text="{name} offers {price} on {job}",
    grouped="{count} new offers on {job}",
    roles=CUSTOMER,
    priority=HIGH,
    channels=MAILED,
)
OFFER_CHANGED = Kind(
    "bookings.offer_changed",
    label="An offer on your job changed",
    section=OFFERS,
    text="{name} now offers {price} on {job}",
    grouped="{count} offers changed on {job}",
    roles=CUSTOMER,
)
OFFER_WITHDRAWN = Kind(
    "bookings.offer_withdrawn",
    label="An offer on your job was withdrawn",
    section=OFFERS,
    text="{name} withdrew the offer on {job}",
    grouped="{count} offers withdrawn on {job}",
    roles=CUSTOMER,
    priority=LOW,
)
OFFER_OVER = Kind(
    "bookings.offer_over",
    label="An offer on your job has lapsed",
    section=OFFERS,
    text="{name}'s offer of {price} on {job} has lapsed",
    grouped="{count} offers on {job} have lapsed",
    roles=CUSTOMER,
    priority=LOW,
)
JOB_EXPIRED = Kind(
    "bookings.job_expired",
    label="Your job has expired",
    section=JOBS,
    text="No offer was accepted in time. The job has expired: {job}",
    roles=CUSTOMER,
    priority=HIGH,
    channels=MAILED,
)
TECHNICIAN_RELEASED = Kind(
    "bookings.technician_released",
    label="Your technician can no longer come",
    section=VISITS,
    text="Your technician can no longer come. The job takes offers again: {job}",
    roles=CUSTOMER,
    priority=HIGH,
    channels=MAILED,
)
AT_YOUR_DOOR = Kind(
    "bookings.at_your_door",
    label="Your technician is at the door",
    section=VISITS,
    text="{name} is at your door: {job}",
    roles=CUSTOMER,
    priority=URGENT,
    channels=MAILED,
)
WORK_BEGUN = Kind(
    "bookings.work_begun",
    label="The work has begun",
    section=VISITS,
    text="{name} has begun the work: {job}",
    roles=CUSTOMER,
)
WORK_PAUSED = Kind(
    "bookings.work_paused",
    label="The work is paused",
    section=VISITS,
    text="{name} paused the work: {job}",
    roles=CUSTOMER,
    priority=LOW,
)
WORK_RESUMED = Kind(
    "bookings.work_resumed",
    label="The work goes on",
    section=VISITS,
    text="{name} goes on with the work: {job}",
    roles=CUSTOMER,
    priority=LOW,
)
WORK_FINISHED = Kind(
    "bookings.work_finished",
    label="The work is finished",
    section=VISITS,
    text="{name} has finished the work: {job}",
    roles=CUSTOMER,
    priority=HIGH,
    channels=MAILED,
)
JOB_CANCELLED = Kind(
    "bookings.job_cancelled",
    label="Your job was called off",
    section=JOBS,
    text="{who} called the job off: {job}",
    roles=CUSTOMER,
    priority=HIGH,
    channels=MAILED,
)

# --- To technicians -------------------------------------------------------------------------------

NEW_JOB = Kind(
    "bookings.new_job",
    label="A new job near you",
    section=JOBS,
    text="New job near you: {job}",
    grouped="{count} new jobs near you",
    roles=TECHNICIAN,
    priority=LOW,
)
JOB_REOPENED = Kind(
    "bookings.job_reopened",
    label="A job that you did not get is open again",
    section=JOBS,
    text="{job} is open again: you may make a new offer",
    roles=TECHNICIAN,
    channels=MAILED,
)
TIME_CHANGED = Kind(
    "bookings.time_changed",
    label="The time of a job changed, and your offer still fits",
    section=JOBS,
    text="{who} changed the time of {job}. Your offer still fits",
    roles=TECHNICIAN,
)
OFFER_OUTSIDE = Kind(
    "bookings.offer_outside",
    label="The time of a job changed, and your offer lapsed",
    section=OFFERS,
    text="{who} changed the time of {job}, so your offer has lapsed. You may offer again",
    roles=TECHNICIAN,
    channels=MAILED,
)
JOB_CLOSED = Kind(
    "bookings.job_closed",
    label="A job you made an offer on was closed",
    section=JOBS,
    text="A job you made an offer on was closed: {job}",
    roles=TECHNICIAN,
)
OFFER_ACCEPTED = Kind(
    "bookings.offer_accepted",
    label="Your offer was accepted",
    section=OFFERS,
    text="Your offer of {price} was accepted: {job}",
    roles=TECHNICIAN,
    priority=HIGH,
    channels=MAILED,
)
OFFER_DECLINED = Kind(
    "bookings.offer_declined",
    label="Your offer was declined",
    section=OFFERS,
    text="Your offer of {price} was declined: {job}",
    roles=TECHNICIAN,
)
OFFER_NOT_SELECTED = Kind(
    "bookings.offer_not_selected",
    label="Another offer was chosen",
    section=OFFERS,
    text="Another offer was chosen for {job}",
    roles=TECHNICIAN,
)
OFFER_LAPSED = Kind(
    "bookings.offer_lapsed",
    label="Your offer has lapsed",
    section=OFFERS,
    text="Your offer of {price} has lapsed: {job}",
    roles=TECHNICIAN,
    priority=LOW,
)
OFFER_CLASHED = Kind(
    "bookings.offer_clashed",
    label="Your offer was withdrawn because you won another job",
    section=OFFERS,
    text="{offers} withdrawn: you won another job at that time",
    roles=TECHNICIAN,
)
WORK_LET = Kind(
    "bookings.work_let",
    label="The customer let the work begin",
    section=VISITS,
    text="{who} let the work begin: {job}",
    roles=TECHNICIAN,
)
VISIT_CANCELLED = Kind(
    "bookings.visit_cancelled",
    label="Your visit was called off",
    section=VISITS,
    text="{who} called the visit off: {job}",
    roles=TECHNICIAN,
    priority=URGENT,
    channels=MAILED,
)

# --- To either side -------------------------------------------------------------------------------

NO_SHOW = Kind(
    "bookings.no_show",
    label="A visit was closed as a no-show",
    section=VISITS,
    text="The visit was closed as a no-show: {job}",
    roles=BOTH,
    priority=HIGH,
    channels=MAILED,
)
CONTACT_TRIED = Kind(
    "bookings.contact_tried",
    label="Somebody tried to reach you",
    section=VISITS,
    text="{who} tried to reach you: {job}",
    roles=BOTH,
    priority=URGENT,
    channels=MAILED,
)
MOVE_ASKED = Kind(
    "bookings.move_asked",
    label="Somebody asks to move a visit",
    section=VISITS,
    text="{who} asks to move the visit: {job}",
    roles=BOTH,
    priority=HIGH,
    channels=MAILED,
)
MOVE_AGREED = Kind(
    "bookings.move_agreed",
    label="Your wish to move a visit was agreed to",
    section=VISITS,
    text="{who} agreed, the visit is moved: {job}",
    roles=BOTH,
    priority=HIGH,
    channels=MAILED,
)
MOVE_DECLINED = Kind(
    "bookings.move_declined",
    label="Your wish to move a visit was declined",
    section=VISITS,
    text="{who} would rather keep the time: {job}",
    roles=BOTH,
    channels=MAILED,
)
MOVE_WITHDRAWN = Kind(
    "bookings.move_withdrawn",
    label="A wish to move a visit was taken back",
    section=VISITS,
    text="{who} no longer asks to move the visit: {job}",
    roles=BOTH,
    priority=LOW,
)
MOVE_LAPSED = Kind(
    "bookings.move_lapsed",
    label="Your wish to move a visit was not answered",
    section=VISITS,
    text="Nobody answered in time, so the visit stays when it was: {job}",
    roles=BOTH,
    channels=MAILED,
)
BY_DESK = Kind(
    "bookings.by_desk",
    label="The desk did something for you",
    section=JOBS,
    text="The desk {did}: {job}",
    roles=BOTH,
    priority=HIGH,
    channels=MAILED,
)

# --- Who is told what -----------------------------------------------------------------------------


def desk(whom: Whom, did: str) -> Told:
    """What somebody hears when an admin acted on their behalf."""
    return Told(BY_DESK, whom, By.DESK, did)


CLASH = "clash"  # on top of `withdrawn`: by their own calendar
B, O, V, P = BookingStatus, BidStatus, SessionStatus, ProposalStatus  # noqa: E741 (offer)

TABLE: dict[Step, tuple[Told, ...]] = {
    (Booking, B.DRAFT, B.OPEN): (Told(NEW_JOB, Whom.NEAR), desk(Whom.CUSTOMER, "placed your job")),
    (Booking, B.OPEN, B.OPEN): (Told(TIME_CHANGED, Whom.STANDING), desk(Whom.CUSTOMER, "changed the time window")),
    (Booking, B.OPEN, B.ASSIGNED): (desk(Whom.CUSTOMER, "accepted an offer for you"),),
    (Booking, B.OPEN, B.EXPIRED): (Told(JOB_EXPIRED, Whom.CUSTOMER),),
    (Booking, B.OPEN, B.CANCELLED): (Told(JOB_CANCELLED, Whom.CUSTOMER),),
    (Booking, B.ASSIGNED, B.OPEN): (Told(TECHNICIAN_RELEASED, Whom.CUSTOMER), Told(JOB_REOPENED, Whom.RETURNING)),
    (Booking, B.ASSIGNED, B.CANCELLED): (Told(JOB_CANCELLED, Whom.CUSTOMER),),
    (Booking, B.ASSIGNED, B.NO_SHOW): (Told(NO_SHOW, Whom.CUSTOMER),),
    (Booking, B.IN_PROGRESS, B.CANCELLED): (Told(JOB_CANCELLED, Whom.CUSTOMER),),
    (Booking, B.IN_PROGRESS, B.NO_SHOW): (Told(NO_SHOW, Whom.CUSTOMER),),
    (Bid, "", O.SUBMITTED): (Told(OFFER_NEW, Whom.CUSTOMER),),
    (Bid, O.SUBMITTED, O.SUBMITTED): (Told(OFFER_CHANGED, Whom.CUSTOMER),),
    (Bid, O.NOT_SELECTED, O.SUBMITTED): (Told(OFFER_NEW, Whom.CUSTOMER),),
    (Bid, O.EXPIRED, O.SUBMITTED): (Told(OFFER_NEW, Whom.CUSTOMER),),
    (Bid, O.WITHDRAWN, O.SUBMITTED): (Told(OFFER_NEW, Whom.CUSTOMER),),
    (Bid, O.SUBMITTED, O.ACCEPTED): (Told(OFFER_ACCEPTED, Whom.TECHNICIAN),),
    (Bid, O.SUBMITTED, O.REJECTED): (
        Told(OFFER_DECLINED, Whom.TECHNICIAN),
        desk(Whom.CUSTOMER, "declined an offer for you"),
    ),
    (Bid, O.SUBMITTED, O.WITHDRAWN): (
        Told(OFFER_WITHDRAWN, Whom.CUSTOMER),
        desk(Whom.TECHNICIAN, "withdrew your offer"),
    ),
    (Bid, O.SUBMITTED, CLASH): (Told(OFFER_CLASHED, Whom.TECHNICIAN),),
    (Bid, O.SUBMITTED, O.EXPIRED): (
        Told(OFFER_LAPSED, Whom.TECHNICIAN, By.CLOCK),
        Told(OFFER_OVER, Whom.CUSTOMER, By.CLOCK),
        Told(OFFER_OUTSIDE, Whom.TECHNICIAN, By.PERSON),
    ),
    (Bid, O.SUBMITTED, O.NOT_SELECTED): (Told(OFFER_NOT_SELECTED, Whom.TECHNICIAN),),
    (Bid, O.SUBMITTED, O.CLOSED): (Told(JOB_CLOSED, Whom.TECHNICIAN),),
    (Session, V.PENDING, V.WAITING): (Told(AT_YOUR_DOOR, Whom.CUSTOMER), desk(Whom.TECHNICIAN, "checked you in")),
    (Session, V.WAITING, V.LIVE): (Told(WORK_BEGUN, Whom.CUSTOMER), Told(WORK_LET, Whom.TECHNICIAN)),
    (Session, V.LIVE, V.PAUSED): (Told(WORK_PAUSED, Whom.CUSTOMER), desk(Whom.TECHNICIAN, "paused your work")),
    (Session, V.PAUSED, V.LIVE): (Told(WORK_RESUMED, Whom.CUSTOMER), desk(Whom.TECHNICIAN, "resumed your work")),
    **{
        (Session, start, V.COMPLETED): (
            Told(WORK_FINISHED, Whom.CUSTOMER),
            desk(Whom.TECHNICIAN, "finished your visit"),
        )
        for start in (V.LIVE, V.PAUSED)
    },
    **{
        (Session, start, V.CANCELLED): (Told(VISIT_CANCELLED, Whom.TECHNICIAN),)
        for start in (V.PENDING, V.WAITING, V.LIVE, V.PAUSED)
    },
    **{(Session, start, V.NO_SHOW): (Told(NO_SHOW, Whom.TECHNICIAN),) for start in (V.PENDING, V.WAITING)},
    (RescheduleProposal, "", P.PROPOSED): (
        Told(MOVE_ASKED, Whom.ASKED),
        desk(Whom.ASKING, "asked to move the visit for you"),
    ),
    (RescheduleProposal, P.PROPOSED, P.ACCEPTED): (
        Told(MOVE_AGREED, Whom.ASKING),
        desk(Whom.ASKED, "agreed for you to move the visit"),
    ),
    (RescheduleProposal, P.PROPOSED, P.DECLINED): (
        Told(MOVE_DECLINED, Whom.ASKING),
        desk(Whom.ASKED, "kept the time of the visit for you"),
    ),
    (RescheduleProposal, P.PROPOSED, P.WITHDRAWN): (
        Told(MOVE_WITHDRAWN, Whom.ASKED),
        desk(Whom.ASKING, "took back your wish to move the visit"),
    ),
    (RescheduleProposal, P.PROPOSED, P.EXPIRED): (Told(MOVE_LAPSED, Whom.ASKING),),
    (ContactAttempt, "", ""): (Told(CONTACT_TRIED, Whom.ASKED),),
    **notices_desk.TABLE,
    **notices_disputes.TABLE,
    **notices_reviews.TABLE,
}

# One event is told once: what these are a part of is told by another step of the same transaction.
SILENT: dict[Step, str] = {
    (Booking, B.ASSIGNED, B.IN_PROGRESS): "The visit tells it: the technician is at the door.",
    (Booking, B.IN_PROGRESS, B.COMPLETED): "The visit tells it: the work is finished.",
    (Bid, O.ACCEPTED, O.RELEASED): "The job tells it, which is open again.",
    (Session, "", V.PENDING): "The accepted offer tells it.",
    (Bid, O.RELEASED, O.SUBMITTED): "The desk sends the same technician again: the visit that is made tells it.",
    (Session, V.PENDING, V.PENDING): "The answer to the proposal tells it: the visit is moved.",
    **notices_disputes.SILENT,
    **notices_reviews.SILENT,
}
