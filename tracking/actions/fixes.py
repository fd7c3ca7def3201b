"""Taking fixes in: whose are collected, what they do to the positions, what joins the tracks, and what is refused.

One transaction for everybody whose fixes came together, with a number of statements that does not grow with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from accounts.models import User
from realtime import bulk, fragments
from realtime.journal import unless_locked
from tracking.actions.journeys import hear
from tracking.models import Fix, Journey, Position, RefusedFixes, Shift, ShiftHistory
from tracking.rules.fixes import Known, Sent, Sighting, Taken, read, take, to_ms
from tracking.rules.numbers import number
from tracking.states import Duty, Refused
from tracking.topics import fixes_topic

M = TypeVar("M", bound=Model)

MOST_WAIT_MS = 300  # for a row that somebody else holds: people's taps come before positions
LONGEST_SHIFT = timedelta(days=7)
PRUNED_AT_ONCE = 20_000
KNOWN = (
    "accuracy",
    "heading",
    "speed",
    "pace",
    "fix_at",
    "seen_at",
    "placed_at",
    "device_at",
    "received_at",
)
SUSPECT = ("at", "lat", "lng", "acc")  # as a row keeps one
WRITTEN = ("latitude", "longitude", *KNOWN, "suspects", "round_trip_ms")
COUNT_REFUSED = """
INSERT INTO tracking_refusedfixes (user_id, day, reason, count) VALUES {values}
ON CONFLICT (user_id, day, reason) DO UPDATE SET count = tracking_refusedfixes.count + excluded.count
"""


@dataclass(slots=True)
class Batch:
    """What one person's device sent: fixes as JSON has them (None where unreadable), and its heartbeat's round trip."""

    sent: list[Sent]
    round_trip_ms: int | None = None

    @classmethod
    def of(cls, fixes: Iterable[object], rtt: object = None) -> Batch:
        """A batch out of `[{"at": ms since 1970, "lat", "lng", "acc", "spd", "hdg"}, …]`."""
        known = isinstance(rtt, int | float) and not isinstance(rtt, bool) and 0 <= rtt < 10**6
        return cls([read(each) for each in fixes], round(rtt) if known else None)  # type: ignore[call-overload]

    def add(self, other: Batch) -> None:
        """Have it hold what came later from the same person too."""
        self.sent += other.sent
        self.round_trip_ms = other.round_trip_ms if other.round_trip_ms is not None else self.round_trip_ms


@dataclass(slots=True)
class Outcome:
    """What became of a batch: how many were believed, came late, were refused and why; the newest device time in it.

    `collected`: whether anything is collected from this person now.
    """

    collected: bool
    taken: int = 0
    late: int = 0
    refused: Counter[Refused] = field(default_factory=Counter)
    upto: datetime | None = None


@dataclass(slots=True)
class Collecting:
    """Somebody whose positions are collected, since when, and the journey they are on."""

    since: datetime
    journey: Journey | None = None
    earlier: list[tuple[datetime, datetime]] = field(default_factory=list)

    def covers(self, at: datetime) -> bool:
        """Whether positions were collected at that instant."""
        return at >= self.since or any(begin <= at < end for begin, end in self.earlier)

    def journey_at(self, at: datetime) -> int | None:
        """The journey that a fix of that instant belongs to."""
        return self.journey.pk if self.journey is not None and at >= self.journey.opened_at else None


def take_fixes(batches: Mapping[int, Batch], *, now: datetime | None = None) -> dict[int, Outcome]:
    """Take in what devices sent, by user id. Somebody whose shift or journey is held by another transaction at this
    instant is missing from the answer: their batch is to be given again, so that nobody waits for them.

    Raises `OperationalError` when rows stay locked; nothing was taken in then.
    """
    now = now or timezone.now()
    with transaction.atomic():
        never_wait_long()
        people, busy = collecting(batches)
        positions = {row.pk: row for row in Position.objects.filter(pk__in=list(people))}
        found = {
            pk: take(known_of(positions.get(pk)), batches[pk].sent, now=now, collected=whose.covers)
            for pk, whose in people.items()
        }
        idle = batches.keys() - people.keys() - busy
        outcomes = {pk: outcome(batches[pk], found[pk]) for pk in people} | {
            pk: not_collected(batches[pk]) for pk in idle
        }
        known = people.keys() | here(idle)
        count_refused({pk: each.refused for pk, each in outcomes.items() if pk in known}, now)
        join_tracks(people, found, now)
        for pk in people:
            positions[pk] = updated(positions.get(pk), pk, found[pk].known, batches[pk], people[pk].journey)
        tell_journeys(people, found, positions, now)
        write_positions([positions[pk] for pk in sorted(people)])
        tell_idle(idle)
    return outcomes


def here(user_ids: Iterable[int]) -> set[int]:
    """Those of `user_ids` who (still) exist: a deleted account's last fixes must not hold up everybody else's."""
    wanted = list(user_ids)
    return set(User.objects.filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()


def never_wait_long() -> None:
    """Give up soon where a row is held. Of two who wait for each other PostgreSQL ends either: let it be this one."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {MOST_WAIT_MS}")


