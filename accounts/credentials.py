"""Documents of technicians: sent by them, decided by the desk, ended by the clock; and what follows for their offers.

A technician is verified while every kind of `REQUIRED` holds. Whoever was verified by hand, without any document,
stays so until one of theirs is decided. Running jobs go on whatever happens here: only new offers ask for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.access import require_desk
from accounts.models import (
    AccountHistory,
    Credential,
    CredentialHistory,
    CredentialKind,
    CredentialStatus,
    Role,
    Technician,
    User,
)
from accounts.steps import credential_moved, credential_runs_out
from common.documents import Document
from common.history import keep
from common.refusals import Conflict, Invalid
from common.uploads import delete_later, files_undone, stored

REQUIRED = (CredentialKind.IDENTITY, CredentialKind.INSURANCE)
ENDS = (CredentialKind.INSURANCE,)  # kinds that always have a last day
SOON = timedelta(days=14)  # how long before its last day somebody is told, and pages say so
FAR = timedelta(days=20 * 366)  # a last day further off is a slip of the pen
MOVES: dict[str, tuple[str, ...]] = {
    CredentialStatus.PENDING: (CredentialStatus.APPROVED, CredentialStatus.REJECTED),
    CredentialStatus.APPROVED: (CredentialStatus.EXPIRED, CredentialStatus.SUSPENDED),
}
AS_SENT = date.min  # the last day that its sender typed
REPLACED = "A newer one has taken its place."


# --- Which ----------------------------------------------------------------------------------------


def waiting() -> QuerySet[Credential]:
    """What the desk has to decide: sent by technicians whose account is open. Oldest first."""
    rows = Credential.objects.filter(status=CredentialStatus.PENDING)
    rows = rows.filter(technician__user__is_active=True, technician__user__role=Role.TECHNICIAN)
    return rows.order_by("submitted_at", "pk")


def missing(held: Iterable[str]) -> list[CredentialKind]:
    """The required kinds that are not among `held`."""
    has = set(held)
    return [kind for kind in REQUIRED if kind not in has]


def word(kind: str) -> str:
    """A kind inside a sentence: proof of identity."""
    label = str(CredentialKind(kind).label)
    return label[:1].lower() + label[1:]


def words(kinds: Iterable[str]) -> str:
    """Several: proof of identity and liability insurance."""
    return " and ".join(word(kind) for kind in kinds)


def local_day(user: User, at: datetime) -> date:
    """The day it is for a person: a document holds until the end of its last day there."""
    return at.astimezone(ZoneInfo(user.time_zone)).date()


# --- The technician -------------------------------------------------------------------------------


@files_undone()
@transaction.atomic
def submit_credential(
    technician: Technician,
    *,
    by: User | None,
    kind: str,
    document: Document,
    number: str = "",
    valid_until: date | None = None,
    now: datetime | None = None,
) -> Credential:
    """Send a document to be checked; `document` is cleaned already (`common.documents`).

    Raises `Conflict` while another of the kind is being checked, `Invalid` for a last day that cannot be.
    """
    if by is not None and by.pk != technician.pk:
        raise PermissionDenied("Only the technician sends their own documents.")
    now, locked = now or timezone.now(), lock_technician(technician.pk)
    check_last_day(kind, valid_until, local_day(locked.user, now))
    if locked.credentials.filter(kind=kind, status=CredentialStatus.PENDING).exists():
        raise Conflict(
            f"Your {word(kind)} is being checked already. Take that one back first, then send another.",
            next_url=reverse("credentials"),
            next_label="See my documents",
        )
    row = Credential(technician=locked, kind=kind, number=number, name=document.name, valid_until=valid_until)
    row.submitted_at = now
    row.file.save(str(document.content.name), document.content, save=False)
    stored(row.file)
    row.save()
    moved(row, "", by=by, now=now)
    return row


def check_last_day(kind: str, day: date | None, today: date) -> None:
    """Raise `Invalid` for a last day that is missing, past, or too far off to be meant."""
    if kind not in CredentialKind.values:
        raise Invalid("That is not a kind of document. Choose one of the list.")
    if day is None:
        if kind in ENDS:
            raise Invalid(f"Say until when your {word(kind)} holds: its last day stands on the document.")
    elif day < today:
        raise Invalid("Its last day is over. Send one that still holds.")
    elif day > today + FAR:
        raise Invalid("That last day is too far off. Check the year.")


@transaction.atomic
def withdraw_credential(credential: Credential, *, by: User | None) -> None:
    """Take back a document that is still being checked; it is deleted, file and all. Raises `Conflict` once decided."""
    if by is not None and by.pk != credential.technician_id:
        raise PermissionDenied("Only the technician takes their own documents back.")
    row = lock(credential, CredentialStatus.PENDING)
    delete_later(row.file)
    row.delete()


@transaction.atomic
def forget_documents(user: User) -> None:
    """Delete the files, numbers and names of all documents of somebody whose details are removed; the rest stays.

    What was still being checked goes altogether. They are locked already.
    """
    for row in Credential.objects.filter(technician=user.pk):
        if row.file:
            delete_later(row.file)
        if row.status == CredentialStatus.PENDING:
            row.delete()
            continue
        row.file, row.number, row.name = "", "", "removed"
        row.save(update_fields=["file", "number", "name"])


# --- The desk -------------------------------------------------------------------------------------


@transaction.atomic
def approve_credential(
    credential: Credential, *, by: User | None, valid_until: date | None = AS_SENT, now: datetime | None = None
) -> Credential:
    """It holds from now on, and an older one of its kind no longer. `valid_until`: the last day that the desk read on
    it, None where it does not end.

    Raises `Conflict` once decided, `Invalid` where its last day is missing or over.
    """
    require_desk(by)
    now, row = now or timezone.now(), lock(credential, CredentialStatus.PENDING)
    row.valid_until = row.valid_until if valid_until == AS_SENT else valid_until
    try:
        check_last_day(row.kind, row.valid_until, local_day(row.technician.user, now))
    except Invalid:
        raise Invalid("Its last day is missing, over or too far off: correct it, or refuse the document.") from None
    before = row.technician.credentials.select_for_update(no_key=True).filter(
        kind=row.kind, status=CredentialStatus.APPROVED
    )
    for older in before:  # it leaves before the new one comes: of each kind one holds at most
        close(older, CredentialStatus.EXPIRED, by=by, reason=REPLACED, now=now)
        moved(older, CredentialStatus.APPROVED, by=by, now=now, told=False)
    close(row, CredentialStatus.APPROVED, by=by, now=now, also=("valid_until",))
    moved(row, CredentialStatus.PENDING, by=by, now=now, turned=settle(row, by=by, now=now))
    return row


@transaction.atomic
def reject_credential(
    credential: Credential, *, by: User | None, reason: str, now: datetime | None = None
) -> Credential:
    """Refuse a document; its sender reads the reason. Raises `Conflict` once decided, `Invalid` without a reason."""
    return decide(credential, CredentialStatus.PENDING, CredentialStatus.REJECTED, by=by, reason=reason, now=now)


@transaction.atomic
def suspend_credential(
    credential: Credential, *, by: User | None, reason: str, now: datetime | None = None
) -> Credential:
    """An approved document holds no longer. Raises `Conflict` where it did not, `Invalid` without a reason."""
    return decide(credential, CredentialStatus.APPROVED, CredentialStatus.SUSPENDED, by=by, reason=reason, now=now)


def decide(
    credential: Credential, start: str, to: str, *, by: User | None, reason: str, now: datetime | None
) -> Credential:
    """The desk's no, with its consequence."""
    require_desk(by)
    now, row = now or timezone.now(), lock(credential, start)
    if not reason.strip():
        raise Invalid("Say why: the technician reads it and knows what to do next.")
    close(row, to, by=by, reason=reason.strip(), now=now)
    moved(row, start, by=by, now=now, turned=settle(row, by=by, now=now))
    return row


