"""Which fixes are believed, and what they do to the marker (docs/domain.md, rules 6 and 7).

Pure: no database, no clock. A device sends fixes; `take` judges a batch of them against what is known of the person
and says what is known then, what joins the track, and why the rest was refused. Times are the device's, and the
server's `now` bounds them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any

from common.geo import Point, distance_km, is_place
from tracking.rules.numbers import number, seconds
from tracking.states import Refused

YEAR_10000 = 253_402_300_800_000  # milliseconds since 1970: what no datetime can hold
AGREE = 3  # fixes that agree with each other move the marker after a true jump
STILL_BELOW = 1.0  # metres a second
SECOND_LEAST = 0.9  # of FIX_EVERY_MS: a device's second is not the server's to the millisecond
PACE_OVER = 60.0  # seconds over which the pace is smoothed
IMPLIED_WITHIN = 60.0  # seconds: over a longer gap the straight line says little about speed
BEARING_FROM = 10.0  # metres


@dataclass(frozen=True, slots=True)
class Sighting:
    """Somewhere at some time, as the device says; unknown accuracy is None."""

    at: datetime
    point: Point
    accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class Report(Sighting):
    """One fix as a device sent it. What is unknown is None."""

    speed: float | None = None
    heading: float | None = None


@dataclass(frozen=True, slots=True)
class Placeless:
    """A fix without a place: none in it, none on the globe, or (0, 0)."""

    at: datetime


Sent = Report | Placeless | None  # None: not readable


@dataclass(frozen=True, slots=True)
class Known:
    """What is believed of somebody: the columns of their `Position`."""

    point: Point | None = None
    accuracy: float | None = None
    heading: float | None = None
    speed: float | None = None
    pace: float | None = None
    fix_at: datetime | None = None
    seen_at: datetime | None = None
    placed_at: datetime | None = None
    device_at: datetime | None = None
    received_at: datetime | None = None
    suspects: tuple[Sighting, ...] = ()


class Step(Enum):
    """What a believed fix does: it moves the marker, confirms its place, or says only that they are still there."""

    MOVED = auto()
    STILL = auto()
    VAGUE = auto()


@dataclass(frozen=True, slots=True)
class Kept:
    """A fix that joins the track."""

    report: Report
    late: bool


@dataclass(slots=True)
class Taken:
    """What became of a batch."""

    known: Known
    track: list[Kept] = field(default_factory=list)
    taken: int = 0
    late: int = 0
    refused: Counter[Refused] = field(default_factory=Counter)


# --- Reading --------------------------------------------------------------------------------------


def read(data: object) -> Sent:
    """A fix as JSON has it: `{"at": ms since 1970, "lat", "lng", "acc", "spd", "hdg"}`."""
    if not isinstance(data, dict):
        return None
    at, latitude, longitude = finite(data.get("at")), data.get("lat"), data.get("lng")
    if at is None or not 0 <= at < YEAR_10000:
        return None
    if latitude is None or longitude is None:
        return Placeless(from_ms(at))
    if isinstance(latitude, bool | str | list | dict) or isinstance(longitude, bool | str | list | dict):
        return None
    north, east = finite(latitude), finite(longitude)
    if north is None or east is None or not is_place(north, east):
        return Placeless(from_ms(at))
    accuracy, speed = within(data.get("acc"), 0, 1e7), within(data.get("spd"), 0, 1e4)
    return Report(from_ms(at), Point(north, east), accuracy, speed, within(data.get("hdg"), 0, 360))


def finite(value: Any) -> float | None:
    """A number of JSON that is one; None for true, for texts, for what is infinite or too large."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e300 and math.isfinite(value) else None


def within(value: Any, least: float, most: float) -> float | None:
    """A number between `least` and `most`; None for everything else: unknown is null."""
    found = finite(value)
    return found if found is not None and least <= found <= most else None


