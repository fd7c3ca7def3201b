"""What a driver's screen says: each of its pieces as it stands, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from common.geo import Point, area_point, distance_km
from tracking.models import Dispatch, Driver, Journey, Leg, Shift
from tracking.rules.numbers import number
from tracking.states import DispatchStatus, Duty, RejectReason
from tracking.topics import fixes_topic

LATELY = timedelta(minutes=10)  # so long a screen says what was taken from it


# --- Duty -----------------------------------------------------------------------------------------


class Choice(NamedTuple):
    """One side of the duty switch."""

    duty: str
    word: str
    icon: str
    url: str
    way: str  # how it is done: "tap", or "dialog" where a question comes first


CHOICES = (
    (Duty.ON_DUTY, "On duty", "circle-dot"),
    (Duty.ON_BREAK, "Break", "coffee"),
    (Duty.OFF_DUTY, "Off", "moon"),
)


@dataclass(frozen=True)
class DutyNow:
    """A driver's duty, and which way it may go."""

    driver: Driver
    shift: Shift | None
    leg_state: str = ""  # of the leg they have

    @property
    def state(self) -> str:
        """On duty, on a break, off duty."""
        return self.shift.duty if self.shift else Duty.OFF_DUTY

    @property
    def choices(self) -> list[Choice]:
        """The switch, with an address for each side that can be taken now."""
        return [Choice(duty, word, icon, self.url_to(duty), self.way_to(duty)) for duty, word, icon in CHOICES]

    def url_to(self, duty: str) -> str:
        """The page that goes there; nothing where it cannot be done now."""
        if duty == self.state or self.blocked(duty):
            return ""
        if duty == Duty.ON_DUTY:
            return reverse("tracking:back" if self.shift else "tracking:on")
        return reverse("tracking:break" if duty == Duty.ON_BREAK else "tracking:off")

    def way_to(self, duty: str) -> str:
        """Going home is asked for twice: it ends the shift."""
        return "dialog" if duty == Duty.OFF_DUTY else "tap"

    def blocked(self, duty: str) -> bool:
        """Whether the leg stands in the way; a break needs a shift."""
        if duty == Duty.ON_BREAK:
            return self.shift is None or self.leg_state == DispatchStatus.EN_ROUTE
        return duty == Duty.OFF_DUTY and bool(self.leg_state)

    @property
    def why_blocked(self) -> str:
        """The sentence below the switch while you have a leg."""
        if self.leg_state == DispatchStatus.EN_ROUTE:
            return "You are on the way: arrive first, or say that it does not work out."
        return "Finish your leg before you go off duty." if self.leg_state else ""


# --- The leg --------------------------------------------------------------------------------------


class Step(NamedTuple):
    """The one button: the next transition of a leg."""

    name: str
    label: str
    icon: str
    way: str


def navigation(point: Point | None, label: str) -> str:
    """A link that opens the phone's own navigation (RFC 5870); the page fetches nothing."""
    if point is None:
        return ""
    place = f"{point.latitude:.6f},{point.longitude:.6f}"
    return f"geo:{place}?q={place}({quote(label)})"


@dataclass(frozen=True)
class WorkNow:
    """What a driver does now."""

    user_id: int
    shift: Shift | None
    dispatch: Any = None  # with `under_way`
    lost: Dispatch | None = None
    finished: int = 0

    @property
    def duty(self) -> str:
        """On duty, on a break, off duty."""
        return self.shift.duty if self.shift else Duty.OFF_DUTY

    @property
    def leg(self) -> Leg:
        """What is to be driven; only with a dispatch."""
        leg: Leg = self.dispatch.leg
        return leg

    @property
    def journey(self) -> Journey | None:
        """The journey under way."""
        return next(iter(self.dispatch.under_way), None) if self.dispatch else None

    @property
    def is_near(self) -> bool:
        """Whether the position says that they are there: then arriving is one tap."""
        return self.journey is not None and self.journey.near_at is not None

    @property
    def step(self) -> Step | None:
        """The next transition; an arrival far from the door, and the end, are asked about."""
        if self.dispatch is None or self.duty == Duty.ON_BREAK:
            return Step("back", "Back on duty", "circle-play", "tap") if self.duty == Duty.ON_BREAK else None
        return {
            DispatchStatus.ACCEPTED: Step("set_off", "Set off", "navigation", "tap"),
            DispatchStatus.EN_ROUTE: Step("arrive", "I have arrived", "map-pin", "tap" if self.is_near else "dialog"),
            DispatchStatus.ARRIVED: Step("complete", "Finish", "circle-check", "dialog"),
        }[self.dispatch.status]

    @property
    def step_url(self) -> str:
        """Where the one button leads."""
        if self.step is None:
            return ""
        return reverse(f"tracking:{self.step.name}", args=[] if self.step.name == "back" else [self.dispatch.pk])

    @property
    def to_customer(self) -> str:
        """Navigation to the door."""
        booking = self.leg.booking
        if booking.latitude is None or booking.longitude is None:
            return ""
        return navigation(Point(booking.latitude, booking.longitude), ", ".join(booking.address_lines))

    @property
    def to_pick_up(self) -> str:
        """Navigation to where it is fetched, until they set off to the customer."""
        if self.dispatch.status != DispatchStatus.ACCEPTED:
            return ""
        return navigation(self.leg.starts_from, self.leg.pick_up)

    @property
    def news(self) -> str:
        """What was taken from the driver a moment ago, and what that means."""
        if self.lost is None or self.dispatch is not None or self.shift is None:
            return ""
        what = f"“{self.lost.leg.note}”"
        if self.lost.status == DispatchStatus.EXPIRED:
            return f"The offer {what} lapsed unanswered. That is no refusal: it may come again."
        if self.lost.status == DispatchStatus.REVOKED:
            return f"The desk took the offer {what} back. Nothing for you to do."
        why = f" {self.lost.reason}" if self.lost.reason else ""
        return f"The leg {what} is no longer yours.{why}"

    @property
    def news_is_grave(self) -> bool:
        """Whether it is a cancellation of what they were doing."""
        return self.lost is not None and self.lost.status == DispatchStatus.CANCELLED


