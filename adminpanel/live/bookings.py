"""The desk's jobs, following by themselves.

A row stands on a topic of its own job, so that a change reaches the pages that show it and no other; lists hear of
what is new to them on the topic of their state, and say so by a pill.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from accounts.access import desk
from accounts.models import DeskAction, Role, User
from adminpanel.jobs import rows
from bookings.models import (
    Bid,
    BidHistory,
    Booking,
    BookingHistory,
    BookingPhoto,
    CompletionNote,
    CompletionPhoto,
    ContactAttempt,
    Dispute,
    ProposalHistory,
    RescheduleProposal,
    Session,
    SessionHistory,
)
from bookings.rules.numbers import minutes
from bookings.states import ACTIVE_BOOKING, ACTIVE_SESSION, BookingStatus, SessionStatus
from realtime.fragments import Fragment, touch, watch
from realtime.topics import Params, Topic
from tracking.models import Leg

Place = tuple[str, str]
NEWS = timedelta(hours=1)  # how long a job is new


def desk_of_each(user_ids: set[int], wanted: Sequence[Params]) -> Iterable[tuple[Params, int]]:
    """The desk hears of every job; one query for any number of them."""
    here = desk(user_ids)
    return [(params, pk) for params in wanted for pk in here]


booking_topic = Topic(
    "desk.booking.{booking_id}", users=lambda user_ids, booking_id: desk(user_ids), together=desk_of_each
)
new_topic = Topic("desk.bookings", users=desk)
show_topic = Topic("desk.bookings.{show:str}", users=lambda user_ids, show: desk(user_ids))


def list_topic(show: str) -> str:
    """Where a list hears of what is new to it."""
    derived = {"waiting": "on_site", "live": "on_site", "today": "completed"}
    return new_topic() if show == "all" else show_topic(derived.get(show, show))


# --- What a change touches ------------------------------------------------------------------------


def at(booking_id: int) -> list[Place]:
    """The place of a job."""
    return [(booking_topic(booking_id), str(booking_id))]


def own(booking: Booking) -> list[Place]:
    """The same; a draft has none."""
    return [] if booking.status == BookingStatus.DRAFT else at(booking.pk)


def as_new(booking: Booking) -> list[Place]:
    """Where new jobs are told of."""
    return [(new_topic(), str(booking.pk))] if booking.placed_at else []


def in_lists(booking: Booking) -> list[Place]:
    """The lists that a job is in by its columns; a booked one may be in that of the late."""
    if booking.status == BookingStatus.DRAFT:
        return []
    shows = set(rows.DeskJob(booking, ()).shows)
    shows |= {"late"} if booking.status == BookingStatus.ASSIGNED else set()
    return [(show_topic(show), str(booking.pk)) for show in sorted(shows)]


def of_visit(session: Session) -> list[Place]:
    """A visit's job, and the list of the late."""
    return [*at(session.booking_id), (show_topic("late"), str(session.booking_id))]


def of_person(user: User) -> list[Place]:
    """The jobs that go on and name this person."""
    if user.role == Role.CUSTOMER:
        own = Booking.objects.filter(customer=user.pk, status__in=ACTIVE_BOOKING)
    elif user.role == Role.TECHNICIAN:
        theirs = Session.objects.filter(technician=user.pk, status__in=ACTIVE_SESSION)
        own = Booking.objects.filter(pk__in=theirs.values("booking"))
    else:
        return []
    return [place for pk in own.values_list("pk", flat=True) for place in at(pk)]


# --- Fragments ------------------------------------------------------------------------------------


def topics(job: rows.DeskJob) -> list[str]:
    """Where a row belongs."""
    is_new = job.booking.placed_at is not None and job.now - job.booking.placed_at < NEWS
    return [booking_topic(job.pk), *map(show_topic, job.shows), *([new_topic()] if is_new else [])]


BOOKING = watch(Booking, touches=own)
PEOPLE = watch(User, remember=("role",), fields=("name", "phone", "email", "photo"), touches=of_person, referring=True)