# --- The clock ------------------------------------------------------------------------------------


@transaction.atomic
def expire_credential(credential: Credential, *, now: datetime) -> Credential:
    """Its last day is over where its technician is. Raises `Conflict` where it is not, or holds no longer."""
    row = lock(credential, CredentialStatus.APPROVED)
    if row.valid_until is None or row.valid_until >= local_day(row.technician.user, now):
        raise Conflict(f"{row} holds still.")
    close(row, CredentialStatus.EXPIRED, by=None, reason="Its last day is over.", now=now)
    moved(row, CredentialStatus.APPROVED, by=None, now=now, turned=settle(row, by=None, now=now))
    return row


@transaction.atomic
def warn_of_end(credential: Credential, *, now: datetime) -> Credential:
    """Tell its technician once that it runs out soon. Raises `Conflict` where it holds no longer or they know."""
    row = lock(credential, CredentialStatus.APPROVED)
    if row.warned_at is not None:
        raise Conflict(f"{row.technician} knows already.")
    row.warned_at = now
    row.save(update_fields=["warned_at"])
    credential_runs_out.send(Credential, credential=row, now=now)
    return row


# --- What they share ------------------------------------------------------------------------------


def lock_technician(pk: int) -> Technician:
    """The technician, locked: all that decides whether they are verified happens one after the other."""
    return Technician.objects.select_for_update(of=("self",), no_key=True).select_related("user").get(pk=pk)


