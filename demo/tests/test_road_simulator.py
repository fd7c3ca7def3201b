"""The simulator on the road: drivers who come to work, answer, drive and are lost now and then; a desk that asks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role, User
from bookings.actions import accept_bid
from bookings.models import Booking
from common.geo import Point
from demo.cast import PLAYABLE
from demo.drivers import BENCH
from demo.errands import home_of
from demo.models import Switches
from demo.roads import london, metres
from demo.simulator import dispatching, driving, gps, run, shifts
from demo.simulator.here import Pages
from demo.simulator.vehicles import LONGEST_STEP, MOST_QUEUED, Vehicle
from demo.simulator.world import World
from demo.tests.conftest import NOW, Town, person
from demo.tests.test_simulator import job_of, offer_of, state, watch
from realtime.models import Presence, ServerProcess
from realtime.presence import OFFLINE, ONLINE, online
from tracking.actions import accept_offer, create_leg, go_on_duty, lapse, offer_leg, take_fixes
from tracking.actions.fixes import Batch
from tracking.models import (
    Dispatch,
    DispatchHistory,
    Driver,
    Fix,
    Journey,
    Leg,
    Position,
    RefusedFixes,
    Shift,
    ShiftHistory,
)
from tracking.rules.fixes import to_ms
from tracking.states import DispatchStatus, Duty, LegKind

ZOFIA, PAVEL = "zofia.wrona", "pavel.hruska"


@pytest.fixture(autouse=True)
def road_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other habits cost time and change nothing here."""
    monkeypatch.setattr(run, "HABITS", (driving.drive, *run.ROAD))


@pytest.fixture
def road(town: Town) -> Town:
    """Somebody looks on, and nobody drives yet."""
    watch(NOW + timedelta(hours=2))
    switch(drivers=0)
    return town


def switch(**how: Any) -> None:
    Switches.objects.update_or_create(pk=1, defaults=how)


def at_work(name: str, where: Point | None = None, *, now: Any = NOW) -> Driver:
    """A driver of the cast on duty, somewhere."""
    user = person(name)
    go_on_duty(user, by=user, now=now)
    if where is not None:
        take_fixes({user.pk: Batch.of([{"at": to_ms(now), "lat": where[0], "lng": where[1], "acc": 8}])}, now=now)
    return Driver.objects.get(pk=user.pk)


def stay(*names: str) -> None:
    """So many are wanted that these stay on duty, however late in the list they stand."""
    emails = [each.email for each in BENCH]
    switch(drivers=max(emails.index(person(name).email) for name in names) + 1)


def leg_to(booking: Booking, *, now: Any = NOW, **terms: Any) -> Leg:
    return create_leg(booking, by=person("olivia"), kind=LegKind.DELIVERY, note="A lamp", now=now, **terms)


def near(booking: Booking, metres_away: float) -> Point:
    """A point on the road so far before its door."""
    home = home_of(booking)
    assert home is not None
    return london().way(Point(51.50, -0.12), home).last(metres_away).at(0).point


# --- Coming to work -------------------------------------------------------------------------------


def test_as_many_are_on_duty_as_the_desk_wants(road: Town) -> None:
    switch(drivers=3)
    road.wait(2)
    on_duty = Shift.objects.filter(duty=Duty.ON_DUTY).order_by("pk")
    assert [shift.user.email for shift in on_duty] == [each.email for each in BENCH[:3]]
    switch(drivers=1)
    road.wait(2)
    assert [shift.user.email for shift in on_duty.all()] == [BENCH[0].email]


def test_more_than_the_cast_are_hired_some_at_a_time_and_never_sign_in(road: Town) -> None:
    switch(drivers=12)
    road.wait(4)
    drivers = User.objects.filter(role=Role.DRIVER)
    assert drivers.count() == 13 and Shift.objects.filter(duty=Duty.ON_DUTY).count() == 12
    hired = [user for user in drivers if user.email in {each.email for each in BENCH[7:]}]
    assert len(hired) == 5 and not any(user.has_usable_password() for user in hired)
    assert all(user.driver.vehicle and user.driver.capacity_kg for user in hired)
    road.wait(3)
    assert drivers.count() == 13


def test_whoever_has_a_leg_finishes_it_before_going_home(road: Town) -> None:
    zofia = at_work(ZOFIA)
    accept_offer(
        offer_leg(leg_to(job_of(person("priya.nair"))), zofia, by=person("olivia"), now=NOW), by=zofia.user, now=NOW
    )
    road.wait(20, step=5)
    assert Shift.objects.get(user=zofia.user).duty == Duty.ON_DUTY


