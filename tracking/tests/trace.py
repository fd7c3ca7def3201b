"""The dirty trace: everything that devices send beside the truth (data/dirty.json), and the road it belongs to."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from common.geo import EARTH_KM, Point
from tracking.rules.fixes import to_ms

PATH = Path(__file__).parent / "data" / "dirty.json"
BELIEVED = {"good", "ahead", "parked", "vague"}  # what says that the driver is still there
REASONS = {"dup_jump": "jump"}  # the same jump sent again


class Message(NamedTuple):
    """One fix as it reaches the server, and what it is in truth."""

    now: datetime
    fix: dict[str, Any]
    kind: str

    @property
    def reason(self) -> str:
        """Why it must be refused, or nothing."""
        return "" if self.kind in BELIEVED | {"late"} else REASONS.get(self.kind, self.kind)


class Trace(NamedTuple):
    """The whole of it."""

    route: list[Point]
    corridor: float  # metres to either side of the route
    messages: list[Message]

    def metres_off(self, point: Point) -> float:
        """How far a point is from the road."""
        return min(metres_to_line(point, here, there) for here, there in zip(self.route, self.route[1:], strict=False))


def dirty(start: datetime) -> Trace:
    """The trace as if the device had begun at `start`."""
    data = json.loads(PATH.read_text())
    return Trace(
        [Point(*each) for each in data["route"]], data["corridor_metres"], [message(start, row) for row in data["rows"]]
    )


def message(start: datetime, row: list[Any]) -> Message:
    """A row of the file."""
    received, at, lat, lng, acc, spd, hdg, kind = row
    stamp = to_ms(start + timedelta(seconds=at)) if not isinstance(at, str) else at
    fix = {"at": stamp, "lat": lat, "lng": lng, "acc": acc, "spd": spd, "hdg": hdg}
    return Message(start + timedelta(seconds=received), fix, kind)


def metres_to_line(point: Point, here: Point, there: Point) -> float:
    """The distance of a point from a stretch of road; flat, which is exact enough for a city."""
    scale = EARTH_KM * 1000 * math.pi / 180
    across = scale * math.cos(math.radians(here.latitude))
    x, y = (point.longitude - here.longitude) * across, (point.latitude - here.latitude) * scale
    east, north = (there.longitude - here.longitude) * across, (there.latitude - here.latitude) * scale
    along = min(max((x * east + y * north) / (east**2 + north**2), 0.0), 1.0)
    return math.hypot(x - along * east, y - along * north)
