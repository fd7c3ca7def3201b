"""The customer's job page and home, following by themselves.

All of a job's state stands in fragments on `booking.<id>.customer`; the lists at home on `user.<id>`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Prefetch

from accounts.models import Technician, User
from bookings.live import jobs
from bookings.live.people import (
    booking_of_photo,
    booking_of_visit,
    bookings_showing,
    customer_of,
    is_placed,
    standing_offers,
)
from bookings.live.timeline import timelines
from bookings.models import (
    Bid,
    Booking,
    BookingPhoto,
    CompletionNote,
    CompletionPhoto,
    ContactAttempt,
    RescheduleProposal,
    Session,
)
from bookings.rating import rate
from bookings.states import ACTIVE_BOOKING, BidStatus, BookingStatus
from realtime.fragments import Fragment, Watch, watch
from realtime.topics import Topic, user_topic

Place = tuple[str, str]


def customer_among(user_ids: set[int], booking_id: int) -> set[int]:
    """The customer of the booking, if among `user_ids`. One query."""
    rows = Booking.objects.filter(pk=booking_id, customer_id__in=user_ids, customer__is_active=True)
    return set(rows.values_list("customer_id", flat=True))


booking_customer = Topic("booking.{booking_id}.customer", users=customer_among)


def ids(keys: Sequence[str]) -> list[int]:
    """Keys as primary keys."""
    return [int(key) for key in keys]


def place(booking_id: int) -> Place:
    """The pair (topic, key) of a fragment whose key is the booking."""
    return booking_customer(booking_id), str(booking_id)


def at(find: Callable[[Any], int | Iterable[int]]) -> Callable[[Any], Iterator[Place]]:
    """Touches of the booking, or bookings, that `find` names for a row."""

    def touches(row: Any) -> Iterator[Place]:
        found = find(row)
        yield from map(place, [found] if isinstance(found, int) else found)

    return touches


def of_booking(model: type[Model], find: Callable[[Any], int | Iterable[int]], **options: Any) -> Watch:
    """Watch `model`; `find` names the booking of a row."""
    return watch(model, touches=at(find), **options)


def placed(booking: Booking) -> list[int]:
    """The booking itself; nothing for a draft, which no page follows."""
    return [booking.pk] if is_placed(booking) else []


def topics(job: jobs.Job | Booking) -> list[str]:
    """Where a job belongs."""
    return [booking_customer(job.pk)]


BOOKING = of_booking(Booking, placed)
BIDS = of_booking(Bid, lambda bid: bid.booking_id)
VISITS = of_booking(Session, lambda session: session.booking_id)
WHO = (
    of_booking(User, bookings_showing, remember=("role",), fields=("name", "photo", "phone"), referring=True),
    of_booking(Technician, bookings_showing, fields=("verified_at",), referring=True),
)

head = Fragment(
    "bookings.job_head",
    template="bookings/_job_head.html",
    load=jobs.heads,
    topics=topics,
    watches=[BOOKING, BIDS, VISITS],
)
now = Fragment(
    "bookings.job_now",
    template="bookings/_job_now.html",
    load=jobs.whole,
    topics=topics,
    watches=[
        BOOKING,
        BIDS,
        VISITS,
        of_booking(RescheduleProposal, booking_of_visit),
        of_booking(ContactAttempt, booking_of_visit),
        of_booking(CompletionNote, booking_of_visit),
        of_booking(CompletionPhoto, booking_of_photo),
        *WHO,
    ],
)
details = Fragment(
    "bookings.job_details",
    template="bookings/_job_details.html",
    load=jobs.details,
    topics=topics,
    watches=[BOOKING, of_booking(BookingPhoto, lambda photo: photo.booking_id)],
)
timeline = Fragment(
    "bookings.job_timeline",
    template="bookings/_job_timeline.html",
    load=timelines,
    topics=topics,
    watches=[BOOKING, BIDS, VISITS, *WHO],
)


# --- Offers: one by one, cheapest first -----------------------------------------------------------


def load_offers(keys: Sequence[str]) -> Mapping[str, Bid]:
    """The offers among `keys` that the customer can still accept."""
    rows = Bid.objects.standing().filter(pk__in=ids(keys), booking__status=BookingStatus.OPEN)
    found = list(rows.for_lists().prefetch_related("technician__skills"))
    rate(bid.technician for bid in found)
    return {str(bid.pk): bid for bid in found}


def offer_places(person: User | Technician) -> Iterator[Place]:
    """Where the standing offers of a technician are shown."""
    if isinstance(person, Technician) or person.role == "technician":
        yield from ((booking_customer(bid.booking_id), str(bid.pk)) for bid in standing_offers(person))


def bids_of(booking: Booking) -> Iterator[Place]:
    """Where the offers of a booking are shown: they come and go with its being open."""
    if is_placed(booking):
        bids = booking.bids.filter(status=BidStatus.SUBMITTED).values_list("pk", flat=True)
        yield from ((booking_customer(booking.pk), str(pk)) for pk in bids)


offer = Fragment(
    "bookings.offer",
    template="bookings/_offer.html",
    load=load_offers,
    topics=lambda bid: [booking_customer(bid.booking_id)],
    watches=[
        watch(Bid),
        watch(Booking, fields=("status",), touches=bids_of, referring=True),
        watch(User, remember=("role",), fields=("name", "photo"), touches=offer_places, referring=True),
        watch(Technician, fields=("verified_at", "about"), touches=offer_places, referring=True),
    ],
    order=lambda bid: f"{bid.amount:013.3f} {bid.pk:012}",
)


# --- Home -----------------------------------------------------------------------------------------


def at_home(row: Bid | Session) -> list[Place]:
    """The card of an offer's or a visit's booking, at its customer's home."""
    return [(user_topic(customer_of(row)), str(row.booking_id))]


