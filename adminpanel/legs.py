"""A leg as the desk sees it: what it is, how it stands, who was asked and what they said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from django.db.models import Prefetch
from django.utils import timezone

from bookings.models import Booking
from bookings.states import BookingStatus
from common.geo import Point
from realtime.presence import OFFLINE, Seen, online
from tracking.models import Dispatch, DispatchHistory, Leg, OfferRound
from tracking.states import DispatchStatus

OPEN_BOOKING = (BookingStatus.OPEN, BookingStatus.ASSIGNED, BookingStatus.IN_PROGRESS)


@dataclass
class Asked:
    """One driver who was asked: the dispatch, what became of it, and whether they are here."""

    dispatch: Dispatch
    seen: Seen | None = None

    @property
    def name(self) -> str:
        """The driver's first name."""
        return self.dispatch.driver.user.first_name

    @property
    def stands(self) -> bool:
        """Whether the offer waits for an answer."""
        return self.dispatch.status == DispatchStatus.OFFERED

    @property
    def is_queued(self) -> bool:
        """Whether the offer waits for the driver to come online."""
        unseen = self.stands and self.dispatch.seen_at is None
        return unseen and self.seen is not None and self.seen.state == OFFLINE

    @property
    def steps(self) -> list[DispatchHistory]:
        """What happened after the offer, oldest first."""
        return [step for step in self.dispatch.history.all() if step.from_state]

    @property
    def outcome(self) -> str:
        """How it ended, with the reason: Declined: too far away."""
        word = str(self.dispatch.get_status_display())
        return f"{word}: {self.dispatch.reason.rstrip('.')}" if self.dispatch.reason else word


@dataclass
class LegCard:
    """A leg with those who were asked, the newest first."""

    leg: Leg
    now: datetime
    asked: list[Asked] = field(default_factory=list)
    rounds: list[OfferRound] = field(default_factory=list)

    @property
    def pk(self) -> int:
        """The leg's."""
        return self.leg.pk

    @property
    def booking(self) -> Booking:
        """What it is for."""
        return self.leg.booking

    @cached_property
    def offer(self) -> Asked | None:
        """The offer that stands."""
        return next((each for each in self.asked if each.stands), None)

    @cached_property
    def taken(self) -> Asked | None:
        """Who has it."""
        return next((each for each in self.asked if each.dispatch.is_active), None)

    @cached_property
    def done(self) -> Asked | None:
        """Who did it."""
        return next((each for each in self.asked if each.dispatch.status == DispatchStatus.COMPLETED), None)

    @property
    def last(self) -> Asked | None:
        """Who was asked last, where that came to nothing."""
        return self.asked[0] if self.asked and self.state == "waiting" else None

    @property
    def state(self) -> str:
        """Derived: cancelled, or the state of the dispatch that holds it, or waiting for a driver."""
        if self.leg.cancelled_at is not None:
            return "cancelled"
        holder = self.done or self.taken or self.offer
        return str(holder.dispatch.status) if holder else "waiting"

    @property
    def is_unsettled(self) -> bool:
        """Whether it belongs in the tray."""
        return self.state in ("waiting", DispatchStatus.OFFERED)

    @property
    def may_be_offered(self) -> bool:
        """Whether the desk may ask somebody; after the visit too: what was left there is still fetched."""
        return self.state == "waiting"

    @property
    def may_be_cancelled(self) -> bool:
        """Whether it may be called off."""
        return self.state not in ("cancelled", DispatchStatus.COMPLETED)

    @property
    def destination(self) -> Point | None:
        """Where it leads: the booking's place."""
        if self.booking.latitude is None or self.booking.longitude is None:
            return None
        return Point(self.booking.latitude, self.booking.longitude)

    @property
    def round(self) -> OfferRound | None:
        """The drivers who are asked one after another just now."""
        return next((each for each in self.rounds if each.ended_at is None), None)

    @property
    def to_come(self) -> int:
        """How many of the round are still to be asked."""
        return max(len(self.round.drivers) - self.round.asked, 0) if self.round else 0

    @property
    def order(self) -> str:
        """Those that nobody is asked for first, then the oldest."""
        return f"{int(self.state != 'waiting')}{self.leg.created_at.timestamp():014.3f}"


def load_legs(keys: Sequence[str]) -> Mapping[str, LegCard]:
    """Legs with all that was asked; five queries for any number of them."""
    now = timezone.now()
    people = Dispatch.objects.select_related("driver__user", "offered_by").prefetch_related(
        Prefetch("history", DispatchHistory.objects.select_related("actor").order_by("at", "pk"))
    )
    rows = Leg.objects.filter(pk__in=[int(key) for key in keys]).select_related("booking__customer", "skill")
    legs = rows.select_related("created_by").prefetch_related(
        Prefetch("dispatches", people.order_by("-offered_at", "-pk")), "rounds"
    )
    cards = {str(leg.pk): card_of(leg, now) for leg in legs}
    tell_presence(list(cards.values()), now)
    return cards


def card_of(leg: Leg, now: datetime) -> LegCard:
    """A leg that was loaded with its dispatches and rounds."""
    return LegCard(leg, now, [Asked(each) for each in leg.dispatches.all()], list(leg.rounds.all()))


def tell_presence(cards: Sequence[LegCard], now: datetime) -> None:
    """Say of every standing offer whether its driver is here; one query."""
    standing = [card.offer for card in cards if card.offer]
    found = online({each.dispatch.driver_id for each in standing}, now) if standing else {}
    for each in standing:
        each.seen = found.get(each.dispatch.driver_id)


def tray(keys: Sequence[str]) -> Mapping[str, LegCard]:
    """Those of the legs that nobody has taken yet."""
    return {key: card for key, card in load_legs(keys).items() if card.is_unsettled}
