"""The marketplace: which jobs a technician sees, how far they are, and what it costs to ask."""

from __future__ import annotations

import pytest

from bookings import actions
from bookings.models import Booking
from bookings.tests import make
from bookings.tests.make import BRIGHTON, CAMDEN, GREENWICH, HOUR, NOW
from common.geo import Point, area_point, distance_km


def near(user, **options) -> list[Booking]:
    return list(Booking.objects.near(user.technician, now=NOW, **options))


def at(point: Point) -> dict[str, float]:
    return {"latitude": point.latitude, "longitude": point.longitude}


def test_open_jobs_of_ones_skills_within_the_radius(alice, bob):
    booking = make.job(alice)
    make.job(alice, category=make.category("socket", "electrics"))
    make.job(alice, **at(BRIGHTON))
    make.draft(alice)
    assert near(bob) == [booking]


def test_several_skills_show_a_job_once(alice):
    both = make.technician("Both", "plumbing", "electrics")
    make.job(alice)
    make.job(alice, category=make.category("socket", "electrics"))
    assert len(near(both)) == 2


@pytest.mark.parametrize("status", ["draft", "assigned", "in_progress", "completed", "cancelled"])
def test_only_open_ones(alice, bob, dora, status):
    make.in_state(alice, dora, status)
    assert near(bob) == []


def test_what_has_expired_is_gone_before_the_clock_has_said_so(alice, bob):
    booking = make.job(alice)
    assert not Booking.objects.near(bob.technician, now=booking.expires_at).exists()


def test_the_unverified_may_look(alice):
    booking = make.job(alice)
    assert near(make.technician("Newcomer", verified=False)) == [booking]


def test_the_distance_is_counted_from_the_rounded_point(alice, bob):
    booking = make.job(alice, **at(GREENWICH))
    [seen] = near(bob)
    assert seen.distance_km == pytest.approx(distance_km(CAMDEN, area_point(GREENWICH)), abs=0.001)
    assert seen.distance_km != pytest.approx(distance_km(CAMDEN, GREENWICH), abs=0.001)
    assert seen == booking


def test_two_homes_in_one_square_kilometre_are_equally_far(alice, bob):
    """Or the distances from three places would give the address away."""
    make.job(alice, latitude=51.4769, longitude=-0.0005)
    make.job(alice, latitude=51.4772, longitude=-0.0009)
    one, other = near(bob)
    assert one.distance_km == other.distance_km


def test_the_box_is_only_the_first_sieve(alice):
    """A corner of the box lies outside of the circle."""
    corner = Point(CAMDEN.latitude + 0.08, CAMDEN.longitude + 0.13)
    make.job(alice, **at(corner))
    assert distance_km(CAMDEN, corner) > 12
    assert near(make.technician("Near", radius_km=10)) == []
    assert len(near(make.technician("Far", radius_km=15))) == 1


def test_a_filter_narrows_the_radius_and_never_widens_it(alice, bob):
    make.job(alice, **at(GREENWICH))
    make.job(alice, **at(BRIGHTON))
    assert near(bob, within_km=5) == []
    assert len(near(bob, within_km=500)) == 1


def test_it_is_sorted_and_filtered_further_like_any_queryset(alice, bob):
    far = make.job(alice, **at(GREENWICH))
    close = make.job(alice)
    rows = Booking.objects.near(bob.technician, now=NOW).order_by("distance_km")
    assert list(rows) == [close, far]
    assert list(rows.filter(distance_km__lt=3)) == [close]


def test_counts_and_own_bid_come_with_the_rows(alice, bob, dora, django_assert_num_queries):
    booking = make.job(alice)
    mine = make.offer(booking, bob, 60)
    make.offer(booking, dora, 45)
    gone = make.offer(booking, make.technician("Gone"), 10)
    actions.withdraw_bid(gone, by=gone.technician.user, now=NOW)
    with django_assert_num_queries(1):
        [row] = Booking.objects.near(bob.technician, now=NOW).with_bids().with_own_bid(bob.technician).for_lists()
        facts = (row.bid_count, row.best_amount, row.own_bid_status, row.own_bid_amount, row.category.skill.name)
    assert facts == (2, 45, "submitted", mine.amount, "Plumbing")


def test_without_a_bid_of_ones_own_there_is_none(alice, bob, dora):
    make.offer(make.job(alice), dora)
    [row] = Booking.objects.near(bob.technician, now=NOW).with_own_bid(bob.technician)
    assert row.own_bid_status is None


def test_fifty_jobs_cost_as_many_queries_as_one(alice, bob, django_assert_num_queries):
    for _ in range(10):
        make.job(alice)
    with django_assert_num_queries(1):
        rows = list(Booking.objects.near(bob.technician, now=NOW).with_bids().for_lists())
    assert len(rows) == 10


def test_at_the_pole_and_at_the_date_line_nothing_breaks(alice):
    suva = Point(-18.1416, 179.99)
    make.job(alice, **at(Point(-18.1416, -179.99)))
    technician = make.technician("Suva", base=suva, radius_km=20)
    assert len(near(technician)) == 1
    assert near(make.technician("Pole", base=Point(89.9, 10.0))) == []


def test_a_job_on_the_doorstep_is_no_distance_at_all(alice):
    """Rounding errors of the formula do not take it over the edge of arcsine."""
    spot = area_point(CAMDEN)
    make.job(alice, **at(CAMDEN))
    [row] = near(make.technician("Next", base=spot))
    assert row.distance_km == pytest.approx(0, abs=1e-6)


def test_jobs_of_this_morning_only(alice, bob):
    make.job(alice)
    later = make.job(alice, now=NOW + HOUR)
    assert list(Booking.objects.near(bob.technician, now=NOW).filter(placed_at__gt=NOW)) == [later]
