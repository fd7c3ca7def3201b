"""The borough that a point lies in."""

from __future__ import annotations

import pytest

from common.geo import Point
from tracking import places

BOX = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)]
HOLE = [(1.0, 1.0), (2.0, 1.0), (2.0, 2.0), (1.0, 2.0)]


@pytest.mark.parametrize(
    ("point", "name"),
    [
        (Point(51.5390, -0.1426), "Camden"),
        (Point(51.4769, -0.0005), "Greenwich"),
        (Point(51.5074, -0.1278), "Westminster"),
        (Point(50.8225, -0.1372), ""),  # Brighton
        (Point(0.0, 0.0), ""),
    ],
)
def test_places_of_the_demo_city(point: Point, name: str) -> None:
    assert places.place_name(point) == name


def test_a_hole_is_outside() -> None:
    assert places.inside([BOX, HOLE], Point(3, 3))
    assert not places.inside([BOX, HOLE], Point(1.5, 1.5))
    assert not places.inside([BOX, HOLE], Point(5, 5))


def test_a_site_without_the_outlines_names_no_places(settings, tmp_path) -> None:
    settings.BASE_DIR = tmp_path
    places.outlines.cache_clear()
    try:
        assert places.place_name(Point(51.5390, -0.1426)) == ""
    finally:
        places.outlines.cache_clear()
