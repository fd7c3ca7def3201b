"""The verbs of a dispute: one side opens it, the other answers, the desk decides; each may add evidence meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from accounts.access import require_desk
from accounts.audit import record
from accounts.models import Role, User
from bookings.actions.moves import lock_booking, locking, move, moved_on, note
from bookings.links import dispute_url, job_url
from bookings.models import Booking, Dispute, DisputeEvidence, Session
from bookings.rules.disputes import is_told, may_answer, sides_of, why_not
from bookings.rules.numbers import minutes, number
from bookings.states import STANDING_DISPUTE, DisputeOutcome, DisputeReason, DisputeStatus
from bookings.telling import tell
from common.documents import Document, clean_document
from common.money import Money, rounded
from common.refusals import Conflict, Invalid
from common.uploads import files_undone, stored

Files = Sequence[UploadedFile[Any]]
MOST_WORDS, MOST_NOTE = 4000, 500


def open_dispute(
    booking: Booking,
    *,
    by: User,
    reason: str,
    statement: str,
    wanted: str = "",
    files: Files = (),
    now: datetime | None = None,
) -> Dispute:
    """One side says that a job went wrong. Raises `Conflict` where the job cannot be disputed (any more)."""
    now = now or timezone.now()
    if reason not in DisputeReason.values:
        raise Invalid("Please choose what it is about.")
    words, ready = said(statement, "Please say what happened, in your own words."), documents(files)
    with files_undone(), transaction.atomic():
        held = lock_booking(booking.pk)
        visit = check_disputable(held, by, now)
        sides = sides_of(held, visit)
        (against,) = (pk for pk in sides if pk != by.pk)
        made = Dispute.objects.create(
            booking=held,
            opened_by=by,
            against_id=against,
            party=sides[by.pk],
            reason=reason,
            statement=words,
            wanted=wanted.strip()[:300],
            currency=visit.bid.currency,
            opened_at=now,
        )
        keep(made, ready, "", by=by, now=now)
        note(made, "", by=by, now=now, reason=made.get_reason_display())
    return made


def check_disputable(booking: Booking, by: User, now: datetime) -> Session:
    """The visit that a dispute of `by`'s would be about.

    Raises `PermissionDenied` for who is no side of the job, `Conflict` where it cannot be disputed (any more).
    """
    visit = booking.sessions.select_related("bid").order_by("-pk").first()
    if by.pk != booking.customer_id and (visit is None or by.pk != visit.technician_id):
        raise PermissionDenied("Only the two sides of this job may do that.")
    last = booking.history.order_by("-at", "-pk").first()
    refusal = why_not(booking, visit, list(booking.disputes.all()), last.at if last else booking.created_at, now)
    if refusal or visit is None:
        raise Conflict(refusal, next_url=job_url(booking.pk), next_label="See the job")
    return visit


def take_on(dispute: Dispute, *, by: User | None, now: datetime | None = None) -> Dispute:
    """The desk takes it on, or the clock: the other side reads what is said, and is asked for an answer."""
    now = now or timezone.now()
    require_desk(by)
    with transaction.atomic():
        held = lock_dispute(dispute.pk)
        move(held, DisputeStatus.AWAITING_RESPONSE, by=by, now=now, answer_by=now + minutes("DISPUTE_ANSWER_MINUTES"))
    return held


def answer_dispute(
    dispute: Dispute, *, by: User, answer: str, files: Files = (), now: datetime | None = None
) -> Dispute:
    """The other side's account; the desk decides next. Raises `Conflict` after the deadline."""
    now = now or timezone.now()
    words, ready = said(answer, "Please say how you see it, in your own words."), documents(files)
    with files_undone(), transaction.atomic():
        held = lock_dispute(dispute.pk)
        if by.pk != held.against_id:
            raise PermissionDenied("Only the other side may answer a dispute.")
        if held.status != DisputeStatus.AWAITING_RESPONSE:
            raise moved_on(held)
        if not may_answer(held, now):
            raise Conflict(
                "The time to answer has passed; the desk decides with what it has. You can still add evidence.",
                next_url=dispute_url(held.pk),
                next_label="See the dispute",
            )
        keep(held, ready, "", by=by, now=now)
        move(held, DisputeStatus.UNDER_REVIEW, by=by, now=now, reason="Answered.", answer=words, answered_at=now)
    return held


def stop_waiting(dispute: Dispute, *, now: datetime) -> Dispute:
    """By the clock: no answer came, so the desk decides with what it has. The dispute is locked already."""
    move(dispute, DisputeStatus.UNDER_REVIEW, by=None, now=now, reason="No answer came in time.")
    return dispute


