"""News: the last thing that others did and that concerns a person, for the toast on whatever page they are.

Nobody is told what they did themselves: a row of history names its actor. It is derived, so every page of
a person says the same, and a page that opens later toasts nothing (only a change on an open page does).
It is derived from what is only ever added, never from what stands now: or the end of one piece of news
would bring an older one back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Role
from bookings.links import job_url
from bookings.models import BidHistory, BookingHistory, RescheduleProposal, SessionHistory
from bookings.states import BidStatus, BookingStatus, Party, ProposalStatus, SessionStatus

FRESH = timedelta(hours=1)  # older than that is no news, and is not looked for


@dataclass(frozen=True)
class News:
    """A sentence, when it happened, and the job it is about."""

    text: str
    at: datetime
    booking_id: int

    @property
    def url(self) -> str:
        """The job's page."""
        return job_url(self.booking_id)


Found = Iterator[tuple[int, News]]


def news_for(people: Mapping[int, str], now: datetime | None = None) -> dict[int, News]:
    """The newest news of each person (id: role); who has none is missing. A constant number of queries."""
    since = (now or timezone.now()) - FRESH
    customers = [pk for pk, role in people.items() if role == Role.CUSTOMER]
    technicians = [pk for pk, role in people.items() if role == Role.TECHNICIAN]
    newest: dict[int, News] = {}
    for pk, news in (*for_customers(customers, since), *for_technicians(technicians, since)):
        if pk not in newest or news.at >= newest[pk].at:
            newest[pk] = news
    return newest


def by_others(rows: Any, person: str) -> Any:
    """History rows whose actor is not `person` (a path to the user's id), or is the clock."""
    return rows.filter(Q(actor=None) | ~Q(actor=F(person))).order_by("at", "id")


# --- customers ------------------------------------------------------------------------------------


def for_customers(pks: list[int], since: datetime) -> Found:
    """What technicians, admins and the clock did to customers' jobs."""
    if pks:
        yield from offers_made(pks, since)
        yield from visits_moved(pks, since)
        yield from jobs_ended(pks, since)
        yield from proposals(Party.CUSTOMER, pks, since)


def offers_made(pks: list[int], since: datetime) -> Found:
    """Anna offers £45.00."""
    rows = BidHistory.objects.filter(subject__booking__customer__in=pks, to_state=BidStatus.SUBMITTED, at__gte=since)
    for row in rows.order_by("at", "id").select_related("subject__technician__user", "subject__booking"):
        bid = row.subject
        verb = "now offers" if row.from_state else "offers"
        text = f"{bid.technician.user.first_name} {verb} {bid.price}"
        yield bid.booking.customer_id, News(text, row.at, bid.booking_id)


VISIT_NEWS = {
    SessionStatus.WAITING: "{name} is at your door",
    SessionStatus.LIVE: "{name} has begun the work",
    SessionStatus.PAUSED: "{name} paused the work",
    SessionStatus.COMPLETED: "{name} has finished the work",
    SessionStatus.PENDING: "{name} agreed: the visit is moved",
}


def visits_moved(pks: list[int], since: datetime) -> Found:
    """Anna is at your door."""
    rows = SessionHistory.objects.filter(subject__booking__customer__in=pks, at__gte=since)
    # A visit's first row is its being booked; what ended badly is told by the job.
    rows = by_others(rows.exclude(from_state=""), "subject__booking__customer").filter(to_state__in=VISIT_NEWS)
    for row in rows.select_related("subject__technician__user", "subject__booking"):
        resumed = (row.from_state, row.to_state) == (SessionStatus.PAUSED, SessionStatus.LIVE)
        text = "{name} goes on with the work" if resumed else VISIT_NEWS[SessionStatus(row.to_state)]
        booking, name = row.subject.booking, row.subject.technician.user.first_name
        yield booking.customer_id, News(text.format(name=name), row.at, booking.pk)


