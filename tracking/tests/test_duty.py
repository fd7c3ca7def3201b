"""Working and not working: shifts, breaks, what is forgotten with them, and what the desk may do."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import User
from common.refusals import Conflict, Invalid
from realtime.kept import heard
from realtime.topics import Principal
from tracking import actions
from tracking.access import current_shift, driver_of
from tracking.models import Driver, Position, Shift
from tracking.tests import make
from tracking.tests.make import HOUR, MINUTE, NEAR, NOW
from tracking.topics import drive_topic

LATER = NOW + MINUTE


@pytest.fixture
def sam(db: None) -> Driver:
    return make.at_work("Sam", at=NEAR)


@pytest.fixture
def shift(sam: Driver) -> Shift:
    return Shift.objects.get(user=sam.user)


class TestOn:
    def test_a_driver_goes_on_duty(self, ed: User) -> None:
        shift = actions.go_on_duty(ed, by=ed, now=NOW, device_at=NOW - MINUTE)
        assert (shift.duty, shift.started_at, shift.duty_since, shift.ended_at) == ("on_duty", NOW, NOW, None)
        row = shift.history.get()
        assert (row.from_state, row.to_state, row.actor, row.actor_role) == ("", "on_duty", ed, "driver")
        assert (row.at, row.device_at) == (NOW, NOW - MINUTE)
        assert current_shift(ed.pk) == shift
        assert driver_of(ed).pk == ed.pk, "made at the first look"

    @pytest.mark.parametrize("who", ["alice", "bob", "frank"])
    def test_nobody_else_has_a_shift(self, who: str, request: pytest.FixtureRequest, db: None) -> None:
        user = request.getfixturevalue(who)
        with pytest.raises(PermissionDenied):
            actions.go_on_duty(user, by=user, now=NOW)

    def test_the_desk_cannot_switch_anybody_on(self, ed: User, frank: User) -> None:
        with pytest.raises(PermissionDenied):
            actions.go_on_duty(ed, by=frank, now=NOW)

    @pytest.mark.parametrize(("verb", "state"), [(None, "on duty"), (actions.take_break, "on a break")])
    def test_one_shift_at_a_time(self, sam: Driver, shift: Shift, verb, state: str) -> None:
        if verb:
            verb(shift, by=sam.user, now=NOW)
        with pytest.raises(Conflict, match=f"You are {state} already"):
            actions.go_on_duty(sam.user, by=sam.user, now=LATER)

    def test_the_next_shift_is_another_row(self, sam: Driver, shift: Shift) -> None:
        actions.go_off_duty(shift, by=sam.user, now=LATER)
        again = make.on_duty(sam, now=NOW + HOUR)
        assert again.pk != shift.pk
        assert make.states(shift) == ["on_duty", "off_duty"]


class TestBreak:
    def test_there_and_back(self, sam: Driver, shift: Shift) -> None:
        held = actions.take_break(shift, by=sam.user, now=LATER)
        assert (held.duty, held.duty_since, held.ended_at) == ("on_break", LATER, None)
        back = actions.end_break(held, by=sam.user, now=NOW + HOUR)
        assert (back.duty, back.duty_since, back.started_at) == ("on_duty", NOW + HOUR, NOW)
        assert make.states(shift) == ["on_duty", "on_break", "on_duty"]

    def test_the_position_is_forgotten_in_the_same_moment(self, sam: Driver, shift: Shift) -> None:
        actions.take_break(shift, by=sam.user, now=LATER)
        assert not Position.objects.exists()

    def test_only_of_this_driver(self, shift: Shift, sam: Driver) -> None:
        make.at_work("Kim", at=NEAR)
        actions.take_break(shift, by=sam.user, now=LATER)
        assert Position.objects.get().user.first_name == "Kim"

    def test_offers_lapse_and_say_why(self, alice: User, frank: User, sam: Driver, shift: Shift) -> None:
        offer = make.offered(make.leg(make.job(alice), frank), sam)
        actions.take_break(shift, by=sam.user, now=LATER)
        kept = make.fresh(offer)
        assert (kept.status, kept.reason, kept.ended_at) == ("expired", "Took a break.", LATER)

    def test_not_on_the_way(self, alice: User, frank: User, sam: Driver, shift: Shift) -> None:
        make.en_route(make.leg(make.job(alice), frank), sam)
        with pytest.raises(Conflict, match=r"“A new boiler” is not finished \(on the way\)\. Finish it first"):
            actions.take_break(shift, by=sam.user, now=LATER)
        assert Position.objects.exists()

    @pytest.mark.parametrize("state", [make.accepted, make.arrived])
    def test_but_before_setting_off_and_at_the_door(self, alice, frank, sam: Driver, shift: Shift, state) -> None:
        dispatch = state(make.leg(make.job(alice), frank), sam)
        before = dispatch.status
        actions.take_break(shift, by=sam.user, now=LATER)
        assert make.fresh(dispatch).status == before

    def test_the_desk_may_send_somebody_on_one_but_not_end_it(self, frank: User, sam: Driver, shift: Shift) -> None:
        actions.take_break(shift, by=frank, now=LATER)
        assert shift.history.last().actor == frank
        with pytest.raises(PermissionDenied):
            actions.end_break(shift, by=frank, now=LATER)

    def test_one_cannot_end_what_has_not_begun(self, sam: Driver, shift: Shift) -> None:
        with pytest.raises(Conflict, match="You are on duty already"):
            actions.end_break(shift, by=sam.user, now=LATER)


class TestOff:
    def test_the_shift_ends(self, sam: Driver, shift: Shift) -> None:
        held = actions.go_off_duty(shift, by=sam.user, now=LATER, device_at=NOW)
        assert (held.duty, held.duty_since, held.ended_at) == ("off_duty", LATER, LATER)
        assert shift.history.last().device_at == NOW
        assert current_shift(sam.pk) is None
        assert not Position.objects.exists()

    def test_from_a_break_too(self, sam: Driver, shift: Shift) -> None:
        actions.take_break(shift, by=sam.user, now=NOW)
        actions.go_off_duty(shift, by=sam.user, now=LATER)
        assert make.states(shift) == ["on_duty", "on_break", "off_duty"]

    def test_all_offers_lapse_and_those_of_others_stand(self, alice, frank, sam: Driver, shift: Shift) -> None:
        job = make.job(alice)
        mine = [make.offered(make.leg(job, frank, note=f"Box {n}"), sam) for n in range(3)]
        yours = make.offered(make.leg(job, frank), make.at_work("Kim"))
        actions.go_off_duty(shift, by=sam.user, now=LATER)
        assert {(each.status, each.reason) for each in map(make.fresh, mine)} == {("expired", "Went off duty.")}
        assert make.fresh(yours).status == "offered"

    def test_the_next_of_a_round_is_asked(self, alice, frank, sam: Driver, shift: Shift) -> None:
        kim = make.at_work("Kim")
        asking = make.in_turn(make.leg(make.job(alice), frank), sam, kim)
        actions.go_off_duty(shift, by=sam.user, now=LATER)
        assert asking.dispatches.get(status="offered").driver == kim

    @pytest.mark.parametrize("state", [make.accepted, make.en_route, make.arrived])
    def test_not_with_a_leg(self, alice, frank, sam: Driver, shift: Shift, state) -> None:
        state(make.leg(make.job(alice), frank), sam)
        with pytest.raises(Conflict, match="is not finished"):
            actions.go_off_duty(shift, by=sam.user, now=LATER)
        with pytest.raises(Conflict, match="is not finished") as refused:
            actions.go_off_duty(shift, by=frank, now=LATER)
        assert refused.value.next_url == f"/desk/fleet/{sam.pk}/"

    @pytest.mark.parametrize("state", [make.completed, make.failed, make.rejected])
    def test_but_when_it_is_over(self, alice, frank, sam: Driver, shift: Shift, state) -> None:
        state(make.leg(make.job(alice), frank), sam)
        actions.go_off_duty(shift, by=sam.user, now=LATER)

    def test_twice_is_refused(self, sam: Driver, shift: Shift) -> None:
        actions.go_off_duty(shift, by=sam.user, now=LATER)
        for verb in (actions.go_off_duty, actions.take_break, actions.end_break):
            with pytest.raises(Conflict, match="You are off duty already"):
                verb(shift, by=sam.user, now=LATER)

    def test_the_desk_may(self, frank: User, shift: Shift) -> None:
        assert actions.go_off_duty(shift, by=frank, now=LATER).duty == "off_duty"

    @pytest.mark.parametrize("who", ["alice", "bob", "ed"])
    def test_nobody_else(self, who: str, request: pytest.FixtureRequest, shift: Shift) -> None:
        by = request.getfixturevalue(who)
        for verb in (actions.go_off_duty, actions.take_break, actions.end_break):
            with pytest.raises(PermissionDenied):
                verb(shift, by=by, now=LATER)


class TestDesk:
    def asked(self, sam: Driver) -> list[str]:
        """The signals that the driver's page finds."""
        found = heard([drive_topic(sam.pk)], Principal("user", str(sam.pk)))
        return [each["name"] for each in found]

    def test_it_asks_for_a_position(self, frank: User, sam: Driver) -> None:
        assert self.asked(sam) == []
        actions.request_position(sam, by=frank)
        assert self.asked(sam) == ["position"]

    @pytest.mark.parametrize("verb", [actions.take_break, actions.go_off_duty])
    def test_but_not_where_nothing_is_collected(self, frank: User, sam: Driver, shift: Shift, verb) -> None:
        verb(shift, by=sam.user, now=NOW)
        with pytest.raises(Conflict, match="Sam is not on duty, so nothing is collected"):
            actions.request_position(sam, by=frank)
        assert self.asked(sam) == []

    def test_it_says_what_somebody_drives(self, frank: User, sam: Driver) -> None:
        towing = make.towing()
        actions.change_driver(sam, by=frank, vehicle="truck", plate=" AB12 CDE ", capacity_kg=3000, skills=[towing])
        kept = make.fresh(sam)
        assert (kept.vehicle_words, kept.capacity_kg, list(kept.skills.all())) == ("Truck AB12 CDE", 3000, [towing])

    @pytest.mark.parametrize("wrong", [{"vehicle": "horse"}, {"capacity_kg": -1}, {"capacity_kg": 99_999}])
    def test_what_is_no_vehicle_is_refused(self, frank: User, sam: Driver, wrong: dict[str, object]) -> None:
        values = {"vehicle": "van", "plate": "", "capacity_kg": 10, "skills": [], **wrong}
        with pytest.raises(Invalid):
            actions.change_driver(sam, by=frank, **values)

    def test_only_the_desk(self, sam: Driver, alice: User) -> None:
        for by in (alice, sam.user):
            with pytest.raises(PermissionDenied):
                actions.request_position(sam, by=by)
            with pytest.raises(PermissionDenied):
                actions.change_driver(sam, by=by, vehicle="van", plate="", capacity_kg=1, skills=[])
