"""Drivers, shifts, legs and who takes them, journeys, positions: the tables and what one row tells."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from bookings.models import LATITUDE, LONGITUDE, Booking, Session
from common.constraints import known
from common.geo import Point
from common.history import HistoryRow
from realtime.models import LiveModel
from tracking.states import (
    ACTIVE_DISPATCH,
    HOLDING_DISPATCH,
    DispatchStatus,
    Duty,
    JourneyEnd,
    LegKind,
    Refused,
    VehicleKind,
)


def new_token() -> str:
    """A share link's secret: 192 bits, of letters that a topic's name may hold."""
    return secrets.token_urlsafe(24)


# --- Drivers and their shifts ---------------------------------------------------------------------


class DriverSkill(models.Model):
    """What some legs need and not every driver can: towing, heavy goods."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Driver(LiveModel):
    """What a driver adds to a user: the vehicle, and what dispatch asks about."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="driver", primary_key=True)
    vehicle = models.CharField(max_length=8, choices=VehicleKind, default=VehicleKind.VAN)
    plate = models.CharField(max_length=12, blank=True)
    capacity_kg = models.PositiveIntegerField("capacity (kg)", default=500)
    skills = models.ManyToManyField(DriverSkill, related_name="drivers", blank=True)

    class Meta:
        constraints: ClassVar = [known("vehicle", VehicleKind, "driver_vehicle_is_known")]

    def __str__(self) -> str:
        return str(self.user)

    @property
    def vehicle_words(self) -> str:
        """The vehicle as people recognise it: Van AB12 CDE."""
        return f"{self.get_vehicle_display()} {self.plate}".strip()


class Shift(LiveModel):
    """A stretch of work: on duty, on a break and back, until it ends. Nothing is collected outside `on_duty`."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="shifts")
    duty = models.CharField(max_length=8, choices=Duty, default=Duty.ON_DUTY)
    started_at = models.DateTimeField()
    duty_since = models.DateTimeField(help_text="When it came into its present state.")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            known("duty", Duty, "shift_duty_is_known"),
            models.UniqueConstraint(fields=["user"], condition=~Q(duty=Duty.OFF_DUTY), name="shift_one_a_person"),
            models.CheckConstraint(
                condition=Q(duty=Duty.OFF_DUTY, ended_at__isnull=False)
                | (~Q(duty=Duty.OFF_DUTY) & Q(ended_at__isnull=True)),
                name="shift_off_duty_has_an_end",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["user", "started_at"], name="shift_of_person")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.duty} since {self.duty_since:%H:%M}"


class ShiftHistory(HistoryRow):
    """The transitions of a shift: replayed, they say when positions were collected."""

    subject = models.ForeignKey(Shift, on_delete=models.CASCADE, related_name="history")

    class Meta(HistoryRow.Meta):
        indexes: ClassVar[list[Any]] = [
            *HistoryRow.Meta.indexes,
            models.Index(fields=["subject", "at"], name="shift_history_order"),
        ]


# --- Legs and who takes them ----------------------------------------------------------------------