@pytest.mark.parametrize("how", ["unwatched", "paused"])
def test_nothing_drives_while_nobody_looks_or_the_desk_has_paused(town: Town, how: str) -> None:
    if how == "paused":
        watch(NOW + timedelta(hours=2))
    switch(drivers=7, paused=how == "paused")
    booking = job_of(person("priya.nair"))
    offer = offer_leg(leg_to(booking), at_work(ZOFIA, near(booking, 700)), by=person("olivia"), now=NOW)
    before = Fix.objects.count()
    town.wait(40, step=2)
    assert Shift.objects.count() == 1 and Fix.objects.count() == before
    assert state(offer) == DispatchStatus.OFFERED


# --- A leg from the offer to the door -------------------------------------------------------------


def test_a_driver_sees_takes_fetches_brings_and_is_seen_on_the_road(road: Town) -> None:
    booking = job_of(person("priya.nair"))
    zofia = at_work(ZOFIA, near(booking, 900))
    stay(ZOFIA)
    shop = near(booking, 600)
    offer = offer_leg(leg_to(booking, pick_up="The shop", pick_up_point=shop), zofia, by=person("olivia"), now=NOW)
    road.load_dice(lambda world: 0.5 < world.chance("mood", offer.pk).random() < 0.85 and not fails(world, offer))
    road.wait_for(lambda: state(offer) == DispatchStatus.ACCEPTED, most=12)
    assert offer.seen_at and offer.seen_at < offer.answered_at
    assert not Journey.objects.exists()
    road.wait_for(lambda: state(offer) == DispatchStatus.EN_ROUTE, most=190, step=2)
    assert metres(Position.objects.get(user=zofia.user).point or shop, shop) < 200
    road.wait_for(lambda: state(offer) == DispatchStatus.ARRIVED, most=400, step=2)
    journey = Journey.objects.get()
    assert journey.near_at is not None and journey.fixes.count() > 5
    way = london().way(near(booking, 900), journey.destination)
    points = [way.at(along).point for along in range(0, int(way.metres) + 1, 20)]
    for fix in journey.fixes.all():
        assert min(metres(Point(fix.latitude, fix.longitude), point) for point in points) < 40
    road.wait_for(lambda: state(offer) == DispatchStatus.COMPLETED, most=50, step=5)
    assert DispatchHistory.objects.filter(subject=offer).last().reason  # type: ignore[union-attr]


def fails(world: World, offer: Dispatch) -> bool:
    return world.chance("door", offer.pk).random() < shifts.FAILS


def test_without_a_shop_a_driver_leaves_soon_and_without_reaching_it_in_a_few_minutes(road: Town) -> None:
    booking = job_of(person("priya.nair"))
    zofia, pavel = at_work(ZOFIA, near(booking, 5000)), at_work(PAVEL, Point(51.45, -0.02))
    stay(ZOFIA, PAVEL)
    far = Point(51.60, -0.19)
    for number, (driver, terms) in enumerate(((zofia, {}), (pavel, {"pick_up": "Far", "pick_up_point": far}))):
        leg = leg_to(job_of(person("daniel.osei"), ("lights", "doors")[number]), **terms)
        accept_offer(offer_leg(leg, driver, by=person("olivia"), now=NOW), by=driver.user, now=NOW)
    road.wait(11)
    assert list(Dispatch.objects.order_by("pk").values_list("status", flat=True)) == ["en_route", "accepted"]
    road.wait(180, step=10)
    assert Dispatch.objects.get(driver=pavel).status == DispatchStatus.EN_ROUTE


@pytest.mark.parametrize(
    ("refusals", "low", "high", "becomes"),
    [(False, 0.0, 0.1, "rejected"), (True, 0.15, 0.5, "rejected"), (False, 0.955, 1.0, "offered")],
)
def test_some_offers_are_declined_and_some_not_answered(
    road: Town, refusals: bool, low: float, high: float, becomes: str
) -> None:
    booking = job_of(person("priya.nair"))
    offer = offer_leg(leg_to(booking), at_work(ZOFIA, near(booking, 900)), by=person("olivia"), now=NOW)
    stay(ZOFIA)
    switch(refusals=refusals)
    road.load_dice(lambda world: low <= world.chance("mood", offer.pk).random() < high)
    road.wait(14)
    assert state(offer) == becomes and offer.seen_at is not None


