"""Jobs, offers and visits: the tables, their constraints, and what can be derived from one row."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Skill, Technician
from bookings.querysets import BidQuerySet, BookingQuerySet, SessionQuerySet
from bookings.states import (
    ACTIVE_SESSION,
    REVIVABLE_BID,
    BidStatus,
    BookingStatus,
    CancelReason,
    ContactChannel,
    Party,
    ProposalStatus,
    SessionStatus,
)
from common.constraints import known
from common.geo import Point, area_point
from common.history import HistoryRow
from common.money import Money, currency_field, money_field, rounded
from common.zones import validate_zone
from realtime.models import LiveModel

LATITUDE = (MinValueValidator(-90), MaxValueValidator(90))
LONGITUDE = (MinValueValidator(-180), MaxValueValidator(180))


COMING_EARLY = timedelta(minutes=30)  # as early as a technician may be at the door without anybody wondering


def photo_path(photo: models.Model, name: str) -> str:
    """Where a photo of a job is kept: a random name, so that a path tells nothing and cannot be guessed."""
    return f"jobs/{uuid.uuid4().hex}.jpg"


class ServiceCategory(models.Model):
    """A kind of job, with what it usually takes and costs."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60)
    skill = models.ForeignKey(Skill, on_delete=models.PROTECT, related_name="categories")
    icon = models.CharField(max_length=40, default="wrench", help_text="A name in the icon sprite.")
    usual_minutes = models.PositiveSmallIntegerField(default=60, validators=[MinValueValidator(15)])
    typical_low = money_field()
    typical_high = money_field()
    currency = currency_field(default="GBP")

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "service categories"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(typical_high__gte=F("typical_low")), name="category_prices_in_order")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def typical_prices(self) -> tuple[Money, Money]:
        """The price hint: from, to."""
        return Money(self.typical_low, self.currency), Money(self.typical_high, self.currency)


