"""The desk while nobody plays it: a colleague puts errands into the tray and asks drivers, the one whom a visitor plays
first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from django.db.models import Count, Exists, Max, OuterRef, QuerySet

from accounts.models import Role, User
from bookings.models import Booking
from bookings.states import BookingStatus
from demo.cast import PLAYABLE
from demo.errands import errand_for, home_of, make_leg, shop_near
from demo.simulator.world import World
from realtime.presence import ONLINE, online
from tracking.actions import ask_in_turn, offer_leg
from tracking.dispatching import Candidate, candidates, candidates_among
from tracking.models import Dispatch, DispatchHistory, Driver, Leg, OfferRound, Shift
from tracking.states import HOLDING_DISPATCH, DispatchStatus, Duty, LegKind

IN_THE_TRAY = 2  # legs that wait, at least, for whoever plays the desk
LEGS_A_JOB = 3  # no job is driven for more often
SECONDS = 30  # to answer, for the simulated; who is played has the usual minute
IN_TURN = 3
THE_DESK_IS_SLOW = timedelta(minutes=5)
LOOKS_EVERY, LONG_AGO = timedelta(seconds=4), datetime.min.replace(tzinfo=UTC)
UNANSWERED = 3  # offers in a row after which a played driver is left in peace until the next shift
GOING_ON = (BookingStatus.ASSIGNED, BookingStatus.IN_PROGRESS, BookingStatus.OPEN)


# --- The tray -------------------------------------------------------------------------------------


def tray() -> QuerySet[Leg]:
    """Legs that nobody has and nobody is asked about, with when that was so last."""
    about = Dispatch.objects.filter(leg=OuterRef("pk"))
    stands = about.filter(status__in=(*HOLDING_DISPATCH, DispatchStatus.COMPLETED))
    asking = OfferRound.objects.filter(leg=OuterRef("pk"), ended_at__isnull=True)
    rows = Leg.objects.filter(~Exists(stands), ~Exists(asking), cancelled_at=None, booking__status__in=GOING_ON)
    return rows.select_related("booking__customer", "booking__category__skill", "skill").order_by("pk")


def fill_tray(world: World) -> int:
    """While somebody looks on, a new leg now and then, as long as drivers have too little to do."""
    if not world.road_is_open:
        return 0
    last = Leg.objects.filter(booking__customer__in=world.customers).order_by("created_at").last()
    if last is not None and not world.due(last.created_at, 10, 30, "errand", last.pk):
        return 0
    under_way = Dispatch.objects.filter(status__in=HOLDING_DISPATCH, driver__in=world.drivers).count()
    enough = max(IN_THE_TRAY, world.switches.drivers // 2)
    if tray().count() >= IN_THE_TRAY or under_way >= enough:
        return 0
    return int(new_leg(world, last.pk if last else 0, list(world.customers)) is not None)


def new_leg(world: World, number: int, customers: list[int]) -> Leg | None:
    """A leg for one of the jobs that go on of these customers; None where there is no such job."""
    desk = next(iter(world.admins.values()), None)
    dice = world.chance("errand", number)
    jobs = list(jobs_to_drive_for(customers)) if customers else []
    if desk is None or not jobs:
        return None
    booking = dice.choice(jobs)
    errand, home = errand_for(booking, dice), home_of(booking)
    shop = shop_near(home) if home and errand.kind == LegKind.DELIVERY and dice.random() < 0.7 else None
    made: list[Leg] = []

    def make() -> None:
        made.append(make_leg(booking, errand, by=desk, now=world.now, shop=shop))

    world.attempt(make, "errand", number, booking.pk)
    return made[0] if made else None


def jobs_to_drive_for(customers: list[int]) -> QuerySet[Booking]:
    """Jobs that go on and for which nothing is being driven, nor was too often."""
    done = Leg.objects.filter(booking=OuterRef("pk"), cancelled_at=None)
    unfinished = done.exclude(dispatches__status=DispatchStatus.COMPLETED)
    rows = Booking.objects.filter(
        customer__in=customers, status__in=(BookingStatus.ASSIGNED, BookingStatus.IN_PROGRESS)
    )
    rows = rows.annotate(driven=Count("legs")).filter(~Exists(unfinished), driven__lt=LEGS_A_JOB)
    return rows.select_related("customer", "category__skill").order_by("pk")


# --- Asking simulated drivers ---------------------------------------------------------------------


def ask_drivers(world: World) -> int:
    """Legs go to the best few in turn, one leg a step; where a visitor plays the desk, only those left lying."""
    if not world.road_is_open:
        return 0
    for leg in tray():
        since = last_change(leg)
        slow = THE_DESK_IS_SLOW if world.desk_is_played else timedelta(0)
        if not world.due(since + slow, 6, 12, "ask", leg.pk, since) or not looks_now(world, leg):
            continue
        best = [each.driver for each in candidates(leg, now=world.now) if suits(world, each)][:IN_TURN]
        if best and ask(world, leg, best, since):
            return 1
    return 0


def looks_now(world: World, leg: Leg) -> bool:
    """Whether the colleague looks at a leg again: who could take it costs some queries."""
    looked = world.fleet.looked_at
    if world.now - looked.get(leg.pk, LONG_AGO) < LOOKS_EVERY:
        return False
    looked[leg.pk] = world.now
    return True


def last_change(leg: Leg) -> datetime:
    """When a leg came (back) into the tray."""
    back: datetime | None = DispatchHistory.objects.filter(subject__leg=leg).aggregate(at=Max("at"))["at"]
    return back or leg.created_at


def suits(world: World, candidate: Candidate) -> bool:
    """Whether the colleague at the desk would ask them: simulated, free and here."""
    simulated = candidate.driver.pk in world.drivers
    return candidate.fits and simulated and not candidate.busy and candidate.presence == ONLINE


def ask(world: World, leg: Leg, best: list[Driver], since: datetime) -> bool:
    """Ask the best few, one after another."""
    desk = next(iter(world.admins.values()), None)
    if desk is None:
        return False
    asking = partial(ask_in_turn, leg, best, by=desk, seconds=SECONDS, now=world.now)
    return world.attempt(asking, "ask", leg.pk, since)


# --- Asking a visitor -----------------------------------------------------------------------------


def ask_visitors(world: World) -> int:
    """A driver who is played gets an offer some seconds after going on duty, unless somebody plays the desk too."""
    if not world.road_is_open or world.desk_is_played:
        return 0
    return sum(ask_visitor(world, shift) for shift in visitors_waiting(world))


def visitors_waiting(world: World) -> Iterator[Shift]:
    """Shifts of drivers who are not simulated, are here, and have nothing to do."""
    held = Dispatch.objects.filter(driver=OuterRef("user"), status__in=HOLDING_DISPATCH)
    rows = Shift.objects.filter(~Exists(held), duty=Duty.ON_DUTY, user__role=Role.DRIVER, user__is_active=True)
    shifts = list(rows.exclude(user__in=world.drivers).select_related("user").order_by("pk"))
    here = online([shift.user_id for shift in shifts], world.now) if shifts else {}
    yield from (shift for shift in shifts if here[shift.user_id].state == ONLINE)


def ask_visitor(world: World, shift: Shift) -> bool:
    """Offer one leg to one visitor, some seconds after the last was settled; not for ever to who does not answer."""
    asked = list(Dispatch.objects.filter(driver=shift.user_id, offered_at__gte=shift.started_at).order_by("-pk"))
    lately = [each.status for each in asked[:UNANSWERED]]
    if lately == [DispatchStatus.EXPIRED] * UNANSWERED:
        return False
    since = max([shift.duty_since, *(each.ended_at or each.answered_at or each.deadline for each in asked[:1])])
    key = ("visitor", shift.pk, len(asked))
    desk = next(iter(world.admins.values()), None)
    if desk is None or not world.due(since, 4, 8, *key):
        return False
    leg = leg_for(world, shift.user, len(asked))
    if leg is None:
        return False
    driver = Driver.objects.get(pk=shift.user_id)
    return world.attempt(partial(offer_leg, leg, driver, by=desk, now=world.now), *key, leg.pk)


def leg_for(world: World, visitor: User, number: int) -> Leg | None:
    """A leg for a customer whom somebody plays right now, if any; else one of the tray that fits, or a new one."""
    number += 10**6 * visitor.pk
    played = User.objects.filter(email__in=[person.email for person in PLAYABLE.values()], role=Role.CUSTOMER)
    here = online(played.values_list("pk", flat=True), world.now)
    if leg := new_leg(world, number, [pk for pk, seen in here.items() if seen.state == ONLINE]):
        return leg
    for leg in tray()[:6]:
        if candidates_among(leg, [visitor.pk], now=world.now)[visitor.pk].fits:
            return leg
    return new_leg(world, number, list(world.customers))
