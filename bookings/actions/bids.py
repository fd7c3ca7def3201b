"""Offers: a technician's making, changing and withdrawing; a customer's declining and accepting; a release."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Role, Technician, User
from bookings.actions.booking import reopen
from bookings.actions.moves import (
    chooser,
    close_bids,
    close_proposals,
    lock_bid,
    lock_booking,
    lock_technician,
    locking,
    move,
    moved_on,
    note,
    of_offers,
    require_customer,
    require_technician,
    taken,
)
from bookings.links import job_url
from bookings.models import Bid, BidRevision, Booking, Session
from bookings.notices import CLASH
from bookings.rules.numbers import minutes, number
from bookings.rules.words import span
from bookings.states import BidStatus, BookingStatus, SessionStatus
from bookings.telling import tell
from common.money import is_exact, whole_units
from common.refusals import Conflict, Invalid


@dataclass(frozen=True)
class Terms:
    """What a technician offers. Without `ends_at` the visit takes as long as the booking says; without
    `valid_until` the offer stands for 48 hours, and never longer than until its own start."""

    amount: Decimal
    starts_at: datetime
    ends_at: datetime | None = None
    message: str = ""
    valid_until: datetime | None = None


def place_bid(
    booking: Booking,
    *,
    by: User,
    amount: Decimal,
    starts_at: datetime,
    ends_at: datetime | None = None,
    message: str = "",
    valid_until: datetime | None = None,
    now: datetime | None = None,
) -> Bid:
    """Offer on an open booking. Raises `Conflict` when it is taken, `Invalid` for impossible terms,
    `PermissionDenied` without verification or the skill."""
    now = now or timezone.now()
    terms = Terms(amount, starts_at, ends_at, message, valid_until)
    with transaction.atomic():
        technician, held = lock_for_bidding(by, booking.pk, now)
        if held.bids.filter(technician=technician).exists():
            raise Conflict(
                "You have made an offer on this job already. Change that one.",
                next_url=job_url(held.pk),
                next_label="See your offer",
            )
        values = check_terms(held, technician, terms, now)
        bid = Bid(booking=held, technician=technician, currency=held.currency, submitted_at=now, **values)
        bid.revised_at = now
        bid.save()
        note(bid, "", by=by, now=now)
        keep_revision(bid, now)
    return bid


def revise_bid(
    bid: Bid,
    *,
    by: User,
    amount: Decimal,
    starts_at: datetime,
    ends_at: datetime | None = None,
    message: str = "",
    valid_until: datetime | None = None,
    now: datetime | None = None,
) -> Bid:
    """Change an offer: revision n+1. Also brings back one that lapsed, was withdrawn or lost, if the job is open."""
    now = now or timezone.now()
    terms = Terms(amount, starts_at, ends_at, message, valid_until)
    with transaction.atomic():
        require_own(bid, by)
        technician, booking = lock_for_bidding(by, bid.booking_id, now)
        held = lock_bid(bid.pk, booking)
        if held.status != BidStatus.SUBMITTED and not held.may_return:
            raise moved_on(held)
        values = check_terms(booking, technician, terms, now)
        values |= {"revision": held.revision + 1, "revised_at": now, "outcome": ""}
        if held.may_return:
            move(held, BidStatus.SUBMITTED, by=by, now=now, reason="Offered again.", **values)
        else:
            for name, value in values.items():
                setattr(held, name, value)
            held.save(update_fields=list(values))
            note(held, held.status, by=by, now=now, reason=f"Revision {held.revision}.")
        keep_revision(held, now)
    return held


def require_own(bid: Bid, by: User) -> None:
    """An offer is its technician's word: nobody else changes it, admins included."""
    if by.pk != bid.technician_id:
        raise PermissionDenied("Only the technician who made this offer may change it.")


def lock_for_bidding(by: User, booking_id: int, now: datetime) -> tuple[Technician, Booking]:
    """Lock the technician and the booking, and check that the one may offer on the other."""
    if by.role != Role.TECHNICIAN:
        raise PermissionDenied("Only technicians make offers.")
    technician = lock_technician(by.pk)
    if not technician.is_verified:
        raise PermissionDenied("You may look, but not offer yet: not all of your papers are approved.")
    booking = lock_booking(booking_id)
    if booking.status == BookingStatus.DRAFT:
        raise PermissionDenied("This job is not placed yet.")
    if booking.customer_id == by.pk:  # whom the desk made a technician after they had booked
        raise PermissionDenied("This job is your own.")
    if booking.status != BookingStatus.OPEN or (booking.expires_at and booking.expires_at <= now):
        raise taken(booking, technician, now)
    if booking.category and not technician.skills.filter(pk=booking.category.skill_id).exists():
        raise PermissionDenied("This job needs a skill that is not among yours.")
    return technician, booking


