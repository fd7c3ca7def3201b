"""Disputes, following by themselves: the dispute's page for each of its sides, and the card on the job's page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from accounts.models import User
from bookings.disputes import Card, Side, load_cards, load_sides
from bookings.live.customer import booking_customer
from bookings.live.technician import work_topic
from bookings.models import Booking, BookingHistory, Dispute, DisputeEvidence
from bookings.rules.disputes import DISPUTABLE
from bookings.rules.numbers import minutes
from bookings.states import Party
from realtime.fragments import Fragment, touch, watch
from realtime.topics import Topic

Touched = Iterable[tuple[str, str]]


def the_side(user_ids: set[int], dispute_id: int, user_id: int) -> set[int]:
    """That person and nobody else, if they are one of the dispute's two sides."""
    mine = Q(disputes_opened=dispute_id) | Q(disputes_answered=dispute_id)
    people = User.objects.filter(mine, pk__in=user_ids & {user_id}, is_active=True)
    return set(people.values_list("pk", flat=True))


side_topic = Topic("dispute.{dispute_id}.{user_id}", users=the_side)


def sides(dispute: Dispute) -> Touched:
    """The places of a dispute: one for each side."""
    people = (dispute.opened_by_id, dispute.against_id)
    return [(side_topic(dispute.pk, person), f"{dispute.pk}-{person}") for person in people]


dispute = Fragment(
    "bookings.dispute",
    template="bookings/_dispute.html",
    load=load_sides,
    topics=lambda side: [side_topic(side.pk, side.user_id)],
    watches=[watch(Dispute, touches=sides), watch(DisputeEvidence, touches=lambda row: sides(row.dispute))],
)


# --- On the job's page ----------------------------------------------------------------------------


def job_topic(card: Card | Side) -> str:
    """The topic of the job's page of whoever looks."""
    job, user_id = card.booking, card.user_id
    return booking_customer(job.pk) if user_id == job.customer_id else work_topic(job.pk, user_id)


def cards_of(booking_id: int, customer_id: int, technicians: Iterable[int]) -> Touched:
    """The places of a job's cards."""
    yield booking_customer(booking_id), f"{booking_id}-{customer_id}"
    for technician_id in technicians:
        yield work_topic(booking_id, technician_id), f"{booking_id}-{technician_id}"


def cards_of_booking(booking: Booking) -> Touched:
    """The cards of a job that began or ended; before, there is nothing to dispute."""
    if booking.status in DISPUTABLE:
        people = booking.sessions.values_list("technician_id", flat=True).distinct()
        yield from cards_of(booking.pk, booking.customer_id, people)


def cards_of_dispute(dispute: Dispute) -> Touched:
    """The cards that tell of it."""
    by_customer = dispute.party == Party.CUSTOMER
    customer, technician = dispute.opened_by_id, dispute.against_id
    if not by_customer:
        customer, technician = technician, customer
    return cards_of(dispute.booking_id, customer, [technician])


card = Fragment(
    "bookings.dispute_card",
    template="bookings/_dispute_card.html",
    load=load_cards,
    topics=lambda card: [job_topic(card)],
    watches=[
        watch(Dispute, fields=("status",), touches=cards_of_dispute),
        watch(Booking, fields=("status",), touches=cards_of_booking),
    ],
)


def end_windows(since: datetime, as_of: datetime) -> None:
    """The time for disputes ended for some jobs: open pages no longer offer one. No row changes for that."""
    window = minutes("DISPUTE_WITHIN_MINUTES")
    ends = BookingHistory.objects.filter(at__gt=since - window, at__lte=as_of - window, to_state__in=DISPUTABLE)
    for booking in Booking.objects.filter(pk__in=ends.values("subject")):
        for topic, key in cards_of_booking(booking):
            touch(card, [key], topics=[topic])
