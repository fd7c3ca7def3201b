"""The fleet's page at one instant: drivers, legs and figures out of four queries, however many there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import BooleanField, ExpressionWrapper, Q

from adminpanel.fleet import legs
from adminpanel.fleet.drivers import DriverRow, Figures, drivers, rows_of, unsettled, with_facts
from adminpanel.talk.recipients import called
from realtime.presence import ONLINE, online
from tracking.models import Dispatch
from tracking.states import HOLDING_DISPATCH, Duty


@dataclass(frozen=True)
class Board:
    """What is on the page: the drivers that a search leaves, the legs that nobody has taken, the figures of all."""

    drivers: dict[str, DriverRow]
    legs: dict[str, legs.LegCard]
    figures: Figures


def board_of(search: str, now: datetime) -> Board:
    """The board. What its fragments load one by one is loaded once: who is asked for a leg is on two of them."""
    wanted = ExpressionWrapper(called(search) or Q(pk__isnull=False), output_field=BooleanField())
    people = list(with_facts(drivers()).annotate(is_wanted=wanted))
    open_legs = list(legs.whole(unsettled().order_by("created_at")))
    theirs = Q(driver__in=[user.pk for user in people], status__in=HOLDING_DISPATCH)
    asked = legs.dispatches().select_related("leg__booking").filter(theirs | Q(leg__in=[leg.pk for leg in open_legs]))
    dispatches: list[Dispatch] = list(asked)
    seen = online({*(user.pk for user in people), *(each.driver_id for each in dispatches)}, now)
    rows = rows_of(people, sorted(dispatches, key=lambda each: each.deadline), seen, now)
    found = legs.cards_of(open_legs, dispatches, now)
    cards = {key: card for key, card in found.items() if card.is_unsettled}  # one may be taken just now
    legs.tell_presence(cards.values(), seen)
    shown = {str(user.pk): rows[str(user.pk)] for user in people if user.is_wanted}
    return Board(shown, cards, figures_of(list(rows.values()), list(cards.values())))


def figures_of(rows: list[DriverRow], cards: list[legs.LegCard]) -> Figures:
    """The figures of all drivers and of the legs that nobody has taken, as the fragment counts them."""
    on_duty = [row for row in rows if row.duty == Duty.ON_DUTY]
    busy = sum(row.dispatch is not None for row in on_duty)
    asked = sum(card.offer is not None for card in cards)
    return Figures(
        on_duty=len(on_duty),
        on_break=sum(row.duty == Duty.ON_BREAK for row in rows),
        available=len(on_duty) - busy,
        busy=busy,
        connected=sum(row.connection == ONLINE for row in on_duty),
        waiting=len(cards) - asked,
        asked=asked,
    )
