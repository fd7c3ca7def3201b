"""The rows "en route" and "position stale" of the banner (ui.md), laid over those of visits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Role
from bookings.banner import COMING, Banner
from bookings.links import job_url
from tracking.rules.ages import ago
from tracking.trips import Trip, open_journeys, trips_of


@dataclass(frozen=True, kw_only=True)
class EnRoute(Banner):
    """A line about somebody on the way. It says something else once the position is old: `old`, then `lost`.

    Which of them shows is decided on the page too, second by second, so that it turns with nothing new coming in.
    """

    trip: Trip
    minutes: str = ""
    rank: int = COMING
    template: str = "tracking/_banner_line.html"
    announce: str = "group"  # an estimate that changes by the minute is not read out; the job page says 15, 10, 5

    def full_text(self, now: datetime) -> str:
        """The line as it reads at `now`."""
        old = ago(now - self.trip.seen_at)
        if self.trip.is_live:
            return f"{self.text}, {self.minutes} (updated {old})" if self.minutes else self.text
        return f"Last seen {old}{f' near {self.trip.near}' if self.trip.near else ''}"

    @property
    def url(self) -> str:
        """The job's page, of either side."""
        return job_url(self.trip.booking.pk)


@dataclass(frozen=True, kw_only=True)
class OnMyWay(EnRoute):
    """The traveller's own line: that it arrives, or that it does not."""

    template: str = "tracking/_banner_own.html"
    announce: str = "status"

    def full_text(self, now: datetime) -> str:
        """The line as it reads at `now`."""
        return self.text


def lines(roles: Mapping[str, list[int]], now: datetime) -> dict[int, Banner]:
    """Whoever waits for somebody on the way, and technicians who are. One query."""
    customers, technicians = roles.get(Role.CUSTOMER, []), roles.get(Role.TECHNICIAN, [])
    found: dict[int, Banner] = {}
    if customers:
        rows = open_journeys().filter(booking__customer__in=customers).order_by("-opened_at", "-pk")
        found |= soonest(trips_of(rows, now))
    if technicians:
        rows = open_journeys().filter(traveller__in=technicians, session__isnull=False)
        found |= {each.journey.traveller_id: own_line(each) for each in trips_of(rows, now)}
    return found


def soonest(waiting: Iterable[Trip]) -> dict[int, Banner]:
    """For each customer the line of who will be there first."""
    best: dict[int, Trip] = {}
    for each in waiting:
        other = best.get(each.booking.customer_id)
        if other is None or order(each) < order(other):
            best[each.booking.customer_id] = each
    return {pk: customer_line(each) for pk, each in best.items()}


def order(trip: Trip) -> float:
    """Sorts trips by when they end; those not heard of yet last."""
    return float("inf") if trip.left is None else trip.left.total_seconds()


def customer_line(trip: Trip) -> EnRoute:
    """On the way, about 12 min (updated 8 s ago); or where they were last seen."""
    tone, icon = ("accent", "navigation") if trip.is_live else ("wait", "map-pin")
    text = "Nearly there" if trip.is_near else "On the way"
    return EnRoute(
        text=text,
        tone=tone,
        icon=icon,
        url_args=(trip.booking.pk,),
        title=trip.booking.title,
        trip=trip,
        minutes="" if trip.is_near else trip.eta_words,
    )


def own_line(trip: Trip) -> OnMyWay:
    """On my way; or that nothing of it arrives."""
    live = trip.is_live
    return OnMyWay(
        text="On my way" if live else "Your location is not reaching us",
        tone="accent" if live else "wait",
        icon="navigation" if live else "wifi-off",
        url_args=(trip.booking.pk,),
        title=trip.booking.title,
        trip=trip,
    )
