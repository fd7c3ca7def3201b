"""What pages show of somebody who is on the way, loaded for many at once.

The one place that puts a position in front of a customer: a journey that is open and the traveller's position are read
in one statement, so what was stamped after the journey's end cannot be in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from accounts.models import Role
from bookings.live.customer import booking_customer
from bookings.models import Booking
from bookings.rules.words import clock_time
from common.geo import Point, distance_km
from tracking.actions.journeys import remaining
from tracking.models import Journey, Position, ShareLink
from tracking.places import place_name
from tracking.rules.ages import LIVE, state_of
from tracking.rules.eta import minutes_of, minutes_words, step_of, window
from tracking.topics import STANDING_LINK, journey_topic


@dataclass(frozen=True)
class Trip:
    """A journey that is open, with where its traveller was last."""

    journey: Journey
    position: Position | None
    now: datetime

    @property
    def pk(self) -> int:
        """The journey's id."""
        return self.journey.pk

    @property
    def topic(self) -> str:
        """Where its marker moves."""
        return journey_topic(self.pk)

    @property
    def booking(self) -> Booking:
        """The job it leads to."""
        return self.journey.booking

    @property
    def name(self) -> str:
        """The traveller's first name; surnames are for nobody."""
        return self.journey.traveller.first_name

    @property
    def cargo(self) -> str:
        """What a driver brings or fetches; nothing for a technician."""
        return str(self.journey.dispatch.leg) if self.journey.dispatch else ""

    @property
    def vehicle(self) -> str:
        """What to look out for."""
        return self.journey.dispatch.driver.vehicle_words if self.journey.dispatch else ""

    @property
    def point(self) -> Point | None:
        """Where they were last; None before the first believable fix."""
        return self.position.point if self.position else None

    @property
    def heading(self) -> float | None:
        """The direction of travel, while they move."""
        return self.position.heading if self.position else None

    @property
    def accuracy(self) -> float | None:
        """How exact it is, in metres."""
        return self.position.accuracy if self.position else None

    @property
    def seen_at(self) -> datetime:
        """When they were last heard of; before the first fix, when they set out."""
        return self.position.seen_at if self.position and self.point else self.journey.opened_at

    @property
    def state(self) -> str:
        """live, stale or lost."""
        return state_of(self.now - self.seen_at)

    @property
    def is_live(self) -> bool:
        """Whether it is as good as now."""
        return self.state == LIVE

    @property
    def is_near(self) -> bool:
        """Whether they are within the geofence."""
        return self.journey.near_at is not None

    @cached_property
    def left(self) -> timedelta | None:
        """How long they still take; None before the first fix."""
        if self.position is None or self.point is None:
            return None
        return remaining(self.journey, self.position, now=self.now)

    @cached_property
    def minutes(self) -> int | None:
        """The same in whole minutes."""
        return None if self.left is None else minutes_of(self.left)

    @property
    def eta_words(self) -> str:
        """about 12 min."""
        return "" if self.minutes is None else minutes_words(self.minutes)

    @property
    def step(self) -> int | None:
        """Of 15, 10 and 5 minutes the smallest that they are within: what a screen reader is told."""
        return step_of(self.minutes)

    @property
    def arrival(self) -> str:
        """between 14:05 and 14:15 GMT, in the job's zone."""
        if self.left is None:
            return ""
        start, end = window(self.now, self.left)
        zone = self.booking.zone
        return f"between {clock_time(start, zone)} and {clock_time(end, zone)} {end.astimezone(zone):%Z}"

    @property
    def distance(self) -> str:
        """2.1 km; 300 m: as the crow flies."""
        if self.point is None:
            return ""
        metres = distance_km(self.point, self.journey.destination) * 1000
        return f"{metres / 1000:.1f} km" if metres >= 950 else f"{max(round(metres, -1), 10):.0f} m"

    @cached_property
    def near(self) -> str:
        """The name of the part of town they were seen in, where it is known."""
        return place_name(self.point) if self.point else ""


def open_journeys() -> QuerySet[Journey]:
    """Journeys under way with all that a `Trip` reads, joined in one statement.

    Of people who may travel only: the clock closes the journeys of others, and until then they are not shown either.
    """
    may_travel = Q(dispatch__isnull=False) | Q(traveller__role=Role.TECHNICIAN)
    rows = Journey.objects.filter(may_travel, closed_at__isnull=True, traveller__is_active=True)
    return rows.select_related("booking__customer", "traveller__position", "dispatch__leg", "dispatch__driver")


def trips_of(journeys: Iterable[Journey], now: datetime | None = None) -> list[Trip]:
    """As `Trip`s; `journeys` come from `open_journeys`."""
    now = now or timezone.now()
    return [Trip(each, getattr(each.traveller, "position", None), now) for each in journeys]


def load_trips(keys: Sequence[str]) -> Mapping[str, Trip]:
    """Open journeys by key."""
    rows = open_journeys().filter(pk__in=[int(key) for key in keys])
    return {str(trip.pk): trip for trip in trips_of(rows)}


def trip_behind(link: ShareLink) -> Trip | None:
    """What a share link shows; None once it shows nothing, by the rule that its open pages are asked by."""
    if not ShareLink.objects.filter(STANDING_LINK, pk=link.pk).exists():
        return None
    return load_trips([str(link.journey_id)]).get(str(link.journey_id))


def load_work_trips(keys: Sequence[str]) -> Mapping[str, Trip]:
    """Those of technicians."""
    return {key: trip for key, trip in load_trips(keys).items() if trip.journey.session_id}


@dataclass(frozen=True)
class Ride:
    """Everybody who is on the way to a job."""

    booking: Booking
    trips: Sequence[Trip]

    @property
    def topic(self) -> str:
        """Where what only the customer sees of it stands."""
        return booking_customer(self.booking.pk)


def load_rides(keys: Sequence[str]) -> Mapping[str, Ride]:
    """The rides to jobs by key; jobs that nobody is on the way to are missing."""
    rides: dict[int, list[Trip]] = defaultdict(list)
    for trip in trips_of(open_journeys().filter(booking__in=[int(key) for key in keys]).order_by("opened_at", "pk")):
        rides[trip.booking.pk].append(trip)
    return {str(pk): Ride(trips[0].booking, trips) for pk, trips in rides.items()}


@dataclass(frozen=True)
class Sharing:
    """An open journey and its link that stands, if any, as the customer sees it."""

    journey: Journey
    link: ShareLink | None


def load_sharings(keys: Sequence[str]) -> Mapping[str, Sharing]:
    """What is shared of open journeys, by key."""
    standing = Prefetch("links", ShareLink.objects.filter(revoked_at__isnull=True), to_attr="standing")
    rows = Journey.objects.filter(pk__in=[int(key) for key in keys], closed_at__isnull=True)
    found = rows.select_related("traveller").prefetch_related(standing)
    return {str(each.pk): Sharing(each, next(iter(each.standing), None)) for each in found}
