"""What every action does the same way: lock, check who asks, move a state, write the history row.

Locks are taken in one order everywhere, or two actions could wait for each other for ever:
technician, bookings by id, bids by id, session, proposal, reviews by id, dispute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404

from accounts.models import Role, Technician, User
from bookings.links import job_url, market_url
from bookings.models import (
    Bid,
    BidHistory,
    Booking,
    BookingHistory,
    Dispute,
    DisputeHistory,
    ProposalHistory,
    RescheduleProposal,
    Review,
    ReviewHistory,
    Session,
    SessionHistory,
)
from bookings.states import (
    BID_MOVES,
    BOOKING_MOVES,
    DISPUTE_MOVES,
    REVIEW_MOVES,
    SESSION_MOVES,
    BidStatus,
    BookingStatus,
    ProposalStatus,
)
from bookings.telling import tell
from common.history import keep
from common.refusals import Conflict

M = TypeVar("M", bound=models.Model)
Moving = Booking | Bid | Session | Review | Dispute

MOVES: dict[type[models.Model], dict[str, tuple[str, ...]]] = {
    Booking: BOOKING_MOVES,
    Bid: BID_MOVES,
    Session: SESSION_MOVES,
    Review: REVIEW_MOVES,
    Dispute: DISPUTE_MOVES,
}
HISTORIES: dict[type[models.Model], Any] = {
    Booking: BookingHistory,
    Bid: BidHistory,
    Session: SessionHistory,
    Review: ReviewHistory,
    Dispute: DisputeHistory,
}
NOUNS: dict[type[models.Model], str] = {
    Booking: "job",
    Bid: "offer",
    Session: "visit",
    Review: "review",
    Dispute: "dispute",
}


def locking(rows: models.QuerySet[M], *, skip_locked: bool = False) -> models.QuerySet[M]:
    """Lock `rows` in the order of their ids. The weaker lock: rows that only point here need not wait."""
    return rows.order_by("pk").select_for_update(of=("self",), no_key=True, skip_locked=skip_locked)


def lock_technician(pk: int) -> Technician:
    """Serialises whatever fills the technician's time: SQLite has no constraint for it, and two customers may ask."""
    return locking(Technician.objects.all()).get(pk=pk)


def lock_booking(pk: int) -> Booking:
    """The booking as it is now, held until the transaction ends; 404 where it is gone, as drafts may be."""
    held: Booking | None = locking(Booking.objects.select_related("category")).filter(pk=pk).first()
    if held is None:
        raise Http404
    return held


def lock_bid(pk: int, booking: Booking) -> Bid:
    """The bid as it is now; its booking must be locked already."""
    bid = locking(booking.bids.select_related("technician__user")).get(pk=pk)
    bid.booking = booking
    return bid


def lock_session(pk: int) -> Session:
    """The visit as it is now, its booking locked before it."""
    booking = lock_booking(Booking.objects.values_list("pk", flat=True).get(sessions=pk))
    session = locking(booking.sessions.select_related("technician__user", "bid")).get(pk=pk)
    session.booking = booking
    return session


def move(
    row: Moving,
    to: str,
    *,
    by: User | None,
    now: datetime,
    reason: str = "",
    device_at: datetime | None = None,
    told: bool = True,
    **changes: Any,
) -> None:
    """Move a locked `row` to state `to` with `changes`, write its history row and tell those whom it concerns.

    Without `told` the caller tells them, of several rows together. Raises `Conflict` when its state has moved
    on and does not lead there.
    """
    if to not in MOVES[type(row)].get(row.status, ()):
        raise moved_on(row)
    before, row.status = row.status, to
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=["status", *changes])
    note(row, before, by=by, now=now, reason=reason, device_at=device_at, told=told)


