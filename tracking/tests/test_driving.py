"""On the road: each step, what it opens and closes, and who may take it."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import User
from common.refusals import Conflict, Invalid
from realtime.topics import Principal, members
from tracking import actions
from tracking.models import Dispatch, Driver, Journey, Leg, Position, ShareLink
from tracking.states import DISPATCH_MOVES, DispatchStatus, FailReason
from tracking.tests import make
from tracking.tests.make import CAMDEN, MINUTE, NEAR, NOW
from tracking.topics import journey_topic

LATER = NOW + MINUTE
STATES = {
    "offered": make.offered,
    "accepted": make.accepted,
    "en_route": make.en_route,
    "arrived": make.arrived,
    "completed": make.completed,
    "rejected": make.rejected,
    "failed": make.failed,
}
STEPS = {
    "en_route": lambda dispatch, by: actions.set_off(dispatch, by=by, now=LATER),
    "arrived": lambda dispatch, by: actions.arrive(dispatch, by=by, now=LATER),
    "completed": lambda dispatch, by: actions.complete(dispatch, by=by, note="At the side door", now=LATER),
    "failed": lambda dispatch, by: actions.fail(dispatch, by=by, reason=FailReason.NO_ACCESS, now=LATER),
}


@pytest.fixture
def sam(db: None) -> Driver:
    return make.at_work("Sam", at=NEAR)


@pytest.fixture
def kim(db: None) -> Driver:
    return make.at_work("Kim")


@pytest.fixture
def leg(alice: User, frank: User) -> Leg:
    return make.leg(make.job(alice), frank)


@pytest.mark.parametrize("to", STEPS)
@pytest.mark.parametrize("state", STATES)
def test_each_step_from_where_it_may_be_taken(leg: Leg, sam: Driver, state: str, to: str) -> None:
    dispatch = STATES[state](leg, sam)
    if to in DISPATCH_MOVES.get(state, ()):
        kept = STEPS[to](dispatch, sam.user)
        row = kept.history.last()
        assert (kept.status, row.from_state, row.to_state, row.actor, row.at) == (to, state, to, sam.user, LATER)
        assert (kept.ended_at is None) == (to in DISPATCH_MOVES)
    else:
        with pytest.raises(Conflict, match="Things moved on a moment ago"):
            STEPS[to](dispatch, sam.user)
        assert make.fresh(dispatch).status == state


@pytest.mark.parametrize("to", STEPS)
def test_only_its_driver_or_the_desk_for_them(leg: Leg, sam: Driver, kim: Driver, alice, bob, frank, to: str) -> None:
    before = {"en_route": "accepted", "arrived": "en_route", "completed": "arrived", "failed": "en_route"}[to]
    dispatch = STATES[before](leg, sam)
    for stranger in (kim.user, alice, bob):
        with pytest.raises(PermissionDenied):
            STEPS[to](dispatch, stranger)
    kept = STEPS[to](dispatch, frank)
    assert (kept.history.last().actor, kept.history.last().actor_role) == (frank, "admin")


class TestJourney:
    def followers(self, journey: Journey, *people: User) -> set[str]:
        """Who may follow the moving marker."""
        everybody = {Principal("user", str(person.pk)): person.first_name for person in people}
        return {everybody[who] for who in members(journey_topic(journey.pk), set(everybody))}

    def test_setting_off_opens_it(self, leg: Leg, sam: Driver, alice: User, charlie: User) -> None:
        dispatch = make.accepted(leg, sam)
        assert not Journey.objects.exists()
        actions.set_off(dispatch, by=sam.user, now=LATER)
        journey = Journey.objects.get()
        assert (journey.dispatch, journey.booking, journey.traveller) == (dispatch, leg.booking, sam.user)
        assert (journey.opened_at, journey.closed_at, journey.destination) == (LATER, None, CAMDEN)
        assert self.followers(journey, alice, charlie, sam.user) == {"Alice"}

    @pytest.mark.parametrize(
        ("end", "why"),
        [
            (lambda it, sam, kim, frank: actions.arrive(it, by=sam.user, now=LATER), "arrived"),
            (lambda it, sam, kim, frank: actions.fail(it, by=sam.user, reason="other", now=LATER), "failed"),
            (lambda it, sam, kim, frank: actions.cancel_dispatch(it, by=frank, reason="x", now=LATER), "cancelled"),
            (lambda it, sam, kim, frank: actions.cancel_leg(it.leg, by=frank, reason="x", now=LATER), "cancelled"),
            (lambda it, sam, kim, frank: actions.reassign(it, kim, by=frank, reason="x", now=LATER), "reassigned"),
        ],
    )
    def test_whatever_ends_it_ends_it_at_once(self, leg: Leg, sam, kim, frank, alice, end, why: str) -> None:
        dispatch = make.en_route(leg, sam)
        journey = Journey.objects.get()
        actions.share(journey, by=alice, now=NOW)
        end(dispatch, sam, kim, frank)
        kept = Journey.objects.get()
        assert (kept.closed_at, kept.end) == (LATER, why)
        assert not self.followers(journey, alice)
        token = ShareLink.objects.get().token
        assert not members(journey_topic(journey.pk), {Principal("link", token)})
        assert Position.objects.filter(user=sam.user).exists(), "still on duty: the desk sees them"

    def test_a_driver_who_goes_again_begins_another(self, leg: Leg, sam: Driver) -> None:
        make.failed(leg, sam)
        make.en_route(leg, sam)
        assert Journey.objects.filter(closed_at=None).count() == 1
        assert Journey.objects.count() == 2

    def test_not_from_a_break(self, leg: Leg, sam: Driver) -> None:
        dispatch = make.accepted(leg, sam)
        actions.take_break(actions.duty.current_shift(sam.pk), by=sam.user, now=NOW)
        with pytest.raises(Conflict, match=r"You are on a break\. End it before you set off"):
            actions.set_off(dispatch, by=sam.user, now=LATER)
        assert not Journey.objects.exists()
        assert make.fresh(dispatch).status == "accepted"


class TestWords:
    def test_what_was_done_is_kept(self, leg: Leg, sam: Driver) -> None:
        kept = actions.complete(make.arrived(leg, sam), by=sam.user, note=" With the neighbour ", now=LATER)
        assert (kept.reason, kept.history.last().reason) == ("With the neighbour", "With the neighbour")

    def test_what_went_wrong_too(self, leg: Leg, sam: Driver) -> None:
        dispatch = make.arrived(leg, sam)
        kept = actions.fail(dispatch, by=sam.user, reason="nobody_there", note="Rang twice", now=LATER)
        assert kept.reason == "Nobody was there. Rang twice"
        with pytest.raises(Invalid, match="choose what went wrong"):
            actions.fail(dispatch, by=sam.user, reason="mood", now=LATER)

    def test_a_tap_from_a_devices_queue_keeps_its_time(self, leg: Leg, sam: Driver) -> None:
        kept = actions.arrive(make.en_route(leg, sam), by=sam.user, now=LATER, device_at=NOW)
        assert (kept.history.last().at, kept.history.last().device_at) == (LATER, NOW)


class TestDesk:
    @pytest.mark.parametrize("state", ["accepted", "en_route", "arrived"])
    def test_it_takes_a_leg_off_its_driver(self, leg: Leg, sam: Driver, kim: Driver, frank: User, state: str) -> None:
        dispatch = STATES[state](leg, sam)
        kept = actions.cancel_dispatch(dispatch, by=frank, reason=" Van is needed ", now=LATER)
        assert (kept.status, kept.reason, kept.ended_at) == ("cancelled", "Van is needed", LATER)
        make.offered(leg, kim)

    @pytest.mark.parametrize("state", ["offered", "completed", "rejected", "failed"])
    def test_not_what_nobody_has(self, leg: Leg, sam: Driver, frank: User, state: str) -> None:
        with pytest.raises(Conflict, match="Things moved on"):
            actions.cancel_dispatch(STATES[state](leg, sam), by=frank, reason="x", now=LATER)

    @pytest.mark.parametrize(
        ("state", "becomes"),
        [("offered", "revoked"), ("accepted", "cancelled"), ("en_route", "cancelled"), ("arrived", "cancelled")],
    )
    def test_it_gives_the_leg_to_another(self, leg: Leg, sam, kim, frank, state: str, becomes: str) -> None:
        dispatch = STATES[state](leg, sam)
        offer = actions.reassign(dispatch, kim, by=frank, reason="Nearer", seconds=30, now=LATER)
        assert (make.fresh(dispatch).status, make.fresh(dispatch).reason) == (becomes, "Nearer")
        assert (offer.driver, offer.status, (offer.deadline - LATER).total_seconds()) == (kim, "offered", 30)

    def test_a_round_ends_with_it(self, leg: Leg, sam: Driver, kim: Driver, frank: User) -> None:
        asking = make.in_turn(leg, sam, make.at_work("Lou"))
        actions.reassign(asking.dispatches.get(), kim, by=frank, reason="Nearer", now=LATER)
        assert make.fresh(asking).ended_at == LATER

    def test_both_or_neither(self, leg: Leg, sam: Driver, frank: User) -> None:
        """The other driver cannot take it: the first keeps it, journey and all."""
        dispatch = make.en_route(leg, sam)
        with pytest.raises(Conflict, match="Off cannot take this leg: off duty"):
            actions.reassign(dispatch, make.driver("Off"), by=frank, reason="Nearer", now=LATER)
        assert make.fresh(dispatch).status == "en_route"
        assert Journey.objects.get().is_open

    def test_another_driver_and_a_reason(self, leg: Leg, sam: Driver, kim: Driver, frank: User) -> None:
        dispatch = make.accepted(leg, sam)
        with pytest.raises(Invalid, match="another driver"):
            actions.reassign(dispatch, sam, by=frank, reason="x", now=LATER)
        with pytest.raises(Invalid, match="say why"):
            actions.reassign(dispatch, kim, by=frank, reason=" ", now=LATER)
        with pytest.raises(Invalid, match="say why"):
            actions.cancel_dispatch(dispatch, by=frank, reason="", now=LATER)

    @pytest.mark.parametrize("state", ["completed", "rejected", "failed"])
    def test_not_what_is_over(self, leg: Leg, sam: Driver, kim: Driver, frank: User, state: str) -> None:
        with pytest.raises(Conflict):
            actions.reassign(STATES[state](leg, sam), kim, by=frank, reason="x", now=LATER)

    def test_drivers_and_customers_do_none_of_it(self, leg: Leg, sam: Driver, kim: Driver, alice: User) -> None:
        dispatch = make.accepted(leg, sam)
        for by in (sam.user, kim.user, alice):
            with pytest.raises(PermissionDenied):
                actions.cancel_dispatch(dispatch, by=by, reason="x", now=LATER)
            with pytest.raises(PermissionDenied):
                actions.reassign(dispatch, kim, by=by, reason="x", now=LATER)


def test_a_state_without_a_way_out_has_an_end(leg: Leg, sam: Driver) -> None:
    ends = set(DispatchStatus.values) - set(DISPATCH_MOVES)
    assert ends == {"completed", "rejected", "expired", "revoked", "cancelled", "failed"}
    assert Dispatch.objects.count() == 0