class Booking(LiveModel):
    """The promise: a customer's job, from draft to completed."""

    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bookings")
    category = models.ForeignKey(ServiceCategory, on_delete=models.PROTECT, null=True, related_name="bookings")
    title = models.CharField(max_length=100, blank=True)
    description = models.TextField(max_length=2000, blank=True)
    # Where. The address and the exact point are the assigned technician's alone (rule 9).
    address_line1 = models.CharField("address", max_length=120, blank=True)
    address_line2 = models.CharField("flat, floor, entrance", max_length=120, blank=True)
    town = models.CharField(max_length=80, blank=True)
    postcode = models.CharField(max_length=12, blank=True)
    latitude = models.FloatField(null=True, validators=LATITUDE)
    longitude = models.FloatField(null=True, validators=LONGITUDE)
    area_latitude = models.FloatField(null=True, editable=False)
    area_longitude = models.FloatField(null=True, editable=False)
    area_label = models.CharField("area", max_length=80, blank=True, help_text="What everybody may read: Camden, NW1.")
    time_zone = models.CharField(max_length=50, default=settings.DEFAULT_ZONE, validators=[validate_zone])
    # When, as instants.
    window_start = models.DateTimeField(null=True)
    window_end = models.DateTimeField(null=True)
    duration_minutes = models.PositiveSmallIntegerField(null=True)
    budget = money_field(null=True)
    currency = currency_field(default=settings.DEFAULT_CURRENCY)
    status = models.CharField(max_length=12, choices=BookingStatus, default=BookingStatus.DRAFT)
    created_at = models.DateTimeField(default=timezone.now, help_text="When its draft was written last.")
    placed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True, help_text="When an open booking stops taking offers.")
    put_away_at = models.DateTimeField(null=True, help_text="When a finished job left the banner.")
    target_passed_at = models.DateTimeField(null=True, help_text="When it had waited too long for a technician.")
    # How it ended, when it did not end well.
    cancelled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    cancel_reason = models.CharField(max_length=20, choices=CancelReason, blank=True)
    cancel_note = models.CharField(max_length=300, blank=True)
    no_show_party = models.CharField(max_length=10, choices=Party, blank=True)
    # The rule as it stood when the booking was placed, what it came to, and why.
    policy = models.JSONField(default=dict)
    fee_floor = money_field(default=Decimal(0), help_text="What a cancellation costs at least, after a move.")
    fee_amount = money_field(null=True)
    fee_explanation = models.CharField(max_length=300, blank=True)

    objects: ClassVar = BookingQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            known("status", BookingStatus, "booking_status_is_known"),
            models.CheckConstraint(
                condition=Q(status=BookingStatus.DRAFT)
                | Q(
                    category__isnull=False,
                    latitude__isnull=False,
                    longitude__isnull=False,
                    area_latitude__isnull=False,
                    area_longitude__isnull=False,
                    window_start__isnull=False,
                    window_end__isnull=False,
                    duration_minutes__isnull=False,
                    placed_at__isnull=False,
                    expires_at__isnull=False,
                ),
                name="booking_is_whole_once_placed",
            ),
            models.CheckConstraint(
                condition=Q(window_start__isnull=True) | Q(window_end__gt=F("window_start")),
                name="booking_window_in_order",
            ),
            models.CheckConstraint(
                condition=Q(status=BookingStatus.NO_SHOW, no_show_party__in=Party.values)
                | (~Q(status=BookingStatus.NO_SHOW) & Q(no_show_party="")),
                name="booking_no_show_names_a_party",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["status", "expires_at"], name="booking_status_expiry"),
            models.Index(fields=["customer", "status"], name="booking_of_customer"),
            models.Index(
                fields=["area_latitude", "area_longitude"],
                condition=Q(status=BookingStatus.OPEN),
                name="booking_open_area",
            ),
            # What the clock looks for each second, however many jobs were finished before.
            models.Index(
                fields=["id"],
                condition=Q(status=BookingStatus.COMPLETED, put_away_at__isnull=True),
                name="booking_to_put_away",
            ),
            models.Index(fields=["created_at"], condition=Q(status=BookingStatus.DRAFT), name="booking_old_drafts"),
            models.Index(
                fields=["placed_at"],
                condition=Q(status=BookingStatus.OPEN, target_passed_at__isnull=True),
                name="booking_on_target",
            ),
            # The desk's list: by state, by category, by day.
            models.Index(fields=["status", "id"], name="booking_of_status"),
            models.Index(fields=["category", "id"], name="booking_of_category"),
            models.Index(fields=["window_start", "id"], name="booking_of_day"),
            models.Index(fields=["placed_at"], name="booking_placed"),
        ]

    def __str__(self) -> str:
        return self.title or "Untitled job"

    def set_place(self, latitude: float | None, longitude: float | None) -> list[str]:
        """Set the exact point and the rounded one together; returns the names of the fields it set."""
        self.latitude, self.longitude = latitude, longitude
        self.area_latitude = self.area_longitude = None
        if latitude is not None and longitude is not None:
            self.area_latitude, self.area_longitude = area_point(Point(latitude, longitude))
        return ["latitude", "longitude", "area_latitude", "area_longitude"]

    @property
    def zone(self) -> ZoneInfo:
        """The job site's time zone, in which its times are shown."""
        return ZoneInfo(self.time_zone)

    @property
    def public_point(self) -> Point | None:
        """The rounded point that anybody who may see the job may see."""
        if self.area_latitude is None or self.area_longitude is None:
            return None
        return Point(self.area_latitude, self.area_longitude)

    @property
    def duration(self) -> timedelta:
        """How long the visit is expected to take."""
        return timedelta(minutes=self.duration_minutes or 0)

    @property
    def latest_start(self) -> datetime | None:
        """The last moment at which the visit can start and still end inside the window."""
        return self.window_end - self.duration if self.window_end else None

    @property
    def budget_hint(self) -> Money | None:
        """What the customer hopes to pay."""
        return None if self.budget is None else Money(self.budget, self.currency)

    @property
    def fee(self) -> Money | None:
        """The stored cancellation fee; None unless the booking was called off or nobody was there."""
        return None if self.fee_amount is None else Money(self.fee_amount, self.currency)

    @property
    def is_active(self) -> bool:
        """Whether somebody still waits for something."""
        return self.status in (BookingStatus.OPEN, BookingStatus.ASSIGNED, BookingStatus.IN_PROGRESS)

    @property
    def address_lines(self) -> list[str]:
        """The exact address, line by line. Ask `access.contact_visible` before showing it."""
        lines = (self.address_line1, self.address_line2, f"{self.town} {self.postcode}".strip())
        return [line for line in lines if line]


