"""IANA time zones: checking a name, and local times that do not exist or exist twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError


@cache
def zone_names() -> frozenset[str]:
    """Every IANA zone name this machine knows."""
    return frozenset(available_timezones())


def validate_zone(name: str) -> None:
    """Raise `ValidationError` unless `name` is an IANA zone such as Europe/London."""
    if name not in zone_names():
        raise ValidationError(f"{name!r} is not a time zone. Choose one such as Europe/London.")


class LocalTimeProblem(ValueError):
    """A local time that a clock change skips or repeats; `choices` are the instants it may mean, in UTC."""

    def __init__(self, sentence: str, choices: list[datetime]) -> None:
        super().__init__(sentence)
        self.choices = choices


def instant(local: datetime, zone: str, *, fold: int | None = None) -> datetime:
    """The UTC instant of a naive `local` time in `zone`.

    Raises `LocalTimeProblem` when the clocks skip that time (spring), with the instants just before and
    after the gap, or when they repeat it (autumn) and `fold` (0 the first, 1 the second) does not say which.
    """
    place = ZoneInfo(zone)
    first = local.replace(tzinfo=place, fold=0).astimezone(UTC)
    second = local.replace(tzinfo=place, fold=1).astimezone(UTC)
    if first == second:
        return first
    exists = first.astimezone(place).replace(tzinfo=None) == local
    if not exists:
        raise LocalTimeProblem(
            f"{local:%H:%M} does not exist on {local:%-d %B %Y} in {zone}: the clocks go forward. Choose another time.",
            [second, first],
        )
    if fold is None:
        raise LocalTimeProblem(
            f"{local:%H:%M} happens twice on {local:%-d %B %Y} in {zone}: the clocks go back. Say which one.",
            [first, second],
        )
    return (first, second)[fold]


def half_hour_after(moment: datetime) -> datetime:
    """`moment` rounded up to the next half hour, a tidy start for a suggested window."""
    start = moment.replace(minute=0, second=0, microsecond=0)
    while start < moment:
        start += timedelta(minutes=30)
    return start
