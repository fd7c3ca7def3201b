"""How simulated people drive: to the customer they are on the way to, to the shop where goods wait, or about town.

Their devices send through the same door as everybody's (`take_fixes`). While nobody looks on they stand still.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

from django.db import OperationalError

from bookings.models import Booking
from common.geo import Point
from demo.drivers import BENCH
from demo.drives import home_area
from demo.errands import home_of
from demo.roads import london, metres
from demo.simulator.gps import lose_network, measure, round_trip
from demo.simulator.vehicles import Vehicle
from demo.simulator.world import World
from tracking.actions.fixes import Batch, take_fixes
from tracking.models import Dispatch, Fix, Journey, Position, Shift
from tracking.rules.numbers import number
from tracking.states import DispatchStatus, Duty

LAST_STRETCH = 900.0  # metres before a person's door at which a technician sets out, so that they see the end of it
LONGER_STRETCH = 2200.0  # the same before another simulated one's
KEPT = timedelta(days=1)
FORGETS_EVERY, FORGETS_MOST = 60, 5000  # seconds, rows
MOVES_ON = 0.3  # of the minutes in which somebody free stands still
HOMES = {person.email: person for person in BENCH}


class Trip(NamedTuple):
    """Somebody who is out, and where they are to be. Who is `free` may be anywhere; `booking` is a technician's."""

    user_id: int
    goal: Point | None = None
    free: bool = False
    booking: Booking | None = None


def drive(world: World) -> int:
    """Move everybody who is out and send what their devices measured; returns how many sent something."""
    if world.switches.paused:
        return 0
    trips = [*technicians_out(world), *(drivers_out(world) if world.is_watched else ())]
    board(world, trips)
    for trip in trips:
        move(world, trip, world.fleet.vehicles[trip.user_id])
    return send(world, [world.fleet.vehicles[trip.user_id] for trip in trips])


# --- Who is out -----------------------------------------------------------------------------------


def technicians_out(world: World) -> list[Trip]:
    """Simulated technicians on the way to a visit; one query."""
    rows = Journey.objects.filter(traveller__in=world.technicians, closed_at__isnull=True).select_related("booking")
    return [Trip(journey.traveller_id, journey.destination, booking=journey.booking) for journey in rows.order_by("pk")]


def drivers_out(world: World) -> list[Trip]:
    """Simulated drivers on duty, with their leg; two queries."""
    on_duty = Shift.objects.filter(user__in=world.drivers, duty=Duty.ON_DUTY).order_by("user_id")
    ids = list(on_duty.values_list("user_id", flat=True))
    legs = {row.driver_id: row for row in legs_under_way(ids)}
    return [Trip(pk, goal_of(legs[pk])) if pk in legs else Trip(pk, free=True) for pk in ids]


def legs_under_way(driver_ids: Iterable[int]) -> list[Dispatch]:
    """The legs that drivers have; one query."""
    states = (DispatchStatus.ACCEPTED, DispatchStatus.EN_ROUTE, DispatchStatus.ARRIVED)
    rows = Dispatch.objects.filter(driver__in=list(driver_ids), status__in=states).select_related("leg__booking")
    return list(rows.order_by("pk"))


def goal_of(dispatch: Dispatch) -> Point | None:
    """Where a leg has its driver be: first at the shop, then at the customer's; None: where they are."""
    if dispatch.status == DispatchStatus.ACCEPTED:
        return dispatch.leg.starts_from
    return home_of(dispatch.leg.booking) if dispatch.status == DispatchStatus.EN_ROUTE else None


# --- Moving ---------------------------------------------------------------------------------------


def board(world: World, trips: list[Trip]) -> None:
    """A vehicle for everybody who came out since the last step, where they were last; others leave theirs."""
    world.fleet.keep({trip.user_id for trip in trips})
    new = [trip for trip in trips if world.fleet.of(trip.user_id) is None]
    known = Position.objects.filter(user__in=[trip.user_id for trip in new]) if new else ()
    places = {row.user_id: row.point for row in known}
    for trip in new:
        start = places.get(trip.user_id) or beginning(world, trip)
        world.fleet.vehicles[trip.user_id] = Vehicle(trip.user_id, start)


