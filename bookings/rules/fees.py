"""What calling a visit off costs: one pure function of the policy, the times, the actor and the reason (rule 11)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bookings.states import CancelReason, Party
from common.money import Money


@dataclass(frozen=True)
class Policy:
    """The rule in figures. A booking keeps the one that stood when it was placed."""

    free_minutes: int = 5  # after an offer was accepted
    free_hours: int = 24  # more notice than this is free
    late_percent: int = 25
    short_hours: int = 2  # less notice than this is short
    short_percent: int = 50
    on_site_percent: int = 100
    patience_minutes: int = 15  # a technician later than this may be called off for nothing
    early_minutes: int = 30  # who comes earlier than this is not "there" yet, unless the work begins

    def as_json(self) -> dict[str, int]:
        """For the booking's `policy` column."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Policy:
        """Read a booking's `policy` column; figures it does not know yet have their defaults."""
        return cls(**{field.name: int(kept[field.name]) for field in fields(cls) if field.name in kept})

    def in_words(self) -> list[str]:
        """The rule as the customer reads it before the tap, one sentence a line."""
        return [
            f"Free until {self.free_minutes} minutes after you accept an offer, "
            f"and until {self.free_hours} hours before the visit.",
            f"Then {self.late_percent}% of the price; in the last {self.short_hours} hours {self.short_percent}%.",
            f"Once the technician is at your door, {self.early_minutes} minutes before the visit at the earliest: "
            f"{self.on_site_percent}%.",
            f"Free whenever the technician cancels, or is more than {self.patience_minutes} minutes late.",
        ]


@dataclass(frozen=True)
class Times:
    """The instants that the fee depends on. `booked_at` is when the offer was accepted."""

    now: datetime
    booked_at: datetime
    starts_at: datetime
    checked_in_at: datetime | None = None


@dataclass(frozen=True)
class Fee:
    """An amount, and the sentence that explains it."""

    money: Money
    sentence: str


def cancellation_fee(
    policy: Policy, times: Times | None, actor: str, reason: str, *, price: Money, floor: Decimal = Decimal(0)
) -> Fee:
    """What the customer owes when `actor` (a role) calls the booking off at `times.now`.

    `times` is None while nobody has been booked. `floor` is what it would have cost when the customer
    asked to move the visit: moving it away does not make a late cancellation free.
    """
    if times is None:
        return Fee(price.percent(0), "Free: nobody has been booked yet.")
    if actor != Party.CUSTOMER:
        return Fee(price.percent(0), "Free: it was not the customer who cancelled.")
    percent, why = customer_percent(policy, times, reason)
    money = price.percent(percent)
    if floor > money.amount and times.checked_in_at is None and why != LATE:
        money = Money(floor, price.currency)
        return Fee(money, f"{money}: what cancelling cost when you asked to move the visit.")
    return Fee(money, f"Free: {why}." if not money else f"{money}, {percent}% of {price}: {why}.")


LATE = "the technician is late"


def customer_percent(policy: Policy, times: Times, reason: str) -> tuple[int, str]:
    """The share of the price, and why, for a customer who calls off an assigned visit."""
    if times.checked_in_at is not None:
        return policy.on_site_percent, "the technician is already there"
    patience = timedelta(minutes=policy.patience_minutes)
    if reason == CancelReason.TECHNICIAN_LATE and times.now > times.starts_at + patience:
        return 0, LATE
    if times.now - times.booked_at <= timedelta(minutes=policy.free_minutes):
        return 0, f"within {policy.free_minutes} minutes of booking"
    notice = times.starts_at - times.now
    if notice > timedelta(hours=policy.free_hours):
        return 0, f"more than {policy.free_hours} hours ahead"
    if notice >= timedelta(hours=policy.short_hours):
        return policy.late_percent, f"less than {policy.free_hours} hours ahead"
    return policy.short_percent, f"less than {policy.short_hours} hours ahead"


def no_show_fee(policy: Policy, party: str, *, price: Money) -> Fee:
    """What the customer owes after a no-show of `party`."""
    if party != Party.CUSTOMER:
        return Fee(price.percent(0), "Free: the technician did not come.")
    money = price.percent(policy.on_site_percent)
    return Fee(money, f"{money}, {policy.on_site_percent}% of {price}: the technician came and nobody was there.")