booking_row = Fragment(
    "adminpanel.booking_row",
    template="adminpanel/_booking_row.html",
    load=rows.load_rows,
    topics=topics,
    watches=[
        BOOKING,
        watch(Booking, fields=("placed_at",), touches=as_new),
        watch(Booking, fields=("status", "target_passed_at"), touches=in_lists),
        watch(Bid, fields=("status", "amount"), touches=lambda bid: at(bid.booking_id)),
        watch(Session, touches=of_visit),
        watch(User, remember=("role",), fields=("name",), touches=of_person, referring=True),
    ],
)
booking = Fragment(
    "adminpanel.booking",
    template="adminpanel/_booking.html",
    load=rows.load_cases,
    topics=lambda case: [booking_topic(case.pk)],
    watches=[
        BOOKING,
        watch(Bid, fields=("status", "amount"), touches=lambda bid: at(bid.booking_id)),
        watch(Session, touches=lambda visit: at(visit.booking_id)),
        watch(RescheduleProposal, touches=lambda row: at(row.session.booking_id)),
        watch(ContactAttempt, touches=lambda row: at(row.session.booking_id)),
        watch(CompletionNote, touches=lambda row: at(row.session.booking_id)),
        watch(CompletionPhoto, touches=lambda row: at(row.completion.session.booking_id)),
        PEOPLE,
    ],
)
details = Fragment(
    "adminpanel.booking_details",
    template="adminpanel/_booking_details.html",
    load=rows.load_details,
    topics=lambda details: [booking_topic(details.pk)],
    watches=[
        BOOKING,
        watch(BookingPhoto, touches=lambda photo: own(photo.booking)),
        watch(Leg, touches=lambda leg: at(leg.booking_id)),
        watch(Dispute, fields=("status",), touches=lambda dispute: at(dispute.booking_id)),
        PEOPLE,
    ],
)
offer = Fragment(
    "adminpanel.booking_offer",
    template="adminpanel/_booking_offer.html",
    load=rows.load_offers,
    topics=lambda bid: [booking_topic(bid.booking_id)],
    watches=[
        watch(Bid),
        watch(
            Booking,
            fields=("status",),
            touches=lambda row: [(booking_topic(row.pk), str(pk)) for pk in bids(row)],
            referring=True,
        ),
    ],
    order=rows.order_of_offer,
)


def bids(booking: Booking) -> list[int]:
    """The offers on a job: what may be done with them goes with its state."""
    return [] if booking.status == BookingStatus.DRAFT else list(booking.bids.values_list("pk", flat=True))


def of_desk(action: DeskAction) -> list[Place]:
    """The job that the desk did something about."""
    return at(action.subject_id) if action.subject_kind == "booking" and action.subject_id else []


history = Fragment(
    "adminpanel.booking_history",
    template="adminpanel/_booking_history.html",
    load=rows.load_stories,
    topics=lambda story: [booking_topic(story.pk)],
    watches=[
        watch(BookingHistory, touches=lambda row: at(row.subject_id)),
        watch(BidHistory, touches=lambda row: at(row.subject.booking_id)),
        watch(SessionHistory, touches=lambda row: at(row.subject.booking_id)),
        watch(ProposalHistory, touches=lambda row: at(row.subject.session.booking_id)),
        watch(DeskAction, touches=of_desk),
    ],
)


# --- By the clock ---------------------------------------------------------------------------------


def tell_late(since: datetime, until: datetime) -> int:
    """Have pages look again at jobs whose technician became late between two instants; returns how many."""
    grace = minutes("LATE_MINUTES")
    due = Session.objects.filter(
        status=SessionStatus.PENDING, starts_at__gt=since - grace, starts_at__lte=until - grace
    )
    keys = set(due.values_list("booking", flat=True))
    if keys:
        touch(booking_row, keys)
        touch(booking, keys)
    return len(keys)
