"""What follows live on the technician's pages, and who hears of it.

A row of the marketplace is the same for everybody who reads it, so that a change costs one rendering a process
however many technicians look. What differs by viewer is therefore not in it: the distance groups the rows on
the page, and the rank of one's own offer stands in a fragment on a topic that has one follower.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import Role, Technician, User
from bookings.models import (
    Bid,
    Booking,
    BookingHistory,
    BookingPhoto,
    ContactAttempt,
    RescheduleProposal,
    Session,
)
from bookings.states import ACTIVE_SESSION, BookingStatus, SessionStatus
from bookings.work import Work, load_days, load_jobs, load_logs, load_open_jobs, load_places, load_works, whole
from realtime.fragments import Fragment, watch
from realtime.topics import Topic, user_topic

Place = tuple[str, str]
Touched = Iterable[Place]
# How long a page that shows a job hears that it is gone. Later than that it is nobody's news, and the job's
# state is a stranger's business.
GONE_IS_NEWS = timedelta(hours=1)


# --- Who belongs ----------------------------------------------------------------------------------


def technicians(user_ids: set[int]) -> set[int]:
    """The active technicians, verified or not: those who are not may look."""
    people = User.objects.filter(pk__in=user_ids, is_active=True, role=Role.TECHNICIAN)
    return set(people.values_list("pk", flat=True))


def onlookers(user_ids: set[int], booking_id: int) -> set[int]:
    """The technicians who may look at a job on the market: while it is open, and when it has just gone."""
    is_open = Exists(Booking.objects.filter(pk=booking_id, status=BookingStatus.OPEN))
    since = timezone.now() - GONE_IS_NEWS
    just_gone = Exists(BookingHistory.objects.filter(subject=booking_id, from_state=BookingStatus.OPEN, at__gte=since))
    people = User.objects.filter(pk__in=user_ids, is_active=True, role=Role.TECHNICIAN)
    return set(people.filter(is_open | just_gone).values_list("pk", flat=True))


def the_technician(user_ids: set[int], booking_id: int, technician_id: int) -> set[int]:
    """That technician and nobody else: with an offer on the job, or while they may make one."""
    is_open = Exists(Booking.objects.filter(pk=booking_id, status=BookingStatus.OPEN))
    own = Exists(Bid.objects.filter(booking=booking_id, technician=OuterRef("pk")))
    people = User.objects.filter(pk__in=user_ids & {technician_id}, is_active=True, role=Role.TECHNICIAN)
    return set(people.filter(is_open | own).values_list("pk", flat=True))


marketplace_topic = Topic("marketplace", users=technicians)
market_job_topic = Topic("marketplace.{booking_id}", users=onlookers)
work_topic = Topic("booking.{booking_id}.technician.{user_id}", users=the_technician)


# --- What a change touches ------------------------------------------------------------------------


def own(bid: Bid) -> Place:
    """The place of a technician's offer."""
    return work_topic(bid.booking_id, bid.technician_id), str(bid.pk)


def own_and_rivals(bid: Bid) -> Touched:
    """An offer that comes, goes or changes its price moves the ranks of the others on an open job."""
    rivals = Bid.objects.standing().filter(booking=bid.booking_id, booking__status=BookingStatus.OPEN)
    return [own(bid), *(own(rival) for rival in rivals.exclude(pk=bid.pk))]


def all_offers(booking: Booking) -> Touched:
    """Everybody who made an offer on a job."""
    if booking.status == BookingStatus.DRAFT:
        return []
    return [own(bid) for bid in Bid.objects.filter(booking=booking.pk)]


def visit(session: Session) -> Touched:
    """The offer that a visit came from."""
    return [(work_topic(session.booking_id, session.technician_id), str(session.bid_id))]


def visit_of(row: RescheduleProposal | ContactAttempt) -> Touched:
    """The same, for what hangs on a visit."""
    return visit(row.session)


def visit_gained_or_lost(session: Session) -> Touched:
    """Only the states at the ends of a visit: its map is not drawn anew at every step in between."""
    ends = (SessionStatus.PENDING, SessionStatus.CANCELLED, SessionStatus.NO_SHOW)
    return visit(session) if session.status in ends else []


def visits_at(customer: User) -> Touched:
    """The visits whose technicians read this customer's name and phone number."""
    if customer.role != Role.CUSTOMER:
        return []
    rows = Session.objects.filter(status__in=ACTIVE_SESSION, booking__customer=customer.pk)
    return [touched for session in rows for touched in visit(session)]


def days_at(customer: User) -> Touched:
    """The days in which this customer is named."""
    if customer.role != Role.CUSTOMER:
        return []
    rows = Session.objects.filter(status__in=ACTIVE_SESSION, booking__customer=customer.pk)
    return [day(pk) for pk in rows.values_list("technician", flat=True)]


def day(technician_id: int) -> Place:
    """The place of a technician's day."""
    return user_topic(technician_id), str(technician_id)