def beginning(world: World, trip: Trip) -> Point:
    """Where somebody comes from whose position nobody knows."""
    technician = world.technicians.get(trip.user_id)
    if technician is None or trip.booking is None or trip.goal is None:
        return home_area(HOMES[world.drivers[trip.user_id].email])
    base = Point(technician.base_latitude, technician.base_longitude)
    a_person_waits = trip.booking.customer_id not in world.customers
    return london().way(base, trip.goal).last(LAST_STRETCH if a_person_waits else LONGER_STRETCH).at(0).point


def move(world: World, trip: Trip, vehicle: Vehicle) -> None:
    """One step of somebody's way."""
    if trip.goal is not None:
        vehicle.head_for(trip.goal)
    elif trip.free:
        look_about(world, vehicle)
    vehicle.advance(world.now, speed_of(world, trip))


def look_about(world: World, vehicle: Vehicle) -> None:
    """Who has nothing to do stands for some minutes, then drives to another corner of the neighbourhood."""
    minute = int(world.now.timestamp()) // 60
    dice = world.chance("corner", vehicle.user_id, minute)
    if vehicle.goal is None or (vehicle.is_there and dice.random() < MOVES_ON):
        places = sorted(london().places.values(), key=lambda place: metres(place, vehicle.point))
        vehicle.head_for(dice.choice(places[3:15]))


def speed_of(world: World, trip: Trip) -> float:
    """Metres a second: everybody has their own, lights and queues come on top, but for who is waited for."""
    if trip.user_id in world.technicians:
        return world.chance("technician", trip.user_id).uniform(11.0, 13.5)
    usual = world.chance("driver", trip.user_id).uniform(8.0, 12.0)
    traffic = world.chance("traffic", trip.user_id, int(world.now.timestamp()) // 15).random()
    return 0.0 if traffic < 0.12 else usual * (0.55 + 0.6 * traffic)


# --- Sending --------------------------------------------------------------------------------------


def send(world: World, vehicles: list[Vehicle]) -> int:
    """Have devices measure whose moment has come, and take in what those with network have, in one transaction."""
    ready: dict[int, Vehicle] = {}
    for vehicle in vehicles:
        if vehicle.user_id in world.drivers:
            lose_network(world, vehicle)
        if measures_now(world, vehicle):
            vehicle.measured(measure(world, vehicle), world.now)
        if vehicle.queue and not vehicle.is_cut_off(world.now):
            ready[vehicle.user_id] = vehicle
    return deliver(world, ready)


def measures_now(world: World, vehicle: Vehicle) -> bool:
    """Every few seconds while moving, seldom while still."""
    if vehicle.measured_at is None:
        return True
    every = number("SEND_MOVING_SECONDS" if vehicle.speed else "SEND_IDLE_SECONDS")
    return world.now - vehicle.measured_at >= timedelta(seconds=every)


def deliver(world: World, ready: Mapping[int, Vehicle]) -> int:
    """Give the queues to the door that all fixes go through. Whoever is held up there keeps theirs."""
    if not ready:
        return 0
    batches = {pk: Batch.of(vehicle.queue, rtt=round_trip(world, vehicle)) for pk, vehicle in ready.items()}
    try:
        taken = take_fixes(batches, now=world.now)
    except OperationalError:  # somebody's tap comes first; the next second will do
        return 0
    for pk in taken:
        ready[pk].queue = []
    return len(taken)


def forget_tracks(world: World) -> int:
    """Tracks of the simulated are kept for a day: a demo that runs for months does not fill the disk."""
    if int(world.now.timestamp()) % FORGETS_EVERY:
        return 0
    old = Fix.objects.filter(user__in=[*world.drivers, *world.technicians], at__lt=world.now - KEPT)
    pks = list(old.order_by("at").values_list("pk", flat=True)[:FORGETS_MOST])
    return Fix.objects.filter(pk__in=pks).delete()[0] if pks else 0
