"""What a device in a simulated vehicle measures: mostly where it is, and now and then what real ones send instead."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from common.geo import Point
from demo.models import Switches
from demo.roads import moved
from demo.simulator.vehicles import Fix, Vehicle
from demo.simulator.world import World
from tracking.rules.fixes import to_ms

NOISE = 4.0  # metres, standard deviation
SELDOM, OFTEN = 0.004, 0.25  # of the fixes are wrong, as the switch stands
SELDOM_CUT_OFF, OFTEN_CUT_OFF = 0.004, 0.06  # of the spans of ten seconds begin a drop-out
CUT_OFF = (20, 75)  # seconds
AHEAD = timedelta(minutes=6)


def measure(world: World, vehicle: Vehicle) -> list[Fix]:
    """What the device gives now: nothing in a tunnel, a fix with noise elsewhere, and seldom a wrong one."""
    if vehicle.in_tunnel:
        return []
    dice = world.chance("gps", vehicle.user_id, to_ms(world.now))
    fix = good_fix(vehicle, world.now, dice)
    if dice.random() < share_of_bad(world.switches):
        fix = spoiled(fix, vehicle.point, world.now, dice)
    return [fix]


def share_of_bad(switches: Switches) -> float:
    """How many of the fixes are wrong."""
    return OFTEN if switches.bad_gps else SELDOM


def good_fix(vehicle: Vehicle, now: datetime, dice: Random) -> Fix:
    """The place, some metres off, with the accuracy that a phone claims."""
    point = moved(vehicle.point, dice.gauss(0, NOISE), dice.gauss(0, NOISE))
    return {
        "at": to_ms(now),
        "lat": round(point.latitude, 6),
        "lng": round(point.longitude, 6),
        "acc": round(dice.uniform(5, 18), 1),
        "spd": round(vehicle.speed, 1),
        "hdg": None if vehicle.heading is None else round((vehicle.heading + dice.gauss(0, 4)) % 360, 1),
    }


def spoiled(fix: Fix, point: Point, now: datetime, dice: Random) -> Fix:
    """The same fix as a bad device sends it."""
    kind = dice.choice(("jump", "jump", "nowhere", "future", "vague"))
    if kind == "jump":
        away = moved(point, dice.choice((-1, 1)) * dice.uniform(2000, 6000), dice.uniform(-4000, 4000))
        return {**fix, "lat": away.latitude, "lng": away.longitude}
    if kind == "nowhere":
        return {**fix, "lat": 0.0, "lng": 0.0}
    if kind == "future":
        return {**fix, "at": to_ms(now + AHEAD)}
    vague = moved(point, dice.gauss(0, 300), dice.gauss(0, 300))
    return {**fix, "lat": vague.latitude, "lng": vague.longitude, "acc": 800.0}


def lose_network(world: World, vehicle: Vehicle) -> None:
    """Now and then a device is without network for a while; the dice are thrown every ten seconds."""
    if vehicle.is_cut_off(world.now):
        return
    dice = world.chance("network", vehicle.user_id, int(world.now.timestamp()) // 10)
    share = OFTEN_CUT_OFF if world.switches.drop_outs else SELDOM_CUT_OFF
    if dice.random() < share:
        vehicle.cut_off_until = world.now + timedelta(seconds=dice.uniform(*CUT_OFF))


def round_trip(world: World, vehicle: Vehicle) -> int:
    """How long the heartbeat of a page on it takes, in ms."""
    usual = world.chance("network", vehicle.user_id).choice((45, 60, 80, 120, 180, 420))
    slow = 5 if world.switches.drop_outs else 1
    return round(usual * slow * world.chance("rtt", vehicle.user_id, to_ms(world.now)).uniform(0.8, 1.5))
