"""Reviews: what both sides say of each other after a visit, sealed until both have spoken or a week has passed."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from bookings.models.jobs import Booking
from bookings.querysets import ReviewQuerySet
from bookings.states import FlagReason, HideReason, Party, ReviewStatus
from common.constraints import known
from common.history import HistoryRow
from realtime.models import LiveModel


class Review(LiveModel):
    """What one side of a finished job says of the other. `submitted` is sealed: only its author reads it."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="reviews")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews_written")
    about = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews_received")
    party = models.CharField(max_length=10, choices=Party, help_text="The side that wrote it.")
    stars = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)])
    text = models.TextField(max_length=2000, blank=True)
    status = models.CharField(max_length=10, choices=ReviewStatus, default=ReviewStatus.SUBMITTED)
    submitted_at = models.DateTimeField(default=timezone.now)
    opens_at = models.DateTimeField(help_text="When the seal breaks by itself.")
    published_at = models.DateTimeField(null=True)
    hide_reason = models.CharField(max_length=12, choices=HideReason, blank=True)

    objects: ClassVar = ReviewQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            known("status", ReviewStatus, "review_status_is_known"),
            models.UniqueConstraint(fields=["booking", "author"], name="review_once_an_author"),
            models.CheckConstraint(condition=Q(stars__gte=1, stars__lte=5), name="review_stars_from_one_to_five"),
            models.CheckConstraint(
                condition=Q(status=ReviewStatus.SUBMITTED, published_at__isnull=True)
                | (~Q(status=ReviewStatus.SUBMITTED) & Q(published_at__isnull=False)),
                name="review_sealed_until_published",
            ),
            models.CheckConstraint(
                condition=Q(status=ReviewStatus.HIDDEN, hide_reason__in=HideReason.values)
                | (~Q(status=ReviewStatus.HIDDEN) & Q(hide_reason="")),
                name="review_hidden_says_why",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["about", "status"], name="review_about_whom"),
            models.Index(fields=["opens_at"], condition=Q(status=ReviewStatus.SUBMITTED), name="review_still_sealed"),
            models.Index(fields=["status", "published_at"], name="review_by_state"),
        ]

    def __str__(self) -> str:
        return f"Review by the {self.get_party_display().lower()} of job {self.booking_id}"

    @property
    def is_sealed(self) -> bool:
        """Whether nobody but its author may know what it says."""
        return self.status == ReviewStatus.SUBMITTED


class ReviewFlag(LiveModel):
    """Somebody finds that a review should not stand; the desk decides."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="flags")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=12, choices=FlagReason)
    note = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True, help_text="When the desk decided about it.")

    class Meta:
        ordering = ("at", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["review", "by"], condition=Q(settled_at__isnull=True), name="review_flagged_once_a_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}: review {self.review_id}"


class ReviewHistory(HistoryRow):
    """The transitions of a review."""

    subject = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="history")

    class Meta(HistoryRow.Meta):
        indexes: ClassVar = [
            *HistoryRow.Meta.indexes,
            models.Index(fields=["subject", "at"], name="review_history_order"),
        ]
