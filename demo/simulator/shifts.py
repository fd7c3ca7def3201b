"""How simulated drivers come to work and what they make of an offer, a leg and a closed door."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from accounts.models import User
from demo.drivers import BENCH, hire
from demo.errands import home_of
from demo.simulator.world import World
from tracking.actions import (
    accept_offer,
    arrive,
    complete,
    end_break,
    fail,
    go_off_duty,
    go_on_duty,
    reject_offer,
    see_offer,
    set_off,
)
from tracking.models import Dispatch, Shift
from tracking.states import HOLDING_DISPATCH, DispatchStatus, Duty, FailReason, RejectReason

AT_ONCE = 5  # drivers who come or go in one step
BREAK = timedelta(minutes=12)
NO_LONGER = timedelta(minutes=3)  # so long a driver waits to get to the shop before they go without
SELDOM, OFTEN = (0.10, 0.05), (0.5, 0.15)  # of the offers are declined, are not answered
TWICE = 0.15  # of those who accept tap twice
FAILS, FAILS_OFTEN = 0.03, 0.15
REASONS = (RejectReason.TOO_FAR, RejectReason.VEHICLE, RejectReason.SHIFT_ENDS)
DONE = ("Left with the customer.", "Signed for.", "Put into the hall.")


# --- Coming to work -------------------------------------------------------------------------------


def come_to_work(world: World) -> int:
    """As many are on duty as the desk wants: the next on the list come, the last who are free go home."""
    if not world.road_is_open:
        return 0
    shifts = {row.user_id: row for row in Shift.objects.filter(user__in=world.drivers).exclude(duty=Duty.OFF_DUTY)}
    wanted = list(roster(world))[: world.switches.drivers]
    missing = [user for user in wanted if user.pk not in shifts][:AT_ONCE]
    came = sum(
        act(world, "come", user.pk, partial(go_on_duty, user, by=user, now=world.now), again=True) for user in missing
    )
    return came + send_home(world, shifts, {user.pk for user in wanted})


def roster(world: World) -> list[User]:
    """Everybody who may be called, hired where they have no account yet: as few as are needed, some a step."""
    lacking = world.switches.drivers - len(world.drivers)
    if lacking > 0:
        known = {user.email for user in world.drivers.values()}
        for person in [person for person in BENCH if person.email not in known][: min(lacking, AT_ONCE)]:
            if not User.objects.filter(email=person.email).exists():  # deactivated by the desk: then they do not come
                user = hire(person)
                world.drivers[user.pk] = user
    return list(world.drivers.values())


def send_home(world: World, shifts: dict[int, Shift], wanted: set[int]) -> int:
    """Those who are too many go off duty, those whose break was long enough end it."""
    done = 0
    for pk, shift in shifts.items():
        user = world.drivers[pk]
        if pk not in wanted and done < AT_ONCE:
            done += act(world, "go", shift.pk, partial(go_off_duty, shift, by=user, now=world.now), again=True)
        elif shift.duty == Duty.ON_BREAK and world.now - shift.duty_since > BREAK:
            done += act(world, "go on", shift.pk, partial(end_break, shift, by=user, now=world.now))
    return done


# --- What they have in hand -----------------------------------------------------------------------


def tend_legs(world: World) -> int:
    """Offers are seen within seconds and answered some seconds later, legs go on; without network they wait."""
    if not world.road_is_open:
        return 0
    return sum(tend(world, dispatch) for dispatch in in_hand(world) if reaches(world, dispatch))


def in_hand(world: World) -> list[Dispatch]:
    """What simulated drivers are asked or have to do; one query."""
    rows = Dispatch.objects.filter(driver__in=world.drivers, status__in=HOLDING_DISPATCH)
    return list(rows.select_related("leg__booking", "driver__user").order_by("pk"))


def reaches(world: World, dispatch: Dispatch) -> bool:
    """Whether the driver's device has network: nothing can be tapped without."""
    return not world.fleet.is_cut_off(dispatch.driver_id, world.now)