def market_job(booking_id: int) -> Touched:
    """The place of a job as technicians see it."""
    return [(market_job_topic(booking_id), str(booking_id))]


def on_market(booking: Booking) -> Touched:
    """The same; a draft has none."""
    return [] if booking.status == BookingStatus.DRAFT else market_job(booking.pk)


# --- The marketplace, and a job on it -------------------------------------------------------------

WHEN = ("status", "window_start", "window_end")


def load_market_rows(keys: Sequence[str]) -> Mapping[str, Booking]:
    """Open jobs by key, in one query."""
    rows = Booking.objects.for_lists().filter(pk__in=whole(keys), status=BookingStatus.OPEN)
    return {str(booking.pk): booking for booking in rows}


# No number of offers here: it would have every filtered page ask again at every offer in town.
market_row = Fragment(
    "bookings.market_row",
    template="bookings/_technician_market_row.html",
    load=load_market_rows,
    topics=lambda booking: [marketplace_topic()] if booking.status == BookingStatus.OPEN else [],
    watches=[watch(Booking, fields=WHEN)],
)
open_job = Fragment(
    "bookings.open_job",
    template="bookings/_technician_open_job.html",
    load=load_open_jobs,
    topics=lambda job: [market_job_topic(job.booking.pk)],
    watches=[
        watch(Booking, fields=WHEN, touches=on_market),
        watch(Bid, fields=("status",), touches=lambda bid: market_job(bid.booking_id)),
        watch(BookingPhoto, touches=lambda photo: on_market(photo.booking)),
    ],
)
# The map apart, so that it stays as it is when an offer arrives.
job_area = Fragment(
    "bookings.job_area",
    template="bookings/_technician_area.html",
    load=load_market_rows,
    topics=lambda booking: [market_job_topic(booking.pk)] if booking.status == BookingStatus.OPEN else [],
    watches=[watch(Booking, fields=("status",), touches=on_market)],
)


# --- One's own offer and visit --------------------------------------------------------------------


def work_topics(work: Work) -> list[str]:
    """The one place where a technician's offer is shown."""
    return [work_topic(work.bid.booking_id, work.bid.technician_id)]


work = Fragment(
    "bookings.work",
    template="bookings/_technician_work.html",
    load=load_works,
    topics=work_topics,
    watches=[
        watch(Bid, fields=("status", "revision"), touches=own_and_rivals),
        watch(Booking, fields=(*WHEN, "put_away_at"), touches=all_offers, referring=True),
        watch(Session, touches=visit),
        watch(RescheduleProposal, touches=visit_of),
        watch(ContactAttempt, touches=visit_of),
    ],
)
work_place = Fragment(
    "bookings.work_place",
    template="bookings/_technician_place.html",
    load=load_places,
    topics=work_topics,
    watches=[
        watch(Session, fields=("status",), touches=visit_gained_or_lost),
        watch(Booking, fields=("put_away_at",), touches=all_offers, referring=True),
        watch(User, remember=("role",), fields=("name", "phone", "email"), touches=visits_at, referring=True),
    ],
)
work_job = Fragment(
    "bookings.work_job",
    template="bookings/_technician_work_job.html",
    load=load_jobs,
    topics=work_topics,
    watches=[
        watch(Bid, fields=("status",), touches=lambda bid: [own(bid)]),
        watch(Booking, fields=WHEN, touches=all_offers, referring=True),
        watch(BookingPhoto, touches=lambda photo: all_offers(photo.booking)),
    ],
)
work_log = Fragment(
    "bookings.work_log",
    template="bookings/_technician_log.html",
    load=load_logs,
    topics=lambda log: [work_topic(log.bid.booking_id, log.bid.technician_id)],
    watches=[watch(Bid, fields=("status", "revision"), touches=lambda bid: [own(bid)]), watch(Session, touches=visit)],
)


# --- The technician ---------------------------------------------------------------------------------


def load_technicians(keys: Sequence[str]) -> Mapping[str, Technician]:
    """Technicians by key, in one query."""
    return {str(each.pk): each for each in Technician.objects.filter(pk__in=whole(keys))}


# Whether the desk has verified them: said wherever they might want to make an offer.
papers = Fragment(
    "bookings.papers",
    template="bookings/_technician_papers.html",
    load=load_technicians,
    topics=lambda technician: [user_topic(technician.pk)],
    watches=[watch(Technician, fields=("verified_at",))],
)


# --- The day --------------------------------------------------------------------------------------

today = Fragment(
    "bookings.today",
    template="bookings/_technician_today.html",
    load=load_days,
    topics=lambda day: [user_topic(day.technician.pk)],
    watches=[
        watch(Session, touches=lambda session: [day(session.technician_id)]),
        watch(Bid, fields=("status", "revision"), touches=lambda bid: [day(bid.technician_id)]),
        watch(RescheduleProposal, touches=lambda proposal: [day(proposal.session.technician_id)]),
        watch(User, remember=("role",), fields=("name", "phone"), touches=days_at, referring=True),
    ],
)
