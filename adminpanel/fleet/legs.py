"""A leg as the desk sees it: what it is, how it stands, who was asked and what they said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import FilteredRelation, Prefetch, Q, QuerySet
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
        return getattr(self.leg, "round_now", None)  # Django sets nothing where there is none

    @property
    def to_come(self) -> int:
        """How many of the round are still to be asked."""
        return max(len(self.round.drivers) - self.round.asked, 0) if self.round else 0

    @property
    def order(self) -> str:
        """Those that nobody is asked for first, then the oldest."""
        return f"{int(self.state != 'waiting')}{self.leg.created_at.timestamp():014.3f}"


def whole(rows: QuerySet[Leg]) -> QuerySet[Leg]:
    """With what a card says of the leg itself, and the drivers who are being asked in turn, joined. One query."""
    joined: Any = rows.annotate(round_now=FilteredRelation("rounds", condition=Q(rounds__ended_at__isnull=True)))
    found: QuerySet[Leg] = joined.select_related("booking__customer", "skill", "created_by", "round_now")
    return found


def dispatches() -> QuerySet[Dispatch]:
    """Those who were asked, the newest first."""
    return Dispatch.objects.select_related("driver__user").order_by("-offered_at", "-pk")


def load_legs(keys: Sequence[str]) -> Mapping[str, LegCard]:
    """Legs with all that was asked and what came of each; four queries for any number of them."""
    steps = DispatchHistory.objects.select_related("actor").order_by("at", "pk")
    return load(keys, dispatches().select_related("offered_by").prefetch_related(Prefetch("history", steps)))


def tray(keys: Sequence[str]) -> Mapping[str, LegCard]:
    """Those of the legs that nobody has taken yet; three queries."""
    return {key: card for key, card in load(keys, dispatches()).items() if card.is_unsettled}


def load(keys: Sequence[str], asked: QuerySet[Dispatch]) -> dict[str, LegCard]:
    """Legs by their ids, with the rows of `asked` that are theirs."""
    now = timezone.now()
    legs = {leg.pk: leg for leg in whole(Leg.objects.filter(pk__in=[int(key) for key in keys]))}
    cards = cards_of(legs.values(), asked.filter(leg__in=list(legs)), now)
    standing = [card.offer.dispatch.driver_id for card in cards.values() if card.offer]
    tell_presence(cards.values(), online(set(standing), now))
    return cards


def cards_of(legs: Iterable[Leg], asked: Iterable[Dispatch], now: datetime) -> dict[str, LegCard]:
    """Cards of legs (from `whole`), each with those of the dispatches that are its own."""
    cards = {str(leg.pk): LegCard(leg, now) for leg in legs}
    for dispatch in asked:
        card = cards.get(str(dispatch.leg_id))
        if card is not None:
            card.asked.append(Asked(dispatch))
    return cards


def card_of(leg: Leg) -> LegCard:
    """One leg that `access` gave out, with who was asked; one query. For questions about it: no steps, no presence."""
    return cards_of([leg], dispatches().filter(leg=leg.pk), timezone.now())[str(leg.pk)]


def tell_presence(cards: Iterable[LegCard], seen: Mapping[int, Seen]) -> None:
    """Say of every standing offer whether its driver is here."""
    for offer in (card.offer for card in cards if card.offer):
        offer.seen = seen.get(offer.dispatch.driver_id)
