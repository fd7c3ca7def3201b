"""What follows live of somebody who is on the way: the customer's ride, its moving marker, the technician's own card.

A position stands in `tracking.journey` alone, on a topic that ends with the journey; the same piece is shown to the
customer and to whoever has a share link. All else changes only when a journey opens, nears its end or closes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from bookings.banner import lay_over
from bookings.live.banner import places as banners
from bookings.live.banner import strips
from bookings.live.customer import booking_customer
from bookings.live.technician import day, today, work, work_topic
from realtime.fragments import Fragment, also_watch, touch, watch
from tracking import trips
from tracking.banner import lines
from tracking.models import Journey, Position, ShareLink
from tracking.rules.ages import limits
from tracking.topics import journey_topic

Place = tuple[str, str]
ENDS = ("closed_at", "near_at")  # what changes seldom


# --- What a change touches ------------------------------------------------------------------------


def marker(journey_id: int) -> Place:
    """The place of a journey's marker."""
    return journey_topic(journey_id), str(journey_id)


def moved(position: Position) -> list[Place]:
    """The marker of the journey that its traveller is on; whoever takes fixes in knows it, so this costs no query."""
    journey_id: int | None = getattr(position, "journey_id", None)
    return [marker(journey_id)] if journey_id else []


def ride_of(journey: Journey) -> list[Place]:
    """The customer's card."""
    return [(booking_customer(journey.booking_id), str(journey.booking_id))]


def sharing_of(row: Journey | ShareLink) -> list[Place]:
    """The customer's share of a journey."""
    journey = row if isinstance(row, Journey) else row.journey
    return [(booking_customer(journey.booking_id), str(journey.pk))]


def trip_of(journey: Journey) -> list[Place]:
    """The technician's own card."""
    if journey.session_id is None:
        return []
    return [(work_topic(journey.booking_id, journey.traveller_id), str(journey.pk))]


def offer_of(journey: Journey) -> list[Place]:
    """The technician's offer that won the visit: its next step changes."""
    if journey.session is None:
        return []
    return [(work_topic(journey.booking_id, journey.traveller_id), str(journey.session.bid_id))]


def day_of(journey: Journey) -> list[Place]:
    """The technician's day: the same."""
    return [day(journey.traveller_id)] if journey.session_id else []


def two_sides(journey: Journey) -> Iterator[Place]:
    """The banners of the customer, and of a technician; drivers have a screen of their own."""
    traveller = [journey.traveller_id] if journey.session_id else []
    return banners([journey.booking.customer_id, *traveller])


# --- The fragments --------------------------------------------------------------------------------

journey = Fragment(
    "tracking.journey",
    template="tracking/_journey.html",
    load=trips.load_trips,
    topics=lambda trip: [journey_topic(trip.pk)],
    watches=[
        watch(Position, fields=("seen_at",), touches=moved),
        watch(Journey, fields=(*ENDS, "route_seconds"), touches=lambda row: [marker(row.pk)]),
        # Who has a link that was taken back is asked about at once, not with the next fix.
        watch(ShareLink, fields=("revoked_at",), touches=lambda link: [marker(link.journey_id)]),
    ],
    latest=True,
)
ride = Fragment(
    "tracking.ride",
    template="tracking/_ride.html",
    load=trips.load_rides,
    topics=lambda ride: [booking_customer(ride.booking.pk)],
    watches=[watch(Journey, fields=("closed_at",), touches=ride_of)],
)
sharing = Fragment(
    "tracking.sharing",
    template="tracking/_sharing.html",
    load=trips.load_sharings,
    topics=lambda sharing: [booking_customer(sharing.journey.booking_id)],
    watches=[
        watch(ShareLink, fields=("revoked_at",), touches=sharing_of),
        watch(Journey, fields=("closed_at",), touches=sharing_of),
    ],
)
trip = Fragment(
    "tracking.trip",
    template="tracking/_trip.html",
    load=trips.load_work_trips,
    topics=lambda trip: [work_topic(trip.booking.pk, trip.journey.traveller_id)],
    watches=[watch(Journey, fields=(*ENDS, "heard_at", "eta_minutes"), touches=trip_of)],
    latest=True,
)
also_watch(work, [watch(Journey, fields=ENDS, touches=offer_of)])
also_watch(today, [watch(Journey, fields=ENDS, touches=day_of)])
# The banner's rows "en route" and "position stale".
lay_over(lines)
also_watch(strips, [watch(Journey, fields=("closed_at", "heard_at", "eta_minutes"), touches=two_sides)])


# --- What turns by time alone ---------------------------------------------------------------------


def turn_ages(since: datetime, as_of: datetime) -> int:
    """Have pages look again at the positions that became stale or lost after `since`, by `as_of`; returns how many.

    Pages turn them by themselves; this has the server's own words, in banners and sentences, agree.
    """
    turned = list(open_turning(since, as_of))
    if turned:
        keys = [each.pk for each in turned]
        touch(journey, keys)
        touch(trip, keys)
        touch(strips, {key for each in turned for _, key in two_sides(each)})
    return len(turned)


def open_turning(since: datetime, as_of: datetime) -> Iterable[Journey]:
    """Open journeys whose traveller was last heard of, or set out, one of the limits before."""
    seen, silent = Q(), Q()
    for limit in limits():
        span = {"gt": since - timedelta(seconds=limit), "lte": as_of - timedelta(seconds=limit)}
        seen |= Q(**of("traveller__position__seen_at", span))
        silent |= Q(**of("opened_at", span))
    rows = Journey.objects.filter(closed_at__isnull=True).select_related("booking")
    return rows.filter(seen | Q(silent, traveller__position__isnull=True))


def of(column: str, span: dict[str, datetime]) -> dict[str, Any]:
    """Look-ups that keep `column` within `span`."""
    return {f"{column}__{word}": moment for word, moment in span.items()}
