"""The states of shifts and dispatches, where each may lead, and the words for reasons."""

from __future__ import annotations

from django.db.models import TextChoices


class Duty(TextChoices):
    """Whether somebody works; a fact of its own beside connection and load."""

    ON_DUTY = "on_duty", "On duty"
    ON_BREAK = "on_break", "On a break"
    OFF_DUTY = "off_duty", "Off duty"


class DispatchStatus(TextChoices):
    """One driver's part in one leg, from the offer on."""

    OFFERED = "offered", "Offered"
    ACCEPTED = "accepted", "Accepted"
    EN_ROUTE = "en_route", "On the way"
    ARRIVED = "arrived", "Arrived"
    COMPLETED = "completed", "Finished"
    REJECTED = "rejected", "Declined"
    EXPIRED = "expired", "Lapsed"
    REVOKED = "revoked", "Taken back"
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Failed"


ACTIVE_DISPATCH = (DispatchStatus.ACCEPTED, DispatchStatus.EN_ROUTE, DispatchStatus.ARRIVED)
# What stands between a leg and another driver: an offer that waits, or a driver who has it.
HOLDING_DISPATCH = (DispatchStatus.OFFERED, *ACTIVE_DISPATCH)

DUTY_MOVES: dict[str, tuple[str, ...]] = {
    "": (Duty.ON_DUTY,),
    Duty.ON_DUTY: (Duty.ON_BREAK, Duty.OFF_DUTY),
    Duty.ON_BREAK: (Duty.ON_DUTY, Duty.OFF_DUTY),
    Duty.OFF_DUTY: (),  # the next shift is another row
}
OVER = (DispatchStatus.CANCELLED, DispatchStatus.FAILED)
DISPATCH_MOVES: dict[str, tuple[str, ...]] = {
    "": (DispatchStatus.OFFERED,),
    DispatchStatus.OFFERED: (
        DispatchStatus.ACCEPTED,
        DispatchStatus.REJECTED,
        DispatchStatus.EXPIRED,
        DispatchStatus.REVOKED,
    ),
    DispatchStatus.ACCEPTED: (DispatchStatus.EN_ROUTE, *OVER),
    DispatchStatus.EN_ROUTE: (DispatchStatus.ARRIVED, *OVER),
    DispatchStatus.ARRIVED: (DispatchStatus.COMPLETED, *OVER),
}


class LegKind(TextChoices):
    """What a driver does for a booking."""

    DELIVERY = "delivery", "Delivery"
    PICK_UP = "pick_up", "Pick-up"
    TOW = "tow", "Tow"


class VehicleKind(TextChoices):
    """What a driver drives."""

    BIKE = "bike", "Bike"
    CAR = "car", "Car"
    VAN = "van", "Van"
    TRUCK = "truck", "Truck"


class RejectReason(TextChoices):
    """Why a driver says no, in one tap."""

    TOO_FAR = "too_far", "Too far away"
    VEHICLE = "vehicle", "Does not fit my vehicle"
    SHIFT_ENDS = "shift_ends", "My shift ends soon"
    OTHER = "other", "Another reason"


class FailReason(TextChoices):
    """Why a leg could not be done."""

    NOBODY_THERE = "nobody_there", "Nobody was there"
    NO_ACCESS = "no_access", "No way to get there"
    VEHICLE = "vehicle", "Trouble with the vehicle"
    GOODS = "goods", "Something is wrong with the goods"
    OTHER = "other", "Another reason"


class JourneyEnd(TextChoices):
    """What closed a journey."""

    ARRIVED = "arrived", "Arrived"
    CANCELLED = "cancelled", "Called off"
    FAILED = "failed", "Given up"
    NO_SHOW = "no_show", "No-show"
    REASSIGNED = "reassigned", "Somebody else comes"


class Refused(TextChoices):
    """Why a fix was not taken in, as its sender reads it."""

    NO_PLACE = "no_place", "No place in it, or none on the globe"
    FUTURE = "future", "The device's clock is ahead by more than a minute"
    JUMP = "jump", "Too far from the one before to be true"
    TOO_FAST = "too_fast", "More than one a second"
    NOT_COLLECTED = "not_collected", "From a time off duty or on a break"
    TOO_OLD = "too_old", "Older than positions are kept"
    MALFORMED = "malformed", "Not readable"
