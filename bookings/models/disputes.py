"""Disputes: one side says that a job went wrong, the other answers, the desk decides."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from bookings.models.jobs import Booking
from bookings.states import STANDING_DISPUTE, DisputeOutcome, DisputeReason, DisputeStatus, Party
from common.constraints import known
from common.history import HistoryRow
from common.money import Money, currency_field, money_field
from realtime.models import LiveModel


def evidence_path(evidence: models.Model, name: str) -> str:
    """Where a file of a dispute is kept: a random name with the ending of what it was found to be."""
    return f"disputes/{uuid.uuid4().hex}.{name.rpartition('.')[2]}"


class Dispute(LiveModel):
    """One side's complaint about a job. A job has one that stands at a time."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="disputes")
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="disputes_opened")
    against = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="disputes_answered")
    party = models.CharField(max_length=10, choices=Party, help_text="The side that opened it.")
    reason = models.CharField(max_length=16, choices=DisputeReason)
    statement = models.TextField(max_length=4000)
    wanted = models.CharField(max_length=300, blank=True, help_text="What would settle it, in the opener's words.")
    answer = models.TextField(max_length=4000, blank=True)
    status = models.CharField(max_length=18, choices=DisputeStatus, default=DisputeStatus.OPEN)
    opened_at = models.DateTimeField(default=timezone.now)
    answer_by = models.DateTimeField(null=True, help_text="When the desk goes on without an answer.")
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # The desk's decision.
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    outcome = models.CharField(max_length=16, choices=DisputeOutcome, blank=True)
    decision = models.TextField(max_length=4000, blank=True, help_text="Why, as both sides read it.")
    amount = money_field(null=True)
    currency = currency_field(default=settings.DEFAULT_CURRENCY)

    class Meta:
        constraints: ClassVar = [
            known("status", DisputeStatus, "dispute_status_is_known"),
            models.UniqueConstraint(
                fields=["booking"], condition=Q(status__in=STANDING_DISPUTE), name="dispute_one_stands_a_booking"
            ),
            models.CheckConstraint(
                condition=Q(status=DisputeStatus.RESOLVED, outcome__in=DisputeOutcome.values, decided_by__isnull=False)
                | (~Q(status=DisputeStatus.RESOLVED) & Q(outcome="", decided_by__isnull=True)),
                name="dispute_resolved_has_an_outcome",
            ),
            models.CheckConstraint(
                condition=~Q(status=DisputeStatus.AWAITING_RESPONSE) | Q(answer_by__isnull=False),
                name="dispute_awaited_has_a_deadline",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["status", "opened_at"], name="dispute_queue"),
            models.Index(
                fields=["answer_by"], condition=Q(status=DisputeStatus.AWAITING_RESPONSE), name="dispute_deadlines"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}: job {self.booking_id}"

    @property
    def sum(self) -> Money | None:
        """What the decision gives back; None where it gives nothing."""
        return None if self.amount is None else Money(self.amount, self.currency)


class DisputeEvidence(LiveModel):
    """What a side, or the desk, puts on the table: words, a photo or a PDF."""

    dispute = models.ForeignKey(Dispute, on_delete=models.CASCADE, related_name="evidence")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=500, blank=True)
    file = models.FileField(upload_to=evidence_path, blank=True)
    name = models.CharField(max_length=100, blank=True, help_text="What its sender called the file.")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("at", "id")
        verbose_name_plural = "dispute evidence"

    def __str__(self) -> str:
        return self.name or self.note[:60]


class DisputeHistory(HistoryRow):
    """The transitions of a dispute."""

    subject = models.ForeignKey(Dispute, on_delete=models.CASCADE, related_name="history")

    class Meta(HistoryRow.Meta):
        indexes: ClassVar = [
            *HistoryRow.Meta.indexes,
            models.Index(fields=["subject", "at"], name="dispute_history_order"),
        ]
