"""What follows live of reviews: a card on the job page of each side, and the ratings of technicians.

The two cards are fragments of their own, each on a topic that only one person follows. A sealed review touches its
author's alone: whatever else it touched, even in vain, would tell the other side that it is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from django.db.models import Exists
from django.utils import timezone

from accounts.models import Role, Technician, User
from bookings.live.customer import Place, booking_customer, of_booking, offer, offer_places, place
from bookings.live.customer import now as job_now
from bookings.live.people import bookings_showing
from bookings.live.technician import work_topic
from bookings.models import Review, ReviewFlag, Session
from bookings.rating import rate
from bookings.reviewing import ReviewCard, cards
from bookings.rules.numbers import minutes
from bookings.states import SHOWN_REVIEW, Party, ReviewStatus, SessionStatus
from realtime.fragments import Fragment, also_watch, touch, watch
from realtime.topics import Topic

DONE = SessionStatus.COMPLETED


def visits(**wanted: object) -> list[Session]:
    """Finished visits with their two sides, one query."""
    rows = Session.objects.filter(status=DONE, **wanted)
    return list(rows.select_related("booking__customer", "technician__user"))


def load_customers(keys: Sequence[str]) -> Mapping[str, ReviewCard]:
    """The customers' cards, by booking."""
    found = visits(booking__in=[int(key) for key in keys])
    return {str(pk): card for pk, card in cards(found, Party.CUSTOMER, timezone.now()).items()}


def load_technicians(keys: Sequence[str]) -> Mapping[str, ReviewCard]:
    """The technicians' cards, by the offer that won: that is what their job page is about."""
    found = visits(bid__in=[int(key) for key in keys])
    return {str(card.visit.bid_id): card for card in cards(found, Party.TECHNICIAN, timezone.now()).values()}


def at_customer(visit: Session) -> Place:
    """The customer's card."""
    return place(visit.booking_id)


def at_technician(visit: Session) -> Place:
    """The technician's."""
    return work_topic(visit.booking_id, visit.technician_id), str(visit.bid_id)


def finished(visit: Session) -> bool:
    """Whether there is something to review."""
    return visit.status == DONE


def knowing(review: Review, party: str) -> list[Session]:
    """The visit that a review is of, if the side `party` may know of it."""
    if review.status == ReviewStatus.SUBMITTED and review.party != party:
        return []
    return list(Session.objects.filter(booking=review.booking_id, status=DONE))


def recent(person: User, side: str) -> list[Session]:
    """The visits of the last week in which this person was on one side: their cards name them."""
    since = timezone.now() - minutes("REVIEW_MINUTES")
    return list(Session.objects.filter(**{side: person.pk}, status=DONE, finished_at__gte=since))


customer_review = Fragment(
    "bookings.customer_review",
    template="bookings/_customer_review.html",
    load=load_customers,
    topics=lambda card: [booking_customer(card.booking.pk)],
    watches=[
        watch(Session, fields=("status",), touches=lambda row: [at_customer(row)] if finished(row) else []),
        watch(Review, touches=lambda row: [at_customer(each) for each in knowing(row, Party.CUSTOMER)]),
        watch(ReviewFlag, touches=lambda row: [at_customer(each) for each in knowing(row.review, Party.CUSTOMER)]),
        watch(
            User,
            remember=("role",),
            fields=("name",),
            touches=lambda row: map(at_customer, recent(row, "technician") if row.role == Role.TECHNICIAN else []),
            referring=True,
        ),
    ],
)
work_review = Fragment(
    "bookings.work_review",
    template="bookings/_work_review.html",
    load=load_technicians,
    topics=lambda card: [work_topic(card.booking.pk, card.visit.technician_id)],
    watches=[
        watch(Session, fields=("status",), touches=lambda row: [at_technician(row)] if finished(row) else []),
        watch(Review, touches=lambda row: [at_technician(each) for each in knowing(row, Party.TECHNICIAN)]),
        watch(ReviewFlag, touches=lambda row: [at_technician(each) for each in knowing(row.review, Party.TECHNICIAN)]),
        watch(
            User,
            remember=("role",),
            fields=("name",),
            touches=lambda row: map(
                at_technician, recent(row, "booking__customer") if row.role == Role.CUSTOMER else []
            ),
            referring=True,
        ),
    ],
)


def end_windows(since: datetime, as_of: datetime) -> None:
    """The week for reviews ended for some jobs: open pages no longer ask for one. No row changes for that."""
    week = minutes("REVIEW_MINUTES")
    for visit in visits(finished_at__gt=since - week, finished_at__lte=as_of - week):
        for fragment, (topic, key) in ((customer_review, at_customer(visit)), (work_review, at_technician(visit))):
            touch(fragment, [key], topics=[topic])


# --- Ratings --------------------------------------------------------------------------------------


def rated(review: Review) -> User | None:
    """The technician whose rating a review counts in, once it is open."""
    counts = review.status != ReviewStatus.SUBMITTED and review.party == Party.CUSTOMER
    return review.about if counts else None


def rated_offers(review: Review) -> Iterator[Place]:
    """Where the standing offers of that technician are shown."""
    person = rated(review)
    yield from offer_places(person) if person else ()


def rated_jobs(review: Review) -> Iterator[int]:
    """The jobs whose customers see that technician."""
    person = rated(review)
    yield from bookings_showing(person) if person else ()


# Once its seal is broken or when it is hidden; what a flag changes is nothing that counts.
also_watch(offer, [watch(Review, fields=("status",), touches=rated_offers)])
also_watch(job_now, [of_booking(Review, rated_jobs, fields=("status",))])


# --- What customers say of a technician -----------------------------------------------------------


def readers(user_ids: set[int], technician_id: int) -> set[int]:
    """Everybody who is signed in, as long as that technician has an account."""
    there = Exists(User.objects.filter(pk=technician_id, role=Role.TECHNICIAN, is_active=True))
    return set(User.objects.filter(there, pk__in=user_ids, is_active=True).values_list("pk", flat=True))


reviews_topic = Topic("reviews.{technician_id}", users=readers)


def said_of(review: Review) -> list[str]:
    """Where an open review of a technician is read; nowhere while it is sealed, or once it is hidden."""
    is_shown = review.status in SHOWN_REVIEW and review.party == Party.CUSTOMER
    return [reviews_topic(review.about_id)] if is_shown else []


def load_said(keys: Sequence[str]) -> Mapping[str, Review]:
    """What customers say of technicians, with who says it and about which kind of job; one query."""
    rows = Review.objects.shown().filter(pk__in=[int(key) for key in keys], party=Party.CUSTOMER)
    return {str(row.pk): row for row in rows.select_related("author", "booking__category")}


def load_ratings(keys: Sequence[str]) -> Mapping[str, Technician]:
    """Technicians with their ratings; two queries."""
    people = list(Technician.objects.select_related("user").filter(pk__in=[int(key) for key in keys]))
    rate(people)
    return {str(person.pk): person for person in people}


said = Fragment(
    "bookings.said",
    template="bookings/_said.html",
    load=load_said,
    topics=said_of,
    watches=[watch(Review, remember=("status",), fields=("status", "text"))],
    order=lambda review: f"{10**11 - review.published_at.timestamp():018.6f} {10**12 - review.pk:013}",
)
rating = Fragment(
    "bookings.rating",
    template="bookings/_rating.html",
    load=load_ratings,
    topics=lambda person: [reviews_topic(person.pk)],
    watches=[
        watch(
            Review,
            fields=("status",),
            touches=lambda row: [(reviews_topic(row.about_id), str(row.about_id))] if rated(row) else [],
        )
    ],
)