# --- From whom ------------------------------------------------------------------------------------


def collecting(batches: Mapping[int, Batch]) -> tuple[dict[int, Collecting], set[int]]:
    """Those from whom positions are collected now: drivers on duty, whose shift is held, and others on the way, whose
    journey is. And those whose row another transaction holds: it may be about to end just that.
    """
    pks = list(batches)
    on_duty = Shift.objects.filter(user__in=pks, duty=Duty.ON_DUTY, user__is_active=True)
    travelling = Journey.objects.filter(traveller__in=pks, closed_at__isnull=True, traveller__is_active=True)
    since = held(on_duty.order_by("user_id")).values_list("user_id", "duty_since")
    journeys = {row.traveller_id: row for row in travelling}
    people = {pk: Collecting(at, journeys.get(pk)) for pk, at in since}
    add_earlier(people, batches)
    left = batches.keys() - people.keys()
    if not left:
        return people, set()
    others = travelling.filter(traveller__in=left)
    people |= {row.traveller_id: Collecting(row.opened_at, row) for row in held(others.order_by("traveller_id"))}
    busy = set(on_duty.filter(user__in=left).values_list("user_id", flat=True))
    busy |= set(others.values_list("traveller_id", flat=True))
    return people, busy - people.keys()


def held(rows: QuerySet[M]) -> QuerySet[M]:
    """Those of `rows` that nobody else holds, held until the transaction ends."""
    return rows.select_for_update(of=("self",), no_key=True, **unless_locked())


def add_earlier(people: dict[int, Collecting], batches: Mapping[int, Batch]) -> None:
    """For drivers who send fixes from before their present time on duty: when they were on duty earlier."""
    oldest = {
        pk: min((each.at for each in batches[pk].sent if each is not None), default=whose.since)
        for pk, whose in people.items()
    }
    wanted = [pk for pk, at in oldest.items() if at < people[pk].since]
    if not wanted:
        return
    rows = ShiftHistory.objects.filter(subject__user__in=wanted, at__gte=min(oldest.values()) - LONGEST_SHIFT)
    began: dict[int, datetime] = {}
    for pk, state, at in rows.order_by("at", "id").values_list("subject__user_id", "to_state", "at"):
        if state == Duty.ON_DUTY:
            began[pk] = at
        elif pk in began:
            people[pk].earlier.append((began.pop(pk), at))


# --- What is known --------------------------------------------------------------------------------


def known_of(position: Position | None) -> Known:
    """What a row says."""
    if position is None:
        return Known()
    read_again = [read(dict(zip(SUSPECT, each, strict=True))) for each in position.suspects]
    suspects = tuple(each for each in read_again if isinstance(each, Sighting))
    return Known(point=position.point, suspects=suspects, **{name: getattr(position, name) for name in KNOWN})


def updated(position: Position | None, pk: int, known: Known, batch: Batch, journey: Journey | None) -> Position:
    """The row that says what is known now."""
    row = position or Position(user_id=pk)
    for name in KNOWN:
        setattr(row, name, getattr(known, name))
    row.latitude, row.longitude = known.point or (None, None)
    row.suspects = [[to_ms(each.at), *each.point, each.accuracy] for each in known.suspects]
    if row.seen_at is None:  # nothing believable yet, but the device is heard of
        row.seen_at = row.received_at
    if batch.round_trip_ms is not None:
        row.round_trip_ms = batch.round_trip_ms
    row.journey_id = journey.pk if journey is not None else None  # type: ignore[attr-defined]  # for watches: no query a row
    return row


