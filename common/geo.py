"""Places on the globe: distances, boxes, and the rounded point that may be shown to strangers."""

from __future__ import annotations

import math
from typing import NamedTuple

EARTH_KM = 6371.0088  # mean radius, IUGG
KM_PER_DEGREE = EARTH_KM * math.pi / 180
AREA_STEP = 0.01  # degrees of latitude: about 1.1 km


class Point(NamedTuple):
    """A place, in degrees (WGS 84)."""

    latitude: float
    longitude: float


class Box(NamedTuple):
    """A rectangle of degrees that holds a circle."""

    south: float
    north: float
    west: float
    east: float


def is_place(latitude: float | None, longitude: float | None) -> bool:
    """Whether the two are a place: numbers within range, and not (0, 0), which devices send for "unknown"."""
    if latitude is None or longitude is None or not (math.isfinite(latitude) and math.isfinite(longitude)):
        return False
    return abs(latitude) <= 90 and abs(longitude) <= 180 and not latitude == longitude == 0


def area_point(point: Point) -> Point:
    """The middle of the cell of about 1 km that `point` lies in: all points of a cell give the same answer."""
    row = math.floor(point.latitude / AREA_STEP)
    latitude = min((row + 0.5) * AREA_STEP, 90.0)
    step = AREA_STEP / max(math.cos(math.radians(latitude)), 0.01)
    longitude = (math.floor(point.longitude / step) + 0.5) * step
    return Point(round(latitude, 5), round(max(min(longitude, 180.0), -180.0), 5))


def distance_km(here: Point, there: Point) -> float:
    """The great-circle distance (haversine formula)."""
    lat1, lat2 = math.radians(here.latitude), math.radians(there.latitude)
    half_lat, half_lon = (lat2 - lat1) / 2, math.radians(there.longitude - here.longitude) / 2
    a = math.sin(half_lat) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half_lon) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(a)))


def box_around(centre: Point, km: float) -> Box:
    """A box that holds every point within `km`; near a pole or the date line it takes all longitudes."""
    height = km / KM_PER_DEGREE
    south, north = centre.latitude - height, centre.latitude + height
    whole = Box(max(south, -90.0), min(north, 90.0), -180.0, 180.0)
    if south <= -90 or north >= 90:
        return whole
    # The widest longitude of the circle lies poleward of its centre, hence asin and not a plain division.
    width = math.degrees(math.asin(min(1.0, math.sin(km / EARTH_KM) / math.cos(math.radians(centre.latitude)))))
    west, east = centre.longitude - width, centre.longitude + width
    return whole if west < -180 or east > 180 else Box(south, north, west, east)
