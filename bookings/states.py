"""The states of jobs, offers, visits, proposals, reviews and disputes, and the moves between them (domain.md)."""

from __future__ import annotations

from django.db.models import TextChoices


class BookingStatus(TextChoices):
    """The promise."""

    DRAFT = "draft", "Draft"
    OPEN = "open", "Open"
    ASSIGNED = "assigned", "Assigned"
    IN_PROGRESS = "in_progress", "In progress"
    COMPLETED = "completed", "Completed"
    EXPIRED = "expired", "Expired"
    CANCELLED = "cancelled", "Cancelled"
    NO_SHOW = "no_show", "No-show"


class BidStatus(TextChoices):
    """A technician's offer."""

    SUBMITTED = "submitted", "Submitted"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Lapsed"
    NOT_SELECTED = "not_selected", "Not selected"
    CLOSED = "closed", "Closed"
    RELEASED = "released", "Released"


class SessionStatus(TextChoices):
    """The visit."""

    PENDING = "pending", "Booked"
    WAITING = "waiting", "At the door"
    LIVE = "live", "In progress"
    PAUSED = "paused", "Paused"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"
    NO_SHOW = "no_show", "No-show"


class ProposalStatus(TextChoices):
    """A proposal to move a visit."""

    PROPOSED = "proposed", "Waiting for an answer"
    ACCEPTED = "accepted", "Agreed"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Lapsed"


class CancelReason(TextChoices):
    """Why somebody calls a booking off."""

    PLANS_CHANGED = "plans_changed", "My plans changed"
    FIXED_ITSELF = "fixed_itself", "It is no longer needed"
    BOOKED_ELSEWHERE = "booked_elsewhere", "I found somebody else"
    MISTAKE = "mistake", "I booked by mistake"
    TECHNICIAN_LATE = "technician_late", "The technician is late"
    UNSAFE = "unsafe", "It is not safe to work"
    CANNOT_BE_DONE = "cannot_be_done", "The work cannot be done"
    OTHER = "other", "Something else"


class Party(TextChoices):
    """The two sides of a visit."""

    CUSTOMER = "customer", "Customer"
    TECHNICIAN = "technician", "Technician"


class ContactChannel(TextChoices):
    """How somebody tried to reach the other side."""

    CALL = "call", "Called"
    MESSAGE = "message", "Sent a message"
    DOOR = "door", "Rang the bell"


class ReviewStatus(TextChoices):
    """What one side says of the other."""

    SUBMITTED = "submitted", "Sealed"
    PUBLISHED = "published", "Published"
    FLAGGED = "flagged", "Flagged"
    HIDDEN = "hidden", "Hidden"


class FlagReason(TextChoices):
    """Why somebody finds that a review should not stand."""

    ABUSE = "abuse", "It insults or threatens"
    PRIVATE = "private", "It tells private things"
    UNTRUE = "untrue", "It is not true"
    OTHER_JOB = "other_job", "It is not about this job"
    SPAM = "spam", "It advertises something"


class HideReason(TextChoices):
    """Why the desk hides a review."""

    ABUSE = "abuse", "Insults or threats"
    PRIVATE = "private", "Private details"
    FALSE = "false", "Shown to be false"
    OFF_TOPIC = "off_topic", "Not about the job"
    SPAM = "spam", "Advertising"


class DisputeStatus(TextChoices):
    """A complaint about a job."""

    OPEN = "open", "Open"
    AWAITING_RESPONSE = "awaiting_response", "Awaiting an answer"
    UNDER_REVIEW = "under_review", "Under review"
    RESOLVED = "resolved", "Resolved"
    WITHDRAWN = "withdrawn", "Withdrawn"


class DisputeReason(TextChoices):
    """What went wrong."""

    QUALITY = "quality", "The work is not right"
    DAMAGE = "damage", "Something was damaged"
    PRICE = "price", "The price is not what was agreed"
    NOT_THERE = "not_there", "Somebody did not come"
    CONDUCT = "conduct", "Somebody behaved badly"
    UNPAID = "unpaid", "The work was not paid for"
    OTHER = "other", "Something else"


