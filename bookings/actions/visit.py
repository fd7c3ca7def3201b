"""The visit: check in, start, pause, finish; and what happens when somebody is not there."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from bookings.actions.moves import (
    close_proposals,
    lock_session,
    move,
    moved_on,
    party_of,
    require_customer,
    require_technician,
)
from bookings.links import job_url
from bookings.models import CompletionNote, CompletionPhoto, ContactAttempt, Session
from bookings.rules.fees import Policy, no_show_fee
from bookings.rules.numbers import minutes, number
from bookings.states import BookingStatus, ContactChannel, Party, SessionStatus
from bookings.telling import tell
from common.refusals import Conflict, Invalid
from common.uploads import clean_image, files_undone, stored


def check_in(session: Session, *, by: User, now: datetime | None = None, device_at: datetime | None = None) -> Session:
    """The technician has arrived: pending to waiting, and the booking is in progress."""
    now = now or timezone.now()
    with transaction.atomic():
        held = lock_session(session.pk)
        require_technician(held.technician_id, by)
        move(held, SessionStatus.WAITING, by=by, now=now, device_at=device_at, checked_in_at=now)
        move(held.booking, BookingStatus.IN_PROGRESS, by=by, now=now, device_at=device_at)
        close_proposals(held, by=by, now=now)
    return held


def start_session(
    session: Session, *, by: User, code: str = "", now: datetime | None = None, device_at: datetime | None = None
) -> Session:
    """Waiting to live: by the customer's tap, or by the technician with the customer's start code.

    Raises `Invalid` for a wrong code; after five of them only the customer's tap starts the work.
    """
    now = now or timezone.now()
    refusal = None
    with transaction.atomic():
        held = lock_session(session.pk)
        if party_of(held, by) == Party.TECHNICIAN:
            refusal = try_code(held, code)
        if refusal is None:
            how = "Start code." if by.pk == held.technician_id else "The customer's tap."
            move(held, SessionStatus.LIVE, by=by, now=now, reason=how, device_at=device_at, started_at=now)
    if refusal is not None:
        raise refusal  # outside the transaction: the failed try stays counted
    return held


def try_code(session: Session, code: str) -> Invalid | Conflict | None:
    """The refusal for a wrong start code, counted, or None for the right one."""
    if session.status != SessionStatus.WAITING:
        return moved_on(session)
    tries = number("START_CODE_TRIES")
    if session.code_failures >= tries:
        return Conflict(
            "Too many wrong codes. Ask the customer to tap Start on their own page.",
            next_url=job_url(session.booking_id),
            next_label="See the job",
        )
    if secrets.compare_digest(code.strip().encode(), session.start_code.encode()):
        return None
    session.code_failures += 1
    session.save(update_fields=["code_failures"])
    left = tries - session.code_failures
    return Invalid(f"That is not the code. Ask the customer for the four digits; {left} more tries.")


def pause_session(
    session: Session, *, by: User, reason: str, now: datetime | None = None, device_at: datetime | None = None
) -> Session:
    """Stop the work clock for a reason."""
    now = now or timezone.now()
    if not reason.strip():
        raise Invalid("Please say why the work pauses.")
    with transaction.atomic():
        held = lock_session(session.pk)
        require_technician(held.technician_id, by)
        why = reason.strip()[:200]
        move(
            held, SessionStatus.PAUSED, by=by, now=now, reason=why, device_at=device_at, paused_at=now, pause_reason=why
        )
    return held


def resume_session(
    session: Session, *, by: User, now: datetime | None = None, device_at: datetime | None = None
) -> Session:
    """Let the work clock run again; the pause does not count."""
    now = now or timezone.now()
    with transaction.atomic():
        held = lock_session(session.pk)
        require_technician(held.technician_id, by)
        if held.status != SessionStatus.PAUSED:
            raise moved_on(held)
        move(
            held,
            SessionStatus.LIVE,
            by=by,
            now=now,
            device_at=device_at,
            paused_seconds=held.paused_by(now),
            paused_at=None,
            pause_reason="",
        )
    return held


def complete_session(
    session: Session,
    *,
    by: User,
    note: str,
    photos: Iterable[UploadedFile[Any]] = (),
    now: datetime | None = None,
    device_at: datetime | None = None,
) -> Session:
    """The work is done: the clock stops, the note and the photos stay, the booking is completed."""
    now = now or timezone.now()
    if not note.strip():
        raise Invalid("Please say in a line what was done.")
    sent = list(photos)
    if len(sent) > number("PHOTOS_MOST"):  # before any is decoded, which takes its time
        raise Invalid(f"{number('PHOTOS_MOST')} photos are enough.")
    images = [clean_image(photo) for photo in sent]
    with files_undone(), transaction.atomic():
        held = lock_session(session.pk)
        require_technician(held.technician_id, by)
        move(
            held,
            SessionStatus.COMPLETED,
            by=by,
            now=now,
            device_at=device_at,
            **held.clock_stopped(now),
        )
        move(held.booking, BookingStatus.COMPLETED, by=by, now=now, device_at=device_at)
        keep_completion(held, note, images, now)
    return held


def keep_completion(session: Session, note: str, images: Iterable[File[bytes]], now: datetime) -> None:
    """Keep what was done, in words and pictures."""
    completion = CompletionNote.objects.create(session=session, note=note.strip()[:2000], at=now)
    for image in images:
        stored(CompletionPhoto.objects.create(completion=completion, image=image, at=now).image)


def record_contact_attempt(
    session: Session, *, by: User, channel: str, note: str = "", party: str = "", now: datetime | None = None
) -> ContactAttempt:
    """Keep that one side tried to reach the other, before the work began. `party` is whom an admin speaks for."""
    now = now or timezone.now()
    if channel not in ContactChannel.values:
        raise Invalid("Please say how you tried: a call, a message, or the bell.")
    with transaction.atomic():
        held = lock_session(session.pk)
        party = party_of(held, by, party)
        if held.status not in (SessionStatus.PENDING, SessionStatus.WAITING):
            raise moved_on(held)
        made = ContactAttempt.objects.create(session=held, by=by, party=party, channel=channel, note=note[:200], at=now)
        tell([made], "", "", by=by, now=now, event=f"contactattempt.{made.pk}")
        return made


def report_no_show(session: Session, *, by: User, party: str = "", now: datetime | None = None) -> Session:
    """One side was not there. It takes an arrival (of the technician), a wait and a contact attempt (rule 11).

    The technician reports the customer while waiting at the door; the customer reports a technician who
    never checked in; an admin for the side `party`. Raises `Conflict` with what is still missing.
    """
    now = now or timezone.now()
    with transaction.atomic():
        held = lock_session(session.pk)
        absent = Party.CUSTOMER if party_of(held, by, party) == Party.TECHNICIAN else Party.TECHNICIAN
        if missing := missing_for_no_show(held, absent, now, wait=minutes("NO_SHOW_WAIT_MINUTES")):
            raise Conflict(missing, next_url=job_url(held.booking_id), next_label="See the job")
        close_as_no_show(held, absent, by=by, now=now)
    return held


def missing_for_no_show(session: Session, absent: str, now: datetime, *, wait: timedelta) -> str:
    """A sentence on what rule 11 still asks for, or nothing."""
    arrived = session.checked_in_at
    if absent == Party.CUSTOMER and (arrived is None or session.status != SessionStatus.WAITING):
        return "Check in at the door first."
    if absent == Party.TECHNICIAN and session.status != SessionStatus.PENDING:
        return "The technician has checked in already."
    since = max(arrived, session.starts_at) if arrived else session.starts_at
    if now < since + wait:
        left = -(-(since + wait - now) // timedelta(minutes=1))
        return f"Please wait {left} more minute{'' if left == 1 else 's'} first."
    present = Party.TECHNICIAN if absent == Party.CUSTOMER else Party.CUSTOMER
    if not session.contact_attempts.filter(party=present, at__gte=session.tried_from).exists():
        return "Try to reach the other side first: call, write or ring, and note it here."
    return ""


def close_as_no_show(session: Session, absent: str, *, by: User | None, now: datetime) -> None:
    """Move a locked visit and its booking to no-show, with the fee that follows."""
    booking = session.booking
    fee = no_show_fee(Policy.from_json(booking.policy), absent, price=session.bid.price)
    reason = f"The {absent} was not there."
    move(session, SessionStatus.NO_SHOW, by=by, now=now, reason=reason)
    move(
        booking,
        BookingStatus.NO_SHOW,
        by=by,
        now=now,
        reason=reason,
        no_show_party=absent,
        fee_amount=fee.money.amount,
        fee_explanation=fee.sentence[:300],
    )
    close_proposals(session, by=by, now=now)


def renew_start_code(session: Session, *, by: User) -> Session:
    """A new code and new tries, when the customer asks: somebody may have read the old one."""
    with transaction.atomic():
        held = lock_session(session.pk)
        require_customer(held.booking, by)
        if held.status not in (SessionStatus.PENDING, SessionStatus.WAITING):
            raise moved_on(held)
        held.start_code, held.code_failures = f"{secrets.randbelow(10_000):04d}", 0
        held.save(update_fields=["start_code", "code_failures"])
    return held
