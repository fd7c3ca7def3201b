"""How long somebody still takes: an estimate from the straight line, the roads and how fast they lately moved."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from common.geo import Point, distance_km
from tracking.rules.numbers import number

# What was driven lately holds for so long; beyond it the usual speed is the better guess.
PACE_HOLDS = timedelta(minutes=10)
PACE_LEAST = 1.0  # metres a second: a walk to the door, or a red light
WINDOW_EARLY, WINDOW_LATE = 0.85, 1.35  # of the estimate: delays are longer than what is gained
WINDOW_STEP = timedelta(minutes=5)
STEPS = (15, 10, 5)  # minutes at which a screen reader speaks


def road_metres(point: Point, destination: Point) -> float:
    """The way by road, guessed: the great circle with the road factor."""
    return distance_km(point, destination) * 1000 * number("ROAD_PERCENT") / 100


def eta(
    point: Point,
    destination: Point,
    *,
    pace: float | None,
    route_seconds: float | None = None,
    route_age: timedelta = timedelta(),
) -> timedelta:
    """The time that remains from `point`. `pace` is the recent speed in metres a second, None where it is not known.

    `route_seconds` is what a routing server said `route_age` ago; it goes before our own guess.
    """
    if route_seconds is not None:
        return max(timedelta(seconds=route_seconds) - route_age, timedelta())
    usual = number("SPEED_USUAL_KMH") / 3.6
    recent = usual if pace is None else max(pace, PACE_LEAST)
    metres = road_metres(point, destination)
    near = recent * PACE_HOLDS.total_seconds()
    return timedelta(seconds=min(metres, near) / recent + max(metres - near, 0) / usual)


def minutes_of(span: timedelta) -> int:
    """Whole minutes, rounded up: nobody is told a time that is too short by rounding."""
    return math.ceil(span.total_seconds() / 60)


def minutes_words(minutes: int) -> str:
    """about 12 min; about 1 h 5 min; less than a minute."""
    if minutes < 1:
        return "less than a minute"
    hours, rest = divmod(minutes, 60)
    return f"about {f'{hours} h ' if hours else ''}{f'{rest} min' if rest or not hours else ''}".strip()


def window(now: datetime, span: timedelta) -> tuple[datetime, datetime]:
    """Between when and when they will arrive, to whole five minutes outwards."""
    step = WINDOW_STEP.total_seconds()
    early = (now + span * WINDOW_EARLY).timestamp() // step * step
    late = math.ceil((now + span * WINDOW_LATE).timestamp() / step) * step
    return datetime.fromtimestamp(early, now.tzinfo), datetime.fromtimestamp(max(late, early + step), now.tzinfo)


def step_of(minutes: int | None) -> int | None:
    """The smallest of 15, 10 and 5 minutes that `minutes` are within; None above all of them."""
    return None if minutes is None else min((step for step in STEPS if minutes <= step), default=None)
