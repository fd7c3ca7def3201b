"""What the desk does on its own word, as scenes: who hears of it, and who is not told twice."""

from __future__ import annotations

from decimal import Decimal

from accounts.models import User
from bookings import actions, due
from bookings.models import Booking, Session
from bookings.tests import make
from bookings.tests.make import HOUR, MINUTE, NOW, TOMORROW_NOON
from bookings.tests.scenes import LATER, Act, Cast, scene


def sends(cast: Cast, booking: Booking, who: User) -> Session:
    """Frank sends somebody."""
    plan = actions.Plan(who.technician, TOMORROW_NOON, Decimal(75), "They called", ends_at=TOMORROW_NOON + HOUR)
    return actions.assign_technician(booking, plan, by=cast.frank, now=LATER)


@scene(alice="by_desk", bob="new_job", dora="new_job")
def the_desk_books_for_somebody(cast: Cast) -> Act:
    typed = make.typed()
    return lambda: actions.book_for(cast.alice, by=cast.frank, reason="Telephone", now=NOW, **typed)


@scene(alice="technician_sent", bob="visit_given", dora="offer_not_selected")
def the_desk_sends_somebody_who_has_not_offered(cast: Cast) -> Act:
    booking = cast.job()
    make.offer(booking, cast.dora, 70)
    return lambda: sends(cast, booking, cast.bob)


@scene(alice="technician_sent", bob="visit_given", dora="offer_not_selected")
def the_desk_sends_somebody_at_another_price(cast: Cast) -> Act:
    booking = cast.offer().booking
    return lambda: sends(cast, booking, cast.bob)


@scene(alice="technician_sent", bob="visit_cancelled", dora="visit_given")
def the_desk_sends_somebody_else(cast: Cast) -> Act:
    visit = cast.visit()
    return lambda: sends(cast, visit.booking, cast.dora)


@scene(alice="technician_sent", bob="visit_given", dora="visit_cancelled")
def the_desk_brings_back_whom_it_replaced(cast: Cast) -> Act:
    booking = cast.visit().booking
    sends(cast, booking, cast.dora)
    return lambda: sends(cast, booking, cast.bob)


@scene(alice="visit_moved", bob="visit_moved")
def the_desk_moves_a_visit(cast: Cast) -> Act:
    visit = cast.visit()
    later = visit.starts_at + HOUR
    return lambda: actions.move_visit(visit, by=cast.frank, starts_at=later, reason="Traffic", now=LATER)


@scene(frank="desk_unassigned")
def a_job_waits_too_long(cast: Cast) -> Act:
    cast.job()
    return lambda: due.notice_waiting(NOW + 61 * MINUTE)
