"""What the demo's drivers carry: goods that fit the job, and where they are fetched."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import NamedTuple

from accounts.models import User
from bookings.models import Booking
from common.geo import Point
from demo.roads import metres
from tracking.actions import create_leg
from tracking.models import DriverSkill, Leg
from tracking.states import LegKind


class Errand(NamedTuple):
    """Something to be driven. `skill` is one that its driver must have."""

    note: str
    weight_kg: int
    skill: str = ""
    kind: LegKind = LegKind.DELIVERY


class Shop(NamedTuple):
    """Where goods come from: an invented merchant on a real street."""

    name: str
    point: Point


ERRANDS: dict[str, tuple[Errand, ...]] = {
    "plumbing": (Errand("Kitchen mixer tap and fittings", 4), Errand("Copper pipes, three metres", 12)),
    "heating": (Errand("New boiler in its box", 38, "heavy"), Errand("Two radiators with valves", 44, "heavy")),
    "electrics": (Errand("Pendant lamps and a dimmer", 6, "fragile"), Errand("Fuse board, 12-way", 7)),
    "it-support": (Errand("Laptop for the workshop", 3, "fragile", LegKind.PICK_UP), Errand("Router and cables", 2)),
    "appliances": (
        Errand("Washing machine", 72, "heavy"),
        Errand("Old fridge, to be recycled", 60, "heavy", LegKind.PICK_UP),
    ),
    "decorating": (Errand("Paint, ten litres, and dust sheets", 16), Errand("Wallpaper, nine rolls", 11)),
    "carpentry": (Errand("Oak shelves, cut to size", 22), Errand("Front door blank", 35)),
    "locks": (Errand("Lock cylinder and strike plate", 1), Errand("Steel gate", 40, "heavy")),
}
ANYTHING = (Errand("A parcel from the merchant", 5),)
TOW = Errand("The technician's van, flat battery", 0, "towing", LegKind.TOW)

SHOPS = (
    Shop("Northway Trade Counter, Camden Road", Point(51.5480, -0.1275)),
    Shop("Mare Street Builders' Yard", Point(51.5425, -0.0558)),
    Shop("Borough Electrical Supplies", Point(51.5020, -0.0935)),
    Shop("Old Kent Road Plumb & Heat", Point(51.4870, -0.0720)),
    Shop("Goldhawk Home Merchants", Point(51.5020, -0.2310)),
    Shop("Acre Lane Paint and Timber", Point(51.4619, -0.1245)),
    Shop("Stratford Appliance Depot", Point(51.5405, -0.0050)),
    Shop("Kilburn Lock & Door", Point(51.5380, -0.1930)),
)


def home_of(booking: Booking) -> Point | None:
    """Where a booking's customer is."""
    if booking.latitude is None or booking.longitude is None:
        return None
    return Point(booking.latitude, booking.longitude)


def errand_for(booking: Booking, chance: Random) -> Errand:
    """Goods that fit its trade."""
    trade = booking.category.skill.slug if booking.category else ""
    return TOW if chance.random() < 0.06 else chance.choice(ERRANDS.get(trade, ANYTHING))


def shop_near(point: Point) -> Shop:
    """The merchant nearest to a customer."""
    return min(SHOPS, key=lambda shop: metres(shop.point, point))


def make_leg(booking: Booking, errand: Errand, *, by: User, now: datetime, shop: Shop | None = None) -> Leg:
    """The desk puts an errand into its tray, fetched from `shop` where there is one."""
    return create_leg(
        booking,
        by=by,
        kind=errand.kind,
        note=errand.note,
        weight_kg=errand.weight_kg,
        skill=DriverSkill.objects.filter(slug=errand.skill).first() if errand.skill else None,
        pick_up=shop.name if shop else "",
        pick_up_point=shop.point if shop else None,
        now=now,
    )
