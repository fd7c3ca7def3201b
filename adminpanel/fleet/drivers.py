"""What the desk knows of the drivers: duty, connection, load, where they were last seen and how well they are heard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from accounts.models import Role, User
from common.aggregates import Lines
from realtime.presence import OFFLINE, ONLINE, Seen, online
from tracking.models import Dispatch, Driver, DriverSkill, Journey, Leg, Position, Shift
from tracking.states import ACTIVE_DISPATCH, HOLDING_DISPATCH, DispatchStatus, Duty

GOOD_MS, FAIR_MS = 300, 1000  # round trips: below the first good, below the second fair, else poor
DUTY_RANK = {Duty.ON_DUTY: 0, Duty.ON_BREAK: 1, Duty.OFF_DUTY: 2}


def drivers() -> QuerySet[User]:
    """Everybody who drives: active, by name."""
    found: QuerySet[User] = User.objects.filter(role=Role.DRIVER, is_active=True)
    return found.order_by("name", "pk")


def with_facts(rows: QuerySet[User]) -> QuerySet[User]:
    """With what a row says of a person on the road joined: vehicle, skills, shift, position, way. One query."""
    skills = DriverSkill.objects.filter(drivers=OuterRef("pk")).order_by().values("drivers")
    joined: Any = rows.annotate(
        skill_lines=Subquery(skills.annotate(lines=Lines("name")).values("lines")),
        shift_now=FilteredRelation("shifts", condition=Q(shifts__ended_at__isnull=True)),
        way_now=FilteredRelation("journeys", condition=Q(journeys__closed_at__isnull=True)),
    )
    found: QuerySet[User] = joined.select_related("driver", "position", "shift_now", "way_now")
    return found


def at_work() -> Exists:
    """Whether a user is in a shift, on a break included."""
    return Exists(Shift.objects.filter(user=OuterRef("pk"), ended_at__isnull=True))


def quality_of(round_trip_ms: int | None) -> str:
    """How well a page is heard, by the round trip of its heartbeats: good, fair, poor, or nothing where unknown."""
    if round_trip_ms is None:
        return ""
    return "good" if round_trip_ms < GOOD_MS else "fair" if round_trip_ms < FAIR_MS else "poor"


@dataclass
class DriverRow:
    """One driver as the desk sees them; four facts that are never one."""

    user: User
    seen: Seen
    now: datetime
    dispatch: Dispatch | None = None
    offers: list[Dispatch] = field(default_factory=list)

    @property
    def pk(self) -> int:
        """The user's."""
        return self.user.pk

    # Django sets nothing where a joined row is not there.

    @property
    def driver(self) -> Driver | None:
        """Their vehicle."""
        return getattr(self.user, "driver", None)

    @property
    def shift(self) -> Shift | None:
        """The one that goes on."""
        return getattr(self.user, "shift_now", None)

    @property
    def position(self) -> Position | None:
        """Where they were last seen."""
        return getattr(self.user, "position", None)

    @property
    def journey(self) -> Journey | None:
        """To whom they are on the way."""
        return getattr(self.user, "way_now", None)

    @property
    def skills(self) -> list[str]:
        """What they can do that not every driver can, by name."""
        return sorted((getattr(self.user, "skill_lines", None) or "").splitlines())

    @property
    def duty(self) -> str:
        """On duty, on a break or off duty."""
        return self.shift.duty if self.shift else Duty.OFF_DUTY

    @property
    def connection(self) -> str:
        """Online, away or offline."""
        return self.seen.state

    @property
    def load(self) -> str:
        """Busy with a leg, or available."""
        return "busy" if self.dispatch else "available"

    @property
    def quality(self) -> str:
        """How well their page is heard; nothing while it is not."""
        known = self.position is not None and self.connection != OFFLINE
        return quality_of(self.position.round_trip_ms) if known and self.position else ""

    @property
    def leg(self) -> Leg | None:
        """What they have in hand."""
        return self.dispatch.leg if self.dispatch else None

    @property
    def order(self) -> str:
        """Those on duty first, then by name."""
        return f"{DUTY_RANK[Duty(self.duty)]}{self.user.name.casefold()}"


def load_drivers(keys: Sequence[str]) -> Mapping[str, DriverRow]:
    """Drivers by the ids of their users; three queries for any number of them."""
    now = timezone.now()
    people = list(with_facts(drivers()).filter(pk__in=[int(key) for key in keys]))
    ids = [user.pk for user in people]
    return rows_of(people, holding(ids), online(ids, now), now)


def rows_of(
    people: Iterable[User], dispatches: Iterable[Dispatch], seen: Mapping[int, Seen], now: datetime
) -> dict[str, DriverRow]:
    """Rows of people (from `with_facts`), with what they have in hand or were asked among `dispatches`."""
    rows = {str(user.pk): DriverRow(user, seen[user.pk], now) for user in people}
    for dispatch in dispatches:
        row = rows.get(str(dispatch.driver_id))
        if row is not None and dispatch.status in ACTIVE_DISPATCH:
            row.dispatch = dispatch
        elif row is not None and dispatch.status == DispatchStatus.OFFERED:
            row.offers.append(dispatch)
    return rows


def holding(driver_ids: Iterable[int]) -> QuerySet[Dispatch]:
    """What drivers have in hand or were asked, the nearest deadline first."""
    rows = Dispatch.objects.filter(driver__in=list(driver_ids), status__in=HOLDING_DISPATCH)
    return rows.select_related("leg__booking").order_by("deadline")


# --- The figures above ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """How many drivers there are of each kind, and legs without one; `connected` is of those on duty."""

    on_duty: int
    on_break: int
    available: int
    busy: int
    connected: int
    waiting: int
    asked: int

    @property
    def mute(self) -> int:
        """How many are on duty and not heard of."""
        return self.on_duty - self.connected


def figures(keys: Sequence[str] = ("all",)) -> Mapping[str, Figures]:
    """The figures, under their one key; four queries."""
    active = User.objects.filter(pk=OuterRef("user"), role=Role.DRIVER, is_active=True)
    has_leg = Dispatch.objects.filter(driver=OuterRef("user"), status__in=ACTIVE_DISPATCH)
    shifts = Shift.objects.filter(Exists(active), ended_at__isnull=True).annotate(busy=Exists(has_leg))
    found = list(shifts.values_list("user", "duty", "busy"))
    on_duty = {user: busy for user, duty, busy in found if duty == Duty.ON_DUTY}
    connected = sum(seen.state == ONLINE for seen in online(on_duty).values()) if on_duty else 0
    busy = sum(on_duty.values())
    counts = unsettled().annotate(is_asked=is_asked()).aggregate(
        waiting=Count("pk", filter=Q(is_asked=False)), asked=Count("pk", filter=Q(is_asked=True))
    )  # fmt: skip
    whole = Figures(len(on_duty), len(found) - len(on_duty), len(on_duty) - busy, busy, connected, **counts)
    return {key: whole for key in keys if key == "all"}


def is_asked() -> Exists:
    """Whether an offer of a leg stands."""
    return Exists(Dispatch.objects.filter(leg=OuterRef("pk"), status=DispatchStatus.OFFERED))


def unsettled() -> QuerySet[Leg]:
    """The legs that nobody has taken yet: to be offered, or offered and not answered."""
    settled = Dispatch.objects.filter(leg=OuterRef("pk"), status__in=(*ACTIVE_DISPATCH, DispatchStatus.COMPLETED))
    return Leg.objects.filter(~Exists(settled), cancelled_at__isnull=True)