class DisputeOutcome(TextChoices):
    """How the desk decides."""

    CUSTOMER = "customer", "For the customer"
    TECHNICIAN = "technician", "For the technician"
    SHARED = "shared", "Shared between both"
    NO_FAULT = "no_fault", "Nobody is at fault"


SHOWN_REVIEW = (ReviewStatus.PUBLISHED, ReviewStatus.FLAGGED)
STANDING_DISPUTE = (DisputeStatus.OPEN, DisputeStatus.AWAITING_RESPONSE, DisputeStatus.UNDER_REVIEW)
ACTIVE_SESSION = (SessionStatus.PENDING, SessionStatus.WAITING, SessionStatus.LIVE, SessionStatus.PAUSED)
ACTIVE_BOOKING = (BookingStatus.OPEN, BookingStatus.ASSIGNED, BookingStatus.IN_PROGRESS)

# A bid in one of these may come back as a new revision while the booking is open: the customer never
# said no to it. A rejected or released technician does not get in the customer's way again.
REVIVABLE_BID = (BidStatus.NOT_SELECTED, BidStatus.EXPIRED, BidStatus.WITHDRAWN)

BOOKING_MOVES: dict[str, tuple[str, ...]] = {
    BookingStatus.DRAFT: (BookingStatus.OPEN,),
    BookingStatus.OPEN: (BookingStatus.ASSIGNED, BookingStatus.EXPIRED, BookingStatus.CANCELLED),
    BookingStatus.ASSIGNED: (
        BookingStatus.OPEN,
        BookingStatus.IN_PROGRESS,
        BookingStatus.CANCELLED,
        BookingStatus.NO_SHOW,
    ),
    BookingStatus.IN_PROGRESS: (BookingStatus.COMPLETED, BookingStatus.CANCELLED, BookingStatus.NO_SHOW),
}
BID_MOVES: dict[str, tuple[str, ...]] = {
    BidStatus.SUBMITTED: (
        BidStatus.ACCEPTED,
        BidStatus.REJECTED,
        BidStatus.WITHDRAWN,
        BidStatus.EXPIRED,
        BidStatus.NOT_SELECTED,
        BidStatus.CLOSED,
    ),
    BidStatus.ACCEPTED: (BidStatus.RELEASED,),
    BidStatus.RELEASED: (BidStatus.SUBMITTED,),  # by the desk, which sends the same technician again
    **dict.fromkeys(REVIVABLE_BID, (BidStatus.SUBMITTED,)),
}
SESSION_MOVES: dict[str, tuple[str, ...]] = {
    SessionStatus.PENDING: (SessionStatus.WAITING, SessionStatus.CANCELLED, SessionStatus.NO_SHOW),
    SessionStatus.WAITING: (SessionStatus.LIVE, SessionStatus.CANCELLED, SessionStatus.NO_SHOW),
    SessionStatus.LIVE: (SessionStatus.PAUSED, SessionStatus.COMPLETED, SessionStatus.CANCELLED),
    SessionStatus.PAUSED: (SessionStatus.LIVE, SessionStatus.COMPLETED, SessionStatus.CANCELLED),
}
REVIEW_MOVES: dict[str, tuple[str, ...]] = {
    ReviewStatus.SUBMITTED: (ReviewStatus.PUBLISHED,),
    ReviewStatus.PUBLISHED: (ReviewStatus.FLAGGED,),
    ReviewStatus.FLAGGED: (ReviewStatus.PUBLISHED, ReviewStatus.HIDDEN),
}
DISPUTE_MOVES: dict[str, tuple[str, ...]] = {
    DisputeStatus.OPEN: (DisputeStatus.AWAITING_RESPONSE, DisputeStatus.WITHDRAWN),
    DisputeStatus.AWAITING_RESPONSE: (DisputeStatus.UNDER_REVIEW, DisputeStatus.WITHDRAWN),
    DisputeStatus.UNDER_REVIEW: (DisputeStatus.RESOLVED, DisputeStatus.WITHDRAWN),
}