class Leg(LiveModel):
    """Something to be driven for a booking. Who does it is a dispatch; what became of it is derived from those."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="legs")
    kind = models.CharField(max_length=8, choices=LegKind, default=LegKind.DELIVERY)
    note = models.CharField("what", max_length=200, help_text="As the driver and the customer read it.")
    weight_kg = models.PositiveIntegerField("weight (kg)", default=0)
    skill = models.ForeignKey(DriverSkill, on_delete=models.PROTECT, null=True, blank=True, related_name="legs")
    pick_up = models.CharField("from", max_length=120, blank=True, help_text="Where to fetch it, if anywhere.")
    pick_up_latitude = models.FloatField(null=True, blank=True, validators=LATITUDE)
    pick_up_longitude = models.FloatField(null=True, blank=True, validators=LONGITUDE)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    cancelled_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            known("kind", LegKind, "leg_kind_is_known"),
            models.CheckConstraint(
                condition=Q(pick_up_latitude__isnull=True, pick_up_longitude__isnull=True)
                | Q(pick_up_latitude__isnull=False, pick_up_longitude__isnull=False),
                name="leg_pick_up_is_whole",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], condition=Q(cancelled_at__isnull=True), name="leg_not_cancelled")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.note}"

    @property
    def starts_from(self) -> Point | None:
        """Where it is fetched; None where the driver comes straight."""
        if self.pick_up_latitude is None or self.pick_up_longitude is None:
            return None
        return Point(self.pick_up_latitude, self.pick_up_longitude)


class OfferRound(LiveModel):
    """The best few drivers for a leg, asked one after another until one accepts."""

    leg = models.ForeignKey(Leg, on_delete=models.CASCADE, related_name="rounds")
    drivers = models.JSONField(help_text="Their ids, in the order in which they are asked.")
    asked = models.PositiveSmallIntegerField(default=0, help_text="How many of them have been asked, or passed over.")
    seconds = models.PositiveSmallIntegerField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["leg"], condition=Q(ended_at__isnull=True), name="round_one_a_leg")
        ]


class Dispatch(LiveModel):
    """One driver's part in one leg: asked, and what became of it."""

    leg = models.ForeignKey(Leg, on_delete=models.CASCADE, related_name="dispatches")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="dispatches")
    round = models.ForeignKey(OfferRound, on_delete=models.SET_NULL, null=True, related_name="dispatches")
    status = models.CharField(max_length=10, choices=DispatchStatus, default=DispatchStatus.OFFERED)
    offered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    offered_at = models.DateTimeField()
    deadline = models.DateTimeField(help_text="When the offer lapses, by the server's clock.")
    why = models.JSONField(default=list, help_text="Why this driver, in words, as the desk chose.")
    seen_at = models.DateTimeField(null=True, help_text="When the offer was on the driver's screen.")
    answered_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "dispatches"
        constraints: ClassVar = [
            known("status", DispatchStatus, "dispatch_status_is_known"),
            models.UniqueConstraint(
                fields=["leg"], condition=Q(status__in=HOLDING_DISPATCH), name="dispatch_holds_a_leg_alone"
            ),
            models.UniqueConstraint(
                fields=["driver"], condition=Q(status__in=ACTIVE_DISPATCH), name="dispatch_active_once_a_driver"
            ),
            models.CheckConstraint(condition=Q(deadline__gt=F("offered_at")), name="dispatch_deadline_ahead"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["deadline"], condition=Q(status=DispatchStatus.OFFERED), name="dispatch_to_lapse"),
            models.Index(fields=["driver", "offered_at"], name="dispatch_of_driver"),
        ]

    def __str__(self) -> str:
        return f"{self.leg_id} to {self.driver_id}: {self.status}"

    @property
    def is_active(self) -> bool:
        """Whether the driver has the leg."""
        return self.status in ACTIVE_DISPATCH


class DispatchHistory(HistoryRow):
    """The transitions of a dispatch."""

    subject = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="history")

    class Meta(HistoryRow.Meta):
        verbose_name_plural = "dispatch histories"
        indexes: ClassVar[list[Any]] = [
            *HistoryRow.Meta.indexes,
            models.Index(fields=["subject", "at"], name="dispatch_history_order"),
        ]


# --- Journeys -------------------------------------------------------------------------------------


class Journey(LiveModel):
    """Somebody is on the way to a customer: a technician to a visit, or a driver with a leg. "En route" is this
    being open, and nothing else lets the customer see a position.
    """

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="journeys")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, null=True, related_name="journeys")
    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, null=True, related_name="journeys")
    traveller = models.ForeignKey(User, on_delete=models.PROTECT, related_name="journeys")
    latitude = models.FloatField(help_text="Where it leads.", validators=LATITUDE)
    longitude = models.FloatField(validators=LONGITUDE)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    end = models.CharField(max_length=10, choices=JourneyEnd, blank=True)
    near_at = models.DateTimeField(null=True, help_text="When the traveller came within the geofence.")
    # What the banner shows: written when the minutes change, and every few seconds while fixes come.
    eta_minutes = models.PositiveSmallIntegerField(null=True)
    heard_at = models.DateTimeField(null=True)
    # The routing server's answer, where there is one.
    route_seconds = models.PositiveIntegerField(null=True)
    route_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(session__isnull=False, dispatch__isnull=True)
                | Q(session__isnull=True, dispatch__isnull=False),
                name="journey_of_a_visit_or_a_dispatch",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, end="") | (Q(closed_at__isnull=False) & ~Q(end="")),
                name="journey_closed_for_a_reason",
            ),
            models.UniqueConstraint(
                fields=["traveller"], condition=Q(closed_at__isnull=True), name="journey_one_a_traveller"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["booking", "closed_at"], name="journey_of_booking")]

    def __str__(self) -> str:
        return f"Journey {self.pk} to booking {self.booking_id}"

    @property
    def is_open(self) -> bool:
        """Whether the traveller is on the way."""
        return self.closed_at is None

    @property
    def destination(self) -> Point:
        """Where it leads."""
        return Point(self.latitude, self.longitude)


