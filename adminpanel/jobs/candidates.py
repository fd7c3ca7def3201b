"""Whom the desk could send to a job: technicians with the skill, the free and the near first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, F, FloatField, QuerySet, When
from django.db.models.functions import Power

from accounts.models import Role, Technician
from bookings.models import Bid, Booking, Session
from bookings.rules.numbers import minutes
from bookings.rules.words import span
from bookings.states import BidStatus
from common.geo import Point, distance_km
from common.money import Money

MOST = 60  # technicians that are looked at
SHOWN = 6  # the rest are folded away


@dataclass(frozen=True)
class Candidate:
    """A technician who could be sent, and what speaks for and against."""

    technician: Technician
    km: float
    offered: Money | None
    busy: str = ""  # when, where their time is taken

    @property
    def pk(self) -> int:
        """The technician's."""
        return int(self.technician.pk)

    @property
    def key(self) -> str:
        """As the form names them."""
        return str(self.pk)

    @property
    def name(self) -> str:
        """In full."""
        return str(self.technician)

    @property
    def is_far(self) -> bool:
        """Whether the job is beyond where they usually go."""
        return self.km > self.technician.radius_km

    @property
    def words(self) -> list[str]:
        """What a line about them says."""
        return [
            f"{self.km:.1f} km from {self.technician.base_label}",
            *(["further than they usually go"] if self.is_far else []),
            *([f"offers {self.offered}"] if self.offered else []),
            *([f"busy {self.busy}"] if self.busy else ["free then"]),
        ]

    @property
    def rank(self) -> tuple[bool, bool, bool, float]:
        """The free first, then those who offered, then the near."""
        return bool(self.busy), self.offered is None, self.is_far, self.km


def candidates(
    booking: Booking, bids: Sequence[Bid], starts_at: datetime, ends_at: datetime, *, besides: int | None, now: datetime
) -> list[Candidate]:
    """The technicians who could come then, best first; whose offer the customer declined is left out. Two queries."""
    offers = {bid.technician_id: bid for bid in bids}
    no = {pk for pk, bid in offers.items() if bid.status == BidStatus.REJECTED} | {booking.customer_id, besides or 0}
    point = booking.public_point
    near = list(nearest(skilled(booking).exclude(pk__in=no), point, list(offers))[:MOST])
    taken = clashes(near, starts_at, ends_at, booking)
    found = [
        Candidate(each, km(each, point), price_of(offers.get(each.pk)), when_of(taken.get(each.pk), now))
        for each in near
    ]
    return sorted(found, key=lambda each: each.rank)


def skilled(booking: Booking) -> QuerySet[Technician]:
    """Everybody who takes such jobs."""
    rows = Technician.objects.filter(
        verified_at__isnull=False,
        user__is_active=True,
        user__role=Role.TECHNICIAN,
        skills__categories=booking.category_id,
    )
    return rows.select_related("user")


def nearest(rows: QuerySet[Technician], point: Point | None, first: Sequence[int]) -> QuerySet[Technician]:
    """Those in `first`, then the others by their distance: on a flat map, which orders well enough."""
    if point is None:
        return rows.order_by("user__name", "pk")
    east = (F("base_longitude") - point.longitude) * math.cos(math.radians(point.latitude))
    away = Power(F("base_latitude") - point.latitude, 2.0) + Power(east, 2.0)
    return rows.order_by(Case(When(pk__in=first, then=0.0), default=away, output_field=FloatField()), "pk")


def km(technician: Technician, point: Point | None) -> float:
    """How far the job's area is from their base, as the crow flies."""
    base = Point(technician.base_latitude, technician.base_longitude)
    return distance_km(base, point) if point is not None else 0.0


def clashes(people: Sequence[Technician], start: datetime, end: datetime, booking: Booking) -> dict[int, Session]:
    """Visits of theirs that would overlap one from `start` to `end`, travel included."""
    rows = Session.objects.active().filter(
        technician__in=[each.pk for each in people],
        overlap_allowed=False,
        starts_at__lt=end + minutes("TRAVEL_MINUTES"),
        blocked_until__gt=start,
    )
    return {row.technician_id: row for row in rows.exclude(booking=booking.pk).select_related("booking")}


def price_of(bid: Bid | None) -> Money | None:
    """What they asked, while that stands."""
    return bid.price if bid is not None and bid.status == BidStatus.SUBMITTED else None


def when_of(visit: Session | None, now: datetime) -> str:
    """The time of a visit."""
    return span(visit.starts_at, visit.ends_at, visit.booking.zone, now=now) if visit is not None else ""
