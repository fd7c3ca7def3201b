"""What the tests of tracking stand on: drivers at work, legs, offers and journeys, made through the actions themselves.

The clock stands at `NOW` of the bookings' tests. Jobs are in Camden.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model

from accounts.models import Role, User
from bookings.models import Booking
from bookings.tests import make
from bookings.tests.make import CAMDEN, DAY, HOUR, MINUTE, NOW
from common.geo import Point
from tracking import actions
from tracking.models import Dispatch, Driver, DriverSkill, Leg, OfferRound, Position, Shift
from tracking.states import FailReason, LegKind, RejectReason

__all__ = ["CAMDEN", "DAY", "FAR", "HOUR", "MINUTE", "NEAR", "NOW"]

NEAR = Point(51.5450, -0.1410)  # some 700 metres from the job
FAR = Point(51.4769, -0.0005)  # Greenwich, 12 km
M = TypeVar("M", bound=Model)


def fresh(row: M) -> M:
    """The row as the database has it."""
    return type(row)._default_manager.get(pk=row.pk)


def desk(name: str = "Frank") -> User:
    """An admin."""
    return make.person(name, Role.ADMIN, is_staff=True)


def towing() -> DriverSkill:
    """What a tow needs."""
    return DriverSkill.objects.get_or_create(slug="towing", defaults={"name": "Towing"})[0]


def driver(name: str, *skills: DriverSkill, at: Point | None = None, now: datetime = NOW, **vehicle: Any) -> Driver:
    """A driver off duty."""
    made = Driver.objects.create(user=make.person(name, Role.DRIVER), **vehicle)
    made.skills.set(skills)
    if at is not None:
        place(made.user, at, now=now)
    return made


def at_work(name: str, *skills: DriverSkill, at: Point | None = None, now: datetime = NOW, **vehicle: Any) -> Driver:
    """A driver on duty, at a place if one is given."""
    made = driver(name, *skills, **vehicle)
    on_duty(made, now=now)
    if at is not None:
        place(made.user, at, now=now)
    return made


def on_duty(who: Driver, *, now: datetime = NOW) -> Shift:
    """They begin to work."""
    return actions.go_on_duty(who.user, by=who.user, now=now)


def place(user: User, at: Point, *, now: datetime = NOW, **fields: Any) -> Position:
    """Where somebody is, as a fix would have it."""
    values = {"latitude": at.latitude, "longitude": at.longitude, "fix_at": now, "seen_at": now, "received_at": now}
    row = Position(user=user, **{**values, **fields})
    row.save()
    return row


def job(customer: User, **changes: Any) -> Booking:
    """A placed booking."""
    return make.job(customer, **changes)


def leg(booking: Booking, by: User, *, now: datetime = NOW, **changes: Any) -> Leg:
    """Something to be delivered for it."""
    values = {"kind": LegKind.DELIVERY, "note": "A new boiler", **changes}
    return actions.create_leg(booking, by=by, now=now, **values)


def offered(what: Leg, to: Driver, *, by: User | None = None, now: datetime = NOW, **terms: Any) -> Dispatch:
    """An offer that waits."""
    return actions.offer_leg(what, to, by=by or what.created_by, now=now, **terms)


def in_turn(what: Leg, *drivers: Driver, now: datetime = NOW, **terms: Any) -> OfferRound:
    """A round that has asked its first."""
    return actions.ask_in_turn(what, drivers, by=terms.pop("by", what.created_by), now=now, **terms)


def accepted(what: Leg, who: Driver, *, now: datetime = NOW) -> Dispatch:
    """A leg that its driver has taken."""
    return actions.accept_offer(offered(what, who, now=now), by=who.user, now=now)


def en_route(what: Leg, who: Driver, *, now: datetime = NOW) -> Dispatch:
    """A leg under way: the customer sees the driver."""
    return actions.set_off(accepted(what, who, now=now), by=who.user, now=now)


def arrived(what: Leg, who: Driver, *, now: datetime = NOW) -> Dispatch:
    """A driver at the door."""
    return actions.arrive(en_route(what, who, now=now), by=who.user, now=now)


def completed(what: Leg, who: Driver, *, now: datetime = NOW) -> Dispatch:
    """A leg that is done."""
    return actions.complete(arrived(what, who, now=now), by=who.user, now=now)


def rejected(what: Leg, who: Driver, *, now: datetime = NOW) -> Dispatch:
    """A leg that a driver declined."""
    return actions.reject_offer(offered(what, who, now=now), by=who.user, reason=RejectReason.TOO_FAR, now=now)


def failed(what: Leg, who: Driver, *, now: datetime = NOW) -> Dispatch:
    """A leg that did not work out."""
    return actions.fail(en_route(what, who, now=now), by=who.user, reason=FailReason.NO_ACCESS, now=now)


def states(row: Dispatch | Shift) -> list[str]:
    """What became of it, by its history."""
    return list(row.history.values_list("to_state", flat=True))