def add_evidence(
    dispute: Dispute, *, by: User, note: str = "", files: Files = (), now: datetime | None = None
) -> list[DisputeEvidence]:
    """Put something on the table while it is not decided: words, photos, PDFs; by a side or the desk."""
    now = now or timezone.now()
    words, ready = note.strip()[:MOST_NOTE], documents(files)
    if not words and not ready:
        raise Invalid("Write a line, or choose a photo or a PDF.")
    with files_undone(), transaction.atomic():
        held = lock_dispute(dispute.pk)
        require_part(held, by)
        if held.status not in STANDING_DISPUTE:
            raise moved_on(held)
        made = keep(held, ready, words, by=by, now=now)
        if is_told(held):
            tell(made[:1], "", "", by=by, now=now, event=f"disputeevidence.{made[0].pk}")
        about = held.booking
        record(
            by, "added_evidence", subject_kind="dispute", subject_id=held.pk, label=str(about), reason=words, now=now
        )
    return made


def withdraw_dispute(dispute: Dispute, *, by: User, now: datetime | None = None) -> Dispute:
    """Whoever opened it takes it back, until it is decided."""
    now = now or timezone.now()
    with transaction.atomic():
        held = lock_dispute(dispute.pk)
        if by.pk != held.opened_by_id:
            raise PermissionDenied("Only whoever opened a dispute may withdraw it.")
        move(held, DisputeStatus.WITHDRAWN, by=by, now=now, ended_at=now)
    return held


def resolve_dispute(
    dispute: Dispute,
    *,
    by: User,
    outcome: str,
    decision: str,
    amount: Decimal | None = None,
    now: datetime | None = None,
) -> Dispute:
    """The desk decides, and says why to both. The amount is kept and said; no money moves by it."""
    now = now or timezone.now()
    require_desk(by)
    words = said(decision, "Please say why: both sides read it.")
    if outcome not in DisputeOutcome.values:
        raise Invalid("Please choose how it is decided.")
    with transaction.atomic():
        held = lock_dispute(dispute.pk)
        owed = checked(amount, outcome, held.currency)
        move(
            held,
            DisputeStatus.RESOLVED,
            by=by,
            now=now,
            reason=in_short(outcome, owed, words),
            decided_by=by,
            outcome=outcome,
            decision=words,
            amount=owed.amount if owed else None,
            ended_at=now,
        )
    return held


def checked(amount: Decimal | None, outcome: str, currency: str) -> Money | None:
    """The amount of a decision in its currency; nothing is owed where nobody is at fault."""
    if amount is None:
        return None
    if outcome == DisputeOutcome.NO_FAULT:
        raise Invalid("Where nobody is at fault, nothing is owed. Leave the amount empty or choose another outcome.")
    owed = Money(rounded(amount, currency), currency)
    if owed.amount <= 0:
        raise Invalid("An amount is above zero. Leave it empty where nothing is owed.")
    return owed


def in_short(outcome: str, owed: Money | None, decision: str) -> str:
    """The decision as its history keeps it."""
    sum_ = f", {owed}" if owed else ""
    return f"{DisputeOutcome(outcome).label}{sum_}. {decision}"


# --- What they have in common ---------------------------------------------------------------------


def lock_dispute(pk: int) -> Dispute:
    """The dispute as it is now, held until the transaction ends. It is the last of the locks: see `moves`."""
    return locking(Dispute.objects.select_related("booking")).get(pk=pk)


def require_part(dispute: Dispute, by: User) -> None:
    """Whoever opened it, the desk, and the other side once it is asked."""
    if by.role == Role.ADMIN or by.pk == dispute.opened_by_id:
        return
    if by.pk != dispute.against_id or not is_told(dispute):
        raise PermissionDenied("Only the two sides of this job may do that.")


def said(text: str, missing: str) -> str:
    """What somebody wrote, which has to be something. Raises `Invalid` with `missing`."""
    words = text.strip()
    if not words:
        raise Invalid(missing)
    if len(words) > MOST_WORDS:
        raise Invalid(f"That is too long: {MOST_WORDS} letters are enough. Put the rest into a PDF.")
    return words


def documents(files: Files) -> list[Document]:
    """The files, decoded; before any transaction: it takes its time."""
    if len(files) > (most := number("PHOTOS_MOST")):
        raise Invalid(f"At most {most} files at once. Add the others afterwards.")
    return [clean_document(file) for file in files]


def keep(dispute: Dispute, files: Sequence[Document], words: str, *, by: User, now: datetime) -> list[DisputeEvidence]:
    """Store files and words of a locked dispute; the words go with the first file."""
    pieces: list[Document | None] = [*files] or ([None] if words else [])
    if dispute.evidence.filter(by=by).count() + len(pieces) > (most := number("EVIDENCE_MOST")):
        raise Invalid(f"{most} pieces of evidence are enough. Choose what says most.")
    made = []
    for position, piece in enumerate(pieces):
        row = DisputeEvidence(dispute=dispute, by=by, at=now, note="" if position else words)
        if piece is not None:
            row.name = piece.name
            row.file.save(str(piece.content.name), piece.content, save=False)
            stored(row.file)
        row.save()
        made.append(row)
    return made