def own_topic(*states: str) -> Callable[[jobs.Job | Booking], list[str]]:
    """The customer's own topic, for bookings in one of `states`."""

    def topics_of(job: jobs.Job | Booking) -> list[str]:
        return [user_topic(job.customer_id)] if job.status in states else []

    return topics_of


def names_at_home(person: User | Technician) -> Iterator[Place]:
    """The cards that name this technician."""
    shown = Booking.objects.filter(pk__in=list(bookings_showing(person)))
    yield from ((user_topic(customer), str(pk)) for customer, pk in shown.values_list("customer_id", "pk"))


active_job = Fragment(
    "bookings.active_job",
    template="bookings/_active_job.html",
    load=jobs.cards,
    topics=own_topic(*ACTIVE_BOOKING),
    watches=[
        watch(Booking, remember=("status", "customer_id")),
        watch(Bid, touches=at_home),
        watch(Session, touches=at_home),
        watch(User, remember=("role",), fields=("name", "photo"), touches=names_at_home, referring=True),
    ],
    order=jobs.urgency,
)

PAST = (BookingStatus.COMPLETED, BookingStatus.CANCELLED, BookingStatus.EXPIRED, BookingStatus.NO_SHOW)


def newest_first(booking: Any) -> str:
    """Sorts the history by what happened last."""
    return f"{10**12 - int(booking.ended_at.timestamp()):013}-{10**12 - booking.pk:013}"


def load_past(keys: Sequence[str]) -> Mapping[str, Booking]:
    """Rows of the history."""
    who = Session.objects.select_related("technician__user", "bid").order_by("pk")
    rows = Booking.objects.for_lists().with_end().filter(pk__in=ids(keys), status__in=PAST)
    return {str(row.pk): row for row in rows.prefetch_related(Prefetch("sessions", who, to_attr="visits"))}


past_job = Fragment(
    "bookings.past_job",
    template="bookings/_past_job.html",
    load=load_past,
    topics=own_topic(*PAST),
    watches=[watch(Booking, remember=("status", "customer_id"))],
    order=newest_first,
)


@dataclass(frozen=True)
class Draft:
    """What a customer began to write, if anything."""

    customer_id: int
    booking: Booking | None


def load_drafts(keys: Sequence[str]) -> Mapping[str, Draft]:
    """The last draft of each customer, `access.draft_of` for many; there, empty, for those without one too."""
    rows = Booking.objects.filter(customer_id__in=ids(keys), status=BookingStatus.DRAFT)
    last = {row.customer_id: row for row in rows.order_by("created_at", "pk")}
    return {key: Draft(int(key), last.get(int(key))) for key in keys}


def of_customer(booking: Booking) -> list[Place]:
    """The slot of the draft at its customer's home."""
    return [(user_topic(booking.customer_id), str(booking.customer_id))] if not is_placed(booking) else []


draft = Fragment(
    "bookings.draft",
    template="bookings/_draft.html",
    load=load_drafts,
    topics=lambda draft: [user_topic(draft.customer_id)],
    watches=[watch(Booking, fields=("status", "title"), touches=of_customer)],
)
