"""Which fixes are believed: each rule at its limits, the dirty trace, and what holds for any fixes at all."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.geo import Point, distance_km
from tracking.rules.fixes import Known, Placeless, Report, Sent, Sighting, bearing, read, take, to_ms
from tracking.rules.numbers import number
from tracking.states import Refused
from tracking.tests.trace import BELIEVED, dirty

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOME = Point(51.5, -0.12)
DEGREE = 6371.0088 * math.pi / 180 * 1000  # metres of a degree of latitude


def north(metres: float, of: Point = HOME) -> Point:
    """A point so far to the north."""
    return Point(of.latitude + metres / DEGREE, of.longitude)


def after(seconds: float) -> datetime:
    """An instant."""
    return NOW + timedelta(seconds=seconds)


def at(seconds: float, point: Point = HOME, accuracy: float | None = 8, **more: float | None) -> Report:
    """A fix of that instant."""
    return Report(after(seconds), point, accuracy, **more)


def taken(*sent: Sent, known: Known | None = None, now: float | None = None, collected=lambda at: True):
    """What becomes of a batch that arrives when its last fix was made."""
    moments = [each.at for each in sent if each is not None]
    arrived = after(now) if now is not None else max(moments, default=NOW)
    return take(known or Known(), sent, now=arrived, collected=collected)


def parked(seconds: float = 0) -> Known:
    """Somebody whose marker stands at home since then."""
    return taken(at(seconds)).known


# --- Reading


@pytest.mark.parametrize(
    "data",
    [
        None,
        7,
        "51.5,-0.12",
        [],
        {},
        {"at": "noon", "lat": 51.5, "lng": -0.12},
        {"at": True, "lat": 51.5, "lng": -0.12},
        {"at": -1, "lat": 51.5, "lng": -0.12},
        {"at": 1e300, "lat": 51.5, "lng": -0.12},
        {"at": math.inf, "lat": 51.5, "lng": -0.12},
        {"at": 10**400, "lat": 51.5, "lng": -0.12},
        {"at": 1.7e12, "lat": "51.5", "lng": -0.12},
        {"at": 1.7e12, "lat": 51.5, "lng": [1]},
        {"at": 1.7e12, "lat": 51.5, "lng": False},
    ],
)
def test_what_is_not_readable(data: object) -> None:
    assert read(data) is None


@pytest.mark.parametrize(
    ("lat", "lng"),
    [(None, None), (51.5, None), (0, 0), (0.0, -0.0), (90.1, 0), (51.5, 180.5), (math.nan, 1), (10**400, 1)],
)
def test_what_has_no_place(lat: object, lng: object) -> None:
    assert isinstance(read({"at": 1.7e12, "lat": lat, "lng": lng}), Placeless)


def test_a_fix_is_read_whole_and_what_is_unknown_is_none() -> None:
    found = read({"at": to_ms(NOW), "lat": 51.5, "lng": -0.12, "acc": 8, "spd": 3.5, "hdg": 270})
    assert found == Report(NOW, HOME, 8, 3.5, 270)
    odd = read({"at": to_ms(NOW), "lat": 51.5, "lng": -0.12, "acc": -1, "spd": "fast", "hdg": 361})
    assert odd == Report(NOW, HOME, None, None, None)
    assert isinstance(read({"at": to_ms(NOW), "lat": 0, "lng": 6.5}), Report)  # on the equator is a place


# --- Each rule


def test_the_first_fix_places_the_marker() -> None:
    done = taken(at(0, speed=4, heading=90))
    assert (done.taken, done.late, done.refused) == (1, 0, {})
    known = done.known
    assert (known.point, known.accuracy, known.speed, known.heading, known.pace) == (HOME, 8, 4, 90, 4)
    assert known.fix_at == known.seen_at == known.device_at == NOW
    assert [kept.late for kept in done.track] == [False]


@pytest.mark.parametrize(("ahead", "refused"), [(59, False), (60, False), (61, True)])
def test_the_future_is_refused_beyond_a_minute(ahead: int, refused: bool) -> None:
    done = taken(at(ahead), now=0)
    assert (done.refused == {Refused.FUTURE: 1}) is refused
    assert done.known.seen_at == (None if refused else NOW)  # never later than it was heard
    assert done.known.device_at == (None if refused else after(ahead))


def test_a_stamp_from_the_near_future_does_not_make_late_what_follows() -> None:
    known = taken(at(50), now=0).known
    done = taken(at(5, north(60)), known=known, now=5)
    assert (done.taken, done.late, done.known.point) == (1, 0, north(60))
    assert done.known.seen_at == after(5)


@pytest.mark.parametrize(("metres", "believed"), [(0, True), (260, True), (277, True), (310, False), (5000, False)])
def test_two_hundred_kilometres_an_hour(metres: float, believed: bool) -> None:
    """In 5 s that is 278 m, and the accuracies explain 2 x 8 m more."""
    done = taken(at(5, north(metres)), known=parked())
    assert (done.refused == {Refused.JUMP: 1}) is not believed
    assert (done.known.point == HOME) is (not believed or metres == 0)


def test_a_long_silence_lets_one_be_far_away() -> None:
    done = taken(at(1800, north(60_000)), known=parked())
    assert done.taken == 1 and done.known.point == north(60_000)


def test_three_that_agree_move_the_marker_after_a_true_jump() -> None:
    far = north(20_000)
    known, said = parked(), []
    for number_of, step in enumerate((5, 10, 15), 1):
        done = taken(at(step, north(step, far)), known=known)
        known = done.known
        said.append((done.taken, done.refused[Refused.JUMP]))
        assert (known.point == HOME) is (number_of < 3)
    assert said == [(0, 1), (0, 1), (1, 0)]
    assert known.suspects == () and known.point == north(15, far) and known.fix_at == after(15)


def test_suspects_that_do_not_agree_never_move_it() -> None:
    known = parked()
    for step in range(1, 20):
        done = taken(at(step * 2, north(20_000 * (-1) ** step)), known=known)
        known = done.known
        assert known.point == HOME and done.refused == {Refused.JUMP: 1}


def test_a_believed_fix_between_them_clears_the_suspects() -> None:
    known, far = parked(), north(9000)
    for step, point in enumerate([far, HOME, far, HOME, far, far, HOME], 1):
        known = taken(at(step * 2, point), known=known).known
        assert known.point is not None and distance_km(known.point, HOME) < 0.01


def test_the_same_mistake_thrice_within_a_second_is_one_witness() -> None:
    far = north(9000)
    done = taken(at(5, far), at(5.2, far), at(5.4, far), known=parked())
    assert done.refused == {Refused.JUMP: 3} and done.known.point == HOME
    assert taken(at(6.5, far), known=done.known).known.point == HOME


def test_a_vague_fix_says_they_are_still_there_and_no_more() -> None:
    done = taken(at(20, north(300), accuracy=400), known=parked())
    assert (done.taken, done.track) == (1, [])
    assert (done.known.point, done.known.accuracy, done.known.fix_at, done.known.seen_at) == (HOME, 8, NOW, after(20))


def test_a_vague_fix_from_another_town_says_nothing() -> None:
    done = taken(at(20, north(90_000), accuracy=5000), known=parked())
    assert done.refused == {Refused.JUMP: 1} and done.known.suspects == () and done.known.seen_at == NOW


def test_a_vague_fix_alone_places_no_marker() -> None:
    done = taken(at(0, accuracy=101))
    assert done.known.point is None and done.known.seen_at == NOW and done.known.fix_at is None


@pytest.mark.parametrize(
    ("metres", "accuracy", "speed", "moves"),
    [
        (9, 8, 0.2, False),
        (9, 8, None, False),
        (9, 8, 1.2, True),
        (11, 8, 0.2, True),
        (20, 50, 0.2, False),
        (26, 50, 0.2, True),
        (20, 50, None, False),
    ],
)
def test_jitter(metres: float, accuracy: float, speed: float | None, moves: bool) -> None:
    done = taken(at(30, north(metres), accuracy, speed=speed), known=parked())
    assert (done.known.point != HOME) is moves and len(done.track) == moves
    assert done.known.seen_at == after(30) and done.taken == 1
    if not moves:
        assert done.known.heading is None and done.known.fix_at == NOW


def test_who_creeps_is_followed_all_the_same() -> None:
    known = parked()
    for step in range(1, 40):
        known = taken(at(step * 5, north(step * 3)), known=known).known
    assert known.point is not None and distance_km(known.point, north(117)) * 1000 < 10


def test_standing_still_keeps_a_jump_a_jump() -> None:
    """After an hour in one place 50 km are no more believable than after five seconds."""
    known = parked()
    for step in range(1, 121):
        known = taken(at(step * 30, north(step % 5)), known=known).known
    assert taken(at(3605, north(50_000)), known=known).refused == {Refused.JUMP: 1}


def test_late_fixes_join_the_track_and_move_nothing() -> None:
    known = parked(600)
    queue = [at(seconds, north(seconds * 10)) for seconds in range(100, 160, 5)]
    done = taken(*queue, known=known, now=605)
    assert (done.taken, done.late) == (0, 12) and all(kept.late for kept in done.track)
    assert (done.known.point, done.known.seen_at, done.known.fix_at) == (HOME, after(600), after(600))


def test_a_queue_that_ends_now_moves_the_marker_with_its_end() -> None:
    queue = [at(seconds, north(seconds * 10)) for seconds in range(0, 300, 5)]
    done = taken(*reversed(queue), known=parked(-5), now=296)
    assert done.late + done.taken == 60 and done.taken == 6
    assert done.known.point == north(2950) and done.known.seen_at == after(295)


def test_a_jump_in_the_queue_stays_out_of_the_track() -> None:
    queue = [at(seconds, north(40_000 if seconds == 20 else seconds * 10)) for seconds in range(0, 60, 5)]
    done = taken(*queue, known=parked(600), now=605)
    assert done.refused == {Refused.JUMP: 1} and done.late == 11


def test_what_was_sent_before_is_late() -> None:
    done = taken(at(10, north(100)), known=taken(at(10, north(100))).known, now=12)
    assert (done.taken, done.late, done.track) == (0, 1, [])


def test_more_than_one_a_second_is_refused() -> None:
    done = taken(*(at(tenths / 10, north(tenths)) for tenths in range(31)))
    assert done.refused == {Refused.TOO_FAST: 27} and done.taken == 4


def test_a_second_by_the_devices_clock_may_be_a_little_short() -> None:
    done = taken(at(0), at(0.98, north(20)), at(1.97, north(40)), at(3, north(60)))
    assert done.taken == 4 and not done.refused


def test_older_than_positions_are_kept() -> None:
    old = Report(NOW - timedelta(days=number("KEPT_DAYS"), seconds=1), HOME)
    assert taken(old, now=0).refused == {Refused.TOO_OLD: 1}


def test_from_a_time_off_duty() -> None:
    done = taken(at(-5), at(5, north(50)), now=6, collected=lambda moment: moment >= NOW)
    assert done.refused == {Refused.NOT_COLLECTED: 1} and done.taken == 1


def test_what_is_refused_is_dealt_with() -> None:
    """The device keeps what is not; but a clock that is ahead must not make it forget what is still to come."""
    done = taken(Placeless(after(7)), None, at(9, north(90_000)), known=parked(), now=10)
    assert done.known.device_at == after(9) and done.known.received_at == after(10)
    assert taken(at(4000), known=parked(), now=10).known.device_at == NOW


def test_pace_is_smoothed_and_stays_while_they_stand() -> None:
    known = parked()
    for step in range(1, 61):
        known = taken(at(step * 5, north(step * 50), speed=10), known=known).known
    assert known.pace == pytest.approx(10, abs=0.1)
    known = taken(at(330, north(3000), speed=0), known=known).known
    assert known.pace == pytest.approx(10, abs=0.1) and known.speed == 0 and known.heading is None


def test_speed_and_heading_follow_from_the_way_where_the_device_says_none() -> None:
    known = taken(at(5, north(50)), known=parked()).known
    assert known.speed == pytest.approx(10, abs=0.1) and known.heading == pytest.approx(0, abs=0.1)
    long_after = taken(at(600, north(5000)), known=known).known
    assert long_after.speed is None and long_after.heading == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(
    ("there", "degrees"), [(Point(52, -0.12), 0), (Point(51.5, 1), 90), (Point(51, -0.12), 180), (Point(51.5, -1), 270)]
)
def test_bearings(there: Point, degrees: float) -> None:
    assert bearing(HOME, there) == pytest.approx(degrees, abs=0.5) or bearing(HOME, there) > 359.5


# --- The dirty trace


def test_the_dirty_trace() -> None:
    """The marker never leaves its corridor, last-seen never goes stale, each refusal has its reason."""
    trace = dirty(NOW)
    known, refused, late = Known(), Counter[str](), 0
    for message in trace.messages:
        done = take(known, [read(message.fix)], now=message.now, collected=lambda moment: moment >= after(-1200))
        known = done.known
        assert known.point is not None and trace.metres_off(known.point) <= trace.corridor, message
        assert known.seen_at is not None and known.seen_at <= message.now
        assert (message.now - known.seen_at).total_seconds() <= number("LIVE_SECONDS"), message
        assert {reason.value for reason in done.refused} == ({message.reason} if message.reason else set()), message
        assert done.taken == (message.kind in BELIEVED) and done.late == (message.kind == "late"), message
        refused.update({reason.value: count for reason, count in done.refused.items()})
        late += done.late
    assert refused == Counter(message.reason for message in trace.messages if message.reason)
    assert len(refused) == len(Refused) and late == 4  # the file has something of everything


# --- Whatever is sent

moments = st.integers(-100, 200).map(lambda seconds: after(seconds / 2))
points = st.builds(Point, st.floats(51.4, 51.6), st.floats(-0.3, 0.1)) | st.builds(
    Point, st.floats(-90, 90), st.floats(-180, 180)
)
amounts = st.none() | st.floats(0, 500)
anything = st.none() | st.builds(Placeless, moments) | st.builds(Report, moments, points, amounts, amounts, amounts)


@settings(deadline=None)
@given(st.lists(st.tuples(st.lists(anything, max_size=6), st.integers(0, 60)), max_size=12))
def test_whatever_is_sent(batches: list[tuple[list[Sent], int]]) -> None:
    known, now = Known(), NOW
    for sent, pause in batches:
        now += timedelta(seconds=pause)
        done = take(known, sent, now=now, collected=lambda moment: moment >= NOW)
        assert done.taken + done.late + done.refused.total() == len(sent)
        assert len(done.track) <= done.taken + done.late
        after_it = done.known
        for moment in (after_it.fix_at, after_it.seen_at, after_it.received_at):
            assert moment is None or moment <= now
        assert known.seen_at is None or (after_it.seen_at is not None and after_it.seen_at >= known.seen_at)
        assert known.device_at is None or (after_it.device_at is not None and after_it.device_at >= known.device_at)
        assert len(after_it.suspects) < 3 and all(isinstance(each, Sighting) for each in after_it.suspects)
        if not done.taken:
            assert (after_it.point, after_it.fix_at, after_it.seen_at) == (known.point, known.fix_at, known.seen_at)
        known = after_it