def check_terms(booking: Booking, technician: Technician, terms: Terms, now: datetime) -> dict[str, Any]:
    """The columns of an offer with these terms. Raises `Invalid` or, where the time is taken, `Conflict`."""
    if not is_exact(terms.amount, booking.currency) or not 0 < terms.amount < 1_000_000:
        raise Invalid(f"Please offer a price above zero, in {whole_units(booking.currency)}.")
    ends = terms.ends_at or terms.starts_at + booking.duration
    if ends <= terms.starts_at or ends - terms.starts_at > timedelta(hours=24):
        raise Invalid("The visit must end after it starts, and within a day.")
    if terms.starts_at <= now:
        raise Invalid("That start has passed. Choose a later one.")
    if booking.window_start and booking.window_end and not booking.window_start <= terms.starts_at < booking.window_end:
        window = span(booking.window_start, booking.window_end, booking.zone, now=now)
        raise Invalid(f"The customer asked for {window}. Choose a start within that.")
    valid = min(terms.valid_until or now + minutes("BID_VALID_MINUTES"), terms.starts_at)
    if valid <= now:
        raise Invalid("An offer must stand for some time. Choose a later end of its validity.")
    if clash := visit_in_the_way(technician.pk, terms.starts_at, ends):
        when = span(clash.starts_at, clash.ends_at, clash.booking.zone, now=now)
        raise Conflict(f"You have a visit {when}, which overlaps. Choose another time.")
    return {
        "amount": terms.amount,
        "message": terms.message[:500],
        "starts_at": terms.starts_at,
        "ends_at": ends,
        "valid_until": valid,
    }


def keep_revision(bid: Bid, now: datetime) -> None:
    """Keep what the offer says now."""
    BidRevision.objects.create(
        bid=bid,
        revision=bid.revision,
        amount=bid.amount,
        currency=bid.currency,
        message=bid.message,
        starts_at=bid.starts_at,
        ends_at=bid.ends_at,
        valid_until=bid.valid_until,
        at=now,
    )


def withdraw_bid(bid: Bid, *, by: User, reason: str = "", now: datetime | None = None) -> Bid:
    """Take an offer back before it is accepted."""
    now = now or timezone.now()
    with transaction.atomic():
        held = lock_bid(bid.pk, lock_booking(bid.booking_id))
        require_technician(held.technician_id, by)
        outcome = "The desk withdrew it." if by.role == Role.ADMIN else "You withdrew it."
        move(held, BidStatus.WITHDRAWN, by=by, now=now, reason=reason, outcome=outcome)
    return held


def reject_bid(bid: Bid, *, by: User, reason: str = "", now: datetime | None = None) -> Bid:
    """Decline one offer; the others stand."""
    now = now or timezone.now()
    with transaction.atomic():
        held = lock_bid(bid.pk, lock_booking(bid.booking_id))
        require_customer(held.booking, by)
        move(held, BidStatus.REJECTED, by=by, now=now, reason=reason, outcome=f"{chooser(by)} declined it.")
    return held


def accept_bid(
    bid: Bid, *, revision: int, by: User, overlap_allowed: bool = False, now: datetime | None = None
) -> Session:
    """Choose an offer as it stood at `revision`: the booking is assigned and the visit made.

    In the same transaction its siblings become not selected and the winner's other overlapping offers are
    withdrawn. Raises `Conflict` with a next step when the price changed, the offer or the job is gone, or the
    technician's time is taken, unless an admin sets `overlap_allowed`, which the history keeps.
    """
    now = now or timezone.now()
    if overlap_allowed and by.role != Role.ADMIN:
        raise PermissionDenied("Only an admin may let visits overlap.")
    try:
        with transaction.atomic():
            lock_technician(bid.technician_id)
            fresh = Bid.objects.get(pk=bid.pk)  # its times are fixed from here: a revision locks the technician too
            booking, chosen, siblings, clashing = lock_for_accepting(fresh)
            require_customer(booking, by)
            check_acceptable(booking, chosen, revision, now)
            if not overlap_allowed:
                check_free(chosen, now)
            return assign(booking, chosen, siblings, clashing, by=by, overlap_allowed=overlap_allowed, now=now)
    except IntegrityError as error:
        # The constraints stand behind the locks: whatever got past them is still a lost race.
        raise lost_race(bid, error) from error