def note(
    row: Moving,
    before: str,
    *,
    by: User | None,
    now: datetime,
    reason: str = "",
    device_at: datetime | None = None,
    told: bool = True,
) -> None:
    """Write the history row of what became of `row`, which was in state `before`, and tell those whom it concerns."""
    history = HISTORIES[type(row)]
    kept = keep(history, before, row.status, by=by, now=now, reason=reason, device_at=device_at, subject=row)
    if told:
        tell([row], before, row.status, by=by, now=now, event=f"{kept._meta.model_name}.{kept.pk}")


def moved_on(row: Moving) -> Conflict:
    """The refusal for a row whose state is no longer what the page showed."""
    booking_id = row.pk if isinstance(row, Booking) else row.booking_id
    state = str(row.get_status_display()).lower()
    sentence = f"Things moved on a moment ago: this {NOUNS[type(row)]} is now {state}. Look at the job again."
    return Conflict(sentence, next_url=job_url(booking_id), next_label="See the job")


def taken(booking: Booking, technician: Technician, now: datetime) -> Conflict:
    """The refusal for a technician who comes too late for `booking`."""
    if booking.status not in (BookingStatus.ASSIGNED, BookingStatus.IN_PROGRESS, BookingStatus.COMPLETED):
        return Conflict(
            "This job no longer takes offers. There are others on the marketplace.",
            next_url=market_url(),
            next_label="See open jobs",
        )
    near = Booking.objects.near(technician, now=now).filter(category=booking.category).exclude(pk=booking.pk).count()
    similar = f"{near} similar job{'' if near == 1 else 's'} nearby." if near else "See what else is open."
    return Conflict(
        f"Taken by another technician a moment ago. {similar}", next_url=market_url(), next_label="See open jobs"
    )


def require_customer(booking: Booking, by: User) -> None:
    """Only the job's customer, or an admin for them."""
    if by.pk != booking.customer_id and by.role != Role.ADMIN:
        raise PermissionDenied("Only the customer of this job may do that.")


def chooser(by: User) -> str:
    """Who acts on the customer's side, as the technicians call them: the desk says what it did itself."""
    return "The desk" if by.role == Role.ADMIN else "The customer"


def require_technician(technician_id: int, by: User) -> None:
    """Only that technician, or an admin for them."""
    if by.pk != technician_id and by.role != Role.ADMIN:
        raise PermissionDenied("Only the technician of this job may do that.")


def party_of(session: Session, by: User, speaks_for: str = "") -> str:
    """Which side `by` is on: customer or technician. An admin speaks for the customer unless told otherwise.

    Others are refused.
    """
    if by.pk == session.technician_id:
        return "technician"
    require_customer(session.booking, by)
    return speaks_for or "customer" if by.role == Role.ADMIN else "customer"


def close_bids(bids: Iterable[Bid], to: str, outcome: str, *, by: User | None, now: datetime) -> None:
    """End several locked bids of one job for one reason, which each of their technicians will read."""
    ended = list(bids)
    for bid in ended:
        move(bid, to, by=by, now=now, reason=outcome, told=False, outcome=outcome)
    if ended:
        tell(ended, BidStatus.SUBMITTED, to, by=by, now=now, event=of_offers(ended, to))


def of_offers(bids: Sequence[Bid], what: str) -> str:
    """Names the event of what became of several offers: each revision ends once."""
    return f"offers.{bids[0].pk}.{bids[0].revision}.{what}"


def close_proposals(session: Session, *, by: User | None, now: datetime) -> None:
    """A visit that started or ended is no longer to be moved."""
    for proposal in locking(session.proposals.filter(status=ProposalStatus.PROPOSED)):
        settle(proposal, ProposalStatus.EXPIRED, by=by, now=now)


def settle(proposal: RescheduleProposal, status: str, *, by: User | None, now: datetime) -> None:
    """A locked proposal no longer waits for its answer. Nobody is told here."""
    before, proposal.status, proposal.answered_at = proposal.status, status, now
    proposal.save(update_fields=["status", "answered_at"])
    keep(ProposalHistory, before, status, by=by, now=now, subject=proposal)