class BookingPhoto(LiveModel):
    """A picture of what is to be done. It has no URL of its own: a view that asks who is looking serves it."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="photos")
    image = models.ImageField(upload_to=photo_path)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"Photo {self.pk} of {self.booking_id}"


class Bid(LiveModel):
    """A technician's offer on a booking; an edit makes the next revision of the same bid."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="bids")
    technician = models.ForeignKey(Technician, on_delete=models.PROTECT, related_name="bids")
    revision = models.PositiveSmallIntegerField(default=1)
    amount = money_field()
    currency = currency_field(default=settings.DEFAULT_CURRENCY)
    message = models.CharField(max_length=500, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    valid_until = models.DateTimeField()
    status = models.CharField(max_length=12, choices=BidStatus, default=BidStatus.SUBMITTED)
    outcome = models.CharField(max_length=200, blank=True, help_text="Why it ended, as its technician reads it.")
    submitted_at = models.DateTimeField(default=timezone.now)
    revised_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar = BidQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            known("status", BidStatus, "bid_status_is_known"),
            models.UniqueConstraint(fields=["booking", "technician"], name="bid_once_a_technician"),
            models.UniqueConstraint(
                fields=["booking"], condition=Q(status=BidStatus.ACCEPTED), name="bid_accepted_once_a_booking"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="bid_amount_is_positive"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="bid_times_in_order"),
            models.CheckConstraint(condition=Q(revision__gte=1), name="bid_revision_from_one"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["valid_until"], condition=Q(status=BidStatus.SUBMITTED), name="bid_standing_validity"),
            models.Index(fields=["technician", "status"], name="bid_of_technician"),
        ]

    def __str__(self) -> str:
        return f"{self.price} (revision {self.revision})"

    @property
    def price(self) -> Money:
        """What the technician asks."""
        return Money(rounded(self.amount, self.currency), self.currency)

    @property
    def may_return(self) -> bool:
        """Whether its technician may submit it again as a new revision while the booking is open."""
        return self.status in REVIVABLE_BID


