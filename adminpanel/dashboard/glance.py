"""How it goes, at a glance: the last day, who is new, and this month beside the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Technician
from adminpanel.dashboard.figures import Figures, figures
from adminpanel.dashboard.spans import Spans
from common.money import Money

NEWEST = 5


@dataclass(frozen=True)
class Compared:
    """A figure beside the one of the stretch of time before."""

    name: str
    label: str
    text: str
    now: Decimal
    before: Decimal
    than: str

    @property
    def change(self) -> str:
        """By how much it changed, in words."""
        if not self.before:
            return "None before" if self.now else "Same"
        share = (self.now - self.before) / self.before * 100
        return "Same" if not round(share) else f"{'+' if share > 0 else '−'}{abs(share):.0f} %"

    @property
    def is_up(self) -> bool:
        """Whether there is more now."""
        return self.now > self.before


@dataclass(frozen=True)
class Glance:
    """What the panel shows."""

    seen: Figures
    newest: Sequence[Technician]

    @property
    def lately(self) -> list[Compared]:
        """The last day and the last month."""
        return [
            counted(self.seen, "placed_day", "Jobs in 24 hours", "the 24 hours before"),
            counted(self.seen, "professionals", "New professionals in 30 days", "the 30 days before"),
        ]

    @property
    def visits(self) -> int:
        """The visits that are booked or under way: neither over nor called off."""
        return self.seen.count("visits")

    @property
    def month(self) -> list[Compared]:
        """This month, beside as much of the month before."""
        than = "last month to this day"
        return [
            counted(self.seen, "placed_month", "Jobs placed", than),
            counted(self.seen, "completed_month", "Jobs finished", than),
            *(earned(money, self.seen, than) for money in self.seen.money("revenue_month")),
            counted(self.seen, "customers_month", "New customers", than),
        ]


def counted(seen: Figures, name: str, label: str, than: str) -> Compared:
    """How many, beside how many there were."""
    now, before = seen.count(name), seen.count(f"{name}_before")
    return Compared(name, label, f"{now:,}", Decimal(now), Decimal(before), than)


def earned(money: Money, seen: Figures, than: str) -> Compared:
    """What was earned in one currency."""
    before = next((each.amount for each in seen.money("revenue_month_before") if each.currency == money.currency), 0)
    name = f"revenue_month_{money.currency.lower()}"
    return Compared(name, "Revenue", str(money), money.amount, Decimal(before), than)


def glance_of(seen: Figures) -> Glance:
    """The panel of figures; one query, for who is new."""
    people = Technician.objects.filter(user__is_active=True, user__joined_at__gte=Spans(seen.at).lately)
    return Glance(seen, list(people.select_related("user").order_by("-user__joined_at", "-pk")[:NEWEST]))


def load_glances(keys: Sequence[str]) -> Mapping[str, Glance]:
    """The one panel, under its one key."""
    return {key: glance_of(figures()) for key in keys if key == "all"}
