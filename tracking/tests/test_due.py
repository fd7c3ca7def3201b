"""What the clock does on the road: offers lapse, lost drivers lose their legs, old positions go, ages turn."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from accounts.models import Role, User
from bookings.tests.follow import keys_of, on, touched_by
from tracking import actions, due
from tracking.models import Dispatch, Driver, Fix, Journey, Leg, Position, RefusedFixes, Shift
from tracking.tests import make
from tracking.tests.make import DAY, MINUTE, NEAR, NOW
from tracking.topics import journey_topic

SECOND = timedelta(seconds=1)
LATER = NOW + MINUTE


@pytest.fixture(autouse=True)
def new_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that has not looked yet."""
    monkeypatch.setattr(due, "_looked", {})


@pytest.fixture
def sam(db: None) -> Driver:
    return make.at_work("Sam", at=NEAR)


@pytest.fixture
def kim(db: None) -> Driver:
    return make.at_work("Kim")


@pytest.fixture
def leg(alice: User, frank: User) -> Leg:
    return make.leg(make.job(alice), frank)


class TestOffers:
    def test_at_the_deadline_and_not_before(self, leg: Leg, sam: Driver) -> None:
        offer = make.offered(leg, sam)
        assert due.run_due(LATER - SECOND) == 0
        assert due.run_due(LATER) == 1
        assert (make.fresh(offer).status, make.fresh(offer).reason) == ("expired", "Nobody answered in time.")
        assert due.run_due(LATER + MINUTE) == 0

    def test_each_by_its_own_deadline(self, leg: Leg, frank: User, sam: Driver, kim: Driver) -> None:
        make.offered(leg, sam, urgent=True)
        other = make.offered(make.leg(leg.booking, frank), kim)
        assert due.run_due(NOW + 15 * SECOND) == 1
        assert make.fresh(other).status == "offered"

    def test_what_was_answered_does_not_lapse(self, leg: Leg, sam: Driver) -> None:
        dispatch = make.accepted(leg, sam)
        assert due.run_due(LATER + DAY) == 0
        assert make.fresh(dispatch).status == "accepted"

    def test_a_round_goes_through_its_drivers_and_ends(self, leg: Leg, sam: Driver, kim: Driver) -> None:
        asking = make.in_turn(leg, sam, kim, seconds=20)
        assert due.run_due(NOW + 20 * SECOND) == 1
        assert asking.dispatches.get(status="offered").driver == kim
        assert due.run_due(NOW + 39 * SECOND) == 0
        assert due.run_due(NOW + 40 * SECOND) == 1
        assert make.fresh(asking).ended_at == NOW + 40 * SECOND

    def test_one_that_fails_does_not_hold_up_the_others(
        self, leg: Leg, frank: User, sam: Driver, kim: Driver, monkeypatch, caplog
    ) -> None:
        broken = make.offered(leg, sam)
        fine = make.offered(make.leg(leg.booking, frank), kim)
        settle = due.settle

        def failing(pk: int, *rest: object) -> bool:
            if pk == broken.pk:
                raise RuntimeError("Broken.")
            return settle(pk, *rest)

        monkeypatch.setattr(due, "settle", failing)
        with caplog.at_level(logging.ERROR):
            assert due.run_due(LATER) == 1
        assert (make.fresh(broken).status, make.fresh(fine).status) == ("offered", "expired")
        assert "offer" in caplog.text


class TestLostDrivers:
    def lose(self, driver: Driver, **changes: object) -> None:
        user = User.objects.get(pk=driver.pk)
        for name, value in changes.items():
            setattr(user, name, value)
        user.save(update_fields=list(changes))

    @pytest.mark.parametrize("changes", [{"is_active": False}, {"role": Role.CUSTOMER}])
    def test_their_shift_ends_and_nothing_is_kept(self, sam: Driver, kim: Driver, changes: dict[str, object]) -> None:
        self.lose(sam, **changes)
        assert due.run_due(LATER) == 1
        shift = Shift.objects.get(user=sam.user)
        assert (shift.duty, shift.history.last().actor_role) == ("off_duty", "clock")
        assert not Position.objects.exists()
        assert Shift.objects.get(user=kim.user).duty == "on_duty"
        assert due.run_due(LATER) == 0

    @pytest.mark.parametrize("state", [make.accepted, make.en_route, make.arrived])
    def test_their_leg_is_open_again(self, leg: Leg, sam: Driver, kim: Driver, state) -> None:
        dispatch = state(leg, sam)
        self.lose(sam, is_active=False)
        due.run_due(LATER)
        assert (make.fresh(dispatch).status, make.fresh(dispatch).reason) == (
            "cancelled",
            "The driver's account was closed.",
        )
        assert not Journey.objects.filter(closed_at=None).exists()
        make.offered(leg, kim)

    def test_their_offers_lapse(self, leg: Leg, sam: Driver) -> None:
        offer = make.offered(leg, sam)
        self.lose(sam, is_active=False)
        due.run_due(NOW)
        assert make.fresh(offer).status == "expired"