class ShareLink(LiveModel):
    """A link that shows one journey to whoever has it, without sign-in, until it is revoked or the journey ends."""

    journey = models.ForeignKey(Journey, on_delete=models.CASCADE, related_name="links")
    token = models.CharField(max_length=40, unique=True, default=new_token)
    made_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    made_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Link {self.pk} to journey {self.journey_id}"


# --- Positions ------------------------------------------------------------------------------------


class Position(LiveModel):
    """Where somebody is, as far as it is believed: the latest only. Deleted when they go off duty or arrive.

    `fix_at` is when the marker's place was measured, `seen_at` when a believable fix last said they are still
    there; never later than it was heard.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="position", primary_key=True)
    latitude = models.FloatField(null=True, validators=LATITUDE)
    longitude = models.FloatField(null=True, validators=LONGITUDE)
    accuracy = models.FloatField(null=True, help_text="Metres, 68 % (W3C Geolocation).")
    heading = models.FloatField(null=True, help_text="Degrees clockwise from north; null while still.")
    speed = models.FloatField(null=True, help_text="Metres a second.")
    pace = models.FloatField(null=True, help_text="Recent speed while moving, smoothed; metres a second.")
    fix_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(db_index=True)
    placed_at = models.DateTimeField(null=True, help_text="By the device's clock: when the place was last confirmed.")
    device_at = models.DateTimeField(
        null=True, help_text="The newest device time dealt with: what comes before is late."
    )
    received_at = models.DateTimeField(help_text="When anything last came from the device, believed or not.")
    suspects = models.JSONField(default=list, help_text="Fixes too far away to be true, unless three of them agree.")
    round_trip_ms = models.PositiveIntegerField(null=True, help_text="How long the page's heartbeat took.")

    def __str__(self) -> str:
        return f"{self.user_id} at {self.latitude}, {self.longitude}"

    @property
    def point(self) -> Point | None:
        """Where the marker stands; None before the first believable fix."""
        if self.latitude is None or self.longitude is None:
            return None
        return Point(self.latitude, self.longitude)

    def age(self, now: datetime) -> timedelta:
        """How long ago they were last seen."""
        return max(now - self.seen_at, timedelta())


class Fix(models.Model):
    """One point of somebody's track. Kept for some days, then deleted by the clock."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="fixes")
    journey = models.ForeignKey(Journey, on_delete=models.SET_NULL, null=True, related_name="fixes", db_index=False)
    at = models.DateTimeField(help_text="The device's time.")
    received_at = models.DateTimeField()
    latitude = models.FloatField()
    longitude = models.FloatField()
    accuracy = models.FloatField(null=True)
    speed = models.FloatField(null=True)
    heading = models.FloatField(null=True)
    late = models.BooleanField(default=False, help_text="From a device's queue: it joined the track and moved nothing.")

    class Meta:
        verbose_name_plural = "fixes"
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "at"], name="fix_once_a_moment")]
        indexes: ClassVar = [models.Index(fields=["at"], name="fix_to_prune")]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.at:%H:%M:%S}"


class RefusedFixes(models.Model):
    """How many fixes of one person and day were refused for one reason."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="refused_fixes")
    day = models.DateField(help_text="In UTC.")
    reason = models.CharField(max_length=16, choices=Refused)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "refused fixes"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "day", "reason"], name="refused_once_a_day_and_reason"),
            known("reason", Refused, "refused_reason_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.reason}"
