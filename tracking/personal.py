"""What tracking holds about a person, what must have ended, and how it forgets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef

from accounts.holdings import Holding, Section, claim_rows, hold, values_of
from accounts.models import Role, User
from bookings.models import Booking
from realtime.bulk import bulk_delete, bulk_save, bulk_update
from tracking.models import (
    Dispatch,
    DispatchHistory,
    Driver,
    Fix,
    Journey,
    Position,
    RefusedFixes,
    ShareLink,
    Shift,
    ShiftHistory,
)
from tracking.states import HOLDING_DISPATCH


def sections(user: User) -> Iterable[Section]:
    """Their vehicle, shifts, legs and ways."""
    yield Section("vehicle", values_of(Driver.objects.filter(pk=user.pk), "vehicle", "plate", "capacity_kg"))
    yield Section("shifts", values_of(Shift.objects.filter(user=user.pk), "duty", "started_at", "ended_at"))
    steps = ShiftHistory.objects.filter(subject__user=user.pk)
    yield Section("shift_history", values_of(steps, "subject_id", "from_state", "to_state", "at"))
    legs = Dispatch.objects.filter(driver=user.pk)
    yield Section("legs", values_of(legs, "leg_id", "leg__note", "status", "reason", "offered_at", "answered_at",
                                    "ended_at"))  # fmt: skip
    ways = Journey.objects.filter(traveller=user.pk)
    yield Section("journeys", values_of(ways, "booking_id", "opened_at", "closed_at", "end"))
    yield Section("positions", values_of(Fix.objects.filter(user=user.pk), "at", "latitude", "longitude", "accuracy"))


def running(user: User) -> Iterable[str]:
    """A shift, a leg and a way; one query."""
    found = User.objects.filter(pk=user.pk).values_list(
        Exists(Shift.objects.filter(user=OuterRef("pk"), ended_at__isnull=True)),
        Exists(Dispatch.objects.filter(driver=OuterRef("pk"), status__in=HOLDING_DISPATCH)),
        Exists(Journey.objects.filter(traveller=OuterRef("pk"), closed_at__isnull=True)),
    )
    for on_duty, has_leg, on_way in found:
        if on_duty:
            yield "They are on duty."
        if has_leg:
            yield "A leg is offered to them or in their hands."
        if on_way:
            yield "They are on the way to a customer."


def claim(user: User) -> None:
    """Their vehicle and legs, and the ways to their jobs, in the order of `actions.moves`."""
    claim_rows(
        Driver.objects.filter(pk=user.pk),
        Dispatch.objects.filter(driver=user.pk),
        Journey.objects.filter(booking__in=Booking.objects.filter(customer=user.pk).values("pk")),
    )


def forget(user: User, now: datetime) -> None:
    """Where they were, what they drive, the links they shared, and the exact places of their own jobs."""
    Fix.objects.filter(user=user.pk).delete()
    RefusedFixes.objects.filter(user=user.pk).delete()
    bulk_delete(Position.objects.filter(user=user.pk))
    bulk_delete(ShareLink.objects.filter(made_by=user.pk))
    bulk_update(Driver.objects.filter(pk=user.pk), plate="")
    bulk_update(Dispatch.objects.filter(driver=user.pk).exclude(reason=""), reason="")
    for history in (DispatchHistory, ShiftHistory):
        own = history._default_manager.filter(actor=user.pk).exclude(actor_role=Role.ADMIN)
        bulk_update(own.exclude(reason=""), reason="")
    theirs = Booking.objects.filter(customer=user.pk, area_latitude__isnull=False)
    ways = list(Journey.objects.filter(booking__in=theirs).select_related("booking"))
    for way in ways:
        way.latitude, way.longitude = way.booking.public_point or way.destination
    bulk_save(ways, ["latitude", "longitude"])


hold(Holding("tracking", sections=sections, running=running, claim=claim, forget=forget))
