"""The simulated say what they think of a finished job: always of a person's, now and then of each other's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from accounts.models import User
from bookings.actions.reviews import write_review
from bookings.models import Review, Session
from bookings.states import SessionStatus
from demo.opinions import OF_CUSTOMERS, OF_TECHNICIANS
from demo.simulator.world import World

SOON = timedelta(minutes=20)  # whoever has not written by then does not
NOW_AND_THEN = 0.3


def write(world: World) -> int:
    """A minute or some after the work, the side that is simulated writes."""
    done = 0
    for visit in lately_finished(world):
        for by, sayings in sides(world, visit):
            is_due = world.due(visit.finished_at, 45, 400, "review", visit.pk, by.pk)
            if is_due and wants_to(world, visit, by):
                stars, text = world.chance("opinion", visit.pk, by.pk).choice(sayings)
                act = partial(write_review, visit.booking, by=by, stars=stars, text=text, now=world.now)
                done += world.attempt(act, "review", visit.pk, by.pk)
    return done


def lately_finished(world: World) -> list[Session]:
    """The visits that were finished a moment ago."""
    rows = Session.objects.filter(status=SessionStatus.COMPLETED, finished_at__gt=world.now - SOON)
    return list(rows.select_related("booking__customer", "technician__user").order_by("pk"))


def sides(world: World, visit: Session) -> Iterator[tuple[User, tuple[tuple[int, str], ...]]]:
    """Who of the two is simulated and has not written, each with what they may say."""
    written = set(Review.objects.filter(booking=visit.booking_id).values_list("author", flat=True))
    if visit.booking.customer_id in world.customers and visit.booking.customer_id not in written:
        yield visit.booking.customer, OF_TECHNICIANS
    if visit.technician_id in world.technicians and visit.technician_id not in written:
        yield visit.technician.user, OF_CUSTOMERS


def wants_to(world: World, visit: Session, by: User) -> bool:
    """For a person each writes; among themselves few."""
    simulated = visit.booking.customer_id in world.customers and visit.technician_id in world.technicians
    return not simulated or world.chance("writes", visit.pk, by.pk).random() < NOW_AND_THEN