def from_ms(value: float) -> datetime:
    """An instant from milliseconds since 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(value))


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


# --- Judging a batch ------------------------------------------------------------------------------


def take(known: Known, sent: Iterable[Sent], *, now: datetime, collected: Callable[[datetime], bool]) -> Taken:
    """Judge a batch in the order of the device's times. `collected(at)`: whether positions were collected then."""
    listed = list(sent)
    done = Taken(replace(known, received_at=now))
    done.refused[Refused.MALFORMED] = listed.count(None)
    trail = known  # where late fixes led so far; the marker does not follow them
    latest = None  # the late one before; what was sent twice is no haste
    for each in sorted((each for each in listed if each is not None), key=lambda each: each.at):
        reason = outright(each, now, collected)
        if reason is None and isinstance(each, Report):
            late = is_late(each, now, done.known.device_at, known.received_at)
            if each.at != latest and is_too_soon(latest if late else done.known.placed_at, each):
                reason = Refused.TOO_FAST
            elif late:
                step, trail = judge(trail, each)
                latest = each.at
                reason = _note(done, step, each, late=True)
            else:
                step, believed = judge(done.known, each)
                done.known = believed if isinstance(step, Refused) else seen(believed, each, step, now)
                reason = _note(done, step, each, late=False)
        if reason is not None:
            done.refused[reason] += 1
        if reason != Refused.FUTURE:  # or everything sent once the clock is right again would come too late
            done.known = replace(done.known, device_at=max(each.at, done.known.device_at or each.at))
    done.refused = +done.refused
    return done


def _note(done: Taken, step: Step | Refused, report: Report, *, late: bool) -> Refused | None:
    if isinstance(step, Refused):
        return step
    if late:
        done.late += 1
    else:
        done.taken += 1
    if step == Step.MOVED:
        done.track.append(Kept(report, late))
    return None


def outright(sent: Report | Placeless, now: datetime, collected: Callable[[datetime], bool]) -> Refused | None:
    """Why a fix is refused whatever is known of the person, or None."""
    if sent.at > now + seconds("FUTURE_SECONDS"):
        return Refused.FUTURE
    if sent.at < now - timedelta(days=number("KEPT_DAYS")):
        return Refused.TOO_OLD
    if not collected(sent.at):
        return Refused.NOT_COLLECTED
    return Refused.NO_PLACE if isinstance(sent, Placeless) else None


def is_late(report: Report, now: datetime, newest: datetime | None, heard_at: datetime | None) -> bool:
    """Whether it is old, or not newer than the `newest` by the device's clock, which was last heard at `heard_at`.

    A clock that runs ahead by less than a minute counts as now: one stamp from its future must not make late what
    the next seconds bring.
    """
    if now - report.at > seconds("LIVE_SECONDS"):
        return True
    if newest is None or report.at > newest:
        return False
    return report.at == newest or min(report.at, now) <= min(newest, heard_at or newest)


def is_too_soon(before: datetime | None, report: Report) -> bool:
    """Whether it is less than a second after the one `before` it."""
    if before is None:
        return False
    gap = (report.at - before).total_seconds() * 1000
    return 0 <= gap < number("FIX_EVERY_MS") * SECOND_LEAST


def seen(known: Known, report: Report, step: Step, now: datetime) -> Known:
    """With when they were seen there: the device's time, never later than it was heard."""
    at = min(report.at, now)
    known = replace(known, seen_at=max(at, known.seen_at or at))
    return replace(known, fix_at=at) if step == Step.MOVED else known


# --- Judging one ----------------------------------------------------------------------------------


def judge(known: Known, report: Report) -> tuple[Step | Refused, Known]:
    """What a fix does to the marker, or `Refused.JUMP`; and what is known then."""
    vague = report.accuracy is not None and report.accuracy > number("ACCURACY_MOST_METRES")
    if known.point is None or known.placed_at is None:
        return (Step.VAGUE, known) if vague else (Step.MOVED, placed(known, report))
    here = Sighting(known.placed_at, known.point, known.accuracy)
    if not is_possible(here, report):
        return (Refused.JUMP, known) if vague else doubt(known, report)
    known = replace(known, suspects=())
    if vague:
        return Step.VAGUE, known
    if is_jitter(metres_between(here.point, report.point), report):
        return Step.STILL, replace(known, placed_at=report.at, speed=report.speed or 0.0, heading=None)
    return Step.MOVED, placed(known, report)


