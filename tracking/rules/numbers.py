"""The numbers of tracking. A site overrides them by the variable TRACKING, tests in the setting."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

DEFAULTS = {
    # Positions (docs/domain.md, rules 6 to 8)
    "SEND_MOVING_SECONDS": 5,
    "SEND_IDLE_SECONDS": 30,
    "FIX_EVERY_MS": 1000,  # from one person at most
    "FLUSH_EVERY_MS": 250,  # how long fixes gather in a process before they are written together
    "FUTURE_SECONDS": 60,
    "SPEED_MOST_KMH": 200,
    "ACCURACY_MOST_METRES": 100,
    "JITTER_METRES": 10,
    "LIVE_SECONDS": 30,
    "STALE_SECONDS": 5 * 60,
    "KEPT_DAYS": 60,
    "BATCH_MOST": 100,  # fixes in one POST from a device's queue
    "CATCH_UP": 20,  # fixes a second that one device may send from its queue
    "SENDER_EVERY_MS": 2000,  # what a device hears of its own fixes is at least so far apart
    # Journeys
    "GEOFENCE_METRES": 150,
    "ROAD_PERCENT": 130,  # a road is so much of the straight line
    "SPEED_USUAL_KMH": 24,  # where there is no recent speed: a city by day
    "TOLD_EVERY_SECONDS": 10,  # how often the banner hears of a journey that goes on
    "ROUTE_EVERY_SECONDS": 30,  # how often a routing server is asked about one journey
    # Offers
    "OFFER_SECONDS": 60,
    "OFFER_URGENT_SECONDS": 15,
    "OFFER_LEAST_SECONDS": 5,
    "OFFER_MOST_SECONDS": 30 * 60,
    "ASK_MOST": 5,  # drivers asked in turn
    # The desk
    "FLEET_EVERY_MS": 500,  # frames of positions on a desk page are at least so far apart
}


def number(name: str) -> int:
    """A number by its name; raises `KeyError` for a name that is not in `DEFAULTS`."""
    return int(settings.TRACKING.get(name, DEFAULTS[name]))


def seconds(name: str) -> timedelta:
    """A number of seconds, as a span."""
    return timedelta(seconds=number(name))
