"""How people of the demo book and offer, whether weeks ago (`demo`) or just now (`simulate`)."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from accounts.models import User
from bookings.actions import open_booking, save_draft
from bookings.models import Booking, ServiceCategory
from demo.cast import CUSTOMERS
from demo.places import STREETS, Street
from demo.trades import Job, Kind

LONDON = ZoneInfo("Europe/London")
STEP = timedelta(minutes=30)


class Home(NamedTuple):
    """Where a customer of the demo lives: an invented number on a real street."""

    number: int
    street: Street


# Five is coprime to the number of streets: neighbours in the list live far apart.
HOMES = {
    person.email: Home(7 + 12 * index, STREETS[index * 5 % len(STREETS)]) for index, person in enumerate(CUSTOMERS)
}


def local(day: datetime, hour: int, minute: int = 0) -> datetime:
    """That time of the day of `day`, in London. Only ever asked for daytime, so that it always exists once."""
    return datetime.combine(day.astimezone(LONDON).date(), time(hour, minute), LONDON)


def next_daytime(moment: datetime) -> datetime:
    """`moment` rounded up to the half hour, or nine the next morning when nobody works then."""
    there = moment.astimezone(LONDON)
    there += -timedelta(minutes=there.minute % 30, seconds=there.second, microseconds=there.microsecond)
    there = there + STEP if there < moment else there
    if there.hour < 8:
        return local(there, 9)
    return there if there.hour < 18 else local(there + timedelta(days=1), 9)


def book(
    customer: User,
    kind: Kind,
    category: ServiceCategory,
    job: Job,
    window: tuple[datetime, datetime],
    *,
    now: datetime,
    budget: Decimal | None = None,
) -> Booking:
    """Draft a job at the customer's home and place it."""
    home = HOMES[customer.email]
    draft = save_draft(
        by=customer,
        now=now,
        category=category,
        title=job.title,
        description=job.description,
        address_line1=f"{home.number} {home.street.name}",
        town="London",
        postcode=home.street.postcode,
        latitude=home.street.latitude + (home.number % 7 - 3) * 0.0004,
        longitude=home.street.longitude + (home.number % 5 - 2) * 0.0006,
        area_label=home.street.area,
        time_zone="Europe/London",
        window_start=window[0],
        window_end=window[1],
        duration_minutes=kind.minutes,
        budget=budget,
        currency="GBP",
    )
    return open_booking(draft, by=customer, now=now)


def window_around(start: datetime, kind: Kind) -> tuple[datetime, datetime]:
    """A window of some hours that leaves room before and after a visit at `start`."""
    return start - timedelta(hours=1), start + timedelta(minutes=kind.minutes) + timedelta(hours=2)


def price(category: ServiceCategory, budget: Decimal | None, chance: Random) -> Decimal:
    """What a technician would ask: around the usual prices, drawn towards the customer's budget, in steps of five."""
    low, high = float(category.typical_low), float(category.typical_high)
    middle = (low + high) / 2 if budget is None else min(max(float(budget), low * 0.8), high * 1.2)
    asked = chance.triangular(0.82 * middle, 1.25 * middle, 0.98 * middle)
    return Decimal(max(round(asked / 5), 1) * 5)
