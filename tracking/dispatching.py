"""Who could take a leg: every driver at work, the best first, each with the reasons."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Exists, FilteredRelation, OuterRef, Q, QuerySet, Value

from accounts.models import Role
from common.geo import Point, distance_km
from realtime.presence import OFFLINE, ONLINE, Seen, online
from tracking.models import Dispatch, Driver, Leg, Position, Shift
from tracking.rules.numbers import seconds
from tracking.states import ACTIVE_DISPATCH, HOLDING_DISPATCH, DispatchStatus, Duty


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
    return weigh(leg, drivers_for(leg).filter(pk__in=at_work), now=now)


def candidates_among(leg: Leg, driver_ids: Collection[int], *, now: datetime) -> dict[int, Candidate]:
    """The same of some drivers, those off duty included, by id."""
    return {each.driver.pk: each for each in weigh(leg, drivers_for(leg).filter(pk__in=driver_ids), now=now)}


def drivers_for(leg: Leg) -> QuerySet[Driver]:
    """Drivers with what a leg asks of them joined: the shift they are in, their place, whether they can do it."""
    able = Driver.skills.through.objects.filter(driver=OuterRef("pk"), driverskill=leg.skill_id)
    joined: Any = Driver.objects.annotate(
        is_able=Value(True, BooleanField()) if leg.skill_id is None else Exists(able),
        shift_now=FilteredRelation("user__shifts", condition=~Q(user__shifts__duty=Duty.OFF_DUTY)),
    )
    found: QuerySet[Driver] = joined.select_related("user__position", "shift_now")
    return found


@dataclass(frozen=True)
class Facts:
    """What is known of the drivers at one moment."""

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
    """Two queries, however many drivers."""
    said = Q(status__in=HOLDING_DISPATCH) | Q(leg=leg, status=DispatchStatus.REJECTED)
    held = list(Dispatch.objects.filter(said, driver__in=ids).values_list("driver_id", "status"))
    return Facts(
        busy={pk for pk, status in held if status in ACTIVE_DISPATCH},
        asked={pk for pk, status in held if status == DispatchStatus.OFFERED},
        declined={pk for pk, status in held if status == DispatchStatus.REJECTED},
        presence=online(ids, now),
        now=now,
    )


def weighed(leg: Leg, driver: Driver, facts: Facts) -> Candidate:
    """One driver and one leg."""
    against = list(reasons_against(leg, driver, facts))
    position = position_of(driver)
    far = how_far(leg, position, facts.now)
    return Candidate(
        driver=driver,
        fits=not against,
        why=against or list(reasons_for(leg, driver, far, facts)),
        distance_km=far,
        presence=facts.presence[driver.pk].state if driver.pk in facts.presence else OFFLINE,
        busy=driver.pk in facts.busy,
    )


def duty_of(driver: Driver) -> str:
    """On duty or on a break; off duty without a shift: Django sets none where there is none."""
    shift: Shift | None = getattr(driver, "shift_now", None)
    return shift.duty if shift is not None else Duty.OFF_DUTY


def position_of(driver: Driver) -> Position | None:
    """Where they were last seen."""
    return getattr(driver.user, "position", None)


def reasons_against(leg: Leg, driver: Driver, facts: Facts) -> Iterable[str]:
    """Why this leg cannot be offered to this driver."""
    if not driver.user.is_active or driver.user.role != Role.DRIVER:
        yield "does not drive for us any more"
    elif duty_of(driver) == Duty.OFF_DUTY:
        yield "off duty"
    elif duty_of(driver) == Duty.ON_BREAK:
        yield "on a break"
    if driver.pk in facts.declined:
        yield "declined this leg"
    if not driver.is_able:  # type: ignore[attr-defined]
        yield f"lacks {str(leg.skill).lower()}"
    if leg.weight_kg > driver.capacity_kg:
        yield f"carries {driver.capacity_kg} kg at most"


def reasons_for(leg: Leg, driver: Driver, far: float | None, facts: Facts) -> Iterable[str]:
    """What speaks for a driver who fits, as the desk reads it."""
    yield distance_words(far, position_of(driver), facts.now)
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
