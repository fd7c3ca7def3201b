"""Travel times by road, from a routing server that a site may name in `ROUTING_URL` (the API of OSRM).

Only the clock asks: no page waits for somebody else's server. Without one, or while it is silent, the estimate is ours.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from http.client import HTTPException
from urllib.request import Request, urlopen

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from common.geo import Point
from tracking.models import Journey
from tracking.rules.numbers import seconds

log = logging.getLogger(__name__)
PATIENCE = 2.0  # seconds; the clock has other work
MOST_BYTES = 100_000
AT_ONCE = 8  # questions
MOST = AT_ONCE  # questions a tick: while nobody answers, offers lapse no later than PATIENCE
LONGEST = 24 * 3600  # what takes longer is not believed


def ask_routes(as_of: datetime) -> int:
    """Ask how long the open journeys still take, each once in ROUTE_EVERY_SECONDS; returns how many were answered."""
    if not settings.ROUTING_URL:
        return 0
    waiting = due(as_of)
    if not waiting:
        return 0
    ways = [(Point(each.here_latitude, each.here_longitude), each.destination) for each in waiting]  # type: ignore[attr-defined]
    with ThreadPoolExecutor(min(AT_ONCE, len(ways)), "routing") as pool:
        answers = list(pool.map(travel_seconds, ways))
    return sum(keep(each.pk, answer, as_of) for each, answer in zip(waiting, answers, strict=True))


def due(as_of: datetime) -> Sequence[Journey]:
    """The journeys to ask about, those that waited longest first; only where somebody is somewhere."""
    old = Q(route_at__isnull=True) | Q(route_at__lte=as_of - seconds("ROUTE_EVERY_SECONDS"))
    seen = Q(traveller__position__latitude__isnull=False)
    rows = Journey.objects.filter(old, seen, closed_at__isnull=True).annotate(
        here_latitude=F("traveller__position__latitude"), here_longitude=F("traveller__position__longitude")
    )
    return list(rows.order_by(F("route_at").asc(nulls_first=True), "pk")[:MOST])


def keep(pk: int, answer: int | None, as_of: datetime) -> bool:
    """Keep an answer with a journey that is still open. No answer is kept too: it is not asked again at once."""
    with transaction.atomic():
        rows = Journey.objects.select_for_update(of=("self",), no_key=True).select_related("booking", "session")
        journey = rows.filter(pk=pk, closed_at__isnull=True).first()
        if journey is not None:
            journey.route_seconds, journey.route_at = answer, as_of
            journey.save(update_fields=["route_seconds", "route_at"])
    return journey is not None and answer is not None


def travel_seconds(way: tuple[Point, Point]) -> int | None:
    """How long the way takes by road; None when the server does not say."""
    places = ";".join(f"{point.longitude:.6f},{point.latitude:.6f}" for point in way)
    address = f"{settings.ROUTING_URL.rstrip('/')}/route/v1/driving/{places}?overview=false"
    # The settings refuse any scheme but http and https.
    request = Request(address, headers={"User-Agent": "Callout"})  # noqa: S310
    try:
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return read(json.loads(answer.read(MOST_BYTES)))
    except (OSError, ValueError, HTTPException, RecursionError) as error:
        log.warning("The routing server gave no answer: %s", error)
        return None


def read(found: object) -> int | None:
    """The duration of the first route in an OSRM answer; None for anything else, or what cannot be."""
    routes = found.get("routes") if isinstance(found, dict) and found.get("code") == "Ok" else None
    if not isinstance(routes, list) or not routes or not isinstance(routes[0], dict):
        return None
    duration = routes[0].get("duration")
    if isinstance(duration, bool) or not isinstance(duration, int | float):
        return None
    return round(duration) if 0 <= duration <= LONGEST else None  # what is no number at all is not within either
