"""Telling people what happened to jobs, offers and visits, by the tables of `bookings.notices`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from string import Formatter

from accounts.access import admins
from accounts.models import Role, User
from bookings.links import desk_url, dispute_url, job_url, market_url
from bookings.models import (
    Bid,
    Booking,
    ContactAttempt,
    Dispute,
    DisputeEvidence,
    RescheduleProposal,
    Review,
    Session,
)
from bookings.near import technicians_near
from bookings.notices import NEW_JOB, TABLE
from bookings.rules.words import moment
from bookings.states import BidStatus, Party
from bookings.whom import By, Told, Whom
from notifications.actions import notify
from notifications.kinds import Kind

Row = Booking | Bid | Session | RescheduleProposal | ContactAttempt | Review | Dispute | DisputeEvidence
NEAR = "near"  # the group of new jobs: they are counted together, whatever the job


def group_of(booking_id: int) -> str:
    """The group of all notices about one job: whoever opens its page has read them."""
    return f"booking.{booking_id}"


def group_at_desk(noun: str) -> str:
    """The group of the desk's notices about its queue of such rows: whoever opens the queue has read them."""
    return f"desk.{noun}s"


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
        if isinstance(row, DisputeEvidence):
            return row.dispute.booking
        return row.booking if isinstance(row, Bid | Session | Review | Dispute) else row.session.booking

    @property
    def dispute(self) -> Dispute:
        """The dispute it is about. Raises `TypeError` where it is about none."""
        row = self.row
        if isinstance(row, Dispute):
            return row
        if isinstance(row, DisputeEvidence):
            return row.dispute
        raise TypeError(f"A {type(row).__name__} is no part of a dispute.")


def tell(rows: Sequence[Row], before: str, to: str, *, by: User | None, now: datetime, event: str) -> None:
    """Tell everybody concerned that `rows`, of one model and job, went from state `before` to `to`.

    Inside the action's transaction. `event` names it: nobody gets two mails about one event.
    """
    for told in TABLE.get((type(rows[0]), before, to), ()):
        if told.by not in doers(by):
            continue
        it = Happening(rows, by, told.did)
        url, group = address(told, it)
        notify(
            PEOPLE[told.whom](it),
            told.kind,
            by=by,
            event=event,
            url=url,
            now=now,
            group=group,
            words={word: WORDS[word](it) for word in fields(told.kind)},
        )


def address(told: Told, it: Happening) -> tuple[str, str]:
    """Where a notice leads, and its group: whoever looks there has read it."""
    row = it.rows[0]
    if told.kind is NEW_JOB:
        return market_url(), NEAR
    if told.whom == Whom.DESK:
        noun = str(row._meta.model_name)
        return desk_url(noun, row.pk), group_at_desk(noun)
    about_dispute = isinstance(row, Dispute | DisputeEvidence)
    return dispute_url(it.dispute.pk) if about_dispute else job_url(it.booking.pk), group_of(it.booking.pk)


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
    """The person on one side of a visit, or of a dispute."""
    if isinstance(it.row, Dispute | DisputeEvidence):
        return [it.dispute.opened_by_id if party == it.dispute.party else it.dispute.against_id]
    visit = visit_of(it.row)
    return [visit.technician_id if party == Party.TECHNICIAN else visit.booking.customer_id]


def asking(row: Row) -> str:
    """The side that proposes, tried to reach the other or opened the dispute."""
    if isinstance(row, DisputeEvidence):
        return row.dispute.party
    if isinstance(row, Dispute):
        return row.party
    if not isinstance(row, RescheduleProposal | ContactAttempt):
        raise TypeError(f"Nobody asks anything by a {type(row).__name__}.")
    return row.party


def other(party: str) -> str:
    """The other side."""
    return Party.CUSTOMER if party == Party.TECHNICIAN else Party.TECHNICIAN


def offering(it: Happening, *states: str) -> Iterable[int]:
    """The technicians whose offers on the job are in one of `states`."""
    return it.booking.bids.filter(status__in=states).values_list("technician_id", flat=True)