JOB_NEWS = {
    BookingStatus.OPEN: "Your technician can no longer come. The job takes offers again",
    BookingStatus.EXPIRED: "No offer was accepted in time. The job has expired",
    BookingStatus.CANCELLED: "The job was called off",
    BookingStatus.NO_SHOW: "The visit was closed as a no-show",
}


def jobs_ended(pks: list[int], since: datetime) -> Found:
    """The job was called off; or opened again."""
    rows = BookingHistory.objects.filter(subject__customer__in=pks, at__gte=since, to_state__in=JOB_NEWS)
    for row in by_others(rows, "subject__customer").select_related("subject"):
        yield row.subject.customer_id, News(JOB_NEWS[BookingStatus(row.to_state)], row.at, row.subject_id)


# --- technicians ----------------------------------------------------------------------------------


def for_technicians(pks: list[int], since: datetime) -> Found:
    """What customers, admins and the clock did to technicians' offers and visits."""
    if pks:
        yield from offers_answered(pks, since)
        yield from visits_changed(pks, since)
        yield from proposals(Party.TECHNICIAN, pks, since)


BID_NEWS = {
    BidStatus.ACCEPTED: "Your offer of {price} was accepted",
    BidStatus.REJECTED: "Your offer of {price} was declined",
    BidStatus.NOT_SELECTED: "Another offer was chosen for a job of yours",
    BidStatus.CLOSED: "A job you made an offer on was closed",
    BidStatus.EXPIRED: "Your offer of {price} has lapsed",
}


def offers_answered(pks: list[int], since: datetime) -> Found:
    """Your offer of £45.00 was accepted."""
    rows = BidHistory.objects.filter(subject__technician__in=pks, at__gte=since, to_state__in=BID_NEWS)
    for row in by_others(rows, "subject__technician_id").select_related("subject"):
        text = BID_NEWS[BidStatus(row.to_state)].format(price=row.subject.price)
        yield row.subject.technician_id, News(text, row.at, row.subject.booking_id)


OWN_VISIT_NEWS = {
    SessionStatus.LIVE: "The customer let the work begin",
    SessionStatus.PENDING: "The customer agreed: the visit is moved",
    SessionStatus.CANCELLED: "The visit was called off",
    SessionStatus.NO_SHOW: "The visit was closed as a no-show",
}


def visits_changed(pks: list[int], since: datetime) -> Found:
    """The customer let the work begin."""
    rows = SessionHistory.objects.filter(subject__technician__in=pks, at__gte=since, to_state__in=OWN_VISIT_NEWS)
    # A visit's first row is its being booked, which the accepted offer tells.
    for row in by_others(rows.exclude(from_state=""), "subject__technician_id").select_related("subject"):
        text = OWN_VISIT_NEWS[SessionStatus(row.to_state)]
        yield row.subject.technician_id, News(text, row.at, row.subject.booking_id)


# --- both -----------------------------------------------------------------------------------------


def proposals(reader: str, pks: Iterable[int], since: datetime) -> Found:
    """The other side asked for another time, or said no to ours."""
    whose = "session__booking__customer" if reader == Party.CUSTOMER else "session__technician"
    theirs = ~Q(party=reader) & Q(proposed_at__gte=since)
    refused = Q(party=reader, status=ProposalStatus.DECLINED, answered_at__gte=since)
    rows = RescheduleProposal.objects.filter(theirs | refused, **{f"{whose}__in": pks})
    for row in rows.select_related("session__booking", "session__technician__user"):
        visit, to_customer = row.session, reader == Party.CUSTOMER
        name = visit.technician.user.first_name if to_customer else "The customer"
        asked = row.party != reader
        text = f"{name} asks to move the visit" if asked else f"{name} would rather keep the time"
        at = row.proposed_at if asked else row.answered_at or row.proposed_at
        yield visit.booking.customer_id if to_customer else visit.technician_id, News(text, at, visit.booking_id)
