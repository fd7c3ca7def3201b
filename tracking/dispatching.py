"""Who could take a leg: every driver at work, the best first, each with the reasons."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from accounts.models import Role
from common.geo import Point, distance_km
from realtime.presence import OFFLINE, ONLINE, Seen, online
from tracking.models import Dispatch, Driver, Leg, Position, Shift
from tracking.rules.numbers import seconds
from tracking.states import ACTIVE_DISPATCH, DispatchStatus, Duty


@dataclass(frozen=True)
class Candidate:
    """A driver, whether they could take the leg, and why (or why not), in words. Busy ones fit: they may accept
    when they have finished what they have.
    """

    driver: Driver
    fits: bool
    why: list[str]
    distance_km: float | None
    presence: str
    busy: bool

    @property
    def rank(self) -> tuple[bool, bool, bool, float, str]:
        """The order: who fits, is free, is connected, is near."""
        far = float("inf") if self.distance_km is None else self.distance_km
        return not self.fits, self.busy, self.presence == OFFLINE, far, self.driver.user.name


def candidates(leg: Leg, *, now: datetime) -> list[Candidate]:
    """Every driver on a shift, the best first. A constant number of queries. `leg.booking` should be loaded."""
    at_work = Shift.objects.exclude(duty=Duty.OFF_DUTY).values("user")
    return weigh(leg, drivers().filter(pk__in=at_work), now=now)


def candidates_among(leg: Leg, driver_ids: Collection[int], *, now: datetime) -> dict[int, Candidate]:
    """The same of some drivers, those off duty included, by id."""
    return {each.driver.pk: each for each in weigh(leg, drivers().filter(pk__in=driver_ids), now=now)}


def drivers() -> QuerySet[Driver]:
    """Drivers with what is asked about them."""
    return Driver.objects.select_related("user").prefetch_related("skills")


@dataclass(frozen=True)
class Facts:
    """What is known of the drivers at one moment."""

    duty: dict[int, str]
    positions: dict[int, Position]
    busy: set[int]
    asked: set[int]  # an offer of another leg waits for them
    declined: set[int]  # said no to this leg
    presence: dict[int, Seen]
    now: datetime


def weigh(leg: Leg, rows: QuerySet[Driver], *, now: datetime) -> list[Candidate]:
    """Each of `rows` as a candidate for `leg`, the best first."""
    found = list(rows)
    facts = facts_about(leg, [driver.pk for driver in found], now)
    return sorted((weighed(leg, driver, facts) for driver in found), key=lambda each: each.rank)


def facts_about(leg: Leg, ids: Collection[int], now: datetime) -> Facts:
    """Six queries, however many drivers."""
    theirs = Dispatch.objects.filter(driver__in=ids)
    shifts = Shift.objects.filter(user__in=ids).exclude(duty=Duty.OFF_DUTY)
    standing = theirs.filter(status__in=(*ACTIVE_DISPATCH, DispatchStatus.OFFERED)).values_list("driver_id", "status")
    held = list(standing)
    return Facts(
        duty=dict(shifts.values_list("user_id", "duty")),
        positions={position.user_id: position for position in Position.objects.filter(user__in=ids)},
        busy={pk for pk, status in held if status != DispatchStatus.OFFERED},
        asked={pk for pk, status in held if status == DispatchStatus.OFFERED},
        declined=set(theirs.filter(leg=leg, status=DispatchStatus.REJECTED).values_list("driver_id", flat=True)),
        presence=online(ids, now),
        now=now,
    )


def weighed(leg: Leg, driver: Driver, facts: Facts) -> Candidate:
    """One driver and one leg."""
    against = list(reasons_against(leg, driver, facts))
    position = facts.positions.get(driver.pk)
    far = how_far(leg, position, facts.now)
    return Candidate(
        driver=driver,
        fits=not against,
        why=against or list(reasons_for(leg, driver, far, facts)),
        distance_km=far,
        presence=facts.presence[driver.pk].state if driver.pk in facts.presence else OFFLINE,
        busy=driver.pk in facts.busy,
    )


def reasons_against(leg: Leg, driver: Driver, facts: Facts) -> Iterable[str]:
    """Why this leg cannot be offered to this driver."""
    if not driver.user.is_active or driver.user.role != Role.DRIVER:
        yield "does not drive for us any more"
    elif driver.pk not in facts.duty:
        yield "off duty"
    elif facts.duty[driver.pk] == Duty.ON_BREAK:
        yield "on a break"
    if driver.pk in facts.declined:
        yield "declined this leg"
    if leg.skill_id is not None and leg.skill not in driver.skills.all():
        yield f"lacks {str(leg.skill).lower()}"
    if leg.weight_kg > driver.capacity_kg:
        yield f"carries {driver.capacity_kg} kg at most"


def reasons_for(leg: Leg, driver: Driver, far: float | None, facts: Facts) -> Iterable[str]:
    """What speaks for a driver who fits, as the desk reads it."""
    yield distance_words(far, facts.positions.get(driver.pk), facts.now)
    if driver.pk in facts.busy:
        yield "busy with another leg"
    elif driver.pk in facts.asked:
        yield "asked about another leg"
    else:
        yield "free"
    if leg.skill_id is not None:
        yield f"has {str(leg.skill).lower()}"
    if leg.weight_kg:
        yield f"carries {driver.capacity_kg} kg"
    state = facts.presence[driver.pk].state if driver.pk in facts.presence else OFFLINE
    if state != ONLINE:
        yield state


def how_far(leg: Leg, position: Position | None, now: datetime) -> float | None:
    """Kilometres from a driver to where the leg begins; None where nobody knows, or not since long."""
    start = leg.starts_from or destination(leg)
    if position is None or position.point is None or start is None or position.age(now) > seconds("STALE_SECONDS"):
        return None
    return round(distance_km(position.point, start), 1)


def destination(leg: Leg) -> Point | None:
    """The customer's place."""
    booking = leg.booking
    if booking.latitude is None or booking.longitude is None:
        return None
    return Point(booking.latitude, booking.longitude)


def distance_words(far: float | None, position: Position | None, now: datetime) -> str:
    """2.1 km away; with its age where that is no longer live."""
    if far is None or position is None:
        return "place not known"
    age = position.age(now)
    if age <= seconds("LIVE_SECONDS"):
        return f"{far} km away"
    return f"{far} km away {max(int(age.total_seconds()) // 60, 1)} min ago"