def test_a_double_tap_takes_a_leg_once(road: Town) -> None:
    booking = job_of(person("priya.nair"))
    offer = offer_leg(leg_to(booking), at_work(ZOFIA, near(booking, 900)), by=person("olivia"), now=NOW)
    stay(ZOFIA)

    def taps_twice(world: World) -> bool:
        return (
            world.chance("twice", offer.pk).random() < shifts.TWICE
            and 0.2 < world.chance("mood", offer.pk).random() < 0.9
        )

    road.load_dice(taps_twice)
    road.wait_for(lambda: state(offer) == DispatchStatus.ACCEPTED, most=12)
    assert f"road take again {offer.pk}" in road.simulator.given_up
    assert DispatchHistory.objects.filter(subject=offer, to_state=DispatchStatus.ACCEPTED).count() == 1


# --- Devices --------------------------------------------------------------------------------------


def vehicle_on(start: Point, end: Point) -> Vehicle:
    vehicle = Vehicle(7, start)
    vehicle.head_for(end)
    return vehicle


def test_a_good_device_is_some_metres_off_and_says_the_same_with_the_same_seed(people: None) -> None:
    vehicle = vehicle_on(Point(51.52, -0.12), Point(51.54, -0.10))
    seen = []
    for number in range(200):
        world = World(NOW + timedelta(seconds=5 * number), 3)
        vehicle.advance(world.now, 10)
        assert gps.measure(world, vehicle) == gps.measure(World(world.now, 3), vehicle)
        seen += [metres(Point(fix["lat"], fix["lng"]), vehicle.point) for fix in gps.measure(world, vehicle)]
    assert sum(each < 25 for each in seen) >= 190


def test_a_bad_device_sends_what_real_ones_send(people: None) -> None:
    switch(bad_gps=True)
    vehicle = Vehicle(7, Point(51.52, -0.12))
    fixes = [gps.measure(World(NOW + timedelta(seconds=number), 3), vehicle)[0] for number in range(300)]
    away = [metres(Point(fix["lat"], fix["lng"]), vehicle.point) for fix in fixes if fix["lat"]]
    assert 40 < sum(fix["lat"] == 0 or fix["acc"] == 800 for fix in fixes) + sum(each > 1500 for each in away) < 130
    assert any(fix["at"] > to_ms(NOW + timedelta(seconds=600)) for fix in fixes)


def test_nothing_is_measured_in_a_tunnel(people: None) -> None:
    places = london().places
    vehicle = vehicle_on(places["blackwall"], places["north_greenwich"])
    vehicle.advance(NOW, 0)
    vehicle.advance(NOW + LONGEST_STEP, 60)
    assert vehicle.in_tunnel and gps.measure(World(NOW, 1), vehicle) == []
    vehicle.advance(NOW + 5 * LONGEST_STEP, 300)
    assert vehicle.is_there


def test_a_bad_gps_never_moves_the_marker_out_of_its_way_and_each_refusal_is_counted(road: Town) -> None:
    booking = job_of(person("priya.nair"))
    zofia = at_work(ZOFIA, near(booking, 2500))
    stay(ZOFIA)
    switch(bad_gps=True)
    offer = offer_leg(leg_to(booking), zofia, by=person("olivia"), now=NOW)
    accept_offer(offer, by=zofia.user, now=NOW)
    for _ in range(50):
        road.wait(5, step=5)
        vehicle, position = road.simulator.fleet.of(zofia.pk), Position.objects.filter(user=zofia.user).first()
        if vehicle and position and position.point and (road.now - (position.fix_at or NOW)).total_seconds() < 8:
            assert metres(position.point, vehicle.point) < 160
    assert set(RefusedFixes.objects.filter(user=zofia.user).values_list("reason", flat=True)) >= {
        "jump",
        "no_place",
        "future",
    }


def test_a_device_without_network_is_offline_answers_nothing_and_sends_late_what_it_kept(road: Town) -> None:
    booking = job_of(person("priya.nair"))
    zofia = at_work(ZOFIA, near(booking, 2500))
    stay(ZOFIA)
    road.wait(6)
    assert online([zofia.pk], road.now)[zofia.pk].state == ONLINE
    vehicle = road.simulator.fleet.of(zofia.pk)
    assert vehicle is not None
    vehicle.cut_off_until = road.now + timedelta(seconds=60)
    offer = offer_leg(leg_to(booking), zofia, by=person("olivia"), seconds=300, now=road.now)
    heard = Position.objects.get(user=zofia.user).received_at
    road.wait(50, step=5)
    assert state(offer) == DispatchStatus.OFFERED and offer.seen_at is None
    assert Position.objects.get(user=zofia.user).received_at == heard and len(vehicle.queue) > 3
    road.wait(24, step=3)
    assert not vehicle.queue and Fix.objects.filter(user=zofia.user, late=True).exists()
    assert state(offer) != DispatchStatus.OFFERED or offer.seen_at is not None


