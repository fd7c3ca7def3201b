"""What people are told of reviews: the kinds of notices, and on which step who gets which.

A notice never holds what a review says, nor how many stars it gives; and nothing at all is told of a sealed one.
"""

from __future__ import annotations

from accounts.models import Role
from bookings.models import Review
from bookings.states import ReviewStatus
from bookings.whom import Step, Told, Whom
from notifications.kinds import Kind
from notifications.models import Channel, Priority

REVIEWS, AT_DESK = "Reviews", "The desk"
BOTH, ADMIN = (Role.CUSTOMER, Role.TECHNICIAN), (Role.ADMIN,)
MAILED = (Channel.PAGE, Channel.EMAIL)

OPENED = Kind(
    "bookings.review_opened",
    label="A review of you is open to read",
    section=REVIEWS,
    text="{author}'s review of you is open to read: {job}",
    roles=BOTH,
    channels=MAILED,
)
KEPT = Kind(
    "bookings.review_kept",
    label="A review you flagged stays",
    section=REVIEWS,
    text="The desk looked at the review you flagged, and it stays: {job}",
    roles=BOTH,
)
TAKEN = Kind(
    "bookings.review_taken",
    label="A review of you was hidden",
    section=REVIEWS,
    text="The desk has hidden a review of you, and it no longer counts: {job}",
    roles=BOTH,
)
HIDDEN = Kind(
    "bookings.review_hidden",
    label="A review you wrote was hidden",
    section=REVIEWS,
    text="The desk has hidden your review ({why}): {job}",
    roles=BOTH,
    priority=Priority.HIGH,
    channels=MAILED,
)
DESK_FLAGGED = Kind(
    "bookings.desk_review_flagged",
    label="A review is flagged",
    section=AT_DESK,
    text="A review is flagged ({flag}): {job}",
    grouped="{count} reviews are flagged",
    roles=ADMIN,
    priority=Priority.HIGH,
)

R = ReviewStatus
TABLE: dict[Step, tuple[Told, ...]] = {
    (Review, R.SUBMITTED, R.PUBLISHED): (Told(OPENED, Whom.REVIEWED),),
    (Review, R.PUBLISHED, R.FLAGGED): (Told(DESK_FLAGGED, Whom.DESK),),
    (Review, R.FLAGGED, R.PUBLISHED): (Told(KEPT, Whom.FLAGGED),),
    (Review, R.FLAGGED, R.HIDDEN): (Told(HIDDEN, Whom.AUTHOR), Told(TAKEN, Whom.REVIEWED)),
}
SILENT: dict[Step, str] = {
    (Review, "", R.SUBMITTED): "It is sealed: that it exists is nobody's to know.",
}
