"""Taking fixes in: from whom, what it does to positions, tracks and counts, whom it tells, and at what cost."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from bookings.actions import check_in
from bookings.tests import make as bookings
from bookings.tests.follow import audience, touched_by
from common.geo import Point
from common.tests.race import at_once, split
from tracking import actions
from tracking.actions import fixes, prune_fixes, take_fixes
from tracking.actions.fixes import Batch
from tracking.live.positions import EVERYBODY
from tracking.models import Fix, Journey, Position, RefusedFixes, Shift
from tracking.rules.numbers import number
from tracking.states import Refused
from tracking.tests import make
from tracking.tests.make import CAMDEN, HOUR, MINUTE, NEAR, NOW
from tracking.tests.send import fix, refused, send
from tracking.tests.trace import BELIEVED, dirty

SECOND = MINUTE / 60


@pytest.fixture
def sam(db: None) -> User:
    """A driver on duty since NOW."""
    return make.at_work("Sam").user


@pytest.fixture
def travelling(alice: User, bob: User) -> Journey:
    """Bob on the way to Alice, since NOW."""
    session = bookings.visit(alice, bob, now=NOW - 26 * HOUR, window_start=NOW + HOUR, window_end=NOW + 5 * HOUR)
    return actions.set_out(session, by=bob, now=NOW)


def journals(rows: set) -> set[tuple[str, str, str]]:
    """What was touched of positions and journeys."""
    return {
        tuple(touch) for touch in rows if touch.fragment in {"tracking.sender", "tracking.fleet", "tracking.journey"}
    }


# --- From whom


def test_a_driver_on_duty(sam: User) -> None:
    at = NOW + 10 * SECOND
    done = send(sam, fix(at, spd=9.5, hdg=45), now=at + SECOND, rtt=82.4)
    assert (done.collected, done.taken, done.late, done.refused, done.upto) == (True, 1, 0, {}, at)
    row = Position.objects.get()
    assert (row.user, row.point, row.accuracy, row.speed, row.heading) == (sam, CAMDEN, 8, 9.5, 45)
    assert (row.fix_at, row.seen_at, row.device_at, row.received_at) == (at, at, at, at + SECOND)
    assert row.round_trip_ms == 82
    track = Fix.objects.get()
    assert (track.user, track.journey, track.at, track.late, track.received_at) == (sam, None, at, False, at + SECOND)
    assert (track.latitude, track.longitude, track.accuracy, track.speed, track.heading) == (*CAMDEN, 8, 9.5, 45)


@pytest.mark.parametrize("state", ["never", "break", "off"])
def test_nothing_is_collected_off_duty_and_on_a_break(ed: User, state: str) -> None:
    if state != "never":
        shift = actions.go_on_duty(ed, by=ed, now=NOW)
        send(ed, fix(NOW), now=NOW)
        stop = actions.take_break if state == "break" else actions.go_off_duty
        stop(shift, by=ed, now=NOW + MINUTE)
    kept = Fix.objects.count()
    for seconds in (61, 66):
        done = send(ed, fix(NOW + seconds * SECOND), now=NOW + seconds * SECOND)
        assert (done.collected, done.taken, done.refused) == (False, 0, {Refused.NOT_COLLECTED: 1})
    assert not Position.objects.exists() and Fix.objects.count() == kept
    assert refused(ed) == {"not_collected": 2}


@pytest.mark.parametrize("who", ["alice", "bob", "frank"])
def test_nothing_is_collected_from_others(request, who: str, sam: User) -> None:
    user = request.getfixturevalue(who)
    assert send(user, fix(NOW), now=NOW).collected is False
    assert not Position.objects.exists() and not Fix.objects.exists()


def test_a_technician_from_setting_out_to_the_door(travelling: Journey, bob: User) -> None:
    done = send(bob, fix(NOW - 5 * SECOND), fix(NOW + 5 * SECOND, NEAR), now=NOW + 5 * SECOND)
    assert (done.taken, done.refused) == (1, {Refused.NOT_COLLECTED: 1})
    assert Position.objects.get().point == NEAR and Fix.objects.get().journey == travelling
    check_in(travelling.session, by=bob, now=NOW + MINUTE)
    assert not Position.objects.exists()
    assert send(bob, fix(NOW + 61 * SECOND), now=NOW + 61 * SECOND).collected is False
    assert not Position.objects.exists()


def test_a_queue_from_earlier_in_the_shift_is_taken_but_not_the_break(sam: User) -> None:
    shift = actions.take_break(Shift.objects.get(), by=sam, now=NOW + 10 * MINUTE)
    actions.end_break(shift, by=sam, now=NOW + 20 * MINUTE)
    queue = [fix(NOW + minute * MINUTE, Point(51.5, -0.12 + minute / 1000)) for minute in (-1, 5, 15, 25)]
    done = send(sam, *queue, now=NOW + 30 * MINUTE)
    assert (done.late, done.refused) == (2, {Refused.NOT_COLLECTED: 2})
    assert list(Fix.objects.order_by("at").values_list("at", "late")) == [
        (NOW + 5 * MINUTE, True),
        (NOW + 25 * MINUTE, True),
    ]
    assert Position.objects.get().point is None


# --- What comes of it


def test_a_second_fix_moves_the_same_row(sam: User) -> None:
    for seconds, place in ((0, CAMDEN), (60, NEAR)):
        send(sam, fix(NOW + seconds * SECOND, place), now=NOW + seconds * SECOND, rtt=50 if seconds == 0 else None)
    row = Position.objects.get()
    assert row.point == NEAR and row.fix_at == NOW + MINUTE and row.round_trip_ms == 50
    assert row.heading is not None and row.pace is not None and Fix.objects.count() == 2


def test_what_is_known_survives_from_one_batch_to_the_next(sam: User) -> None:
    """Suspects, pace and times are in the row: any process may take the next fix."""
    send(sam, fix(NOW), now=NOW)
    far = Point(52.5, -0.14)
    for seconds, taken in ((5, 0), (10, 0), (15, 1)):
        assert send(sam, fix(NOW + seconds * SECOND, far), now=NOW + seconds * SECOND).taken == taken
        assert (Position.objects.get().point == far) is bool(taken)
    assert Position.objects.get().suspects == [] and refused(sam) == {"jump": 2}


def test_a_fix_sent_twice_is_there_once(sam: User) -> None:
    queue = [fix(NOW + seconds * SECOND, Point(51.5, -0.12 + seconds / 5000)) for seconds in range(0, 60, 5)]
    for _ in range(3):
        send(sam, *queue, now=NOW + 5 * MINUTE)
    assert Fix.objects.count() == 12


def test_refused_fixes_are_counted_by_reason_and_day(sam: User) -> None:
    bad = [
        "what?",
        fix(NOW, None),
        fix(NOW, Point(0, 0)),
        fix(NOW + HOUR),
        fix(NOW - 61 * 24 * HOUR),
    ]
    done = send(sam, *bad, now=NOW)
    assert done.refused == {Refused.MALFORMED: 1, Refused.NO_PLACE: 2, Refused.FUTURE: 1, Refused.TOO_OLD: 1}
    send(sam, *bad[:2], now=NOW + MINUTE)
    assert refused(sam) == {"malformed": 2, "no_place": 3, "future": 1, "too_old": 1}
    send(sam, bad[0], now=NOW + 24 * HOUR)
    assert RefusedFixes.objects.filter(reason="malformed").count() == 2
    row = Position.objects.get()
    assert row.point is None and row.fix_at is None and row.device_at == NOW


def test_people_who_send_together_are_told_apart(db: None) -> None:
    drivers = [make.at_work(f"Driver{n}").user for n in range(3)]
    places = [Point(51.5 + n / 100, -0.1) for n in range(3)]
    batches = {user.pk: Batch.of([fix(NOW, place)]) for user, place in zip(drivers, places, strict=True)}
    batches[drivers[0].pk].add(Batch.of(["what?"], 70))
    outcomes = take_fixes(batches, now=NOW)
    assert [outcomes[user.pk].taken for user in drivers] == [1, 1, 1]
    assert outcomes[drivers[0].pk].refused == {Refused.MALFORMED: 1}
    assert [Position.objects.get(user=user).point for user in drivers] == places
    assert Position.objects.get(user=drivers[0]).round_trip_ms == 70


@pytest.mark.parametrize(
    ("rtt", "kept"), [(120, 120), (0.4, 0), (-1, None), (10**7, None), ("fast", None), (True, None)]
)
def test_a_round_trip_is_a_number_of_milliseconds(rtt: object, kept: int | None) -> None:
    assert Batch.of([], rtt).round_trip_ms == kept


def test_the_journey_hears_of_it_now_and_then(travelling: Journey, bob: User) -> None:
    heard = []
    for seconds in range(0, 31, 5):
        place = Point(51.56 - seconds / 20000, -0.14)
        send(bob, fix(NOW + seconds * SECOND, place), now=NOW + seconds * SECOND)
        heard.append(Journey.objects.get().heard_at)
    assert heard[0] == NOW and len(set(heard)) == 4
    assert Journey.objects.get().eta_minutes is not None


def test_the_geofence_is_noticed(travelling: Journey, bob: User) -> None:
    send(bob, fix(NOW + SECOND, travelling.destination), now=NOW + SECOND)
    assert Journey.objects.get().near_at == NOW + SECOND


# --- Whom it tells


def test_a_fix_touches_the_sender_the_desk_and_whoever_waits(travelling: Journey, bob: User, sam: User) -> None:
    alone = touched_by(lambda: send(sam, fix(NOW), now=NOW))
    fleet = ("desk.fleet", "tracking.fleet", EVERYBODY)
    assert journals(alone) == {fleet, (f"user.{sam.pk}.fixes", "tracking.sender", str(sam.pk))}
    waited_for = touched_by(lambda: send(bob, fix(NOW, NEAR), now=NOW))
    pk = travelling.pk
    assert journals(waited_for) == {
        fleet,
        (f"user.{bob.pk}.fixes", "tracking.sender", str(bob.pk)),
        (f"journey.{pk}", "tracking.journey", str(pk)),
    }


def test_nobody_else_is_told(travelling: Journey, alice, bob, charlie, dora, frank, sam: User) -> None:
    everybody = (alice, bob, charlie, dora, frank, sam)
    touches = touched_by(lambda: send(bob, fix(NOW, NEAR), now=NOW))
    assert audience(touches, "tracking.journey", *everybody) == {"Alice"}
    assert audience(touches, "tracking.fleet", *everybody) == {"Frank"}
    assert audience(touches, "tracking.sender", *everybody) == {"Bob"}


def test_who_is_refused_off_duty_is_told_why(ed: User) -> None:
    touches = touched_by(lambda: send(ed, fix(NOW), now=NOW))
    assert journals(touches) == {(f"user.{ed.pk}.fixes", "tracking.sender", str(ed.pk))}


def test_most_fixes_of_a_journey_do_not_touch_the_banner(travelling: Journey, bob: User) -> None:
    send(bob, fix(NOW, NEAR), now=NOW)
    touches = touched_by(lambda: send(bob, fix(NOW + 5 * SECOND, CAMDEN), now=NOW + 5 * SECOND))
    assert {touch.fragment for touch in touches} == {"tracking.fleet", "tracking.sender", "tracking.journey"} | (
        {touch.fragment for touch in touches} if Journey.objects.get().near_at == NOW + 5 * SECOND else set()
    )


# --- What it costs


def queries(count: int, users: list[User], seconds: int) -> int:
    """How many statements it takes to take in one fix each of `count` people."""
    now = NOW + seconds * SECOND
    batches = {user.pk: Batch.of([fix(now, Point(51.5, -0.1 + seconds / 1e4)), "what?"]) for user in users[:count]}
    with CaptureQueriesContext(connection) as caught:
        take_fixes(batches, now=now)
    return len(caught)


def test_twenty_people_cost_as_many_statements_as_one(db: None) -> None:
    """More are the same, but SQLite takes so many values in a statement only."""
    users = [make.at_work(f"Driver{n}").user for n in range(20)]
    queries(20, users, 0)
    one, twenty = queries(1, users, 10), queries(20, users, 20)
    assert one == twenty <= 12


# --- The dirty trace


def test_the_dirty_trace_through_the_database(db: None) -> None:
    start = NOW + 20 * MINUTE
    sam = make.at_work("Sam").user
    trace = dirty(start)
    for message in trace.messages:
        send(sam, message.fix, now=message.now)
        row = Position.objects.get()
        assert row.point is not None and trace.metres_off(row.point) <= trace.corridor, message
        assert row.seen_at <= message.now and row.age(message.now) <= number("LIVE_SECONDS") * SECOND, message
    reasons = [message.reason for message in trace.messages if message.reason]
    assert refused(sam) == {reason: reasons.count(reason) for reason in reasons}
    assert Fix.objects.filter(late=False).count() <= sum(message.kind in BELIEVED for message in trace.messages)
    spikes = [
        row for row in Fix.objects.filter(late=False) if trace.metres_off(Point(row.latitude, row.longitude)) > 75
    ]
    assert spikes == []


# --- By the clock


def test_tracks_are_pruned_after_sixty_days(sam: User) -> None:
    day = 24 * HOUR
    send(sam, fix(NOW), "what?", now=NOW)
    send(sam, fix(NOW + day, NEAR), "what?", now=NOW + day)
    assert prune_fixes(NOW + 60 * day) == 0 and Fix.objects.count() == 2
    assert prune_fixes(NOW + 60 * day + SECOND) == 1
    assert Fix.objects.get().at == NOW + day
    assert prune_fixes(NOW + 62 * day) == 1 and not RefusedFixes.objects.exists()


def test_a_backlog_is_pruned_some_at_a_time(sam: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixes, "PRUNED_AT_ONCE", 4)
    queue = [fix(NOW + n * SECOND, Point(51.5, -0.12 + n / 10_000)) for n in range(0, 600, 60)]
    send(sam, *queue, now=NOW + 10 * MINUTE)
    assert [prune_fixes(NOW + 70 * 24 * HOUR) for _ in range(4)] == [4, 4, 2, 0]


# --- At the same moment


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
class TestRaces:
    """Against what ends the collecting."""

    def test_who_is_going_off_duty_waits_for_nobody_and_nobody_for_them(self) -> None:
        sam, kim = (make.at_work(name).user for name in ("Sam", "Kim"))
        shift = Shift.objects.get(user=sam)
        batches = {user.pk: Batch.of([fix(NOW)]) for user in (sam, kim)}

        def meanwhile() -> dict:
            return take_fixes(batches, now=NOW)

        with transaction.atomic():
            actions.go_off_duty(shift, by=sam, now=NOW)
            outcomes = at_once([meanwhile])[0]
            assert set(outcomes) == {kim.pk}  # Sam's is to be given again
        assert take_fixes(batches, now=NOW)[sam.pk].collected is False
        assert list(Position.objects.values_list("user", flat=True)) == [kim.pk]

    def test_no_position_outlives_the_shift(self) -> None:
        drivers = [make.at_work(f"Driver{n}") for n in range(6)]
        shifts = {shift.user_id: shift for shift in Shift.objects.all()}

        def sending(seconds: int) -> object:
            batches = {driver.pk: Batch.of([fix(NOW + seconds * SECOND)]) for driver in drivers}
            return take_fixes(batches, now=NOW + seconds * SECOND)

        calls = [lambda n=n: sending(n) for n in range(1, 6)]
        calls += [lambda d=d: actions.go_off_duty(shifts[d.pk], by=d.user, now=NOW + 3 * SECOND) for d in drivers]
        _, bad = split(at_once(calls))
        assert all(isinstance(error, OperationalError) for error in bad), bad
        assert not Position.objects.exists()

    def test_a_long_lock_is_given_up(self) -> None:
        """Whoever waits for a row of the journal that we hold is not waited for in turn."""
        sam = make.at_work("Sam").user
        send(sam, fix(NOW), now=NOW)
        with transaction.atomic():
            row = Position.objects.get()
            row.save(update_fields=["received_at"])
            later = NOW + 10 * SECOND
            assert isinstance(at_once([lambda: send(sam, fix(later, NEAR), now=later)])[0], OperationalError)
        assert Position.objects.get().point == CAMDEN and Fix.objects.count() == 1