def test_a_device_keeps_so_much_and_no_more() -> None:
    vehicle = Vehicle(1, Point(51.5, -0.1))
    for number in range(MOST_QUEUED + 50):
        vehicle.measured([{"at": number}], NOW)
    assert len(vehicle.queue) == MOST_QUEUED and vehicle.queue[-1]["at"] == MOST_QUEUED + 49


def test_a_simulator_that_slept_does_not_leap() -> None:
    vehicle = vehicle_on(Point(51.52, -0.12), Point(51.60, -0.10))
    vehicle.advance(NOW, 10)
    vehicle.advance(NOW + timedelta(hours=3), 10)
    assert vehicle.along == pytest.approx(10 * LONGEST_STEP.total_seconds())


def test_one_that_is_started_anew_goes_on_from_where_the_marker_stands(road: Town) -> None:
    booking = job_of(person("priya.nair"))
    zofia = at_work(ZOFIA, near(booking, 2500))
    stay(ZOFIA)
    accept_offer(offer_leg(leg_to(booking), zofia, by=person("olivia"), now=NOW), by=zofia.user, now=NOW)
    road.wait(40, step=4)
    here = Position.objects.get(user=zofia.user).point
    again = Town()
    again.now = road.now
    again.wait(2)
    vehicle = again.simulator.fleet.of(zofia.pk)
    assert here and vehicle and metres(here, vehicle.point) < 60


def test_who_is_free_looks_about_town_and_rests(road: Town) -> None:
    zofia = at_work(ZOFIA, Point(51.52, -0.12))
    stay(ZOFIA)
    road.wait(240, step=5)
    stretch, share = london().nearest(Position.objects.get(user=zofia.user).point or Point(0, 0))
    assert metres(stretch.at(share), Position.objects.get(user=zofia.user).point or Point(0, 0)) < 40
    assert Fix.objects.filter(user=zofia.user).count() > 10
    assert not Journey.objects.filter(traveller=zofia.user).exists()


def test_moving_more_of_them_costs_no_more_queries(road: Town) -> None:
    costs = []
    for wanted in (3, 7):
        switch(drivers=wanted)
        road.wait(8)
        world = World(road.now + timedelta(seconds=9), 1, fleet=road.simulator.fleet)
        assert world.drivers and world.technicians and world.road_is_open
        for vehicle in road.simulator.fleet.vehicles.values():
            vehicle.measured_at = vehicle.cut_off_until = None
        with CaptureQueriesContext(connection) as asked:
            assert driving.drive(world) == wanted
        costs.append(len(asked))
    assert costs[1] <= costs[0] + 1 < 20  # a fix that is refused, as happens, is counted in one more


def test_tracks_of_the_simulated_are_kept_for_a_day_and_those_of_people_are_not_touched(road: Town) -> None:
    old = NOW - timedelta(days=2)
    for name in ("sam", ZOFIA):
        for at in (old, NOW):
            Fix.objects.create(user=person(name), at=at, received_at=at, latitude=51.5, longitude=-0.1)
    world = World(NOW.replace(second=0), 1)
    assert driving.forget_tracks(world) == 1
    assert Fix.objects.filter(user=person(ZOFIA)).get().at == NOW
    assert Fix.objects.filter(user=person("sam")).count() == 2


# --- The desk -------------------------------------------------------------------------------------


def assigned(customer: str, kind: str = "leaks", *, to: str = "anna.novak") -> Booking:
    """A visit of tomorrow that was agreed an hour ago."""
    placed_at = NOW - timedelta(hours=2)
    booking = job_of(person(customer), kind, now=placed_at)
    bid = offer_of(person(to), booking, Decimal(80), placed_at)
    accept_bid(bid, revision=1, by=person(customer), now=NOW - timedelta(hours=1))
    return booking


def watch_as(user: User) -> None:
    """Their page is open as well."""
    until = NOW + timedelta(hours=2)
    process = ServerProcess.objects.get(name="")
    who = {"kind": "user", "principal": str(user.pk)}
    times = {"since": NOW, "seen_at": until}
    Presence.objects.create(process=process, page_id=f"p{user.pk}", page="/", transport="socket", **who, **times)


