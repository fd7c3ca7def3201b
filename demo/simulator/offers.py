"""How simulated technicians find jobs, offer, and think again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Max, Prefetch, Q, QuerySet

from accounts.models import Technician
from bookings.actions import place_bid, revise_bid, withdraw_bid
from bookings.actions.bids import visit_in_the_way
from bookings.models import Bid, Booking
from bookings.states import BidStatus, BookingStatus
from common.geo import Point, distance_km
from demo.booking import STEP, price
from demo.simulator.world import World
from demo.words import BACK_AGAIN, CHEAPER, FROM_FAR, OFFERS, WITHDRAWN

LEAST_NOTICE = timedelta(minutes=10)
TRIES = 6  # starts that are looked at in a technician's calendar


def offer_to_people(world: World) -> int:
    """On a person's job two to four offers come within fifteen seconds, the first within five."""
    jobs = open_jobs(world).exclude(customer_id__in=world.customers)
    return sum(offer(world, job, world.chance("crew", job.pk).randint(2, 4), soon) for job in jobs)


def offer_to_each_other(world: World) -> int:
    """On a simulated customer's job up to two offers come within some minutes."""
    if not world.is_watched:
        return 0
    jobs = open_jobs(world).filter(customer_id__in=world.customers)
    return sum(offer(world, job, world.chance("crew", job.pk).randint(0, 2), later) for job in jobs)


def soon(place: int) -> tuple[float, float]:
    """Seconds within which the offer in that place comes."""
    return (2.5, 4.5) if place == 0 else (4.0 + 2 * place, 6.0 + 2 * place)


def later(place: int) -> tuple[float, float]:
    """The same where nobody waits for it."""
    return 40.0 + 60 * place, 240.0


def open_jobs(world: World) -> QuerySet[Booking]:
    """Jobs that take offers, with when they (last) opened and everybody's offers; two queries."""
    opened = Max("history__at", filter=Q(history__to_state=BookingStatus.OPEN))
    jobs = Booking.objects.open_for_bids(world.now).select_related("category").annotate(opened_at=opened)
    return jobs.prefetch_related(Prefetch("bids", to_attr="all_bids")).order_by("pk")


def offer(world: World, job: Booking, wanted: int, pace: Callable[[int], tuple[float, float]]) -> int:
    """Let those of the job's crew offer whose moment has come; returns how many did."""
    done = 0
    mine: dict[int, Bid] = {bid.technician_id: bid for bid in job.all_bids}  # type: ignore[attr-defined]
    crew = crew_for(world, job, wanted, set(mine))
    for place, technician in enumerate(crew):
        least, most = pace(place)
        opened_at: datetime = job.opened_at  # type: ignore[attr-defined]
        bid = mine.get(technician.pk)
        again = bid is not None and bid.status in (BidStatus.NOT_SELECTED, BidStatus.EXPIRED)
        if bid is not None and not (again and bid.revised_at < opened_at):
            continue
        if world.due(opened_at, least, most, "offer", job.pk, technician.pk):
            done += make_offer(world, job, technician, bid, place)
    return done


def crew_for(world: World, job: Booking, wanted: int, offered: set[int]) -> list[Technician]:
    """Those who will offer: people with the skill, near ones first, and enough of the others where few are near.

    Who offered already without being of the crew (the demo's history) takes one of the places.
    """
    here = job.public_point
    if here is None or job.category is None:
        return []
    skill = job.category.skill_id
    able = [row for row in world.technicians.values() if skill in {each.pk for each in row.skills.all()}]
    able = [row for row in able if busy_key(job, row) not in world.given_up]
    away = {row.pk: distance_km(here, Point(row.base_latitude, row.base_longitude)) for row in able}
    near = [row for row in able if away[row.pk] <= row.radius_km]
    near.sort(key=lambda row: world.chance("crew", job.pk, row.pk).random())
    far = sorted((row for row in able if row not in near), key=lambda row: away[row.pk])
    crew = (near + far[: max(2 - len(near), 0)])[:wanted]
    outsiders = offered & world.technicians.keys() - {row.pk for row in crew}
    return crew[: max(wanted - len(outsiders), 0)]


def busy_key(job: Booking, technician: Technician) -> str:
    """Under which it is remembered that a technician has no time for a job, so that another offers instead."""
    return f"busy {job.pk} {technician.pk} {job.window_start}"


