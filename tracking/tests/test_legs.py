"""Legs: made by the desk for a job that goes on, called off with whoever had them."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import User
from bookings import actions as jobs
from bookings.tests.make import live, visit, waiting
from common.geo import Point
from common.refusals import Conflict, Invalid
from tracking import actions
from tracking.models import Driver, Journey, Leg
from tracking.tests import make
from tracking.tests.make import MINUTE, NOW

LATER = NOW + MINUTE


@pytest.fixture
def sam(db: None) -> Driver:
    return make.at_work("Sam")


@pytest.fixture
def leg(alice: User, frank: User) -> Leg:
    return make.leg(make.job(alice), frank)


class TestMaking:
    def test_everything_is_kept(self, alice: User, frank: User) -> None:
        job, towing = make.job(alice), make.towing()
        leg = actions.create_leg(
            job,
            by=frank,
            kind="tow",
            note=" A van that broke down ",
            weight_kg=1800,
            skill=towing,
            pick_up="Depot, York Way",
            pick_up_point=Point(51.54, -0.12),
            now=NOW,
        )
        kept = make.fresh(leg)
        assert str(kept) == "Tow: A van that broke down"
        assert (kept.booking, kept.skill, kept.weight_kg, kept.created_by) == (job, towing, 1800, frank)
        assert (kept.pick_up, kept.starts_from) == ("Depot, York Way", Point(51.54, -0.12))
        assert (kept.created_at, kept.cancelled_at) == (NOW, None)

    def test_without_a_place_to_fetch_it_the_driver_comes_straight(self, leg: Leg) -> None:
        assert leg.starts_from is None

    def test_for_a_job_that_goes_on(self, alice: User, bob: User, frank: User) -> None:
        session = visit(alice, bob)
        make.leg(session.booking, frank)
        make.leg(waiting(session).booking, frank)
        assert session.booking.legs.count() == 2

    def test_not_for_one_that_is_over(self, alice: User, bob: User, frank: User) -> None:
        gone = make.job(alice)
        jobs.cancel_booking(gone, by=alice, reason="mistake", now=NOW)
        with pytest.raises(Conflict, match="This job is cancelled, so nothing is driven for it any more"):
            make.leg(gone, frank)
        session = live(visit(alice, bob))
        jobs.complete_session(session, by=bob, note="Done.", now=session.starts_at)
        with pytest.raises(Conflict, match="This job is completed"):
            make.leg(session.booking, frank)

    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"kind": "flight"}, "choose what is to be done"),
            ({"note": "  "}, "what is to be driven"),
            ({"weight_kg": -1}, "weight must be"),
            ({"weight_kg": 50_001}, "weight must be"),
            ({"pick_up_point": Point(0, 0)}, "not a place on the map"),
            ({"pick_up_point": Point(91, 0)}, "not a place on the map"),
        ],
    )
    def test_what_is_no_leg(self, alice: User, frank: User, wrong: dict[str, object], sentence: str) -> None:
        with pytest.raises(Invalid, match=sentence):
            make.leg(make.job(alice), frank, **wrong)

    @pytest.mark.parametrize("who", ["alice", "bob", "ed"])
    def test_only_by_the_desk(self, alice: User, who: str, request: pytest.FixtureRequest) -> None:
        with pytest.raises(PermissionDenied):
            make.leg(make.job(alice), request.getfixturevalue(who))


class TestCallingOff:
    def test_one_that_nobody_has(self, leg: Leg, frank: User) -> None:
        kept = actions.cancel_leg(leg, by=frank, reason=" Not needed ", now=LATER)
        assert (kept.cancelled_at, kept.cancel_reason) == (LATER, "Not needed")

    def test_an_offer_is_taken_back(self, leg: Leg, sam: Driver, frank: User) -> None:
        offer = make.offered(leg, sam)
        actions.cancel_leg(leg, by=frank, reason="Not needed", now=LATER)
        assert (make.fresh(offer).status, make.fresh(offer).reason) == ("revoked", "Not needed")

    def test_a_round_ends(self, leg: Leg, sam: Driver, frank: User) -> None:
        asking = make.in_turn(leg, sam, make.at_work("Kim"))
        actions.cancel_leg(leg, by=frank, reason="Not needed", now=LATER)
        assert make.fresh(asking).ended_at == LATER
        assert asking.dispatches.get().status == "revoked"

    @pytest.mark.parametrize("state", [make.accepted, make.en_route, make.arrived])
    def test_a_driver_is_told_to_stop(self, leg: Leg, sam: Driver, frank: User, state) -> None:
        dispatch = state(leg, sam)
        actions.cancel_leg(leg, by=frank, reason="Not needed", now=LATER)
        assert make.fresh(dispatch).status == "cancelled"
        assert not Journey.objects.filter(closed_at=None).exists()

    def test_the_journey_ends_in_the_same_moment(self, leg: Leg, sam: Driver, frank: User) -> None:
        make.en_route(leg, sam)
        actions.cancel_leg(leg, by=frank, reason="Not needed", now=LATER)
        journey = Journey.objects.get()
        assert (journey.closed_at, journey.end) == (LATER, "cancelled")

    def test_once(self, leg: Leg, frank: User) -> None:
        actions.cancel_leg(leg, by=frank, reason="Not needed", now=LATER)
        with pytest.raises(Conflict, match="This leg was called off already"):
            actions.cancel_leg(leg, by=frank, reason="Not needed", now=LATER)

    def test_not_one_that_is_done(self, leg: Leg, sam: Driver, frank: User) -> None:
        make.completed(leg, sam)
        with pytest.raises(Conflict, match="This leg was done already"):
            actions.cancel_leg(leg, by=frank, reason="Not needed", now=LATER)

    def test_with_a_reason(self, leg: Leg, frank: User) -> None:
        with pytest.raises(Invalid, match="say why"):
            actions.cancel_leg(leg, by=frank, reason=" ", now=LATER)

    @pytest.mark.parametrize("who", ["alice", "bob", "ed"])
    def test_only_by_the_desk(self, leg: Leg, who: str, request: pytest.FixtureRequest) -> None:
        with pytest.raises(PermissionDenied):
            actions.cancel_leg(leg, by=request.getfixturevalue(who), reason="x", now=LATER)
