"""Moving a visit: one side proposes, the other agrees or not."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from bookings.actions.bids import not_free, visit_in_the_way
from bookings.actions.booking import check_not_too_far, fee_now
from bookings.actions.moves import lock_session, lock_technician, locking, moved_on, note, party_of, settle
from bookings.links import job_url
from bookings.models import ProposalHistory, RescheduleProposal, Session
from bookings.rules.numbers import minutes
from bookings.rules.words import span
from bookings.states import Party, ProposalStatus, SessionStatus
from bookings.telling import tell
from common.history import keep
from common.refusals import Conflict, Invalid


def propose_reschedule(
    session: Session,
    *,
    by: User,
    starts_at: datetime,
    ends_at: datetime | None = None,
    message: str = "",
    now: datetime | None = None,
) -> RescheduleProposal:
    """Ask the other side to move a visit that nobody has checked in to. Replaces one's own earlier proposal.

    What a cancellation costs at this moment is kept: a move does not make a late cancellation free.
    """
    now = now or timezone.now()
    with transaction.atomic():
        lock_technician(session.technician_id)
        held = lock_session(session.pk)
        party = party_of(held, by)
        ends = ends_at or starts_at + (held.ends_at - held.starts_at)
        check_new_time(held, starts_at, ends, now)
        check_free(held, starts_at, ends)
        make_room(held, party, by=by, now=now)
        made = RescheduleProposal.objects.create(
            session=held,
            proposed_by=by,
            party=party,
            starts_at=starts_at,
            ends_at=ends,
            message=message[:300],
            fee_floor=fee_to_keep(held, party, by, now),
            proposed_at=now,
            expires_at=lapse_of(held, starts_at, now),
        )
        keep(ProposalHistory, "", made.status, by=by, now=now, subject=made)
        told(made, "", by=by, now=now)
        return made


def lapse_of(session: Session, starts_at: datetime, now: datetime) -> datetime:
    """Until when the other side may answer: a day, and before either time comes.

    A visit that is late already leaves a quarter of an hour to agree on another time.
    """
    agreed = max(session.starts_at, now + timedelta(minutes=15))
    return min(now + minutes("PROPOSAL_VALID_MINUTES"), starts_at, agreed)


def fee_to_keep(session: Session, party: str, by: User, now: datetime) -> Decimal:
    """What cancelling would cost the customer now, when it is the customer who asks."""
    return fee_now(session.booking, session, by, "", now).money.amount if party == Party.CUSTOMER else Decimal(0)


def check_new_time(session: Session, starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Raise unless the visit can be moved, and moved to that time; who else has it, `check_free` asks."""
    if session.status != SessionStatus.PENDING:
        raise moved_on(session)
    if starts_at <= now:
        raise Invalid("That time has passed. Choose a later one.")
    check_not_too_far(ends_at, now)
    if ends_at <= starts_at or ends_at - starts_at > timedelta(hours=24):
        raise Invalid("The visit must end after it starts, and within a day.")
    if (starts_at, ends_at) == (session.starts_at, session.ends_at):
        raise Invalid("That is the time it has already.")


def check_free(session: Session, starts_at: datetime, ends_at: datetime) -> None:
    """Raise `Conflict` where the technician has another visit then."""
    if visit_in_the_way(session.technician_id, starts_at, ends_at, besides=session.pk):
        raise Conflict("The technician has another visit at that time. Choose another one.")


def make_room(session: Session, party: str, *, by: User, now: datetime) -> None:
    """Withdraw one's own open proposal; the other side's wants an answer first."""
    standing = locking(session.proposals.filter(status=ProposalStatus.PROPOSED)).first()
    if standing is None:
        return
    if standing.party != party and standing.expires_at > now:
        raise Conflict(
            "The other side has proposed a time. Answer that first.",
            next_url=job_url(session.booking_id),
            next_label="See the proposal",
        )
    # Nobody is told: the new proposal says all.
    settle(standing, ProposalStatus.WITHDRAWN if standing.party == party else ProposalStatus.EXPIRED, by=by, now=now)