def is_possible(here: Sighting, there: Sighting) -> bool:
    """Whether somebody can be at both places: at 200 km/h at most, beyond what the two accuracies explain."""
    metres = metres_between(here.point, there.point) - (here.accuracy or 0) - (there.accuracy or 0)
    return metres <= abs((there.at - here.at).total_seconds()) * number("SPEED_MOST_KMH") / 3.6


def doubt(known: Known, report: Report) -> tuple[Step | Refused, Known]:
    """Too far away to be true: refused, unless it is the third in a row that agrees with the one before."""
    earlier = known.suspects
    if earlier:
        if is_too_soon(earlier[-1].at, report):  # the same mistake twice is no second witness
            return Refused.JUMP, known
        if report.at < earlier[-1].at or not is_possible(earlier[-1], report):
            earlier = ()
    if len(earlier) + 1 >= AGREE:
        return Step.MOVED, placed(replace(known, point=None), report)
    return Refused.JUMP, replace(known, suspects=(*earlier, Sighting(report.at, report.point, report.accuracy)))


def is_jitter(metres: float, report: Report) -> bool:
    """Whether a fix so near may be noise: they stand still. Without a speed the distance alone tells."""
    reach = max(float(number("JITTER_METRES")), (report.accuracy or 0) / 2)
    return metres < reach and (report.speed is None or report.speed < STILL_BELOW)


def placed(known: Known, report: Report) -> Known:
    """With the marker where the fix is, and the speed, heading and pace that follow from it."""
    speed, heading = motion(known, report)
    return replace(
        known,
        point=report.point,
        accuracy=report.accuracy,
        placed_at=report.at,
        speed=speed,
        heading=heading if speed is None or speed >= STILL_BELOW else None,
        pace=smoothed(known, report.at, speed),
        suspects=(),
    )


def motion(known: Known, report: Report) -> tuple[float | None, float | None]:
    """Speed and heading as the device says them, else as the way from the place before implies."""
    speed, heading = report.speed, report.heading
    if known.point is None or known.placed_at is None:
        return speed, heading
    metres = metres_between(known.point, report.point)
    gap = (report.at - known.placed_at).total_seconds()
    if speed is None and 0 < gap <= IMPLIED_WITHIN:
        speed = min(metres / gap, number("SPEED_MOST_KMH") / 3.6)
    if heading is None and metres >= BEARING_FROM:
        heading = bearing(known.point, report.point)
    return speed, heading


def smoothed(known: Known, at: datetime, speed: float | None) -> float | None:
    """The recent speed while moving: an exponential average over about a minute."""
    if speed is None or speed < STILL_BELOW:
        return known.pace
    if known.pace is None or known.placed_at is None:
        return speed
    gap = abs((at - known.placed_at).total_seconds())
    share = 1 - math.exp(-gap / PACE_OVER)
    return known.pace + (speed - known.pace) * share


def metres_between(here: Point, there: Point) -> float:
    """The great-circle distance in metres."""
    return distance_km(here, there) * 1000


def bearing(here: Point, there: Point) -> float:
    """The initial bearing of the great circle, in degrees clockwise from north."""
    lat1, lat2 = math.radians(here.latitude), math.radians(there.latitude)
    east = math.radians(there.longitude - here.longitude)
    y = math.sin(east) * math.cos(lat2)
    x = math.cos(lat1) * math.sin(lat2) - math.sin(lat1) * math.cos(lat2) * math.cos(east)
    return math.degrees(math.atan2(y, x)) % 360
