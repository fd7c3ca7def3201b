"""Telling people what happened to jobs, offers and visits, by the tables of `bookings.notices`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from string import Formatter

from accounts.models import Role, User
from bookings.links import job_url, market_url
from bookings.models import Bid, Booking, ContactAttempt, RescheduleProposal, Session
from bookings.near import technicians_near
from bookings.notices import NEW_JOB, TABLE, By, Whom
from bookings.states import BidStatus, Party
from notifications.actions import notify
from notifications.kinds import Kind

Row = Booking | Bid | Session | RescheduleProposal | ContactAttempt
NEAR = "near"  # the group of new jobs: they are counted together, whatever the job


def group_of(booking_id: int) -> str:
    """The group of all notices about one job: whoever opens its page has read them."""
    return f"booking.{booking_id}"


@dataclass(frozen=True)
class Happening:
    """A step of one row, or of several of one job together (all the offers that lost), and whose doing it was."""

    rows: Sequence[Row]
    by: User | None
    did: str = ""

    @property
    def row(self) -> Row:
        """The one row. Raises `ValueError` where several are told in the same words."""
        (row,) = self.rows
        return row

    @property
    def booking(self) -> Booking:
        """The job it is about."""
        row = self.rows[0]
        if isinstance(row, Booking):
            return row
        return row.booking if isinstance(row, Bid | Session) else row.session.booking


def tell(rows: Sequence[Row], before: str, to: str, *, by: User | None, now: datetime, event: str) -> None:
    """Tell everybody concerned that `rows`, of one model and job, went from state `before` to `to`.

    Inside the action's transaction. `event` names it: nobody gets two mails about one event.
    """
    for told in TABLE.get((type(rows[0]), before, to), ()):
        if told.by not in doers(by):
            continue
        it = Happening(rows, by, told.did)
        is_new_job = told.kind is NEW_JOB
        notify(
            PEOPLE[told.whom](it),
            told.kind,
            by=by,
            event=event,
            url=market_url() if is_new_job else job_url(it.booking.pk),
            now=now,
            group=NEAR if is_new_job else group_of(it.booking.pk),
            words={word: WORDS[word](it) for word in fields(told.kind)},
        )


def doers(by: User | None) -> tuple[By, ...]:
    """What a step of `by`'s counts as."""
    if by is None:
        return By.ANYBODY, By.CLOCK
    return (By.ANYBODY, By.PERSON, By.DESK) if by.role == Role.ADMIN else (By.ANYBODY, By.PERSON)


def fields(kind: Kind) -> set[str]:
    """The words that the texts of `kind` are made of."""
    parsed = (part for text in (kind.text, kind.grouped) for part in Formatter().parse(text))
    return {name for _, name, _, _ in parsed if name} - {"count"}


# --- Who ------------------------------------------------------------------------------------------


def technicians(it: Happening) -> list[int]:
    """Those whose offers or visits they are."""
    return [row.technician_id for row in it.rows if isinstance(row, Bid | Session)]


def side(it: Happening, party: str) -> list[int]:
    """The person on one side of a visit."""
    visit = visit_of(it.row)
    return [visit.technician_id if party == Party.TECHNICIAN else visit.booking.customer_id]


def asking(row: Row) -> str:
    """The side that proposes or tried to reach the other."""
    if not isinstance(row, RescheduleProposal | ContactAttempt):
        raise TypeError(f"Nobody asks anything by a {type(row).__name__}.")
    return row.party


def other(party: str) -> str:
    """The other side."""
    return Party.CUSTOMER if party == Party.TECHNICIAN else Party.TECHNICIAN


def offering(it: Happening, *states: str) -> Iterable[int]:
    """The technicians whose offers on the job are in one of `states`."""
    return it.booking.bids.filter(status__in=states).values_list("technician_id", flat=True)


PEOPLE: dict[Whom, Callable[[Happening], Iterable[int]]] = {
    Whom.CUSTOMER: lambda it: [it.booking.customer_id],
    Whom.TECHNICIAN: technicians,
    Whom.STANDING: lambda it: offering(it, BidStatus.SUBMITTED),
    Whom.RETURNING: lambda it: offering(it, BidStatus.NOT_SELECTED, BidStatus.EXPIRED),
    Whom.NEAR: lambda it: technicians_near(it.booking, verified=True),
    Whom.ASKED: lambda it: side(it, other(asking(it.row))),
    Whom.ASKING: lambda it: side(it, asking(it.row)),
}


# --- In which words -------------------------------------------------------------------------------


def visit_of(row: Row) -> Bid | Session:
    """What says who the two sides are: the offer or the visit."""
    if isinstance(row, Booking):
        raise TypeError("A job has no technician of its own.")
    return row if isinstance(row, Bid | Session) else row.session


def name(it: Happening) -> str:
    """The technician's first name; surnames are for nobody."""
    visit = visit_of(it.row)
    return it.by.first_name if it.by and it.by.pk == visit.technician_id else visit.technician.user.first_name


def who(it: Happening) -> str:
    """Who did it, as the other side calls them."""
    if it.by and it.by.role == Role.ADMIN:
        return "The desk"
    return name(it) if it.by and it.by.pk == visit_of(it.row).technician_id else "The customer"


def price(it: Happening) -> str:
    """What the offer asks."""
    row = it.row
    if not isinstance(row, Bid):
        raise TypeError("Only offers have a price.")
    return str(row.price)


def offers(it: Happening) -> str:
    """One offer by its job, several by their number."""
    return f"Your offer on {it.booking} was" if len(it.rows) == 1 else f"{len(it.rows)} offers of yours were"


WORDS: dict[str, Callable[[Happening], str]] = {
    "job": lambda it: it.booking.title,
    "name": name,
    "who": who,
    "price": price,
    "offers": offers,
    "did": lambda it: it.did,
}