def make_offer(world: World, job: Booking, technician: Technician, earlier: Bid | None, place: int) -> bool:
    """Offer, or offer again; without free time in the window another technician takes the place."""
    dice = world.chance("terms", job.pk, technician.pk)
    start = free_start(world, job, technician)
    if start is None or job.category is None:
        world.given_up.add(busy_key(job, technician))
        return False
    amount = price(job.category, job.budget, dice)
    by, key = technician.user, ("offer", job.pk, technician.pk, job.opened_at)  # type: ignore[attr-defined]
    if earlier is not None:
        return world.attempt(
            lambda: revise_bid(earlier, by=by, amount=amount, starts_at=start, message=BACK_AGAIN, now=world.now),
            *key,
        )
    here = job.public_point
    home = Point(technician.base_latitude, technician.base_longitude)
    is_far = here is not None and distance_km(here, home) > technician.radius_km
    words = world.chance("words", job.pk).sample(OFFERS, len(OFFERS))  # no two offers on a job say the same
    message = FROM_FAR if is_far else words[place % len(words)]
    return world.attempt(
        lambda: place_bid(job, by=by, amount=amount, starts_at=start, message=message, now=world.now), *key
    )


def free_start(world: World, job: Booking, technician: Technician) -> datetime | None:
    """A start in the job's window at which the technician has no visit, or None."""
    if job.window_start is None or job.window_end is None or job.latest_start is None:
        return None
    first = max(job.window_start, world.now + LEAST_NOTICE)
    starts = [first]
    while starts[-1] + STEP <= job.latest_start:
        starts.append(starts[-1] + STEP)
    starts = [start for start in starts if start < job.window_end]
    dice = world.chance("start", job.pk, technician.pk)
    for start in dice.sample(starts, min(len(starts), TRIES)):
        if visit_in_the_way(technician.pk, start, start + job.duration) is None:
            return start
    return None


def think_again(world: World) -> int:
    """Of the offers to people one in five becomes cheaper, and now and then one of several is taken back."""
    offers = Bid.objects.standing().filter(technician_id__in=world.technicians, starts_at__gt=world.now)
    offers = offers.exclude(booking__customer_id__in=world.customers).filter(booking__status=BookingStatus.OPEN)
    standing = Count("booking__bids", filter=Q(booking__bids__status=BidStatus.SUBMITTED))
    changed: set[int] = set()  # jobs on which somebody thought again in this step: one is enough
    for bid in offers.filter(revision=1).select_related("booking").annotate(rivals=standing).order_by("pk"):
        if bid.booking_id not in changed and thinks_again(world, bid):
            changed.add(bid.booking_id)
    return len(changed)


def thinks_again(world: World, bid: Bid) -> bool:
    """Make the offer cheaper, or take it back, where that is its technician's mood and the moment has come."""
    mood = world.chance("mood", bid.pk).random()
    if mood < 0.2 and world.due(bid.submitted_at, 25, 60, "cheaper", bid.pk):
        return make_cheaper(world, bid)
    if mood > 0.93 and several(bid) and world.due(bid.submitted_at, 60, 120, "withdraw", bid.pk):
        return withdraw(world, bid)
    return False


def several(bid: Bid) -> bool:
    """Whether enough others stand that one may be missed."""
    return bool(bid.rivals > 2)  # type: ignore[attr-defined]


def make_cheaper(world: World, bid: Bid) -> bool:
    """The next revision, some pounds below."""
    dice = world.chance("cheaper", bid.pk)
    by = world.technicians[bid.technician_id].user
    amount = max(bid.amount - Decimal(dice.choice((5, 10))), Decimal(5))
    message = dice.choice(CHEAPER)
    return world.attempt(
        lambda: revise_bid(
            bid, by=by, amount=amount, starts_at=bid.starts_at, ends_at=bid.ends_at, message=message, now=world.now
        ),
        "cheaper",
        bid.pk,
    )


def withdraw(world: World, bid: Bid) -> bool:
    """Take the offer back."""
    by = world.technicians[bid.technician_id].user
    return world.attempt(lambda: withdraw_bid(bid, by=by, reason=WITHDRAWN, now=world.now), "withdraw", bid.pk)