# --- The offer ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Offer:
    """An offer as a driver may read it: the area, never the address (rule 9)."""

    dispatch: Dispatch
    more: int = 0
    busy: bool = False
    here: Point | None = None

    @property
    def leg(self) -> Leg:
        """What is offered."""
        return self.dispatch.leg

    @property
    def seconds(self) -> int:
        """How long it stands in all."""
        return round((self.dispatch.deadline - self.dispatch.offered_at).total_seconds())

    @property
    def left(self) -> int:
        """The seconds that are left of it now."""
        return max(0, round((self.dispatch.deadline - timezone.now()).total_seconds()))

    @property
    def answer_by(self) -> str:
        """The deadline to the second, on the site's own clock: 14:02:11."""
        return f"{self.dispatch.deadline.astimezone(ZoneInfo(settings.DEFAULT_ZONE)):%H:%M:%S}"

    @property
    def is_urgent(self) -> bool:
        """Whether it stands for moments only."""
        return self.seconds <= number("OFFER_URGENT_SECONDS")

    @property
    def distance(self) -> str:
        """How far the area is, from its rounded point."""
        return self.far(self.leg.booking.public_point)

    @property
    def pick_up_distance(self) -> str:
        """How far the place is where it is fetched; rounded too: it may be the customer's."""
        start = self.leg.starts_from
        return self.far(area_point(start)) if start else ""

    def far(self, point: Point | None) -> str:
        """About 2.4 km; nothing where either end is unknown."""
        if self.here is None or point is None:
            return ""
        return f"about {distance_km(self.here, point):.1f} km"

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """Why one may say no, in one tap each: (address, words)."""
        url = reverse("tracking:decline", args=[self.dispatch.pk])
        return [(f"{url}?reason={each.value}", each.label) for each in RejectReason]


# --- What is collected ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Collecting:
    """Whether somebody's position is collected now, and how often their device sends it."""

    user_id: int
    on: bool
    sender: Any = None  # what the fragment `tracking.sender` shows

    @property
    def fixes_topic(self) -> str:
        """On which the device hears of its own fixes."""
        return fixes_topic(self.user_id)

    @property
    def moving_seconds(self) -> int:
        """On the move."""
        return number("SEND_MOVING_SECONDS")

    @property
    def idle_seconds(self) -> int:
        """At rest."""
        return number("SEND_IDLE_SECONDS")


# --- Who can see it -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Watchers:
    """Who can see where somebody is."""

    user_id: int
    shift: Shift | None
    journey: Any = None  # with its `standing` links, and whether it `is_expected` by its customer

    @property
    def collected(self) -> bool:
        """Whether there is anything to be seen."""
        return self.journey is not None or (self.shift is not None and self.shift.duty == Duty.ON_DUTY)

    @property
    def customer(self) -> str:
        """The customer who sees them on the way."""
        return self.journey.booking.customer.first_name if self.journey and self.journey.is_expected else ""

    @property
    def links(self) -> int:
        """How many share links show them."""
        return len(self.journey.standing) if self.journey else 0

    @property
    def since(self) -> datetime | None:
        """Since when the customer sees them."""
        return self.journey.opened_at if self.journey else None
