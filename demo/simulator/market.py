"""How simulated customers keep the marketplace alive: they book, answer offers and choose."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from functools import partial

from django.db.models import Max

from accounts.models import User
from bookings.actions import accept_bid, reject_bid
from bookings.models import Bid, Booking, ServiceCategory
from bookings.states import ACTIVE_BOOKING, BookingStatus
from demo.booking import book, local, window_around
from demo.simulator.world import World
from demo.trades import KINDS, TRADES, Job, Trade
from demo.words import TOO_DEAR

OPEN_A_TRADE = 3  # open jobs of simulated customers that each trade should have
FEWEST_A_TRADE = 1  # fewer are made up for at once, watched or not


def answer_people(world: World) -> int:
    """An offer of a person is answered within ten seconds: yes, unless it is more than twice the usual price."""
    offers = Bid.objects.standing().select_related("booking__category", "booking__customer")
    offers = offers.filter(booking__status=BookingStatus.OPEN, booking__customer_id__in=world.customers)
    answered: set[int] = set()
    for bid in offers.exclude(technician_id__in=world.technicians).order_by("revised_at", "pk"):
        key = ("answer", bid.pk, bid.revision)
        if bid.booking_id not in answered and world.due(bid.revised_at, 4, 8, *key):
            answered.add(bid.booking_id)
            world.attempt(partial(say, world, bid), *key)
    return len(answered)


def say(world: World, bid: Bid) -> None:
    """The customer's answer to one offer."""
    category, customer = bid.booking.category, bid.booking.customer
    if category is not None and bid.amount > 2 * category.typical_high:
        reject_bid(bid, by=customer, reason=TOO_DEAR, now=world.now)
    else:
        accept_bid(bid, revision=bid.revision, by=customer, now=world.now)


def choose_among_simulated(world: World) -> int:
    """While somebody watches, a job that stood for some minutes goes to its best offer, one a step.

    Only from trades that have enough left for a person to offer on.
    """
    if not world.is_watched:
        return 0
    jobs = own_open_jobs(world)
    counts = Counter(job.category.skill_id for job in jobs if job.category)
    for job in jobs:
        plenty = job.category is not None and counts[job.category.skill_id] >= OPEN_A_TRADE
        if plenty and world.due(job.placed_at, 300, 1500, "choose", job.pk):
            best = Bid.objects.standing().filter(booking=job, technician_id__in=world.technicians).ranked().first()
            if best is not None and accept(world, job, best):
                return 1
    return 0


def accept(world: World, job: Booking, bid: Bid) -> bool:
    """Choose `bid`."""
    by = world.customers[job.customer_id]
    key = ("choose", bid.pk, bid.revision)
    return world.attempt(lambda: accept_bid(bid, revision=bid.revision, by=by, now=world.now), *key)


def own_open_jobs(world: World) -> list[Booking]:
    """The open jobs of simulated customers."""
    jobs = Booking.objects.open_for_bids(world.now).filter(customer_id__in=world.customers)
    return list(jobs.select_related("category__skill").order_by("pk"))


def feed(world: World) -> int:
    """Place a job where a trade has too few: at once below the least, one in a while up to what it should have."""
    jobs = own_open_jobs(world)
    counts = Counter(job.category.skill.slug for job in jobs if job.category)
    scarce = [trade for trade in TRADES if counts[trade.slug] < FEWEST_A_TRADE]
    if not scarce and world.is_watched:
        last = Booking.objects.filter(customer_id__in=world.customers).aggregate(last=Max("placed_at"))["last"]
        lacking = [trade for trade in TRADES if counts[trade.slug] < OPEN_A_TRADE]
        scarce = lacking[:1] if world.due(last, 12, 40, "feed", last) else []
    titles = {job.title for job in jobs}
    return sum(place(world, trade, titles) for trade in scarce)


def place(world: World, trade: Trade, taken: set[str]) -> bool:
    """Let the least busy simulated customer book a job of `trade`."""
    number = Booking.objects.count()
    dice = world.chance("place", number)
    kind = dice.choice(trade.kinds)
    job: Job = dice.choice([job for job in kind.jobs if job.title not in taken] or list(kind.jobs))
    category = ServiceCategory.objects.filter(slug=kind.slug).first()
    customer = least_busy(world)
    if category is None or customer is None:
        return False
    start = local(world.now + timedelta(days=dice.randint(1, 3)), dice.randint(9, 15))
    budget = Decimal((kind.low + kind.high) // 20 * 10) if dice.random() < 0.4 else None
    window = window_around(start, KINDS[kind.slug])
    return world.attempt(
        lambda: book(customer, kind, category, job, window, now=world.now, budget=budget), "place", number
    )


def least_busy(world: World) -> User | None:
    """The simulated customer with the fewest jobs under way."""
    active = Booking.objects.filter(customer_id__in=world.customers, status__in=ACTIVE_BOOKING)
    busy = Counter(active.values_list("customer_id", flat=True))
    return min(world.customers.values(), key=lambda user: (busy[user.pk], user.pk), default=None)
