"""Which fixes are believed, and what they do to the marker (docs/domain.md, rules 6 and 7). Pure: no database, no clock.

A device sends fixes; `take` judges a batch of them against what is known of the person and says what is known then,
what joins the track, and why the rest was refused. Times are the device's, and the server's `now` bounds them.
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
class Report:
    """One fix as a device sent it. What is unknown is None, the place included."""

    at: datetime
    point: Point | None
    accuracy: float | None = None
    speed: float | None = None
    heading: float | None = None


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A fix too far away to be true, remembered in case the next ones agree with it."""

    at: datetime
    point: Point
    accuracy: float | None


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
    suspects: tuple[Doubtful, ...] = ()


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


def read(data: object) -> Report | None:
    """A fix as JSON has it: `{"at": ms since 1970, "lat", "lng", "acc", "spd", "hdg"}`; None for what is none."""
    if not isinstance(data, dict):
        return None
    at = finite(data.get("at"))
    if at is None or not 0 <= at < YEAR_10000:
        return None
    latitude, longitude = data.get("lat"), data.get("lng")
    for value in (latitude, longitude):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            return None
    return Report(
        at=from_ms(at),
        point=Point(float(latitude), float(longitude)) if is_place(latitude, longitude) else None,
        accuracy=within(data.get("acc"), 0, 1e7),
        speed=within(data.get("spd"), 0, 1e4),
        heading=within(data.get("hdg"), 0, 360),
    )


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


def take(
    known: Known, reports: Iterable[Report | None], *, now: datetime, collected: Callable[[datetime], bool]
) -> Taken:
    """Judge a batch in the order of the device's times. `collected(at)`: whether positions were collected then."""
    done = Taken(replace(known, received_at=now))
    trail = known  # where late fixes led so far; the marker does not follow them
    listed = list(reports)
    done.refused[Refused.MALFORMED] = listed.count(None)
    for report in sorted((each for each in listed if each is not None), key=lambda each: each.at):
        late = is_late(done.known, report, now)
        reason = outright(report, now, collected)
        if reason is None and not late and is_too_soon(done.known, report):
            reason = Refused.TOO_FAST
        if reason is None and late:
            step, trail = judge(trail, report)
            reason = _note(done, step, report, late=True)
        elif reason is None:
            step, believed = judge(done.known, report)
            done.known = believed if isinstance(step, Refused) else seen(believed, report, step, now)
            reason = _note(done, step, report, late=False)
        if reason is not None:
            done.refused[reason] += 1
        if reason != Refused.FUTURE:  # or everything sent once the clock is right again would come too late
            done.known = replace(done.known, device_at=max(report.at, done.known.device_at or report.at))
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


def outright(report: Report, now: datetime, collected: Callable[[datetime], bool]) -> Refused | None:
    """Why a fix is refused whatever is known of the person, or None."""
    if report.point is None:
        return Refused.NO_PLACE
    if report.at > now + seconds("FUTURE_SECONDS"):
        return Refused.FUTURE
    if report.at < now - timedelta(days=number("KEPT_DAYS")):
        return Refused.TOO_OLD
    return None if collected(report.at) else Refused.NOT_COLLECTED


def is_late(known: Known, report: Report, now: datetime) -> bool:
    """Whether it is old, or came before what was heard already.

    A clock that runs ahead by less than a minute counts as now: one stamp from its future must not make late what
    the next seconds bring.
    """
    if now - report.at > seconds("LIVE_SECONDS"):
        return True
    if known.device_at is None or report.at > known.device_at:
        return False
    heard = min(known.device_at, known.received_at or known.device_at)
    return report.at == known.device_at or min(report.at, now) <= heard


def is_too_soon(known: Known, report: Report) -> bool:
    """Whether a place was believed less than a second before it."""
    if known.placed_at is None:
        return False
    gap = (report.at - known.placed_at).total_seconds() * 1000
    return 0 <= gap < number("FIX_EVERY_MS") * SECOND_LEAST


def seen(known: Known, report: Report, step: Step, now: datetime) -> Known:
    """With when they were seen there: the device's time, never later than it was heard."""
    at = min(report.at, now)
    known = replace(known, seen_at=max(at, known.seen_at or at))
    return replace(known, fix_at=at) if step == Step.MOVED else known


# --- Judging one ----------------------------------------------------------------------------------


def judge(known: Known, report: Report) -> tuple[Step | Refused, Known]:
    """What a fix with a place does to the marker, or `Refused.JUMP`; and what is known then."""
    assert report.point is not None
    vague = report.accuracy is not None and report.accuracy > number("ACCURACY_MOST_METRES")
    if known.point is None or known.placed_at is None:
        return (Step.VAGUE, known) if vague else (Step.MOVED, placed(known, report))
    if not is_possible(known.point, known.placed_at, known.accuracy, report):
        return (Refused.JUMP, known) if vague else doubt(known, report)
    known = replace(known, suspects=())
    if vague:
        return Step.VAGUE, known
    if is_jitter(known.point, report):
        return Step.STILL, replace(known, placed_at=report.at, speed=report.speed or 0.0, heading=None)
    return Step.MOVED, placed(known, report)


def is_possible(point: Point, at: datetime, accuracy: float | None, report: Report) -> bool:
    """Whether somebody can be at both places: at 200 km/h at most, beyond what the two accuracies explain."""
    assert report.point is not None
    metres = metres_between(point, report.point) - (accuracy or 0) - (report.accuracy or 0)
    return metres <= abs((report.at - at).total_seconds()) * number("SPEED_MOST_KMH") / 3.6


def doubt(known: Known, report: Report) -> tuple[Step | Refused, Known]:
    """Too far away to be true: refused, unless it is the third in a row that agrees with the one before."""
    assert report.point is not None
    earlier = known.suspects
    if earlier:
        last = earlier[-1]
        gap = (report.at - last.at).total_seconds() * 1000
        if 0 <= gap < number("FIX_EVERY_MS") * SECOND_LEAST:  # the same mistake twice is no second witness
            return Refused.JUMP, known
        if gap < 0 or not is_possible(last.point, last.at, last.accuracy, report):
            earlier = ()
    if len(earlier) + 1 >= AGREE:
        return Step.MOVED, placed(replace(known, point=None, heading=None, speed=None), report)
    return Refused.JUMP, replace(known, suspects=(*earlier, Doubtful(report.at, report.point, report.accuracy)))


def is_jitter(point: Point, report: Report) -> bool:
    """Whether a fix is so near that it may be noise: they stand still. Without a speed the distance alone tells."""
    assert report.point is not None
    reach = max(float(number("JITTER_METRES")), (report.accuracy or 0) / 2)
    return metres_between(point, report.point) < reach and (report.speed is None or report.speed < STILL_BELOW)


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
    if known.point is None or known.placed_at is None or report.point is None:
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
