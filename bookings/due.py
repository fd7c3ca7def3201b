"""What happens to bookings by the clock. Two clocks at once do nothing twice: each row is claimed by its lock."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Model, QuerySet

from accounts.models import Technician
from bookings.actions.booking import expire_booking, forget_draft
from bookings.actions.desk import note_waiting_too_long
from bookings.actions.disputes import lock_dispute, stop_waiting, take_on
from bookings.actions.moves import lock_bid, locking, move
from bookings.actions.reschedule import close
from bookings.actions.reviews import open_review
from bookings.actions.visit import close_as_no_show, missing_for_no_show
from bookings.live import disputes, reviews
from bookings.live.technician import today
from bookings.models import Bid, Booking, Dispute, RescheduleProposal, Review, Session
from bookings.rules.numbers import minutes
from bookings.states import BidStatus, BookingStatus, DisputeStatus, Party, ProposalStatus, ReviewStatus, SessionStatus
from realtime.fragments import touch

log = logging.getLogger(__name__)
_looked: dict[str, datetime] = {}  # when this clock last looked at the days; touching twice does no harm
QUARTER = 15 * 60
BATCH = 200  # rows a tick and kind: a backlog is worked off over several ticks


def run_due(as_of: datetime) -> int:
    """Do all that is due by `as_of`, each row in its own transaction; returns how many rows it moved."""
    moved = sum(work(as_of) for work in WORK)
    since = _looked.get("at", as_of - timedelta(hours=1))
    turn_days(since, as_of)
    reviews.end_windows(since, as_of)
    disputes.end_windows(since, as_of)
    _looked["at"] = as_of
    return moved


def each(
    what: str,
    rows: QuerySet[Model],
    booking_path: str,
    settle: Callable[[Booking, int], bool],
) -> int:
    """Call `settle` for each of `rows` with its booking locked, which claims it: another clock skips it.

    What `settle` finds settled already (it looks again, under the lock) it leaves. One row that fails is
    logged and does not stop the others.
    """
    done = 0
    for pk, booking_id in list(rows.order_by("pk").values_list("pk", booking_path)[:BATCH]):
        try:
            with transaction.atomic():
                held = locking(Booking.objects.select_related("category"), skip_locked=True).filter(pk=booking_id)
                booking = held.first()
                done += booking is not None and settle(booking, pk)
        except Exception:
            log.exception("due: %s %s failed", what, pk)
    return done


def turn_days(since: datetime, as_of: datetime) -> None:
    """At midnight in their technician's zone open Today pages begin the new day. No row changes for that."""
    if int(since.timestamp() // QUARTER) == int(as_of.timestamp() // QUARTER):
        return  # every zone's midnight is at a quarter of an hour
    people = Technician.objects.filter(user__is_active=True)
    zones = people.values_list("user__time_zone", flat=True).distinct()
    turned = [name for name in zones if _date(since, name) != _date(as_of, name)]
    if turned:
        touch(today, list(people.filter(user__time_zone__in=turned).values_list("pk", flat=True)))


def _date(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()


def expire_bookings(as_of: datetime) -> int:
    """Open bookings that nobody was chosen for in time."""

    def settle(booking: Booking, pk: int) -> bool:
        if booking.status != BookingStatus.OPEN or booking.expires_at is None or booking.expires_at > as_of:
            return False
        expire_booking(booking, now=as_of)
        return True

    rows = Booking.objects.filter(status=BookingStatus.OPEN, expires_at__lte=as_of)
    return each("booking", rows, "pk", settle)


def expire_bids(as_of: datetime) -> int:
    """Offers whose validity ran out."""

    def settle(booking: Booking, pk: int) -> bool:
        bid = lock_bid(pk, booking)
        if bid.status != BidStatus.SUBMITTED or bid.valid_until > as_of:
            return False
        move(bid, BidStatus.EXPIRED, by=None, now=as_of, outcome="Its validity ran out. You may offer again.")
        return True

    return each("bid", Bid.objects.standing().filter(valid_until__lte=as_of), "booking_id", settle)


def expire_proposals(as_of: datetime) -> int:
    """Proposals to move a visit that nobody answered."""

    def settle(booking: Booking, pk: int) -> bool:
        proposal = locking(RescheduleProposal.objects.select_related("session")).get(pk=pk)
        if proposal.status != ProposalStatus.PROPOSED or proposal.expires_at > as_of:
            return False
        proposal.session.booking = booking
        close(proposal, ProposalStatus.EXPIRED, by=None, now=as_of)
        return True

    rows = RescheduleProposal.objects.filter(status=ProposalStatus.PROPOSED, expires_at__lte=as_of)
    return each("proposal", rows, "session__booking_id", settle)


def call_no_shows(as_of: datetime) -> int:
    """Visits that the rule makes a no-show and nobody reported: arrived, an hour's wait, a contact attempt."""
    wait = minutes("NO_SHOW_CLOCK_MINUTES")

    def settle(booking: Booking, pk: int) -> bool:
        session = locking(booking.sessions.select_related("bid")).get(pk=pk)
        absent = Party.CUSTOMER if session.status == SessionStatus.WAITING else Party.TECHNICIAN
        if not session.is_active or missing_for_no_show(session, absent, as_of, wait=wait):
            return False
        session.booking = booking
        close_as_no_show(session, absent, by=None, now=as_of)
        return True

    # Without a contact attempt there is no no-show, so the many ordinary late visits are not even looked at.
    rows = Session.objects.filter(
        status__in=(SessionStatus.PENDING, SessionStatus.WAITING),
        starts_at__lte=as_of - wait,
        contact_attempts__isnull=False,
    ).distinct()
    return each("visit", rows, "booking_id", settle)


def put_finished_away(as_of: datetime) -> int:
    """Finished jobs leave the banner, and their address the technician's pages.

    A saved row and not a comparison with now, so that open pages hear of it.
    """
    since = as_of - minutes("FINISHED_SHOWN_MINUTES")

    def settle(booking: Booking, pk: int) -> bool:
        if booking.status != BookingStatus.COMPLETED or booking.put_away_at is not None:
            return False
        booking.put_away_at = as_of
        booking.save(update_fields=["put_away_at"])
        return True

    rows = Booking.objects.filter(
        status=BookingStatus.COMPLETED,
        put_away_at__isnull=True,
        sessions__status=SessionStatus.COMPLETED,
        sessions__finished_at__lte=since,
    )
    return each("finished", rows, "pk", settle)


def notice_waiting(as_of: datetime) -> int:
    """Open jobs to which nobody was assigned in the time that the desk aims at: it is told of each once.

    A saved row and not a comparison with now, so that open pages hear of it.
    """
    since = as_of - minutes("TARGET_MINUTES")

    def settle(booking: Booking, pk: int) -> bool:
        on_target = booking.placed_at is None or booking.placed_at > since or booking.target_passed_at is not None
        if booking.status != BookingStatus.OPEN or on_target:
            return False
        note_waiting_too_long(booking, now=as_of)
        return True

    rows = Booking.objects.filter(status=BookingStatus.OPEN, target_passed_at__isnull=True, placed_at__lte=since)
    return each("waiting", rows, "pk", settle)


def forget_old_drafts(as_of: datetime) -> int:
    """Drafts that nobody went on with for a month: an address that nobody needs any more is not kept."""
    since = as_of - minutes("DRAFT_KEPT_MINUTES")

    def settle(booking: Booking, pk: int) -> bool:
        if booking.status != BookingStatus.DRAFT or booking.created_at > since:
            return False
        forget_draft(booking)
        return True

    return each("draft", Booking.objects.filter(status=BookingStatus.DRAFT, created_at__lte=since), "pk", settle)


def open_reviews(as_of: datetime) -> int:
    """Sealed reviews whose week is over, though only one side has written."""

    def settle(booking: Booking, pk: int) -> bool:
        review = locking(booking.reviews.select_related("author", "about")).get(pk=pk)
        if not review.is_sealed or review.opens_at > as_of:
            return False
        review.booking = booking
        open_review(review, by=None, now=as_of)
        return True

    rows = Review.objects.filter(status=ReviewStatus.SUBMITTED, opens_at__lte=as_of)
    return each("review", rows, "booking_id", settle)


def take_on_disputes(as_of: datetime) -> int:
    """Disputes that the desk has not taken on in time: the other side is asked all the same."""
    since = as_of - minutes("DISPUTE_TAKE_ON_MINUTES")

    def settle(booking: Booking, pk: int) -> bool:
        dispute = lock_dispute(pk)
        if dispute.status != DisputeStatus.OPEN or dispute.opened_at > since:
            return False
        take_on(dispute, by=None, now=as_of)
        return True

    return each(
        "dispute", Dispute.objects.filter(status=DisputeStatus.OPEN, opened_at__lte=since), "booking_id", settle
    )


def end_answering(as_of: datetime) -> int:
    """Disputes whose other side did not answer in time: the desk decides with what it has."""

    def settle(booking: Booking, pk: int) -> bool:
        dispute = lock_dispute(pk)
        if dispute.status != DisputeStatus.AWAITING_RESPONSE or not dispute.answer_by or dispute.answer_by > as_of:
            return False
        stop_waiting(dispute, now=as_of)
        return True

    rows = Dispute.objects.filter(status=DisputeStatus.AWAITING_RESPONSE, answer_by__lte=as_of)
    return each("dispute", rows, "booking_id", settle)


WORK = (
    expire_bookings,
    expire_bids,
    expire_proposals,
    call_no_shows,
    put_finished_away,
    notice_waiting,
    open_reviews,
    forget_old_drafts,
    take_on_disputes,
    end_answering,
)
