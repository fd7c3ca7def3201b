"""What follows live of positions: what a device hears of its own fixes, and the desk's whole fleet in one piece."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from accounts.models import Role, User
from bookings.work import whole
from realtime.fragments import Fragment, watch
from tracking.models import Journey, Position, RefusedFixes, Shift
from tracking.rules.fixes import to_ms
from tracking.states import Duty, Refused
from tracking.topics import fixes_topic, fleet_topic

Place = tuple[str, str]
EVERYBODY = "all"  # the one key of the fleet
IN_TEXT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


# --- The sender -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sender:
    """What a device hears of its own fixes: whether any are collected, how far they are dealt with, what was refused.

    `refused`: the day's (UTC) reasons in words with their counts, the most frequent first.
    """

    user_id: int
    collected: bool
    position: Position | None
    refused: Sequence[tuple[str, int]]

    @property
    def upto_ms(self) -> int:
        """The newest device time dealt with, taken in or refused: what was sent up to it need not be kept."""
        at = self.position.device_at if self.position is not None else None
        return to_ms(at) if at is not None else 0

    @property
    def received_ms(self) -> int | None:
        """When anything last arrived."""
        return to_ms(self.position.received_at) if self.position is not None else None

    @property
    def seen_at(self) -> datetime | None:
        """When a believable fix last said where they are."""
        return self.position.seen_at if self.position is not None and self.position.fix_at is not None else None

    @property
    def accuracy(self) -> float | None:
        """Of the place that the marker shows, in metres."""
        return self.position.accuracy if self.position is not None else None


def load_senders(keys: Sequence[str]) -> Mapping[str, Sender]:
    """Drivers always, technicians while they are on the way: five queries for any number."""
    wanted = whole(keys)
    drivers = set(User.objects.filter(pk__in=wanted, role=Role.DRIVER).values_list("pk", flat=True))
    on_duty = set(Shift.objects.filter(user__in=wanted, duty=Duty.ON_DUTY).values_list("user_id", flat=True))
    travelling = Journey.objects.filter(traveller__in=wanted, closed_at__isnull=True)
    collected = on_duty | set(travelling.values_list("traveller_id", flat=True))
    positions = Position.objects.in_bulk(collected)
    refused = refused_of(wanted)
    known = sorted(drivers | collected)
    return {str(pk): Sender(pk, pk in collected, positions.get(pk), refused.get(pk, ())) for pk in known}


def refused_of(user_ids: Iterable[int]) -> Mapping[int, Sequence[tuple[str, int]]]:
    """The day's refusals in words, by person. One query."""
    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    rows = RefusedFixes.objects.filter(user__in=user_ids, day=timezone.now().date(), count__gt=0)
    for user_id, reason, count in rows.order_by("-count", "reason").values_list("user_id", "reason", "count"):
        found[user_id].append((Refused(reason).label, count))
    return found


def sender_of(row: Position | Shift) -> list[Place]:
    """The person's own device."""
    return [(fixes_topic(row.user_id), str(row.user_id))]


def sender_of_journey(row: Journey) -> list[Place]:
    """The traveller's own device."""
    return [(fixes_topic(row.traveller_id), str(row.traveller_id))]


sender = Fragment(
    "tracking.sender",
    template="tracking/_sender.html",
    load=load_senders,
    topics=lambda it: [fixes_topic(it.user_id)],
    watches=[
        watch(Position, touches=sender_of),
        watch(Shift, fields=("duty",), touches=sender_of),
        watch(Journey, fields=("closed_at",), touches=sender_of_journey),
    ],
    latest=True,
)


# --- The fleet ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fleet:
    """Everybody whose position is collected, as compact JSON: there is no HTML for each marker."""

    json: SafeString


def load_fleet(keys: Sequence[str]) -> Mapping[str, Fleet]:
    """The whole fleet. One query."""
    return {EVERYBODY: Fleet(mark_safe(as_json(fleet_rows())))} if EVERYBODY in keys else {}  # noqa: S308 (IN_TEXT)


def fleet_rows() -> list[tuple[object, ...]]:
    """The columns of all positions."""
    names = ("latitude", "longitude", "accuracy", "heading", "speed", "fix_at", "seen_at", "received_at")
    rows = Position.objects.order_by("user_id")
    return list(rows.values_list("user_id", *names, "round_trip_ms", "user__role", "user__name"))


def as_json(rows: Sequence[tuple[object, ...]]) -> str:
    """`{"now": ms, "people": [[id, lat, lng, accuracy, heading, speed, fix ms, seen ms, round trip, "d" or "t",
    name of a technician], …]}`; what is unknown is null. `now` is when the newest of them was heard.
    """
    newest = 0
    people = []
    for pk, latitude, longitude, accuracy, heading, speed, fix_at, seen_at, received_at, rtt, role, name in rows:
        newest = max(newest, ms(received_at) or 0)
        place = [short(latitude, 5), short(longitude, 5), short(accuracy), short(heading), short(speed, 1)]
        technician = role == Role.TECHNICIAN
        kind = ("t", name) if technician else ("d", "")
        people.append([pk, *place, ms(fix_at), ms(seen_at), rtt, *kind])
    text = json.dumps({"now": newest, "people": people}, separators=(",", ":"))
    return text.translate(IN_TEXT)


def short(value: object, digits: int = 0) -> float | int | None:
    """A number with no more digits than anybody can see."""
    if not isinstance(value, float | int):
        return None
    return round(value, digits) if digits else round(value)


def ms(moment: object) -> int | None:
    """Milliseconds since 1970."""
    return to_ms(moment) if isinstance(moment, datetime) else None


def in_fleet(row: Position) -> list[Place]:
    """The one piece that holds them all."""
    return [(fleet_topic(), EVERYBODY)]


fleet = Fragment(
    "tracking.fleet",
    template="tracking/_fleet.html",
    load=load_fleet,
    topics=lambda it: [fleet_topic()],
    watches=[watch(Position, touches=in_fleet)],
    latest=True,
)