def test_the_tray_fills_and_empties_by_itself_and_stays_bounded(road: Town) -> None:
    assigned("priya.nair")
    switch(drivers=4)
    road.wait(120, step=4)
    assert Leg.objects.exists() and Dispatch.objects.exists()
    assert dispatching.tray().count() <= dispatching.IN_THE_TRAY
    road.wait(900, step=10)
    legs = Leg.objects.values_list("booking", flat=True)
    assert max(list(legs).count(pk) for pk in set(legs)) <= dispatching.LEGS_A_JOB
    assert set(DispatchHistory.objects.exclude(actor=None).values_list("actor__role", flat=True)) <= {"admin", "driver"}


def test_where_a_visitor_plays_the_desk_the_tray_is_left_to_them_for_some_minutes(road: Town) -> None:
    watch_as(person("olivia"))
    leg = leg_to(assigned("priya.nair"))
    switch(drivers=4)
    road.wait(240, step=8)
    assert not leg.dispatches.exists()
    road.wait(150, step=2.5)
    assert leg.dispatches.exists()


def test_a_visitor_who_drives_is_asked_within_ten_seconds_and_never_answered_for(road: Town) -> None:
    assigned("priya.nair")
    sam = at_work("sam")
    road.wait(15)
    assert not Dispatch.objects.exists()  # nobody sits at that screen
    watch_as(sam.user)
    assert road.wait_for(lambda: Dispatch.objects.filter(driver=sam).exists(), most=10) <= 10
    offer = Dispatch.objects.get(driver=sam)
    assert offer.offered_by == person("nadia.hughes")
    road.wait(40, step=2)
    assert state(offer) == DispatchStatus.OFFERED and offer.seen_at is None
    assert not ShiftHistory.objects.filter(actor=sam.user, at__gt=NOW).exists()
    assert road.simulator.fleet.of(sam.pk) is None and not Fix.objects.filter(user=sam.user).exists()


def test_who_does_not_answer_is_left_in_peace(road: Town) -> None:
    assigned("priya.nair")
    sam = at_work("sam")
    watch_as(sam.user)
    for number in range(1, dispatching.UNANSWERED + 1):
        road.wait_for(lambda: Dispatch.objects.filter(driver=sam).count() == number, most=15)  # noqa: B023
        offer = Dispatch.objects.filter(driver=sam).latest("pk")
        road.now = offer.deadline
        lapse(offer, now=road.now)
    road.wait(60, step=3)
    assert Dispatch.objects.filter(driver=sam).count() == dispatching.UNANSWERED


def test_a_visitor_at_the_desk_asks_the_visitor_who_drives_themselves(road: Town) -> None:
    leg_to(assigned("priya.nair"))
    sam = at_work("sam")
    for user in (sam.user, person("olivia")):
        watch_as(user)
    road.wait(60, step=3)
    assert not Dispatch.objects.exists()


def test_the_customer_whom_a_visitor_plays_comes_first(road: Town) -> None:
    assigned("priya.nair")
    emmas = assigned("emma", to="tariq")
    sam = at_work("sam")
    for user in (sam.user, person("emma")):
        watch_as(user)
    road.wait_for(lambda: Dispatch.objects.filter(driver=sam).exists(), most=10)
    assert Dispatch.objects.get(driver=sam).leg.booking == emmas


# --- Being here -----------------------------------------------------------------------------------


def test_drivers_on_duty_are_online_until_the_simulator_ends(road: Town) -> None:
    switch(drivers=2)
    road.wait(12)
    first = person("dev.malhotra")
    assert online([first.pk], road.now)[first.pk].state == ONLINE
    road.simulator.close()
    assert online([first.pk], road.now + timedelta(minutes=3))[first.pk].state == OFFLINE


def test_their_own_pages_do_not_keep_the_demo_awake(people: None) -> None:
    pages = Pages()
    user = person("dev.malhotra")
    pages.since[user.pk] = NOW.timestamp()
    pages.book.put([pages.page(user.pk, NOW.timestamp())])
    assert online([user.pk], NOW)[user.pk].state == ONLINE
    assert not World(NOW, 1).is_watched


# --- Whom it acts for -----------------------------------------------------------------------------


def test_on_the_road_too_it_never_acts_for_a_person(road: Town) -> None:
    persons = {person(slug).pk for slug in PLAYABLE}
    assigned("priya.nair")
    at_work("sam")
    watch_as(person("sam"))
    switch(drivers=6, bad_gps=True, drop_outs=True, refusals=True)
    last = {
        model: (model.objects.order_by("-pk").first() or model()).pk or 0 for model in (DispatchHistory, ShiftHistory)
    }
    road.wait(400, step=5)
    for model, pk in last.items():
        assert not model.objects.filter(pk__gt=pk, actor_id__in=persons).exists()
    assert not Position.objects.filter(user_id__in=persons).exists()
