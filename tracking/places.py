"""Names of places: the borough a point lies in, from the outlines that the map draws too (static/vendor/london)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings

from common.geo import Box, Point

Ring = list[tuple[float, float]]  # longitude, latitude


class Outline(NamedTuple):
    """A part of a borough: its rings, the outer one first, and the box around them."""

    name: str
    box: Box
    rings: list[Ring]


def place_name(point: Point) -> str:
    """The borough that `point` lies in; nothing outside of them all."""
    return next((each.name for each in outlines() if near(each.box, point) and inside(each.rings, point)), "")


def near(box: Box, point: Point) -> bool:
    """Whether `point` may lie within what `box` is drawn around: asked before the many corners of a ring."""
    return box.south <= point.latitude <= box.north and box.west <= point.longitude <= box.east


@cache
def outlines() -> list[Outline]:
    """Each part of each borough. Read once a process."""
    try:
        topology = json.loads((Path(settings.BASE_DIR) / "static/vendor/london/boroughs.json").read_text())
    except OSError:
        return []  # a site that removed the demo's outlines names no places
    arcs = [decoded(arc, topology["transform"]) for arc in topology["arcs"]]
    (collection,) = topology["objects"].values()
    found = []
    for each in collection["geometries"]:
        parts = [each["arcs"]] if each["type"] == "Polygon" else each["arcs"]
        found += [outline(str(each["id"]), [joined(arcs, ring) for ring in part]) for part in parts]
    return found


def outline(name: str, rings: list[Ring]) -> Outline:
    """A part of a borough with its box."""
    longitudes, latitudes = zip(*rings[0], strict=True)
    return Outline(name, Box(min(latitudes), max(latitudes), min(longitudes), max(longitudes)), rings)


def decoded(arc: list[list[int]], transform: dict[str, Any]) -> Ring:
    """An arc of deltas as points (TopoJSON format, 2.1.3)."""
    (scale_x, scale_y), (move_x, move_y) = transform["scale"], transform["translate"]
    x = y = 0
    points = []
    for dx, dy in arc:
        x, y = x + dx, y + dy
        points.append((x * scale_x + move_x, y * scale_y + move_y))
    return points


def joined(arcs: list[Ring], indexes: list[int]) -> Ring:
    """A ring out of arcs; a negative index is the arc ~index, backwards."""
    return [point for index in indexes for point in (arcs[index] if index >= 0 else reversed(arcs[~index]))]


def inside(rings: list[Ring], point: Point) -> bool:
    """Whether `point` lies within the first ring and in none of the holes."""
    return within(rings[0], point) and not any(within(ring, point) for ring in rings[1:])


def within(ring: Ring, point: Point) -> bool:
    """The even-odd rule: a ray to the east crosses the ring an odd number of times."""
    odd = False
    for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True):
        crosses = (ay > point.latitude) != (by > point.latitude)
        if crosses and point.longitude < (bx - ax) * (point.latitude - ay) / (by - ay) + ax:
            odd = not odd
    return odd