def reviewed(row: Row) -> Review:
    """The review."""
    if not isinstance(row, Review):
        raise TypeError(f"A {type(row).__name__} is no review.")
    return row


def flagging(it: Happening) -> Iterable[int]:
    """Those who flagged the review and wait for the desk's word."""
    flags = reviewed(it.row).flags.filter(settled_at__isnull=True).exclude(by__role=Role.ADMIN)
    return flags.values_list("by_id", flat=True)


PEOPLE: dict[Whom, Callable[[Happening], Iterable[int]]] = {
    Whom.CUSTOMER: lambda it: [it.booking.customer_id],
    Whom.TECHNICIAN: technicians,
    Whom.STANDING: lambda it: offering(it, BidStatus.SUBMITTED),
    Whom.RETURNING: lambda it: offering(it, BidStatus.NOT_SELECTED, BidStatus.EXPIRED),
    Whom.NEAR: lambda it: technicians_near(it.booking, verified=True),
    Whom.ASKED: lambda it: side(it, other(asking(it.row))),
    Whom.ASKING: lambda it: side(it, asking(it.row)),
    Whom.REVIEWED: lambda it: [reviewed(it.row).about_id],
    Whom.AUTHOR: lambda it: [reviewed(it.row).author_id],
    Whom.FLAGGED: flagging,
    Whom.DESK: lambda it: admins(),
}


# --- In which words -------------------------------------------------------------------------------


def visit_of(row: Row) -> Bid | Session:
    """What says who the two sides are: the offer or the visit."""
    if isinstance(row, Bid | Session):
        return row
    if isinstance(row, RescheduleProposal | ContactAttempt):
        return row.session
    raise TypeError("It has no technician of its own.")


def name(it: Happening) -> str:
    """The technician's first name; surnames are for nobody."""
    visit = visit_of(it.row)
    return it.by.first_name if it.by and it.by.pk == visit.technician_id else visit.technician.user.first_name


def who(it: Happening) -> str:
    """Who did it, as the other side calls them."""
    if it.by and it.by.role == Role.ADMIN:
        return "The desk"
    row = it.rows[0]  # several are offers, and no technician ended those of others
    if isinstance(row, Booking | Dispute | DisputeEvidence):
        return it.by.first_name if it.by and it.by.role == Role.TECHNICIAN else "The customer"
    return name(it) if it.by and it.by.pk == visit_of(row).technician_id else "The customer"


def price(it: Happening) -> str:
    """What the offer asks, or the offer that a visit came from."""
    row = it.row
    if isinstance(row, Session):
        row = row.bid
    if not isinstance(row, Bid):
        raise TypeError("Only offers have a price.")
    return str(row.price)


def when(it: Happening) -> str:
    """When the visit is, at the job's site."""
    return moment(visit_of(it.row).starts_at, it.booking.zone)


def offers(it: Happening) -> str:
    """One offer by its job, several by their number."""
    return f"Your offer on {it.booking} was" if len(it.rows) == 1 else f"{len(it.rows)} offers of yours were"


def deadline(it: Happening) -> str:
    """Until when the other side may answer, at the job's site."""
    until = it.dispute.answer_by
    return moment(until, it.booking.zone) if until else ""


def author(it: Happening) -> str:
    """Who wrote a review, as the other side calls them."""
    review = reviewed(it.row)
    return review.author.first_name if review.party == Party.TECHNICIAN else "The customer"


def flag(it: Happening) -> str:
    """What somebody finds wrong with a review: it tells private things."""
    return str(reviewed(it.row).flags.latest("at", "pk").get_reason_display()).lower()


WORDS: dict[str, Callable[[Happening], str]] = {
    "job": lambda it: it.booking.title,
    "name": name,
    "who": who,
    "price": price,
    "when": when,
    "offers": offers,
    "did": lambda it: it.did,
    "reason": lambda it: it.dispute.get_reason_display().lower(),
    "outcome": lambda it: it.dispute.get_outcome_display().lower(),
    "deadline": deadline,
    "author": author,
    "flag": flag,
    "why": lambda it: str(reviewed(it.row).get_hide_reason_display()).lower(),
}