def lock(credential: Credential, *states: str) -> Credential:
    """The document under its technician's lock. Raises `Conflict` unless it is in one of `states`."""
    technician = lock_technician(credential.technician_id)
    row = Credential.objects.select_for_update(no_key=True).filter(pk=credential.pk).first()
    if row is None:
        raise Conflict(f"{technician} has taken this document back a moment ago. There is nothing to decide.")
    row.technician = technician
    if row.status not in states:
        state = str(CredentialStatus(row.status).label).lower()
        raise Conflict(f"Things moved on a moment ago: this {word(row.kind)} is at “{state}”.")
    return row


def close(
    row: Credential, to: str, *, by: User | None, now: datetime, reason: str = "", also: Iterable[str] = ()
) -> None:
    """Save where it stands now, and why. Raises `ValueError` for a move that there is not."""
    if to not in MOVES.get(row.status, ()):
        raise ValueError(f"No document goes from {row.status} to {to}.")
    row.status, row.reason, row.decided_at = to, reason[:300], now
    row.save(update_fields=["status", "reason", "decided_at", *also])


def moved(
    row: Credential,
    before: str,
    *,
    by: User | None,
    now: datetime,
    turned: bool | None = None,
    told: bool = True,
) -> None:
    """Write the step's history row, and say it to whoever listens unless it is part of another step."""
    keep(CredentialHistory, before, row.status, by=by, now=now, reason=row.reason, subject=row)
    if told:
        credential_moved.send(Credential, credential=row, before=before, by=by, now=now, turned=turned)


def settle(row: Credential, *, by: User | None, now: datetime) -> bool | None:
    """Verify the technician whose last required document came to hold, or take it away with the one that went.

    True or False where that turned, None where it did not.
    """
    technician = row.technician
    held = technician.credentials.filter(status=CredentialStatus.APPROVED).values_list("kind", flat=True)
    lacking = missing(held)
    if technician.is_verified and row.kind in lacking:
        turn(technician, None, reason=why(row), by=by, now=now)
        return False
    if not technician.is_verified and not lacking and row.status == CredentialStatus.APPROVED:
        turn(technician, now, reason="Every document it takes holds.", by=by, now=now)
        return True
    return None


def why(row: Credential) -> str:
    """What took the right to offer away: Liability insurance: Its last day is over."""
    return f"{row.get_kind_display()}: {row.reason}"


def turn(technician: Technician, verified_at: datetime | None, *, reason: str, by: User | None, now: datetime) -> None:
    """Save that they may offer from now on, or no longer."""
    before, after = ("unverified", "verified") if verified_at else ("verified", "unverified")
    technician.verified_at = verified_at
    technician.save(update_fields=["verified_at"])
    keep(AccountHistory, before, after, by=by, now=now, reason=reason, user=technician.user)
