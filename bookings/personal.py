"""What bookings holds about a person, what must have ended, and how it forgets: the books stay."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet, Value

from accounts.holdings import Held, Holding, Section, claim_rows, file_of, hold, values_of
from accounts.models import DeskAction, Role, User
from bookings.models import (
    Bid,
    BidHistory,
    BidRevision,
    Booking,
    BookingHistory,
    BookingPhoto,
    CompletionPhoto,
    ContactAttempt,
    Dispute,
    DisputeEvidence,
    DisputeHistory,
    ProposalHistory,
    RescheduleProposal,
    Review,
    ReviewFlag,
    ReviewHistory,
    Session,
    SessionHistory,
)
from bookings.states import ACTIVE_BOOKING, ACTIVE_SESSION, STANDING_DISPUTE, BidStatus, BookingStatus
from common.history import HistoryRow
from common.uploads import delete_later
from realtime.bulk import bulk_delete, bulk_save, bulk_update

HISTORIES: tuple[type[HistoryRow], ...] = (
    BookingHistory,
    BidHistory,
    SessionHistory,
    ProposalHistory,
    ReviewHistory,
    DisputeHistory,
)
STEP = ("subject_id", "from_state", "to_state", "actor_role", "reason", "at")


# --- The copy -------------------------------------------------------------------------------------


def sections(user: User) -> Iterable[Section]:
    """Their jobs, offers, visits, reviews and disputes. A review that is still sealed is in nobody's copy, for
    the desk makes it.
    """
    yield from jobs(user)
    yield from work(user)
    written = Review.objects.opened().filter(author=user.pk)
    told = ("booking_id", "party", "stars", "text", "status", "submitted_at", "published_at")
    yield Section("reviews_written", values_of(written, *told))
    yield Section("reviews_received", values_of(Review.objects.shown().filter(about=user.pk), *told))
    told_of = Q(against=user.pk, answer_by__isnull=False)  # before that it is the opener's and the desk's
    both = Dispute.objects.filter(Q(opened_by=user.pk) | told_of)
    about = ("booking_id", "party", "reason", "statement", "wanted", "answer", "status", "opened_at", "ended_at")
    yield Section("disputes", values_of(both, *about, "outcome", "decision", "amount", "currency"))
    added = DisputeEvidence.objects.filter(by=user.pk)
    yield Section("dispute_evidence", values_of(added, "dispute_id", "note", "name", "at"))


def jobs(user: User) -> Iterable[Section]:
    """What they booked."""
    booked = Booking.objects.filter(customer=user.pk)
    yield Section("jobs", values_of(booked, "title", "category__name", "description", "address_line1", "address_line2",
                                    "town", "postcode", "latitude", "longitude", "time_zone", "window_start",
                                    "window_end", "budget", "currency", "status", "created_at", "placed_at",
                                    "cancel_reason", "cancel_note", "fee_amount", "fee_explanation"))  # fmt: skip
    steps = BookingHistory.objects.filter(subject__customer=user.pk)
    yield Section("job_history", values_of(steps, *STEP))


def work(user: User) -> Iterable[Section]:
    """What they offered and did, and what both sides may have said on the way."""
    offers = Bid.objects.filter(technician=user.pk)
    yield Section("offers", values_of(offers, "booking_id", "revision", "amount", "currency", "message", "starts_at",
                                      "ends_at", "status", "outcome", "submitted_at"))  # fmt: skip
    visits = Session.objects.filter(technician=user.pk)
    yield Section("visits", values_of(visits, "booking_id", "status", "starts_at", "ends_at", "checked_in_at",
                                      "started_at", "finished_at", "completion__note"))  # fmt: skip
    moves = RescheduleProposal.objects.filter(proposed_by=user.pk)
    yield Section("moves_proposed", values_of(moves, "session_id", "starts_at", "message", "status", "proposed_at"))
    tries = ContactAttempt.objects.filter(by=user.pk)
    yield Section("contact_attempts", values_of(tries, "session_id", "channel", "note", "at"))


def files(user: User) -> Iterable[Held]:
    """Photos of their jobs, of their work, and what they put on the table in disputes."""
    for photo in BookingPhoto.objects.filter(booking__customer=user.pk).order_by("pk"):
        yield from file_of(photo, "image", "jobs")
    for done in CompletionPhoto.objects.filter(completion__session__technician=user.pk).order_by("pk"):
        yield from file_of(done, "image", "work")
    for row in DisputeEvidence.objects.filter(by=user.pk).order_by("pk"):
        yield from file_of(row, "file", "disputes", row.name)


# --- The erasure ----------------------------------------------------------------------------------


def running(user: User) -> Iterable[str]:
    """Jobs, visits, offers and disputes; one query."""
    counts: tuple[tuple[QuerySet[Any], str, str], ...] = (
        (Booking.objects.filter(customer=user.pk, status__in=ACTIVE_BOOKING), "job of theirs goes on", "jobs go on"),
        (Session.objects.filter(technician=user.pk, status__in=ACTIVE_SESSION), "visit is theirs", "visits are theirs"),
        (
            Bid.objects.filter(technician=user.pk, status=BidStatus.SUBMITTED),
            "offer still stands",
            "offers still stand",
        ),
        (
            Dispute.objects.filter(Q(opened_by=user.pk) | Q(against=user.pk), status__in=STANDING_DISPUTE),
            "dispute is not decided",
            "disputes are not decided",
        ),
    )
    first, *others = (rows.order_by().values(place=Value(place)).annotate(number=Count("pk"))
                      for place, (rows, _, _) in enumerate(counts))  # fmt: skip
    numbers = {row["place"]: row["number"] for row in first.union(*others, all=True)}
    for place, (_, one, several) in enumerate(counts):
        if number := numbers.get(place, 0):
            yield f"{number} {one if number == 1 else several}."


def claim(user: User) -> None:
    """Every row that is forgotten in part, and the jobs that they belong to, in the order of `actions.moves`."""
    theirs = Q(customer=user.pk) | Q(cancelled_by=user.pk)
    at_work = Bid.objects.filter(technician=user.pk).values("booking")
    claim_rows(
        Booking.objects.filter(theirs | Q(pk__in=at_work)),
        Bid.objects.filter(technician=user.pk),
        Session.objects.filter(technician=user.pk),
        RescheduleProposal.objects.filter(proposed_by=user.pk),
        Review.objects.filter(author=user.pk),
        Dispute.objects.filter(Q(opened_by=user.pk) | Q(against=user.pk)),
    )


def forget(user: User, now: datetime) -> None:
    """Their words, addresses, exact places, photos and files go; states, times, amounts and histories stay.

    Of a history only the reason goes that they gave themselves. What was done at a visit stays with the customer's
    job, and what the desk decided with the dispute.
    """
    forget_jobs(user)
    forget_work(user)
    bulk_update(RescheduleProposal.objects.filter(proposed_by=user.pk).exclude(message=""), message="")
    bulk_update(ContactAttempt.objects.filter(by=user.pk).exclude(note=""), note="")
    bulk_update(Review.objects.filter(author=user.pk).exclude(text=""), text="")
    bulk_update(ReviewFlag.objects.filter(by=user.pk).exclude(note=""), note="")
    bulk_update(Dispute.objects.filter(opened_by=user.pk), statement="", wanted="")
    bulk_update(Dispute.objects.filter(against=user.pk).exclude(answer=""), answer="")
    for history in HISTORIES:
        bulk_update(history._default_manager.filter(said_by(user)), reason="")
    for row in DisputeEvidence.objects.filter(by=user.pk).exclude(file=""):
        delete_later(row.file)
    bulk_update(DisputeEvidence.objects.filter(by=user.pk), note="", file="", name="removed")


def said_by(user: User) -> Q:
    """The steps with a reason in the person's own words; what an admin gave as a reason is the desk's."""
    return Q(actor=user.pk) & ~Q(actor_role=Role.ADMIN) & ~Q(reason="")


def forget_jobs(user: User) -> None:
    """What they booked: a title of their own becomes the kind of job, the place its area; the desk's lines lose it."""
    for photo in BookingPhoto.objects.filter(booking__customer=user.pk):
        delete_later(photo.image)
        photo.delete()
    bulk_delete(Booking.objects.filter(customer=user.pk, status=BookingStatus.DRAFT))
    rows = list(Booking.objects.filter(customer=user.pk).select_related("category"))
    for row in rows:
        row.title = row.category.name if row.category else ""
        row.description = row.address_line1 = row.address_line2 = row.postcode = ""
        row.latitude, row.longitude = row.area_latitude, row.area_longitude
        if row.cancelled_by_id == user.pk:
            row.cancel_note = ""
    disputes = Dispute.objects.filter(booking__customer=user.pk).values("pk")
    titled = Q(subject_kind="booking", subject_id__in=[row.pk for row in rows])
    titled |= Q(subject_kind="dispute", subject_id__in=disputes)
    bulk_update(DeskAction.objects.filter(titled).exclude(label=""), label="")
    bulk_save(rows, ["title", "description", "address_line1", "address_line2", "postcode", "latitude", "longitude",
                     "cancel_note"])  # fmt: skip


def forget_work(user: User) -> None:
    """What they offered, and why they paused."""
    BidRevision.objects.filter(bid__technician=user.pk).update(message="")
    bulk_update(Bid.objects.filter(technician=user.pk).exclude(message=""), message="")
    bulk_update(Session.objects.filter(technician=user.pk).exclude(pause_reason=""), pause_reason="")
    cancelled = Booking.objects.filter(cancelled_by=user.pk).exclude(cancel_note="")
    bulk_update(cancelled, cancel_note="")


hold(Holding("bookings", sections=sections, files=files, running=running, claim=claim, forget=forget))
