"""The stretches of time that the dashboard counts in, by the desk's own clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from adminpanel.fleet.days import local_day, zone

DAY = timedelta(days=1)
LATELY = 30 * DAY  # how long somebody is new here


@dataclass(frozen=True)
class Spans:
    """Where today, the last 24 hours, this month and the same part of the one before begin and end."""

    now: datetime

    @property
    def midnight(self) -> datetime:
        """When today began."""
        return begins(local_day(self.now))

    @property
    def month(self) -> datetime:
        """When this month began."""
        return begins(local_day(self.now).replace(day=1))

    @property
    def last_month(self) -> datetime:
        """When the month before began."""
        return begins((local_day(self.now).replace(day=1) - DAY).replace(day=1))

    @property
    def last_month_until(self) -> datetime:
        """As far into the month before as we are into this one; its end where it was shorter."""
        return min(self.last_month + (self.now - self.month), self.month)

    @property
    def day_ago(self) -> datetime:
        """Twenty-four hours ago."""
        return self.now - DAY

    @property
    def lately(self) -> datetime:
        """Since when whoever joined is new here."""
        return self.now - LATELY


def begins(day: date) -> datetime:
    """Midnight before a day, at the desk."""
    return datetime.combine(day, time(), zone())
