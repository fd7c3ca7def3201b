"""What is asked of the tables of bookings, each in a constant number of queries."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db.models import Count, F, FilteredRelation, FloatField, Max, Min, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import ASin, Cos, Least, Power, Radians, Sin, Sqrt
from django.utils import timezone

from bookings import states
from bookings.rules.numbers import minutes
from common.geo import EARTH_KM, Point, box_around
from realtime.models import LiveQuerySet

if TYPE_CHECKING:
    from accounts.models import Technician
    from bookings.models import Bid, Booking, Review, Session  # noqa: F401 (named in the bases)


def kilometres_from(point: Point) -> Combinable:
    """The haversine distance between `point` and a row's rounded point, in km, computed by the database."""
    here, there = Value(math.radians(point.latitude), output_field=FloatField()), Radians(F("area_latitude"))
    east = Radians(F("area_longitude")) - Value(math.radians(point.longitude), output_field=FloatField())
    a = Power(Sin((there - here) / 2.0), 2) + Cos(here) * Cos(there) * Power(Sin(east / 2.0), 2)
    return ASin(Least(Sqrt(a), 1.0)) * Value(2 * EARTH_KM, output_field=FloatField())


class BookingQuerySet(LiveQuerySet["Booking"]):
    """Questions about bookings."""

    def open_for_bids(self, now: datetime | None = None) -> Self:
        """Those that take bids at this moment."""
        return self.filter(status=states.BookingStatus.OPEN, expires_at__gt=now or timezone.now())

    def near(self, technician: Technician, *, within_km: float | None = None, now: datetime | None = None) -> Self:
        """The marketplace of a technician: open jobs of their skills within their radius, as `distance_km`.

        Distances are counted from the rounded point, never from the address (rule 9).
        """
        base = Point(technician.base_latitude, technician.base_longitude)
        km = min(within_km or technician.radius_km, technician.radius_km)
        box = box_around(base, km)
        return (
            self.open_for_bids(now)
            .filter(area_latitude__range=(box.south, box.north), area_longitude__range=(box.west, box.east))
            .filter(category__skill__in=technician.skills.all())
            .annotate(distance_km=kilometres_from(base))
            .filter(distance_km__lte=km)
        )

    def with_bids(self) -> Self:
        """Annotates `bid_count` and `best_amount` (the lowest), both of submitted bids only."""
        standing = Q(bids__status=states.BidStatus.SUBMITTED)
        return self.annotate(
            bid_count=Count("bids", filter=standing, distinct=True), best_amount=Min("bids__amount", filter=standing)
        )

    def with_own_bid(self, technician: Technician) -> Self:
        """Annotates `own_bid_id`, `own_bid_status` and `own_bid_amount` of that technician, null without a bid."""
        own = FilteredRelation("bids", condition=Q(bids__technician=technician))
        return self.annotate(own_bid=own).annotate(
            own_bid_status=F("own_bid__status"), own_bid_amount=F("own_bid__amount")
        )

    def with_end(self) -> Self:
        """Annotates `ended_at`: when it last changed its state."""
        return self.annotate(ended_at=Max("history__at"))

    def past_target(self) -> Self:
        """Open ones that have waited too long for a technician, as the clock has found."""
        return self.filter(status=states.BookingStatus.OPEN, target_passed_at__isnull=False)

    def late(self, now: datetime | None = None) -> Self:
        """Assigned ones whose technician should have checked in by now."""
        due = (now or timezone.now()) - minutes("LATE_MINUTES")
        waiting = {"sessions__status": states.SessionStatus.PENDING, "sessions__starts_at__lte": due}
        return self.filter(status=states.BookingStatus.ASSIGNED, **waiting)

    def for_lists(self) -> Self:
        """Joins what a row in a list shows."""
        return self.select_related("category", "category__skill", "customer")


class BidQuerySet(LiveQuerySet["Bid"]):
    """Questions about bids."""

    def standing(self) -> Self:
        """Those that may still win."""
        return self.filter(status=states.BidStatus.SUBMITTED)

    def ranked(self) -> Self:
        """Cheapest first, the earlier of two equal ones ahead."""
        return self.order_by("amount", "revised_at", "pk")

    def for_lists(self) -> Self:
        """Joins what a row in a list shows."""
        return self.select_related("technician__user", "booking")


class SessionQuerySet(LiveQuerySet["Session"]):
    """Questions about visits."""

    def active(self) -> Self:
        """Those that are neither over nor called off."""
        return self.filter(status__in=states.ACTIVE_SESSION)

    def overlapping(self, technician_id: int, start: datetime, blocked_until: datetime) -> Self:
        """The technician's active visits that share a moment with [start, blocked_until), overrides left out."""
        return self.active().filter(
            technician_id=technician_id, overlap_allowed=False, starts_at__lt=blocked_until, blocked_until__gt=start
        )

    def for_pages(self) -> Self:
        """Joins what a page about a visit shows."""
        return self.select_related("booking__category", "booking__customer", "technician__user", "bid")


class ReviewQuerySet(LiveQuerySet["Review"]):
    """Questions about reviews. What is sealed is nobody's but its author's: every look begins with one of these."""

    def shown(self) -> Self:
        """Those that everybody may read, and that count in averages: a flag alone hides nothing."""
        return self.filter(status__in=states.SHOWN_REVIEW)

    def opened(self) -> Self:
        """Those whose seal is broken, the hidden ones too: what the desk may read."""
        return self.exclude(status=states.ReviewStatus.SUBMITTED)

    def readable_by(self, party: str) -> Self:
        """Those that one of the two sides of their jobs may know of: its own, and the other's once it is open."""
        return self.filter(Q(party=party) | ~Q(status=states.ReviewStatus.SUBMITTED))

    def with_people(self) -> Self:
        """Joins what a line about a review shows."""
        return self.select_related("author", "about", "booking")
