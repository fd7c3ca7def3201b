"""The roads of the demo city: a way from anywhere to anywhere along them, and where one is on it.

`data/roads.txt` names some two hundred junctions of London and what leads where between them. Plausible on the map,
not for navigation.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

from common.geo import KM_PER_DEGREE, Point

DATA = Path(__file__).parent / "data" / "roads.txt"
METRES_PER_DEGREE = KM_PER_DEGREE * 1000


class Stretch(NamedTuple):
    """A straight piece of road between two points; under the ground, where no satellite is seen, in a tunnel."""

    start: Point
    end: Point
    tunnel: bool = False

    @property
    def metres(self) -> float:
        """Its length."""
        return metres(self.start, self.end)

    @property
    def heading(self) -> float:
        """Degrees clockwise from north."""
        north, east = offset(self.start, self.end)
        return math.degrees(math.atan2(east, north)) % 360

    def at(self, share: float) -> Point:
        """The point at `share` (0 to 1) of it."""
        return Point(
            self.start.latitude + (self.end.latitude - self.start.latitude) * share,
            self.start.longitude + (self.end.longitude - self.start.longitude) * share,
        )

    def foot(self, point: Point) -> float:
        """At what share of it one is nearest to `point`."""
        north, east = offset(self.start, self.end)
        up, right = offset(self.start, point)
        length = north * north + east * east
        return min(max((up * north + right * east) / length, 0.0), 1.0) if length else 0.0


def offset(here: Point, there: Point) -> tuple[float, float]:
    """Metres to the north and to the east from one point to another: on a plain, which a city nearly is."""
    north = (there.latitude - here.latitude) * METRES_PER_DEGREE
    east = (there.longitude - here.longitude) * METRES_PER_DEGREE * math.cos(math.radians(here.latitude))
    return north, east


def metres(here: Point, there: Point) -> float:
    """The distance of two points of a city."""
    return math.hypot(*offset(here, there))


def moved(point: Point, north: float, east: float) -> Point:
    """The point so many metres to the north and to the east."""
    latitude = point.latitude + north / METRES_PER_DEGREE
    return Point(latitude, point.longitude + east / (METRES_PER_DEGREE * math.cos(math.radians(point.latitude))))


class Place(NamedTuple):
    """Where one is on a way, which way one looks, and whether that is in a tunnel."""

    point: Point
    heading: float
    tunnel: bool


class Way:
    """Points that follow each other along the roads."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self.stretches = [stretch for stretch in stretches if stretch.metres > 0.5]
        self._ends = list(accumulate(stretch.metres for stretch in self.stretches))
        self._stands = stretches[-1].end if stretches else None

    @property
    def metres(self) -> float:
        """Its length."""
        return self._ends[-1] if self._ends else 0.0

    def at(self, along: float) -> Place:
        """Where one is `along` metres after its beginning; at its end after that."""
        if not self.stretches:
            return Place(self._stands or Point(0, 0), 0.0, False)
        number = min(bisect_right(self._ends, max(along, 0.0)), len(self._ends) - 1)
        stretch = self.stretches[number]
        before = self._ends[number] - stretch.metres
        share = min(max((along - before) / stretch.metres, 0.0), 1.0)
        return Place(stretch.at(share), stretch.heading, stretch.tunnel)

    def last(self, most: float) -> Way:
        """The part of it from `most` metres before its end on."""
        return self.after(self.metres - most)

    def after(self, along: float) -> Way:
        """The part of it from `along` metres on."""
        if along <= 0 or not self.stretches:
            return self
        number = min(bisect_right(self._ends, along), len(self._ends) - 1)
        first = self.stretches[number]
        return Way([Stretch(self.at(along).point, first.end, first.tunnel), *self.stretches[number + 1 :]])


@dataclass(frozen=True)
class Roads:
    """Junctions and what leads where between them."""

    places: dict[str, Point]
    stretches: list[Stretch]
    leading: dict[Point, list[Stretch]]

    def nearest(self, point: Point) -> tuple[Stretch, float]:
        """The stretch above the ground that comes nearest to `point`, and at what share of it."""
        open_air = (stretch for stretch in self.stretches if not stretch.tunnel)
        found = min(open_air, key=lambda each: metres(point, each.at(each.foot(point))))
        return found, found.foot(point)

    def way(self, start: Point, end: Point) -> Way:
        """The shortest way: straight to the nearest road, along roads, and straight to the end."""
        first, out = self.nearest(start)
        last, into = self.nearest(end)
        here, there = first.at(out), last.at(into)
        if first == last:
            return Way([Stretch(start, here), Stretch(here, there), Stretch(there, end)])
        behind = self._shortest({point: Stretch(here, point, first.tunnel) for point in (first.start, first.end)})
        exits = [Stretch(point, there, last.tunnel) for point in (last.start, last.end)]
        along = min(([*traced(behind, here, each.start), each] for each in exits), key=length)
        return Way([Stretch(start, here), *along, Stretch(there, end)])

    def _shortest(self, entries: dict[Point, Stretch]) -> dict[Point, Stretch]:
        """Of each point, the stretch by which it is reached first (Dijkstra's algorithm)."""
        reached: dict[Point, Stretch] = {}
        waiting = [(stretch.metres, stretch) for stretch in entries.values()]
        heapq.heapify(waiting)
        while waiting:
            far, stretch = heapq.heappop(waiting)
            if stretch.end not in reached:
                reached[stretch.end] = stretch
                for each in self.leading[stretch.end]:
                    if each.end not in reached:
                        heapq.heappush(waiting, (far + each.metres, each))
        return reached


def traced(reached: dict[Point, Stretch], start: Point, end: Point) -> list[Stretch]:
    """The stretches that lead from `start` to `end`, the first first."""
    along: list[Stretch] = []
    while end != start:
        along.append(reached[end])
        end = along[-1].start
    return along[::-1]


def length(stretches: Sequence[Stretch]) -> float:
    """The metres of all of them."""
    return sum(stretch.metres for stretch in stretches)


def read(text: str) -> Roads:
    """The roads of a data file; each leads both ways. Raises `KeyError` for a junction that is not in it."""
    places: dict[str, Point] = {}
    stretches: list[Stretch] = []
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "place":
            name, latitude, longitude = rest.split()
            places[name] = Point(float(latitude), float(longitude))
        elif kind in ("road", "tunnel"):
            points = [point_of(word, places) for word in rest.rpartition(": ")[2].split()]
            stretches += [Stretch(start, end, kind == "tunnel") for start, end in pairwise(points)]
    leading: dict[Point, list[Stretch]] = defaultdict(list)
    for each in stretches:
        leading[each.start].append(each)
        leading[each.end].append(Stretch(each.end, each.start, each.tunnel))
    return Roads(places, stretches, dict(leading))


def point_of(word: str, places: dict[str, Point]) -> Point:
    """A junction by its name, or a plain point."""
    latitude, comma, longitude = word.partition(",")
    return Point(float(latitude), float(longitude)) if comma else places[word]


@cache
def london() -> Roads:
    """The roads of the demo city, read once."""
    return read(DATA.read_text())
