"""The roads of the demo city: whole, plausible, and a way from anywhere to anywhere."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from common.geo import Point, distance_km
from demo.places import AREAS, STREETS
from demo.roads import DATA, Stretch, Way, london, metres, moved, read

HOMES = [Point(street.latitude, street.longitude) for street in STREETS]
CROSS = """
# A cross with a tunnel as its short cut.
place middle 51.50 -0.10
place north 51.51 -0.10
road Up: middle north
road Round: north 51.51,-0.05 middle
tunnel Under: north 51.505,-0.09 middle
"""


def test_the_data_is_small_and_every_junction_is_on_a_road() -> None:
    assert DATA.stat().st_size < 60_000
    roads = london()
    ends = {point for stretch in roads.stretches for point in (stretch.start, stretch.end)}
    assert len(roads.places) > 150 and set(roads.places.values()) <= ends
    assert all(51.3 < point.latitude < 51.7 and -0.4 < point.longitude < 0.1 for point in ends)
    assert all(0 < stretch.metres < 2800 for stretch in roads.stretches)


def test_no_road_but_a_bridge_or_a_tunnel_crosses_the_thames_at_its_wide_end() -> None:
    """East of the Tower there are two tunnels and nothing else."""
    south = {"rotherhithe", "surrey_quays", "deptford", "creek_road", "greenwich", "north_greenwich", "east_greenwich"}
    places = {point: name for name, point in london().places.items()}
    river = [stretch for stretch in london().stretches if stretch.tunnel]
    assert {places.get(stretch.end) for stretch in river} >= {"rotherhithe", "north_greenwich"}
    for stretch in london().stretches:
        ends = {places.get(stretch.start) in south, places.get(stretch.end) in south}
        if ends == {True, False} and not stretch.tunnel:
            assert max(stretch.start.latitude, stretch.end.latitude) < 51.5005, stretch


def test_every_address_and_every_neighbourhood_is_near_a_road() -> None:
    for point in HOMES:
        stretch, share = london().nearest(point)
        assert metres(point, stretch.at(share)) < 150
    for area in AREAS.values():
        point = Point(area.latitude, area.longitude)
        stretch, share = london().nearest(point)
        assert metres(point, stretch.at(share)) < 1000


def test_a_way_leads_from_door_to_door_without_a_gap_and_without_great_detours() -> None:
    ratios = []
    for start, end in itertools.islice(itertools.combinations(HOMES, 2), 0, None, 9):
        way = london().way(start, end)
        assert way.stretches[0].start == start and way.stretches[-1].end == end
        gaps = [metres(one.end, two.start) for one, two in itertools.pairwise(way.stretches)]
        assert max(gaps, default=0) < 1
        ratios.append(way.metres / metres(start, end))
    assert max(ratios) < 2.2 and sum(ratios) / len(ratios) < 1.45


def test_a_way_is_walked_metre_by_metre() -> None:
    way = london().way(HOMES[0], HOMES[8])
    assert way.at(-5).point == HOMES[0] and way.at(way.metres + 99).point == HOMES[8]
    for along in range(0, int(way.metres), 100):
        here, there = way.at(along), way.at(along + 10)
        assert metres(here.point, there.point) <= 10.1
        assert 0 <= here.heading < 360
    rest = way.after(1000)
    assert rest.metres == pytest.approx(way.metres - 1000, abs=2)
    assert metres(rest.at(0).point, way.at(1000).point) < 1
    assert way.last(900).metres == pytest.approx(900, abs=2)
    assert way.last(10**6).metres == way.metres and way.after(way.metres + 1).metres < 2


def test_a_way_to_where_one_is_has_no_length() -> None:
    way = london().way(HOMES[0], HOMES[0])
    assert way.metres < 100  # to the road and back
    assert Way([Stretch(HOMES[0], HOMES[0])]).at(5).point == HOMES[0]


def test_the_shortest_way_may_lead_through_a_tunnel_and_says_so() -> None:
    roads = read(CROSS)
    way = roads.way(Point(51.511, -0.10), Point(51.499, -0.10))
    assert way.metres == pytest.approx(metres(Point(51.511, -0.1), Point(51.499, -0.1)), rel=0.01)
    assert not any(stretch.tunnel for stretch in way.stretches)
    around = read(CROSS.replace("road Up: middle north\n", ""))
    under = around.way(Point(51.51, -0.06), Point(51.50, -0.08))
    assert not under.stretches[0].tunnel
    assert any(stretch.tunnel for stretch in around.way(Point(51.5102, -0.0995), Point(51.4998, -0.099)).stretches)


def test_nobody_is_led_to_an_address_inside_a_tunnel() -> None:
    stretch, _ = read(CROSS).nearest(Point(51.505, -0.09))
    assert not stretch.tunnel


def test_a_junction_that_is_not_there_is_said_at_once() -> None:
    with pytest.raises(KeyError):
        read("place here 51.5 -0.1\nroad Nowhere: here there")


def test_the_plain_agrees_with_the_globe() -> None:
    here, there = HOMES[0], HOMES[5]
    assert metres(here, there) == pytest.approx(distance_km(here, there) * 1000, rel=0.003)
    assert metres(here, moved(here, 300, -400)) == pytest.approx(500, rel=0.003)
    assert Path(DATA).read_text().startswith("# Main roads")
