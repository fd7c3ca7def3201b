"""The numbers of the rules. A site overrides them by the variable BOOKINGS, tests in `settings.BOOKINGS`."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

DEFAULTS = {
    "BID_VALID_MINUTES": 48 * 60,
    "TRAVEL_MINUTES": 25,  # the buffer after a visit, and the time to get there
    "START_CODE_TRIES": 5,
    "NO_SHOW_WAIT_MINUTES": 15,
    "NO_SHOW_CLOCK_MINUTES": 60,  # when the clock calls a no-show that nobody reported
    "PROPOSAL_VALID_MINUTES": 24 * 60,
    "REOPEN_MINUTES": 120,  # what a re-opened booking has at least to find somebody
    "FINISHED_SHOWN_MINUTES": 12 * 60,
    "DRAFT_KEPT_MINUTES": 30 * 24 * 60,  # since it was written last
    "REVIEW_MINUTES": 7 * 24 * 60,  # after the work: for writing a review, and until a sealed one opens
    "PHOTOS_MOST": 6,
    "DISPUTE_WITHIN_MINUTES": 14 * 24 * 60,  # since the job's end
    "DISPUTE_TAKE_ON_MINUTES": 4 * 60,  # when the clock asks the other side, if the desk has not
    "DISPUTE_ANSWER_MINUTES": 48 * 60,
    "EVIDENCE_MOST": 20,  # pieces a side
    "AHEAD_MOST_MINUTES": 366 * 24 * 60,  # how far ahead a job may be wanted
    "TARGET_MINUTES": 60,  # in which somebody should be assigned to a job
    "LATE_MINUTES": 5,  # after which a visit that nobody has checked in to counts as late
}


def number(name: str) -> int:
    """A number by its name; raises `KeyError` for a name that is not in `DEFAULTS`."""
    return int(settings.BOOKINGS.get(name, DEFAULTS[name]))


def minutes(name: str) -> timedelta:
    """A number of minutes, as a span."""
    return timedelta(minutes=number(name))