def lock_for_accepting(chosen: Bid) -> tuple[Booking, Bid, list[Bid], list[Bid]]:
    """Lock, in the order of their ids, every booking and bid that accepting `chosen` changes.

    Two customers who accept overlapping offers of two technicians touch each other's bookings: without
    the one order they would wait for each other.
    """
    bookings, bids = lock_rows(chosen.booking_id, chosen.technician_id, chosen.starts_at, chosen.ends_at)
    others = [bid for bid in bids if bid.pk != chosen.pk and bid.status == BidStatus.SUBMITTED]
    return (
        bookings[chosen.booking_id],
        next(bid for bid in bids if bid.pk == chosen.pk),
        [bid for bid in others if bid.booking_id == chosen.booking_id],
        [bid for bid in others if bid.booking_id != chosen.booking_id],
    )


def lock_rows(
    booking_id: int, technician_id: int, starts_at: datetime, ends_at: datetime
) -> tuple[dict[int, Booking], list[Bid]]:
    """Lock a booking with its bids, and the technician's other offers around that time with their bookings."""
    travel = minutes("TRAVEL_MINUTES")
    rivals = Bid.objects.standing().filter(
        technician_id=technician_id, starts_at__lt=ends_at + travel, ends_at__gt=starts_at - travel
    )
    booking_ids = {booking_id, *rivals.values_list("booking_id", flat=True)}
    bookings = {row.pk: row for row in locking(Booking.objects.filter(pk__in=booking_ids))}
    wanted = Bid.objects.filter(booking_id=booking_id) | rivals
    bids = list(locking(wanted.select_related("technician__user")))
    for bid in bids:
        bid.booking = bookings[bid.booking_id]
    return bookings, bids


def check_acceptable(booking: Booking, bid: Bid, revision: int, now: datetime) -> None:
    """Raise `Conflict` with what to do instead unless `bid` can be accepted at `revision` now."""
    name = bid.technician.user.first_name
    if booking.status in (BookingStatus.ASSIGNED, BookingStatus.IN_PROGRESS):
        sentence = "Taken by another technician a moment ago. The visit is booked: see who is coming."
        if bid.status == BidStatus.ACCEPTED:
            sentence = f"You accepted this offer a moment ago. {name} is coming."
    elif booking.status != BookingStatus.OPEN:
        raise moved_on(booking)
    elif bid.revision != revision:
        sentence = "The price changed, please look again."
    elif bid.status != BidStatus.SUBMITTED:
        sentence = f"{name}'s offer is {str(bid.get_status_display()).lower()} by now. Choose another one."
    elif bid.valid_until <= now or bid.starts_at <= now or (booking.expires_at and booking.expires_at <= now):
        sentence = f"{name}'s offer has lapsed. Choose another one, or wait for a new one."
    elif not takes_jobs(bid.technician):
        sentence = f"{name} does not take jobs any more. Choose another offer."
    else:
        return
    raise Conflict(sentence, next_url=job_url(booking.pk), next_label="See the job")


def takes_jobs(technician: Technician) -> bool:
    """Whether the desk still lets them: verified, the account open, and in that role."""
    user = technician.user
    return technician.is_verified and user.is_active and user.role == Role.TECHNICIAN


def visit_in_the_way(
    technician_id: int, starts_at: datetime, ends_at: datetime, *, besides: int | None = None
) -> Session | None:
    """A visit of the technician that would overlap [start, end + travel), or None. `besides` is left out."""
    until = ends_at + minutes("TRAVEL_MINUTES")
    clashes = Session.objects.overlapping(technician_id, starts_at, until).exclude(pk=besides or 0)
    return clashes.select_related("booking").order_by("starts_at").first()


