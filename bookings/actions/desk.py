"""What the desk does with bookings on its own word: it books for a customer, sends a technician, moves a visit,
and acts for either side. Always for a reason, which the histories or the audit keep.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar, Unpack

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.access import require_desk
from accounts.models import Role, Technician, User
from bookings.actions.bids import assign, keep_revision, lock_rows, lost_race, takes_jobs, visit_in_the_way
from bookings.actions.booking import DraftFields, check_not_too_far, fee_now, fill, place, reopen
from bookings.actions.moves import close_proposals, lock_session, lock_technician, locking, move, moved_on, note
from bookings.actions.reschedule import check_new_time
from bookings.links import job_url
from bookings.models import Bid, Booking, Session
from bookings.notices_desk import MOVED, SENT, WAITED
from bookings.rules.words import span
from bookings.states import BidStatus, BookingStatus, SessionStatus
from bookings.telling import tell
from common.money import is_exact, whole_units
from common.refusals import Conflict, Invalid

T = TypeVar("T")
TAKEN_AWAY = "Somebody else comes instead."


@dataclass(frozen=True)
class Plan:
    """Who comes when, for how much. Without `ends_at` the visit takes as long as the booking says."""

    technician: Technician
    starts_at: datetime
    amount: Decimal
    reason: str
    ends_at: datetime | None = None
    overlap_allowed: bool = False


def desks_reason(by: User, reason: str) -> str:
    """Only the desk, and only for a reason, which is returned without spaces around it."""
    require_desk(by)
    if not reason.strip():
        raise Invalid("Please say why.")
    return reason.strip()


# --- Booking for somebody -------------------------------------------------------------------------


def book_for(
    customer: User, *, by: User, reason: str, now: datetime | None = None, **typed: Unpack[DraftFields]
) -> Booking:
    """Place a job for a customer who asked by telephone, say. Raises `Invalid` naming what is missing."""
    now = now or timezone.now()
    why = desks_reason(by, reason)
    if customer.role != Role.CUSTOMER or not customer.is_active:
        raise Invalid(f"Jobs are booked for customers with an open account. {customer} is none.")
    with transaction.atomic():
        draft = Booking(customer=customer, created_at=now)
        fill(draft, typed)
        draft.save()
        place(draft, by=by, now=now, reason=why)
    return draft


# --- Sending somebody -----------------------------------------------------------------------------


def assign_technician(booking: Booking, plan: Plan, *, by: User, now: datetime | None = None) -> Session:
    """Send a technician to an open job, or another one than was booked, without waiting for an offer.

    The price becomes an offer of theirs that the desk made and accepted. Whoever was booked and has not checked in
    is released. Raises `Conflict` when the job has moved on or the technician's time is taken, unless the plan
    allows an overlap, which is kept in the history and the audit.
    """
    now = now or timezone.now()
    desks_reason(by, plan.reason)
    try:
        with transaction.atomic():
            technician = lock_technician(plan.technician.pk)
            return send(booking.pk, technician, plan, by=by, now=now)
    except IntegrityError as error:
        # The constraints stand behind the locks: whatever got past them is still a lost race.
        raise lost_race(Bid(booking=booking, technician=plan.technician), error) from error


def send(booking_id: int, technician: Technician, plan: Plan, *, by: User, now: datetime) -> Session:
    """The locked part of `assign_technician`."""
    ends = plan.ends_at or plan.starts_at + Booking.objects.get(pk=booking_id).duration
    bookings, bids = lock_rows(booking_id, technician.pk, plan.starts_at, ends)
    booking = bookings[booking_id]
    own = next((bid for bid in bids if bid.booking_id == booking_id and bid.technician_id == technician.pk), None)
    visit = locking(booking.sessions.active().select_related("technician__user", "bid")).first()
    check_may_send(booking, visit, technician, own)
    check_plan(booking, plan, ends, now)
    clash = visit_in_the_way(technician.pk, plan.starts_at, ends, besides=visit.pk if visit else None)
    if clash and not plan.overlap_allowed:
        raise busy(technician, clash, now)
    if visit is not None:
        take_away(booking, visit, bids, by=by, reason=plan.reason, now=now)
    chosen = offer_of_the_desk(booking, technician, own, plan, ends, by=by, now=now)
    others = [bid for bid in bids if bid.status == BidStatus.SUBMITTED and bid.pk != chosen.pk]
    session = assign(
        booking,
        chosen,
        [bid for bid in others if bid.booking_id == booking_id],
        [bid for bid in others if bid.technician_id == technician.pk and bid.booking_id != booking_id],
        by=by,
        overlap_allowed=clash is not None,
        now=now,
        reason=plan.reason,
        told=False,
    )
    tell([session], "", SENT, by=by, now=now, event=f"session.{session.pk}.{SENT}")
    if clash is not None:
        overlap_kept(session, clash, by=by, reason=plan.reason, now=now)
    return session


def check_may_send(booking: Booking, visit: Session | None, technician: Technician, own: Bid | None) -> None:
    """Raise unless the job can be given to this technician now."""
    name = technician.user.first_name
    replaced = booking.status == BookingStatus.ASSIGNED and visit is not None
    if replaced and visit and visit.status != SessionStatus.PENDING:
        raise moved_on(visit)
    if booking.status != BookingStatus.OPEN and not replaced:
        raise moved_on(booking)
    if visit is not None and visit.technician_id == technician.pk:
        raise Conflict(
            f"{name} is booked for this job already. Move the visit instead.",
            next_url=job_url(booking.pk),
            next_label="See the job",
        )
    if not takes_jobs(technician):
        raise Invalid(f"{name} takes no jobs now: the account is closed or not verified. Choose somebody else.")
    if technician.pk == booking.customer_id:
        raise Invalid("This job is their own. Choose somebody else.")
    if booking.category and not technician.skills.filter(pk=booking.category.skill_id).exists():
        raise Invalid(f"{name} does not have the skill that this job needs. Choose somebody else.")
    if own is not None and own.status == BidStatus.REJECTED:
        raise Conflict(f"The customer has declined {name}'s offer. Choose somebody else.")


def check_plan(booking: Booking, plan: Plan, ends: datetime, now: datetime) -> None:
    """Raise `Invalid` unless the price and the time can be."""
    if not is_exact(plan.amount, booking.currency) or not 0 < plan.amount < 1_000_000:
        raise Invalid(f"Please give a price above zero, in {whole_units(booking.currency)}.")
    if plan.starts_at <= now:
        raise Invalid("That start has passed. Choose a later one.")
    if ends <= plan.starts_at or ends - plan.starts_at > timedelta(hours=24):
        raise Invalid("The visit must end after it starts, and within a day.")
    check_not_too_far(ends, now)


def busy(technician: Technician, clash: Session, now: datetime) -> Conflict:
    """The refusal for a technician whose time is taken, as the desk reads it."""
    when = span(clash.starts_at, clash.ends_at, clash.booking.zone, now=now)
    return Conflict(
        f"{technician.user.first_name} has a visit {when}, travel included too close. "
        "Choose another time, somebody else, or let the visits overlap."
    )


def take_away(booking: Booking, visit: Session, bids: list[Bid], *, by: User, reason: str, now: datetime) -> None:
    """Release the locked visit of somebody who is replaced; the job is open for the moment."""
    visit.booking = booking
    old = next(bid for bid in bids if bid.pk == visit.bid_id)
    move(visit, SessionStatus.CANCELLED, by=by, now=now, reason=reason)
    move(old, BidStatus.RELEASED, by=by, now=now, reason=TAKEN_AWAY, outcome=TAKEN_AWAY)
    reopen(booking, by=by, now=now, reason=reason, told=False)
    close_proposals(visit, by=by, now=now)


def offer_of_the_desk(
    booking: Booking, technician: Technician, own: Bid | None, plan: Plan, ends: datetime, *, by: User, now: datetime
) -> Bid:
    """An offer with the plan's terms that stands: the technician's own as its next revision, or a new one."""
    terms: dict[str, Any] = {
        "amount": plan.amount,
        "currency": booking.currency,
        "starts_at": plan.starts_at,
        "ends_at": ends,
        "valid_until": plan.starts_at,
        "revised_at": now,
        "outcome": "",
    }
    if own is None:
        bid = Bid(booking=booking, technician=technician, submitted_at=now, **terms)
        bid.save()
        note(bid, "", by=by, now=now, reason=plan.reason, told=False)
    else:
        bid = own
        terms["revision"] = bid.revision + 1
        if bid.status == BidStatus.SUBMITTED:
            for name, value in terms.items():
                setattr(bid, name, value)
            bid.save(update_fields=list(terms))
            note(bid, bid.status, by=by, now=now, reason=plan.reason, told=False)
        else:
            again = bid.status == BidStatus.RELEASED  # that step says why nobody is told of it
            move(bid, BidStatus.SUBMITTED, by=by, now=now, reason=plan.reason, told=again, **terms)
    keep_revision(bid, now)
    return bid


def overlap_kept(session: Session, clash: Session, *, by: User, reason: str, now: datetime) -> None:
    """The line of the audit about a visit that the desk let overlap another."""
    audit.record(
        by,
        "allowed_overlap",
        subject_kind="booking",
        subject_id=session.booking_id,
        label=session.booking.title,
        person=session.technician.user,
        reason=reason,
        details={"visit": [clash.pk, session.pk]},
        now=now,
    )


# --- Moving a visit -------------------------------------------------------------------------------


def move_visit(
    session: Session,
    *,
    by: User,
    starts_at: datetime,
    reason: str,
    ends_at: datetime | None = None,
    overlap_allowed: bool = False,
    wished_by_customer: bool = False,
    now: datetime | None = None,
) -> Session:
    """Put a visit that nobody has checked in to at another time, without asking; both sides are told.

    Where the customer wished it, what a cancellation costs at this moment is kept: a move does not make a late
    cancellation free. A time that is taken raises `Conflict`, unless the desk allows an overlap (audited).
    """
    now = now or timezone.now()
    why = desks_reason(by, reason)
    try:
        with transaction.atomic():
            technician = lock_technician(session.technician_id)
            held = lock_session(session.pk)
            ends = ends_at or starts_at + (held.ends_at - held.starts_at)
            check_new_time(held, starts_at, ends, now)
            clash = visit_in_the_way(held.technician_id, starts_at, ends, besides=held.pk)
            if clash and not overlap_allowed:
                raise busy(technician, clash, now)
            if wished_by_customer:
                keep_fee(held, now)
            put_at(held, starts_at, ends, overlap=clash is not None, by=by, reason=why, now=now)
            if clash is not None:
                overlap_kept(held, clash, by=by, reason=why, now=now)
            return held
    except IntegrityError as error:
        raise Conflict("The technician was booked for that time a moment ago. Choose another one.") from error


def keep_fee(session: Session, now: datetime) -> None:
    """Let the fee of this moment be the least that a cancellation costs from now on; the booking is locked."""
    booking = session.booking
    fee = fee_now(booking, session, booking.customer, "", now).money.amount
    if fee > booking.fee_floor:
        booking.fee_floor = fee
        booking.save(update_fields=["fee_floor"])


def put_at(
    session: Session, starts_at: datetime, ends_at: datetime, *, overlap: bool, by: User, reason: str, now: datetime
) -> None:
    """Move the locked visit, end what was proposed, write the history and tell both sides."""
    was = span(session.starts_at, session.ends_at, session.booking.zone, now=now)
    session.starts_at, session.ends_at = starts_at, ends_at
    session.blocked_until = ends_at + timedelta(minutes=session.travel_minutes)
    session.overlap_allowed = overlap
    session.save(update_fields=["starts_at", "ends_at", "blocked_until", "overlap_allowed"])
    close_proposals(session, by=by, now=now)
    note(session, session.status, by=by, now=now, reason=f"Moved by the desk: {reason.rstrip('.')}; it was {was}.")
    event = f"session.{session.pk}.{MOVED}.{starts_at.isoformat()}"
    tell([session], session.status, MOVED, by=by, now=now, event=event)


# --- Acting for somebody --------------------------------------------------------------------------


def on_behalf(
    booking: Booking,
    act: Callable[[], T],
    *,
    verb: str,
    by: User,
    person: User | None,
    reason: str,
    now: datetime | None = None,
) -> T:
    """Do what `person` might have done themselves. `act` is the action; the audit keeps its reason beside it.

    The histories name the admin as the actor, and the person is told by the action's own notices.
    """
    why = desks_reason(by, reason)
    with transaction.atomic():
        done = act()
        audit.record(
            by,
            verb,
            subject_kind="booking",
            subject_id=booking.pk,
            label=booking.title,
            person=person,
            reason=why,
            now=now,
        )
    return done


def note_waiting_too_long(booking: Booking, *, now: datetime) -> None:
    """The clock: nobody is assigned to a locked open job in the time that the desk aims at."""
    booking.target_passed_at = now
    booking.save(update_fields=["target_passed_at"])
    event = f"booking.{booking.pk}.{WAITED}.{now.isoformat()}"
    tell([booking], booking.status, WAITED, by=None, now=now, event=event)