def close(proposal: RescheduleProposal, status: str, *, by: User | None, now: datetime) -> None:
    """Answer a locked proposal, take it back or let it lapse, and tell the side that waits."""
    settle(proposal, status, by=by, now=now)
    told(proposal, ProposalStatus.PROPOSED, by=by, now=now)


def told(proposal: RescheduleProposal, before: str, *, by: User | None, now: datetime) -> None:
    """Tell what became of a proposal, which was in state `before`."""
    event = f"rescheduleproposal.{proposal.pk}.{proposal.status}"
    tell([proposal], before, proposal.status, by=by, now=now, event=event)


def lock_standing(proposal: RescheduleProposal) -> RescheduleProposal:
    """The proposal, its visit and booking locked; raises `Conflict` unless it still waits for an answer."""
    session = lock_session(proposal.session_id)
    held = locking(session.proposals.all()).get(pk=proposal.pk)
    held.session = session
    if held.status != ProposalStatus.PROPOSED:
        raise Conflict(
            f"This proposal is {str(held.get_status_display()).lower()} by now. Look at the visit again.",
            next_url=job_url(session.booking_id),
            next_label="See the job",
        )
    return held


def accept_reschedule(proposal: RescheduleProposal, *, by: User, now: datetime | None = None) -> Session:
    """Agree: the visit moves. Raises `Conflict` when the proposal lapsed or the technician's time is taken by now."""
    now = now or timezone.now()
    try:
        with transaction.atomic():
            lock_technician(proposal.session.technician_id)
            held = lock_standing(proposal)
            require_other_side(held, by)
            if held.expires_at <= now:
                raise Conflict("This proposal has lapsed. Propose a time yourself.")
            check_new_time(held.session, held.starts_at, held.ends_at, now)
            check_free(held.session, held.starts_at, held.ends_at)
            close(held, ProposalStatus.ACCEPTED, by=by, now=now)
            shift(held, by=by, now=now)
            return held.session
    except IntegrityError as error:
        raise not_free(proposal.session.bid) from error


def require_other_side(proposal: RescheduleProposal, by: User) -> None:
    """Nobody agrees with themselves."""
    if party_of(proposal.session, by) == proposal.party:
        raise PermissionDenied("It is the other side's to answer.")


def shift(proposal: RescheduleProposal, *, by: User, now: datetime) -> None:
    """Move the locked visit to the agreed time, and keep the fee that the move must not dodge."""
    session, booking = proposal.session, proposal.session.booking
    was = span(session.starts_at, session.ends_at, booking.zone, now=now)
    session.starts_at, session.ends_at = proposal.starts_at, proposal.ends_at
    session.blocked_until = session.ends_at + timedelta(minutes=session.travel_minutes)
    session.save(update_fields=["starts_at", "ends_at", "blocked_until"])
    note(session, session.status, by=by, now=now, reason=f"Moved by consent; it was {was}.")
    if proposal.fee_floor > booking.fee_floor:
        booking.fee_floor = proposal.fee_floor
        booking.save(update_fields=["fee_floor"])


def decline_reschedule(proposal: RescheduleProposal, *, by: User, now: datetime | None = None) -> RescheduleProposal:
    """Say no: the visit stays when it is."""
    now = now or timezone.now()
    with transaction.atomic():
        held = lock_standing(proposal)
        require_other_side(held, by)
        close(held, ProposalStatus.DECLINED, by=by, now=now)
    return held


def withdraw_reschedule(proposal: RescheduleProposal, *, by: User, now: datetime | None = None) -> RescheduleProposal:
    """Take one's own proposal back."""
    now = now or timezone.now()
    with transaction.atomic():
        held = lock_standing(proposal)
        if party_of(held.session, by) != held.party:
            raise PermissionDenied("Only the side that proposed it may withdraw it.")
        close(held, ProposalStatus.WITHDRAWN, by=by, now=now)
    return held
