"""Reviews: written by both sides of a finished job, sealed, opened together, flagged, judged by the desk."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.models import Role, User
from bookings.actions.moves import lock_booking, locking, move, note
from bookings.links import desk_url, job_url
from bookings.models import Booking, Review, ReviewFlag, ReviewHistory, Session
from bookings.rules.seal import may_be_written, opens_at
from bookings.states import BookingStatus, FlagReason, HideReason, Party, ReviewStatus, SessionStatus
from bookings.telling import tell
from common.history import keep
from common.refusals import Conflict, Invalid

WORST, BEST = 1, 5
TEXT_MOST = 2000


def write_review(booking: Booking, *, by: User, stars: int, text: str = "", now: datetime | None = None) -> Review:
    """Say what one thinks of the other side of a finished job; as long as it is sealed, say it anew.

    When both sides have written, both reviews open in this transaction. Raises `Conflict` before the work is
    finished, after the week for it, and once the own review is open.
    """
    now = now or timezone.now()
    if not WORST <= stars <= BEST:
        raise Invalid(f"Please give between {WORST} and {BEST} stars.")
    words = text.strip()[:TEXT_MOST]
    with transaction.atomic():
        held = lock_booking(booking.pk)
        visit = reviewed_visit(held, now)
        party = side_of(visit, by)
        written = {review.party: review for review in locking(held.reviews.select_related("booking"))}
        if own := written.get(party):
            return rewritten(own, by, stars, words, now)
        own = Review.objects.create(
            booking=held,
            author=by,
            about_id=visit.technician_id if party == Party.CUSTOMER else held.customer_id,
            party=party,
            stars=stars,
            text=words,
            submitted_at=now,
            opens_at=opens_at(visit.finished_at or now),
        )
        kept = keep(ReviewHistory, "", own.status, by=by, now=now, subject=own)
        tell([own], "", own.status, by=by, now=now, event=f"reviewhistory.{kept.pk}")
        if written:
            for review in sorted([*written.values(), own], key=lambda each: each.pk):
                open_review(review, by=by, now=now)
    return own


def reviewed_visit(booking: Booking, now: datetime) -> Session:
    """The visit that is to be reviewed. Raises `Conflict` before it is finished and when its week is over."""
    visit = booking.sessions.filter(status=SessionStatus.COMPLETED).select_related("technician__user").first()
    if booking.status != BookingStatus.COMPLETED or visit is None or visit.finished_at is None:
        raise refused(booking, "A job can be reviewed once its work is finished.")
    if not may_be_written(visit.finished_at, now):
        raise refused(booking, "The week for reviews of this job is over.")
    return visit


def refused(booking: Booking, sentence: str) -> Conflict:
    """A refusal that leads back to the job."""
    return Conflict(sentence, next_url=job_url(booking.pk), next_label="See the job")


def side_of(visit: Session, by: User) -> str:
    """Which side `by` is on. Nobody else reviews, nor the desk for somebody: a review is one's own word."""
    if by.pk == visit.technician_id:
        return Party.TECHNICIAN
    if by.pk == visit.booking.customer_id:
        return Party.CUSTOMER
    raise PermissionDenied("Only the two sides of this job may review it.")


def rewritten(review: Review, by: User, stars: int, text: str, now: datetime) -> Review:
    """Other words for a sealed review. Raises `Conflict` for an open one, which the other side may have answered to."""
    if not review.is_sealed:
        raise refused(review.booking, "Your review is open to read, so it can no longer be changed.")
    if (review.stars, review.text) != (stars, text):
        review.stars, review.text = stars, text
        review.save(update_fields=["stars", "text"])
        note(review, review.status, by=by, now=now, told=False)
    return review


def open_review(review: Review, *, by: User | None, now: datetime) -> None:
    """Break the seal of a locked review: `by` wrote the other one, or the week is over and the clock does it."""
    move(review, ReviewStatus.PUBLISHED, by=by, now=now, published_at=now)


# --- Flags and the desk ---------------------------------------------------------------------------


def flag_review(review: Review, *, by: User, reason: str, words: str = "", now: datetime | None = None) -> ReviewFlag:
    """Ask the desk to look at a review: whom it is about, once; or the desk itself, as often as it has cause.

    The review stays where it is until the desk decides. Raises `Conflict` when it is flagged or hidden already.
    """
    now = now or timezone.now()
    if reason not in FlagReason.values:
        raise Invalid("Please say what is wrong with it.")
    with transaction.atomic():
        held = locked(review)
        if by.pk != held.about_id and by.role != Role.ADMIN:
            raise PermissionDenied("Only whom a review is about may flag it.")
        standing(held, by, ReviewStatus.PUBLISHED)
        if by.role != Role.ADMIN and held.flags.filter(by=by).exists():
            raise refused(held.booking, "The desk has looked at this review already, and kept it.")
        made = ReviewFlag.objects.create(review=held, by=by, reason=reason, note=words.strip()[:500], at=now)
        move(held, ReviewStatus.FLAGGED, by=by, now=now, reason=f"{made.get_reason_display()}.")
    return made


def keep_review(review: Review, *, by: User, reason: str, now: datetime | None = None) -> Review:
    """The desk finds nothing wrong with a flagged review: it stands, and its flags are settled."""
    return decided(review, ReviewStatus.PUBLISHED, "", by=by, reason=reason, now=now)


def hide_review(review: Review, *, by: User, why: str, reason: str, now: datetime | None = None) -> Review:
    """The desk takes a flagged review away: it is kept, shown to nobody but its author, and counts no more."""
    if why not in HideReason.values:
        raise Invalid("Please say why it is hidden.")
    return decided(review, ReviewStatus.HIDDEN, why, by=by, reason=reason, now=now)


def decided(review: Review, to: str, why: str, *, by: User, reason: str, now: datetime | None) -> Review:
    """Move a flagged review to where the desk wants it, with the reason that both sides may read."""
    now = now or timezone.now()
    if by.role != Role.ADMIN:
        raise PermissionDenied("Only the desk decides about reviews.")
    if not reason.strip():
        raise Invalid("Please say why: the people concerned may read it.")
    with transaction.atomic():
        held = locked(review)
        standing(held, by, ReviewStatus.FLAGGED)
        move(held, to, by=by, now=now, reason=reason.strip(), hide_reason=why)
        for flag in held.flags.filter(settled_at__isnull=True):  # after the move, which tells those who flagged it
            flag.settled_at = now
            flag.save(update_fields=["settled_at"])
    return held


def locked(review: Review) -> Review:
    """The review as it is now, its booking locked before it."""
    booking = lock_booking(review.booking_id)
    held = locking(booking.reviews.select_related("author", "about")).get(pk=review.pk)
    held.booking = booking
    return held


def standing(review: Review, by: User, state: str) -> None:
    """Raises `Conflict` unless the review is in `state`."""
    if review.status == state:
        return
    now = {
        ReviewStatus.SUBMITTED: "is not open to read yet",
        ReviewStatus.PUBLISHED: "is not flagged any more: somebody has decided about it",
        ReviewStatus.FLAGGED: "is flagged already, and the desk is looking at it",
        ReviewStatus.HIDDEN: "has been hidden",
    }[ReviewStatus(review.status)]
    desk = by.role == Role.ADMIN
    next_url = desk_url("review", review.pk) if desk else job_url(review.booking_id)
    label = "See the review" if desk else "See the job"
    raise Conflict(f"Things moved on a moment ago: this review {now}.", next_url=next_url, next_label=label)
