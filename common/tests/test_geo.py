"""Distances, boxes and the rounded point."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.geo import AREA_STEP, Point, area_point, box_around, distance_km, is_place

LONDON, PARIS = Point(51.5074, -0.1278), Point(48.8566, 2.3522)
latitudes = st.floats(-85, 85)
longitudes = st.floats(-180, 180)
points = st.builds(Point, latitudes, longitudes)


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        (51.5, -0.1, True),
        (-90, 180, True),
        (0, 12.5, True),
        (0, 0, False),
        (90.1, 0, False),
        (0, -180.1, False),
        (None, 5, False),
        (5, None, False),
        (math.nan, 5, False),
        (5, math.inf, False),
    ],
)
def test_what_is_a_place(latitude, longitude, expected):
    assert is_place(latitude, longitude) is expected


def test_london_to_paris():
    assert distance_km(LONDON, PARIS) == pytest.approx(343.6, abs=0.5)


def test_there_and_back_is_the_same():
    assert distance_km(LONDON, PARIS) == distance_km(PARIS, LONDON)


def test_no_distance_to_oneself():
    assert distance_km(LONDON, LONDON) == 0


def test_half_around_the_globe():
    assert distance_km(Point(0, 0), Point(0, 180)) == pytest.approx(math.pi * 6371.0088, abs=0.1)


def test_across_the_date_line_is_not_around_the_globe():
    assert distance_km(Point(-18, 179.99), Point(-18, -179.99)) < 3


@given(here=points, there=points)
def test_a_distance_is_never_negative_and_never_over_half_the_globe(here, there):
    assert 0 <= distance_km(here, there) <= 20016


@given(point=points)
def test_the_rounded_point_is_within_about_a_kilometre(point):
    assert distance_km(point, area_point(point)) < 0.9


@given(point=points)
def test_rounding_twice_changes_nothing_much(point):
    """The middle of a cell lies in that cell."""
    once = area_point(point)
    assert distance_km(once, area_point(once)) < 0.01


def test_everybody_in_a_cell_gets_the_same_point():
    corner = Point(51.5300, -0.1400)
    answers = {
        area_point(Point(corner.latitude + north * AREA_STEP / 20, corner.longitude + east * AREA_STEP / 20))
        for north in range(1, 19)
        for east in range(1, 6)
    }
    assert len(answers) == 1


def test_the_exact_point_is_not_in_the_rounded_one():
    rounded = area_point(Point(51.53917, -0.14263))
    assert rounded.latitude == 51.535
    assert rounded != Point(51.53917, -0.14263)


@pytest.mark.parametrize("point", [Point(90, 10), Point(-90, -180), Point(89.999, 180), Point(0.001, -179.999)])
def test_rounding_at_the_edges_of_the_globe_stays_on_it(point):
    assert is_place(*area_point(point))


@given(centre=points, km=st.floats(0.1, 300), bearing=st.floats(0, 2 * math.pi), part=st.floats(0, 0.999))
def test_a_box_holds_its_circle(centre, km, bearing, part):
    """A point at any bearing and less than `km` away lies in the box."""
    angle = km * part / 6371.0088
    lat = math.radians(centre.latitude)
    there = math.asin(math.sin(lat) * math.cos(angle) + math.cos(lat) * math.sin(angle) * math.cos(bearing))
    east = math.atan2(
        math.sin(bearing) * math.sin(angle) * math.cos(lat), math.cos(angle) - math.sin(lat) * math.sin(there)
    )
    longitude = (centre.longitude + math.degrees(east) + 540) % 360 - 180
    box = box_around(centre, km)
    assert box.south - 1e-6 <= math.degrees(there) <= box.north + 1e-6
    assert box.west - 1e-6 <= longitude <= box.east + 1e-6


def test_a_box_is_no_larger_than_needed():
    box = box_around(LONDON, 10)
    assert distance_km(LONDON, Point(box.north, LONDON.longitude)) == pytest.approx(10, abs=0.01)
    assert distance_km(LONDON, Point(LONDON.latitude, box.east)) == pytest.approx(10, abs=0.1)


def test_at_the_pole_and_the_date_line_a_box_takes_all_longitudes():
    for centre in (Point(89.99, 0), Point(-89.99, 0), Point(0, 179.99), Point(0, -179.99)):
        box = box_around(centre, 10)
        assert (box.west, box.east) == (-180, 180)
