"""Telling people what happened on the road, by the table of `tracking.notices`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from accounts.models import User
from bookings.links import job_url
from bookings.models import Booking
from bookings.states import BookingStatus
from bookings.telling import doers, fields
from bookings.telling import group_of as group_of_job
from notifications.actions import clear, notify
from notifications.models import Notification
from tracking.links import drive_url, leg_url
from tracking.models import Dispatch, Journey, Leg, OfferRound, Shift
from tracking.notices import LEG_OFFERED, NOT_COMING, TABLE, Told, Whom
from tracking.states import DispatchStatus

Row = Dispatch | OfferRound | Journey | Shift
DRIVE = "drive"  # the group of all a driver is told: their one screen reads it
OVER = (BookingStatus.CANCELLED, BookingStatus.NO_SHOW, BookingStatus.EXPIRED)


def group_of_leg(leg_id: int) -> str:
    """The group of what the desk is told of one leg."""
    return f"leg.{leg_id}"


def of_offer(dispatch_id: int) -> str:
    """Names the event of an offer, so that its notice can go when it is settled."""
    return f"offer.{dispatch_id}"


@dataclass(frozen=True)
class Happening:
    """A step of one row, and whose doing it was."""

    row: Row
    by: User | None

    @property
    def leg(self) -> Leg:
        """The leg it is about. Raises `TypeError` for what has none."""
        if isinstance(self.row, Dispatch | OfferRound):
            return self.row.leg
        raise TypeError(f"A {type(self.row).__name__} has no leg.")

    @property
    def booking(self) -> Booking:
        """The job it is about."""
        return self.row.booking if isinstance(self.row, Journey) else self.leg.booking

    @property
    def person(self) -> User:
        """Who drives."""
        if isinstance(self.row, Dispatch):
            return self.row.driver.user
        if isinstance(self.row, Journey):
            return self.row.traveller
        if isinstance(self.row, Shift):
            return self.row.user
        raise TypeError("Several are asked in a round.")

    @property
    def is_told_by_its_job(self) -> bool:
        """Whether the job is over, which its customer hears of anyway."""
        return not isinstance(self.row, Shift) and self.booking.status in OVER


def tell(row: Row, before: str, to: str, *, by: User | None, now: datetime, event: str) -> None:
    """Tell everybody concerned that `row` went from state `before` to `to`, inside the action's transaction.

    `event` names it: nobody gets two mails about one event.
    """
    it = Happening(row, by)
    if isinstance(row, Dispatch) and before == DispatchStatus.OFFERED:
        forget_offer(row)
    for told in TABLE.get((type(row), before, to), ()):
        if told.by in doers(by) and is_to_be_told(it, told):
            give(it, told, now, of_offer(row.pk) if told.kind is LEG_OFFERED else event)


def is_to_be_told(it: Happening, told: Told) -> bool:
    """Whether no other step tells the same: of a round its end, of a job that is over the job."""
    if told.alone and isinstance(it.row, Dispatch) and it.row.round_id is not None:
        return False
    return not (told.kind is NOT_COMING and it.is_told_by_its_job)


def give(it: Happening, told: Told, now: datetime, event: str) -> None:
    """One notice to the one person it is for."""
    person, url, group = TO[told.whom](it)
    words = {word: WORDS[word](it) for word in fields(told.kind) - {"did"}}
    if told.did:
        words["did"] = told.did.replace("{what}", what(it)) if "{what}" in told.did else told.did
    notify([person], told.kind, by=it.by, event=event, url=url, now=now, group=group, words=words)


def forget_offer(dispatch: Dispatch) -> None:
    """An offer that is settled waits for nobody: its notice goes."""
    rows = Notification.objects.filter(user=dispatch.driver_id, kind=LEG_OFFERED.name)
    clear(rows.filter(event=of_offer(dispatch.pk)))


# --- To whom, and where it leads ------------------------------------------------------------------


def to_customer(it: Happening) -> tuple[int, str, str]:
    """The customer, on the job's page."""
    return it.booking.customer_id, job_url(it.booking.pk), group_of_job(it.booking.pk)


def to_driver(it: Happening) -> tuple[int, str, str]:
    """The driver, on their one screen."""
    return it.person.pk, drive_url(), DRIVE


def to_desk(it: Happening) -> tuple[int, str, str]:
    """The admin who asked, on the leg's page."""
    asked_by = it.row.by_id if isinstance(it.row, OfferRound) else 0
    if isinstance(it.row, Dispatch):
        asked_by = it.row.offered_by_id
    return asked_by, leg_url(it.leg.pk), group_of_leg(it.leg.pk)


TO: dict[Whom, Callable[[Happening], tuple[int, str, str]]] = {
    Whom.CUSTOMER: to_customer,
    Whom.DRIVER: to_driver,
    Whom.DESK: to_desk,
}


# --- In which words -------------------------------------------------------------------------------


def what(it: Happening) -> str:
    """What is driven, or for a visit the job."""
    return it.booking.title if isinstance(it.row, Journey) else it.leg.note


def why(it: Happening) -> str:
    """The reason that was given."""
    return it.row.reason if isinstance(it.row, Dispatch) else ""


def until(it: Happening) -> str:
    """When an offer lapses, by the driver's own clock on the wall."""
    if not isinstance(it.row, Dispatch):
        raise TypeError("Only offers lapse.")
    return f"{it.row.deadline.astimezone(ZoneInfo(it.person.time_zone)):%H:%M:%S}"


WORDS: dict[str, Callable[[Happening], str]] = {
    "name": lambda it: it.person.first_name,
    "what": what,
    "why": why,
    "area": lambda it: it.booking.area_label,
    "until": until,
}