class BidRevision(models.Model):
    """What a bid said at one revision. Rows are only added."""

    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="revisions")
    revision = models.PositiveSmallIntegerField()
    amount = money_field()
    currency = currency_field()
    message = models.CharField(max_length=500, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    valid_until = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("revision",)
        constraints: ClassVar = [models.UniqueConstraint(fields=["bid", "revision"], name="bid_revision_once")]

    def __str__(self) -> str:
        return f"{Money(self.amount, self.currency)} (revision {self.revision})"


class Session(LiveModel):
    """The visit. A booking has one active visit; a re-opened booking gets another with the next technician."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="sessions")
    bid = models.ForeignKey(Bid, on_delete=models.PROTECT, related_name="sessions")
    technician = models.ForeignKey(Technician, on_delete=models.PROTECT, related_name="sessions")
    status = models.CharField(max_length=12, choices=SessionStatus, default=SessionStatus.PENDING)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    travel_minutes = models.PositiveSmallIntegerField(help_text="The buffer after the visit, and the way to it.")
    # End plus travel, stored: PostgreSQL indexes only immutable expressions, and timestamptz + interval is not.
    blocked_until = models.DateTimeField()
    overlap_allowed = models.BooleanField(default=False, help_text="An admin let this visit overlap another.")
    start_code = models.CharField(max_length=4, help_text="Shown to the customer, asked for by the technician.")
    code_failures = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    checked_in_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    paused_seconds = models.PositiveIntegerField(default=0)
    pause_reason = models.CharField(max_length=200, blank=True)
    finished_at = models.DateTimeField(null=True)

    objects: ClassVar = SessionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            known("status", SessionStatus, "session_status_is_known"),
            models.UniqueConstraint(
                fields=["booking"], condition=Q(status__in=ACTIVE_SESSION), name="session_active_once_a_booking"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at"), blocked_until__gte=F("ends_at")), name="session_times_in_order"
            ),
            models.CheckConstraint(
                condition=~Q(status=SessionStatus.PAUSED) | Q(paused_at__isnull=False), name="session_pause_has_a_start"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=(SessionStatus.LIVE, SessionStatus.PAUSED, SessionStatus.COMPLETED))
                | Q(started_at__isnull=False),
                name="session_clock_has_a_start",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["technician", "starts_at"], name="session_of_technician"),
            models.Index(fields=["starts_at"], name="session_of_day"),
            models.Index(
                fields=["starts_at"],
                condition=Q(status__in=(SessionStatus.PENDING, SessionStatus.WAITING)),
                name="session_not_begun",
            ),
            models.Index(fields=["finished_at"], condition=Q(status=SessionStatus.COMPLETED), name="session_finished"),
            models.Index(fields=["status"], condition=Q(status__in=ACTIVE_SESSION), name="session_in_hand"),
            models.Index(fields=["created_at"], name="session_made"),
        ]

    def __str__(self) -> str:
        return f"Visit {self.pk} ({self.get_status_display()})"

    @property
    def is_active(self) -> bool:
        """Neither over nor called off."""
        return self.status in ACTIVE_SESSION

    @property
    def leave_by(self) -> datetime:
        """When the technician should set off."""
        return self.starts_at - timedelta(minutes=self.travel_minutes)

    def worked(self, now: datetime) -> timedelta:
        """The work clock: since the start, without the pauses; zero before the start."""
        if self.started_at is None:
            return timedelta()
        until = self.finished_at or self.paused_at or now
        return max(until - self.started_at - timedelta(seconds=self.paused_seconds), timedelta())

    def paused_by(self, now: datetime) -> int:
        """The seconds of all pauses so far, the one that runs now included."""
        running = now - self.paused_at if self.paused_at else timedelta()
        return self.paused_seconds + max(int(running.total_seconds()), 0)

    def clock_stopped(self, now: datetime) -> dict[str, Any]:
        """The columns of a work clock that stops for good at `now`, a pause that runs taken off."""
        return {"finished_at": now, "paused_seconds": self.paused_by(now), "paused_at": None}

    @property
    def tried_from(self) -> datetime:
        """From when trying to reach the other side counts towards a no-show: not from a check-in of the day before."""
        return max(self.checked_in_at or self.starts_at, self.starts_at - COMING_EARLY)

    @property
    def clock_from(self) -> datetime | None:
        """The instant from which a running work clock counts, pauses taken off; None unless it runs."""
        if self.status != SessionStatus.LIVE or self.started_at is None:
            return None
        return self.started_at + timedelta(seconds=self.paused_seconds)


class CompletionNote(LiveModel):
    """What was done, as the technician left it."""

    session = models.OneToOneField(Session, on_delete=models.CASCADE, related_name="completion")
    note = models.TextField(max_length=2000)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.note[:60]


class CompletionPhoto(LiveModel):
    """A picture of what was done."""

    completion = models.ForeignKey(CompletionNote, on_delete=models.CASCADE, related_name="photos")
    image = models.ImageField(upload_to=photo_path)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"Photo {self.pk} of completion {self.completion_id}"


class RescheduleProposal(LiveModel):
    """A wish to move the visit; it moves when the other side agrees."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="proposals")
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    party = models.CharField(max_length=10, choices=Party, help_text="The side that proposes.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    message = models.CharField(max_length=300, blank=True)
    status = models.CharField(max_length=10, choices=ProposalStatus, default=ProposalStatus.PROPOSED)
    fee_floor = money_field(default=Decimal(0), help_text="What a cancellation cost when a customer proposed this.")
    proposed_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("proposed_at", "id")
        constraints: ClassVar = [
            known("status", ProposalStatus, "proposal_status_is_known"),
            models.UniqueConstraint(
                fields=["session"], condition=Q(status=ProposalStatus.PROPOSED), name="proposal_one_at_a_time"
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="proposal_times_in_order"),
        ]

    def __str__(self) -> str:
        return f"Move visit {self.session_id} to {self.starts_at:%Y-%m-%d %H:%M} UTC"


class ContactAttempt(LiveModel):
    """Somebody tried to reach the other side; without one there is no no-show (rule 11)."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="contact_attempts")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    party = models.CharField(max_length=10, choices=Party, help_text="The side that tried.")
    channel = models.CharField(max_length=8, choices=ContactChannel)
    note = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.at:%H:%M} UTC"


class BookingHistory(HistoryRow):
    """The transitions of a booking."""

    subject = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="history")

    class Meta(HistoryRow.Meta):
        indexes: ClassVar[list[Any]] = [
            *HistoryRow.Meta.indexes,
            models.Index(fields=["subject", "at"], name="booking_history_order"),
        ]


class BidHistory(HistoryRow):
    """The transitions of a bid."""

    subject = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="history")

    class Meta(HistoryRow.Meta):
        indexes: ClassVar[list[Any]] = [
            *HistoryRow.Meta.indexes,
            models.Index(fields=["subject", "at"], name="bid_history_order"),
        ]


class SessionHistory(HistoryRow):
    """The transitions of a visit."""

    subject = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="history")

    class Meta(HistoryRow.Meta):
        indexes: ClassVar[list[Any]] = [
            *HistoryRow.Meta.indexes,
            models.Index(fields=["subject", "at"], name="session_history_order"),
        ]


class ProposalHistory(HistoryRow):
    """The transitions of a proposal to move a visit."""

    subject = models.ForeignKey(RescheduleProposal, on_delete=models.CASCADE, related_name="history")

    class Meta(HistoryRow.Meta):
        verbose_name_plural = "proposal histories"
        indexes: ClassVar[list[Any]] = [
            *HistoryRow.Meta.indexes,
            models.Index(fields=["subject", "at"], name="proposal_history_order"),
        ]