def write_positions(rows: list[Position]) -> None:
    """Write them all in one statement, and journal what they touch."""
    if rows:
        bulk.bulk_create(Position, rows, update_conflicts=True, unique_fields=["user"], update_fields=list(WRITTEN))


# --- What comes of it -----------------------------------------------------------------------------


def outcome(batch: Batch, found: Taken) -> Outcome:
    """What is answered to somebody whose fixes are collected."""
    return Outcome(True, found.taken, found.late, found.refused, newest(batch))


def not_collected(batch: Batch) -> Outcome:
    """What is answered to somebody off duty: nothing of it is kept, only how many there were."""
    return Outcome(False, refused=Counter({Refused.NOT_COLLECTED: len(batch.sent)}), upto=newest(batch))


def newest(batch: Batch) -> datetime | None:
    """The newest device time in a batch."""
    return max((each.at for each in batch.sent if each is not None), default=None)


def join_tracks(people: Mapping[int, Collecting], found: Mapping[int, Taken], now: datetime) -> None:
    """Insert what joins the tracks. A fix that was sent twice is there once."""
    rows = [
        Fix(
            user_id=pk,
            journey_id=people[pk].journey_at(kept.report.at),
            at=kept.report.at,
            received_at=now,
            latitude=kept.report.point.latitude,
            longitude=kept.report.point.longitude,
            accuracy=kept.report.accuracy,
            speed=kept.report.speed,
            heading=kept.report.heading,
            late=kept.late,
        )
        for pk, taken in sorted(found.items())
        for kept in taken.track
    ]
    if rows:
        Fix.objects.bulk_create(rows, ignore_conflicts=True)


def count_refused(refused: Mapping[int, Counter[Refused]], now: datetime) -> None:
    """Add to the day's counts, one statement. In one order, so that two flushes cannot wait for each other."""
    day = now.date()
    rows = [(pk, day, reason.value, n) for pk, counts in refused.items() for reason, n in counts.items() if n]
    if rows:
        values = ", ".join(["(%s, %s, %s, %s)"] * len(rows))
        with connection.cursor() as cursor:
            cursor.execute(COUNT_REFUSED.format(values=values), [value for row in sorted(rows) for value in row])


def tell_journeys(
    people: Mapping[int, Collecting], found: Mapping[int, Taken], positions: Mapping[int, Position], now: datetime
) -> None:
    """Have the journeys hear of those who were seen; most of the time they have nothing to write.

    Those that have are read again, held, with whom a change of them touches.
    """
    seen = [(whose.journey, positions[pk]) for pk, whose in people.items() if whose.journey and found[pk].taken]
    wanted = [journey.pk for journey, position in seen if hear(journey, position, now=now)]
    if not wanted:
        return
    rows = Journey.objects.filter(pk__in=wanted, closed_at__isnull=True).select_related("booking", "session")
    changed: dict[tuple[str, ...], list[Journey]] = {}
    for journey in held(rows.order_by("pk")):
        names = hear(journey, positions[journey.traveller_id], now=now)
        if names:
            changed.setdefault(tuple(sorted(names)), []).append(journey)
    for fields, journeys in changed.items():
        bulk.bulk_save(journeys, fields)


def tell_idle(pks: Iterable[int]) -> None:
    """Have the senders that nothing is collected from look again at why."""
    from tracking.live.positions import sender

    if pks:
        fragments.touch(sender, pks, topics=[fixes_topic(pk) for pk in pks])


# --- By the clock ---------------------------------------------------------------------------------


def prune_fixes(as_of: datetime) -> int:
    """Delete the points of tracks that are older than they are kept, some thousand at a time; returns how many.

    The counts of refused fixes go with them.
    """
    old = as_of - timedelta(days=number("KEPT_DAYS"))
    RefusedFixes.objects.filter(day__lt=old.date()).delete()
    pks = list(Fix.objects.filter(at__lt=old).order_by("at").values_list("pk", flat=True)[:PRUNED_AT_ONCE])
    return Fix.objects.filter(pk__in=pks).delete()[0] if pks else 0