class TestForgetting:
    def fix(self, sam: Driver, days: float) -> Fix:
        at = NOW - timedelta(days=days)
        return Fix.objects.create(user=sam.user, at=at, received_at=at, latitude=51.5, longitude=-0.1)

    def test_tracks_go_after_sixty_days(self, sam: Driver) -> None:
        self.fix(sam, 60.1)
        kept = self.fix(sam, 59.9)
        RefusedFixes.objects.create(user=sam.user, day=(NOW - 61 * DAY).date(), reason="jump", count=1)
        RefusedFixes.objects.create(user=sam.user, day=NOW.date(), reason="jump", count=1)
        due.run_due(NOW)
        assert list(Fix.objects.all()) == [kept]
        assert RefusedFixes.objects.get().day == NOW.date()

    def test_so_does_where_somebody_was_who_never_ended_their_shift(self, sam: Driver, kim: Driver) -> None:
        make.place(kim.user, NEAR, now=NOW + 60 * DAY)
        due.run_due(NOW + 61 * DAY)
        assert Position.objects.get().user == kim.user

    def test_a_site_may_keep_them_for_less(self, sam: Driver, settings) -> None:
        settings.TRACKING = {"KEPT_DAYS": 1}
        self.fix(sam, 1.5)
        due.run_due(NOW)
        assert not Fix.objects.exists()


class TestAges:
    def test_pages_look_again_when_a_position_turns(self, leg: Leg, sam: Driver, alice: User) -> None:
        """Nothing is written by anybody: the clock alone has them look, at each of the two instants and between not."""
        make.en_route(leg, sam)
        journey = Journey.objects.get()
        due.run_due(NOW + 29 * SECOND)
        seen = {}
        for at in (30, 31, 60, 299, 300, 301):
            seen[at] = on(touched_by(lambda at=at: due.run_due(NOW + at * SECOND)), journey_topic(journey.pk))
        marker = ("tracking.journey", str(journey.pk))
        assert [at for at, touches in seen.items() if marker in touches] == [30, 300]

    def test_the_banner_too(self, leg: Leg, sam: Driver, alice: User) -> None:
        make.en_route(leg, sam)
        due.run_due(NOW + 29 * SECOND)
        touched = touched_by(lambda: due.run_due(NOW + 30 * SECOND))
        assert str(alice.pk) in keys_of(touched, "bookings.banner")

    def test_a_clock_that_begins_looks_a_minute_back(self, leg: Leg, sam: Driver) -> None:
        make.en_route(leg, sam)
        touched = touched_by(lambda: due.run_due(NOW + 80 * SECOND))
        assert keys_of(touched, "tracking.journey")

    def test_who_is_not_on_the_way_to_anybody_costs_nothing(self, sam: Driver) -> None:
        due.run_due(NOW + 29 * SECOND)
        assert not touched_by(lambda: due.run_due(NOW + 30 * SECOND))


def test_whatever_fails_holds_up_nothing_else(leg: Leg, sam: Driver, monkeypatch, caplog) -> None:
    def broken(as_of: object) -> int:
        raise RuntimeError("Broken.")

    make.offered(leg, sam)
    monkeypatch.setattr(due, "WORK", (broken, *due.WORK, broken))
    with caplog.at_level(logging.ERROR):
        assert due.run_due(LATER) == 1
    assert caplog.text.count("broken failed") == 2
    assert Dispatch.objects.get().status == "expired"


def test_a_quiet_tick_asks_little(sam: Driver, django_assert_max_num_queries) -> None:
    due.run_due(NOW)
    with django_assert_max_num_queries(8):
        assert due.run_due(NOW + SECOND) == 0


def test_nothing_is_offered_to_whoever_is_dismissed_in_the_same_tick(leg: Leg, sam: Driver, kim: Driver) -> None:
    """The account is closed while they are next in turn: they are passed over."""
    asking = make.in_turn(leg, sam, kim)
    kim.user.is_active = False
    kim.user.save(update_fields=["is_active"])
    due.run_due(LATER)
    assert [row.driver for row in asking.dispatches.all()] == [sam]
    assert make.fresh(asking).ended_at == LATER
    assert actions.duty.current_shift(kim.pk) is None