def check_free(bid: Bid, now: datetime) -> None:
    """Raise `Conflict` when the technician is booked at the bid's time (the technician is locked)."""
    if visit_in_the_way(bid.technician_id, bid.starts_at, bid.ends_at):
        raise not_free(bid)


def not_free(bid: Bid) -> Conflict:
    """The refusal for a technician whose time is taken, as the customer reads it."""
    return Conflict(
        f"{bid.technician.user.first_name} was booked for that time a moment ago. Choose another offer.",
        next_url=job_url(bid.booking_id),
        next_label="See the other offers",
    )


def lost_race(bid: Bid, error: IntegrityError) -> Conflict:
    """The refusal for an accept that a constraint stopped."""
    if "session_no_overlap" in str(error):
        return not_free(bid)
    return Conflict(
        "Taken by another technician a moment ago. The visit is booked: see who is coming.",
        next_url=job_url(bid.booking_id),
        next_label="See the job",
    )


def assign(
    booking: Booking,
    chosen: Bid,
    siblings: Sequence[Bid],
    clashing: Sequence[Bid],
    *,
    by: User,
    overlap_allowed: bool,
    now: datetime,
    reason: str = "",
    told: bool = True,
) -> Session:
    """Move the locked rows of an accepted offer and make the visit. Without `told` the caller tells of it."""
    why = reason or f"Revision {chosen.revision}, {chosen.price}."
    move(chosen, BidStatus.ACCEPTED, by=by, now=now, reason=why, told=told)
    fresh: dict[str, Any] = {"fee_floor": Decimal(0), "target_passed_at": None}
    move(booking, BookingStatus.ASSIGNED, by=by, now=now, reason=reason, told=told, **fresh)
    close_bids(siblings, BidStatus.NOT_SELECTED, f"{chooser(by)} chose another offer.", by=by, now=now)
    withdraw_clashing(chosen.technician.user, clashing, by=by, now=now)
    session = make_visit(chosen, overlap_allowed=overlap_allowed, now=now)
    note(session, "", by=by, now=now, reason="Overlap allowed." if overlap_allowed else "", told=told)
    return session


def withdraw_clashing(technician: User, clashing: Sequence[Bid], *, by: User, now: datetime) -> None:
    """Withdraw the locked other offers of a technician whose time `by` has just taken.

    Their own calendar withdrew these; the customer of this job is no actor in the histories of others.
    """
    why = "Withdrawn: you won another job at that time."
    for bid in clashing:
        move(bid, BidStatus.WITHDRAWN, by=technician, now=now, reason=why, outcome=why)
    if clashing:
        tell(clashing, BidStatus.SUBMITTED, CLASH, by=by, now=now, event=of_offers(clashing, CLASH))


def make_visit(chosen: Bid, *, overlap_allowed: bool, now: datetime) -> Session:
    """The visit that an accepted offer promises."""
    return Session.objects.create(
        booking=chosen.booking,
        bid=chosen,
        technician=chosen.technician,
        starts_at=chosen.starts_at,
        ends_at=chosen.ends_at,
        travel_minutes=number("TRAVEL_MINUTES"),
        blocked_until=chosen.ends_at + minutes("TRAVEL_MINUTES"),
        overlap_allowed=overlap_allowed,
        start_code=f"{secrets.randbelow(10_000):04d}",
        created_at=now,
    )


def release(session: Session, *, by: User, reason: str, now: datetime | None = None) -> Booking:
    """The technician withdraws after winning, before checking in: the booking opens again, free for the customer.

    Nobody's old offer revives by itself; those who were not selected may offer again.
    """
    now = now or timezone.now()
    if not reason.strip():
        raise Invalid("Please tell the customer why.")
    with transaction.atomic():
        booking = lock_booking(session.booking_id)
        bid = lock_bid(session.bid_id, booking)
        held = locking(booking.sessions.all()).get(pk=session.pk)
        require_technician(held.technician_id, by)
        if held.status != SessionStatus.PENDING:
            raise moved_on(held)
        move(held, SessionStatus.CANCELLED, by=by, now=now, reason=reason)
        outcome = "The desk took the job back." if by.role == Role.ADMIN else "You withdrew after winning."
        move(bid, BidStatus.RELEASED, by=by, now=now, reason=reason, outcome=outcome)
        reopen(booking, by=by, now=now, reason=reason)
        close_proposals(held, by=by, now=now)
    return booking
