"""What the demo's drivers did, and where they are when it opens."""

from __future__ import annotations

from datetime import timedelta

from accounts.models import Role, User
from bookings.due import run_due
from common.geo import Point
from demo.cast import DRIVERS, EMAILS, HIRED, MOST_DRIVERS, OTHER_DRIVERS, SIMULATED_EMAILS
from demo.drives import way_of
from demo.fill import freshen
from demo.models import USUAL_DRIVERS
from demo.people import strangers_are_here
from demo.roads import metres
from demo.simulator.dispatching import tray
from demo.tests.conftest import NOW, person
from tracking.models import Dispatch, Driver, Fix, Journey, Leg, Position, Shift
from tracking.states import DispatchStatus, Duty, JourneyEnd

# --- The drivers ----------------------------------------------------------------------------------


def test_every_driver_has_a_vehicle_that_fits_and_plates_are_their_own(demo: None) -> None:
    drivers = Driver.objects.prefetch_related("skills")
    assert drivers.count() == len(DRIVERS) == USUAL_DRIVERS + 1
    for driver in drivers:
        skills = {skill.slug for skill in driver.skills.all()}
        assert driver.capacity_kg > 0 and (driver.plate or driver.vehicle == "bike")
        assert "towing" not in skills or driver.vehicle == "truck"
    plates = [each.plate for each in (*DRIVERS, *HIRED) if each.plate]
    assert len(plates) == len(set(plates))


def test_those_who_may_be_hired_are_others_and_no_strangers(demo: None) -> None:
    assert len({each.email for each in HIRED}) == len(HIRED) == MOST_DRIVERS - len(OTHER_DRIVERS)
    assert {each.email for each in HIRED} <= SIMULATED_EMAILS & EMAILS
    User.objects.create_user(HIRED[0].email, None, role=Role.DRIVER, name=HIRED[0].name)
    assert not strangers_are_here()


# --- Their day ------------------------------------------------------------------------------------


def test_when_it_opens_somebody_is_on_the_way_to_emma_and_seen(demo: None) -> None:
    journey = Journey.objects.get(booking__customer=person("emma"), closed_at=None)
    position = Position.objects.get(user=journey.traveller)
    assert position.point and position.age(NOW) < timedelta(seconds=5) and position.speed
    assert journey.traveller.email in SIMULATED_EMAILS
    assert journey.eta_minutes and 2 <= journey.eta_minutes <= 25
    way = way_of(journey)
    points = [way.at(along).point for along in range(0, int(way.metres), 20)]
    track = [Point(fix.latitude, fix.longitude) for fix in journey.fixes.all()]
    assert len(track) > 20
    assert all(min(metres(fix, point) for point in points) < 25 for fix in (*track, position.point))


def test_the_fleet_has_something_of_everything(demo: None) -> None:
    duty = [shift.duty for shift in Shift.objects.exclude(duty=Duty.OFF_DUTY)]
    assert duty.count(Duty.ON_BREAK) == 1 and duty.count(Duty.ON_DUTY) == len(OTHER_DRIVERS) - 1
    on_duty = Shift.objects.filter(duty=Duty.ON_DUTY).values_list("user_id", flat=True)
    assert set(Position.objects.values_list("user_id", flat=True)) == set(on_duty)
    states = set(Dispatch.objects.values_list("status", flat=True))
    wanted = {DispatchStatus.COMPLETED, DispatchStatus.REJECTED, DispatchStatus.FAILED, DispatchStatus.EN_ROUTE}
    assert states == wanted
    assert Journey.objects.filter(closed_at=None).count() == 2
    assert set(Journey.objects.exclude(closed_at=None).values_list("end", flat=True)) == {JourneyEnd.ARRIVED}
    assert tray().count() == 3


def test_sam_is_off_duty_with_a_day_behind_him(demo: None) -> None:
    shift = Shift.objects.get(user=person("sam"))
    assert shift.duty == Duty.OFF_DUTY and shift.ended_at and shift.ended_at < NOW - timedelta(hours=12)
    assert Dispatch.objects.get(driver=person("sam").driver).status == DispatchStatus.COMPLETED
    assert not Position.objects.filter(user=person("sam")).exists()


def test_no_fix_is_of_a_time_that_nothing_was_collected_in(demo: None) -> None:
    for fix in Fix.objects.select_related("journey"):
        journey = fix.journey
        if journey is not None:
            assert journey.opened_at <= fix.at <= (journey.closed_at or NOW)
    assert not Fix.objects.filter(at__gt=NOW).exists()


def test_after_some_days_somebody_comes_to_emma_again(demo: None) -> None:
    later = NOW + timedelta(days=4)
    run_due(later)
    freshen(later)
    journey = Journey.objects.filter(booking__customer=person("emma"), closed_at=None).latest("pk")
    assert journey.opened_at > NOW and Position.objects.get(user=journey.traveller).age(later) < timedelta(seconds=5)
    before = Leg.objects.count()
    freshen(later)
    assert Leg.objects.count() == before
