"""Disputes for tests: Alice's job that Bob has finished, and how far her dispute about it has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Role, User
from bookings import actions
from bookings.models import Booking, Dispute
from bookings.tests import make
from bookings.tests.make import HOUR

PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


def paper(name: str = "Invoice.pdf") -> SimpleUploadedFile:
    """A PDF as a browser sends it."""
    return SimpleUploadedFile(name, PDF, content_type="application/pdf")


def done(alice: User, bob: User, **options: Any) -> Booking:
    """A finished job."""
    return make.finished(make.visit(alice, bob, **options)).booking


def end_of(booking: Booking) -> datetime:
    """When the job last changed its state."""
    return booking.history.latest("at").at


def opened(booking: Booking, by: User, *, now: datetime | None = None, **options: Any) -> Dispute:
    """A dispute, an hour after the job's end."""
    words = {"reason": "quality", "statement": "It still drips.", **options}
    return actions.open_dispute(booking, by=by, now=now or end_of(booking) + HOUR, **words)


def taken_on(dispute: Dispute, by: User, *, now: datetime | None = None) -> Dispute:
    """The other side is asked, an hour after it was opened."""
    return actions.take_on(dispute, by=by, now=now or dispute.opened_at + HOUR)


def answered(dispute: Dispute, *, now: datetime | None = None, **options: Any) -> Dispute:
    """The other side has answered, three hours after it was opened."""
    words = {"answer": "It did not drip when I left.", **options}
    return actions.answer_dispute(dispute, by=dispute.against, now=now or dispute.opened_at + 3 * HOUR, **words)


def decided(dispute: Dispute, by: User, *, now: datetime | None = None, **options: Any) -> Dispute:
    """The desk has decided, four hours after it was opened."""
    words = {"outcome": "customer", "decision": "The photos show it.", **options}
    return actions.resolve_dispute(dispute, by=by, now=now or dispute.opened_at + 4 * HOUR, **words)


def in_state(status: str, alice: User, bob: User, frank: User) -> Dispute:
    """Alice's dispute about a finished job, as far as that."""
    assert frank.role == Role.ADMIN
    dispute = opened(done(alice, bob), alice)
    if status == "withdrawn":
        return actions.withdraw_dispute(dispute, by=alice, now=dispute.opened_at + HOUR)
    steps = {"awaiting_response": 1, "under_review": 2, "resolved": 3}.get(status, 0)
    if steps > 0:
        dispute = taken_on(dispute, frank)
    if steps > 1:
        dispute = answered(dispute)
    return decided(dispute, frank) if steps > 2 else dispute
