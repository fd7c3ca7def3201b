"""The seal of reviews: nobody reads what the other side says before having spoken, or before the week is over."""

from __future__ import annotations

from datetime import datetime

from bookings.rules.numbers import minutes


def opens_at(finished_at: datetime) -> datetime:
    """When reviews of a job whose work ended at `finished_at` can no longer be written, and sealed ones open."""
    return finished_at + minutes("REVIEW_MINUTES")


def may_be_written(finished_at: datetime, now: datetime) -> bool:
    """Whether a side may still write."""
    return now < opens_at(finished_at)
