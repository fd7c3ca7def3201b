"""How times and ranks are said, the same in banners, sentences and histories."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo


def clock_time(moment: datetime, zone: ZoneInfo) -> str:
    """13:35, in the job's zone."""
    return f"{moment.astimezone(zone):%H:%M}"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Thu 4 Mar, 09:00 GMT, in the job's zone with its name."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M} {local:%Z}"


def span(start: datetime, end: datetime, zone: ZoneInfo, *, now: datetime) -> str:
    """Tue 14:00-15:00 GMT, in the job's zone with its name; with the date when "Tue" could be another week's."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    day = f"{first:%a}" if abs(start - now) < timedelta(days=6) else f"{first:%a} {first.day} {first:%b}"
    # A span over a clock change names both, or it could read 01:30-01:30.
    zones = "" if f"{first:%Z}" == f"{last:%Z}" else f" {first:%Z}"
    return f"{day} {first:%H:%M}{zones}-{last:%H:%M} {last:%Z}"


def worked_time(worked: timedelta) -> str:
    """00:32, hours and minutes."""
    whole = int(worked.total_seconds()) // 60
    return f"{whole // 60:02d}:{whole % 60:02d}"


def ordinal(place: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 22nd."""
    if place % 100 in (11, 12, 13):
        return f"{place}th"
    return f"{place}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(place % 10, 'th') }"


def rank(mine: Decimal, amounts: Sequence[Decimal]) -> str:
    """Where `mine` stands among `amounts` (mine included): lowest of 4, 2nd lowest of 4, joint lowest of 2."""
    if len(amounts) < 2:
        return "the only one so far"
    place = 1 + sum(amount < mine for amount in amounts)
    joint = "joint " if sum(amount == mine for amount in amounts) > 1 else ""
    return f"{joint}{'' if place == 1 else ordinal(place) + ' '}lowest of {len(amounts)}"


def offers(count: int) -> str:
    """1 offer, 4 offers."""
    return f"{count} offer" if count == 1 else f"{count} offers"