def tend(world: World, dispatch: Dispatch) -> bool:
    """The next step of an offer or a leg."""
    return answer(world, dispatch) if dispatch.status == DispatchStatus.OFFERED else take_step(world, dispatch)


# --- Offers ---------------------------------------------------------------------------------------


def answer(world: World, offer: Dispatch) -> bool:
    """Look at one offer, then take it, decline it or leave it."""
    by = offer.driver.user
    if offer.seen_at is None:
        if not world.due(offer.offered_at, 1, 3, "see", offer.pk):
            return False
        return act(world, "see", offer.pk, partial(see_offer, offer, by=by, now=world.now))
    mood = world.chance("mood", offer.pk).random()
    declines, ignores = OFTEN if world.switches.refusals else SELDOM
    if mood > 1 - ignores or not world.due(offer.seen_at, 2, 7, "take", offer.pk):
        return False
    if mood < declines:
        reason = world.chance("why", offer.pk).choice(REASONS)
        return act(world, "decline", offer.pk, partial(reject_offer, offer, by=by, reason=reason, now=world.now))
    took = act(world, "take", offer.pk, partial(accept_offer, offer, by=by, now=world.now))
    if world.chance("twice", offer.pk).random() < TWICE:  # a double tap: the second is told that it is taken
        act(world, "take again", offer.pk, partial(accept_offer, offer, by=by, now=world.now))
    return took


# --- Legs -----------------------------------------------------------------------------------------


def take_step(world: World, dispatch: Dispatch) -> bool:
    """The next step of one leg, where its moment has come."""
    by = dispatch.driver.user
    if dispatch.status == DispatchStatus.ACCEPTED and has_the_goods(world, dispatch):
        return act(world, "set off", dispatch.pk, partial(set_off, dispatch, by=by, now=world.now))
    home = home_of(dispatch.leg.booking)
    if dispatch.status == DispatchStatus.EN_ROUTE and home and world.fleet.is_there(dispatch.driver_id, home):
        return act(world, "arrive", dispatch.pk, partial(arrive, dispatch, by=by, now=world.now))
    if dispatch.status == DispatchStatus.ARRIVED:
        return hand_over(world, dispatch, by)
    return False


def has_the_goods(world: World, dispatch: Dispatch) -> bool:
    """Whether a driver may leave: they were at the shop, or it takes too long, or there is none."""
    shop, since = dispatch.leg.starts_from, dispatch.answered_at
    if shop is None:
        return world.due(since, 4, 9, "load", dispatch.pk)
    at_the_shop = world.fleet.is_there(dispatch.driver_id, shop)
    return at_the_shop or (since is not None and world.now - since > NO_LONGER)


def hand_over(world: World, dispatch: Dispatch, by: User) -> bool:
    """At the door: mostly it works out."""
    arrived_at = dispatch.history.filter(to_state=DispatchStatus.ARRIVED).values_list("at", flat=True).first()
    if not world.due(arrived_at, 15, 45, "hand over", dispatch.pk):
        return False
    dice = world.chance("door", dispatch.pk)
    if dice.random() < (FAILS_OFTEN if world.switches.refusals else FAILS):
        reason = dice.choice((FailReason.NOBODY_THERE, FailReason.NO_ACCESS, FailReason.GOODS))
        return act(world, "fail", dispatch.pk, partial(fail, dispatch, by=by, reason=reason, now=world.now))
    note = dice.choice(DONE)
    return act(world, "complete", dispatch.pk, partial(complete, dispatch, by=by, note=note, now=world.now))


# --- all ------------------------------------------------------------------------------------------


def act(world: World, what: str, key: object, do: Callable[[], object], *, again: bool = False) -> bool:
    """Do something; where it was refused, never again, unless what stands in its way will pass."""
    done = world.attempt(do, "road", what, key, *((minute_of(world.now),) if again else ()))
    return bool(done)


def minute_of(moment: datetime) -> int:
    """Its number."""
    return int(moment.timestamp()) // 60
