"""Offers: who may be asked, how long, what each answer does, and the best few in turn."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from common.refusals import Conflict, Invalid
from realtime.models import LastSeen
from tracking import actions
from tracking.dispatching import candidates
from tracking.models import Driver, Leg, Position
from tracking.states import RejectReason
from tracking.tests import make
from tracking.tests.make import FAR, HOUR, MINUTE, NEAR, NOW

LATER = NOW + MINUTE
SECOND = timedelta(seconds=1)


@pytest.fixture
def sam(db: None) -> Driver:
    return make.at_work("Sam", at=NEAR)


@pytest.fixture
def kim(db: None) -> Driver:
    return make.at_work("Kim", at=FAR)


@pytest.fixture
def leg(alice: User, frank: User) -> Leg:
    return make.leg(make.job(alice), frank)


class TestCandidates:
    def names(self, leg: Leg) -> list[str]:
        return [each.driver.user.first_name for each in candidates(leg, now=NOW)]

    def of(self, leg: Leg, name: str):
        return next(each for each in candidates(leg, now=NOW) if each.driver.user.first_name == name)

    def test_the_near_come_first_and_say_so(self, leg: Leg, kim: Driver, sam: Driver) -> None:
        first, second = candidates(leg, now=NOW)
        assert (first.driver, first.fits, first.distance_km) == (sam, True, 0.7)
        assert (second.driver, second.distance_km) == (kim, 12.0)
        assert first.why[:2] == ["0.7 km away", "free"]

    def test_from_where_it_is_fetched(self, alice: User, frank: User, sam: Driver, kim: Driver) -> None:
        leg = make.leg(make.job(alice), frank, pick_up="Depot", pick_up_point=FAR)
        assert [each.distance_km for each in candidates(leg, now=NOW)] == [0.0, 12.3]
        assert self.names(leg) == ["Kim", "Sam"]

    def test_the_free_come_before_the_busy(self, leg: Leg, frank: User, sam: Driver, kim: Driver) -> None:
        make.accepted(make.leg(leg.booking, frank), sam)
        assert self.names(leg) == ["Kim", "Sam"]
        busy = self.of(leg, "Sam")
        assert busy.fits and busy.busy and "busy with another leg" in busy.why

    def test_the_connected_come_before_those_who_left(self, leg: Leg, sam: Driver, kim: Driver) -> None:
        LastSeen.objects.create(kind="user", principal=str(kim.pk), seen_at=NOW)
        kim_now, sam_now = candidates(leg, now=NOW)
        assert (kim_now.driver, kim_now.presence, sam_now.presence) == (kim, "online", "offline")
        assert "offline" in sam_now.why and "offline" not in kim_now.why

    def test_who_is_asked_already_says_so(self, leg: Leg, frank: User, sam: Driver) -> None:
        make.offered(make.leg(leg.booking, frank), sam)
        assert "asked about another leg" in self.of(leg, "Sam").why

    def test_nobody_who_is_off_duty(self, leg: Leg, sam: Driver) -> None:
        make.driver("Off", at=NEAR)
        assert self.names(leg) == ["Sam"]

    def test_who_cannot_comes_last_with_the_reasons(self, alice: User, frank: User, sam: Driver) -> None:
        towing = make.towing()
        leg = make.leg(make.job(alice), frank, kind="tow", skill=towing, weight_kg=900)
        strong = make.at_work("Strong", towing, at=FAR, capacity_kg=2000)
        make.at_work("Weak", towing, at=NEAR)
        on_break = make.at_work("Tired", towing, capacity_kg=2000)
        actions.take_break(actions.duty.current_shift(on_break.pk), by=on_break.user, now=NOW)
        first, *others = candidates(leg, now=NOW)
        assert (first.driver, first.fits) == (strong, True)
        assert first.why == ["12.0 km away", "free", "has towing", "carries 2000 kg", "offline"]
        assert {(each.driver.user.first_name, *each.why) for each in others} == {
            ("Sam", "lacks towing", "carries 500 kg at most"),
            ("Weak", "carries 500 kg at most"),
            ("Tired", "on a break"),
        }
        assert not any(each.fits for each in others)

    def test_who_declined_is_no_candidate_any_more(self, leg: Leg, sam: Driver) -> None:
        make.rejected(leg, sam)
        assert (self.of(leg, "Sam").fits, self.of(leg, "Sam").why) == (False, ["declined this leg"])

    @pytest.mark.parametrize(
        ("age", "words", "km"),
        [
            (timedelta(seconds=30), "0.7 km away", 0.7),
            (timedelta(seconds=31), "0.7 km away 1 min ago", 0.7),
            (timedelta(minutes=4), "0.7 km away 4 min ago", 0.7),
            (timedelta(minutes=6), "place not known", None),
        ],
    )
    def test_a_distance_says_how_old_it_is(self, leg: Leg, age: timedelta, words: str, km: float | None) -> None:
        make.at_work("Sam", at=NEAR)
        found = candidates(leg, now=NOW + age)[0]
        assert (found.why[0], found.distance_km) == (words, km)

    def test_who_has_sent_no_place_comes_after_those_who_have(self, leg: Leg, kim: Driver) -> None:
        make.at_work("Blank")
        nowhere = make.at_work("Nowhere", at=NEAR)
        Position.objects.filter(user=nowhere.user).delete()
        assert self.names(leg) == ["Kim", "Blank", "Nowhere"]

    def test_many_cost_what_few_cost(self, leg: Leg, sam: Driver) -> None:
        def cost() -> int:
            with CaptureQueriesContext(connection) as seen:
                candidates(leg, now=NOW)
            return len(seen)

        few = cost()
        for n in range(12):
            make.at_work(f"D{n}", make.towing(), at=FAR)
        assert cost() == few <= 8


class TestOffering:
    def test_the_row_says_all_of_it(self, leg: Leg, sam: Driver, frank: User) -> None:
        offer = make.offered(leg, sam)
        assert (offer.status, offer.offered_by, offer.offered_at) == ("offered", frank, NOW)
        assert offer.deadline == NOW + timedelta(seconds=60)
        assert offer.why == ["0.7 km away", "free", "offline"]
        assert (offer.seen_at, offer.answered_at, offer.ended_at, offer.round_id) == (None, None, None, None)
        row = offer.history.get()
        assert (row.from_state, row.to_state, row.actor, row.at) == ("", "offered", frank, NOW)

    def test_urgent_ones_stand_for_a_quarter_of_a_minute(self, leg: Leg, sam: Driver) -> None:
        assert make.offered(leg, sam, urgent=True).deadline == NOW + timedelta(seconds=15)

    def test_the_desk_sets_the_deadline(self, leg: Leg, sam: Driver) -> None:
        assert make.offered(leg, sam, seconds=300).deadline == NOW + timedelta(seconds=300)

    @pytest.mark.parametrize("seconds", [4, 1801, -5, 0])
    def test_within_reason(self, leg: Leg, sam: Driver, seconds: int) -> None:
        with pytest.raises(Invalid, match="A driver needs 5 seconds to 30 minutes to answer"):
            make.offered(leg, sam, seconds=seconds)

    def test_a_site_may_have_other_numbers(self, leg: Leg, sam: Driver, settings) -> None:
        settings.TRACKING = {"OFFER_SECONDS": 90}
        assert make.offered(leg, sam).deadline == NOW + timedelta(seconds=90)

    def test_one_at_a_time(self, leg: Leg, sam: Driver, kim: Driver) -> None:
        make.offered(leg, sam)
        with pytest.raises(Conflict, match=r"Sam is being asked\. Take it back first") as refused:
            make.offered(leg, kim)
        assert refused.value.next_url == f"/desk/legs/{leg.pk}/"

    @pytest.mark.parametrize("state", [make.accepted, make.en_route, make.arrived])
    def test_not_one_that_somebody_has(self, leg: Leg, sam: Driver, kim: Driver, state) -> None:
        state(leg, sam)
        with pytest.raises(Conflict, match="Sam has this leg"):
            make.offered(leg, kim)

    def test_not_one_that_is_done_or_called_off(self, leg: Leg, sam: Driver, frank: User) -> None:
        other = make.leg(leg.booking, frank)
        actions.cancel_leg(other, by=frank, reason="x", now=NOW)
        with pytest.raises(Conflict, match="called off already"):
            make.offered(other, sam)
        make.completed(leg, sam)
        with pytest.raises(Conflict, match="done already"):
            make.offered(leg, sam)

    def test_not_to_somebody_off_duty_or_on_a_break(self, leg: Leg, sam: Driver) -> None:
        with pytest.raises(Conflict, match=r"Off cannot take this leg: off duty\."):
            make.offered(leg, make.driver("Off"))
        actions.take_break(actions.duty.current_shift(sam.pk), by=sam.user, now=NOW)
        with pytest.raises(Conflict, match=r"Sam cannot take this leg: on a break\."):
            make.offered(leg, sam)

    def test_not_to_a_closed_account(self, leg: Leg, sam: Driver) -> None:
        sam.user.is_active = False
        sam.user.save(update_fields=["is_active"])
        with pytest.raises(Conflict, match="does not drive for us any more"):
            make.offered(leg, sam)

    def test_not_to_whoever_declined_it(self, leg: Leg, sam: Driver) -> None:
        make.rejected(leg, sam)
        with pytest.raises(Conflict, match="Sam cannot take this leg: declined this leg"):
            make.offered(leg, sam)

    def test_declining_one_leg_says_nothing_of_another(self, leg: Leg, sam: Driver, frank: User) -> None:
        make.rejected(leg, sam)
        make.offered(make.leg(leg.booking, frank), sam)

    def test_a_lapse_is_no_rejection(self, leg: Leg, sam: Driver) -> None:
        actions.lapse(make.offered(leg, sam), now=LATER)
        make.offered(leg, sam, now=LATER)

    @pytest.mark.parametrize("state", [make.failed])
    def test_a_failed_leg_is_open_again_for_the_same_driver_too(self, leg: Leg, sam: Driver, state) -> None:
        state(leg, sam)
        make.offered(leg, sam)

    def test_a_busy_driver_may_be_asked_about_the_next(self, leg: Leg, sam: Driver, frank: User) -> None:
        make.accepted(leg, sam)
        make.offered(make.leg(leg.booking, frank), sam)

    @pytest.mark.parametrize("who", ["alice", "bob", "ed"])
    def test_only_by_the_desk(self, leg: Leg, sam: Driver, who: str, request: pytest.FixtureRequest) -> None:
        by = request.getfixturevalue(who)
        with pytest.raises(PermissionDenied):
            actions.offer_leg(leg, sam, by=by, now=NOW)
        with pytest.raises(PermissionDenied):
            actions.ask_in_turn(leg, [sam], by=by, now=NOW)


class TestAnswering:
    def test_seen_once(self, leg: Leg, sam: Driver) -> None:
        offer = make.offered(leg, sam)
        assert actions.see_offer(offer, by=sam.user, now=NOW + SECOND).seen_at == NOW + SECOND
        assert actions.see_offer(offer, by=sam.user, now=NOW + 2 * SECOND).seen_at == NOW + SECOND

    def test_what_is_over_is_not_seen_any_more(self, leg: Leg, sam: Driver, frank: User) -> None:
        offer = make.offered(leg, sam)
        actions.revoke_offer(offer, by=frank, now=NOW)
        assert actions.see_offer(offer, by=sam.user, now=LATER).seen_at is None

    def test_only_by_the_one_who_is_asked(self, leg: Leg, sam: Driver, kim: Driver, frank: User) -> None:
        offer = make.offered(leg, sam)
        for by in (kim.user, frank):
            with pytest.raises(PermissionDenied):
                actions.see_offer(offer, by=by, now=NOW)

    def test_accepted(self, leg: Leg, sam: Driver) -> None:
        offer = make.offered(leg, sam)
        kept = actions.accept_offer(offer, by=sam.user, now=NOW + SECOND, device_at=NOW)
        assert (kept.status, kept.answered_at, kept.seen_at, kept.ended_at) == (
            "accepted",
            NOW + SECOND,
            NOW + SECOND,
            None,
        )
        assert kept.history.last().device_at == NOW

    def test_a_receipt_is_not_overwritten_by_the_answer(self, leg: Leg, sam: Driver) -> None:
        offer = make.offered(leg, sam)
        actions.see_offer(offer, by=sam.user, now=NOW + SECOND)
        assert actions.accept_offer(offer, by=sam.user, now=NOW + 5 * SECOND).seen_at == NOW + SECOND

    def test_in_the_last_moment_but_not_at_the_deadline(self, leg: Leg, sam: Driver, frank: User) -> None:
        offer = make.offered(leg, sam)
        with pytest.raises(
            Conflict, match=r"This offer lapsed at 09:01:00\. Your screen shows what is next"
        ) as refused:
            actions.accept_offer(offer, by=sam.user, now=offer.deadline)
        assert refused.value.next_url == "/drive/"
        assert make.fresh(offer).status == "offered", "the clock comes by for that"
        actions.accept_offer(offer, by=sam.user, now=offer.deadline - timedelta(microseconds=1))

    def test_the_time_is_the_readers_own(self, leg: Leg, frank: User) -> None:
        sam = make.at_work("Sam")
        sam.user.time_zone = "Europe/Berlin"
        sam.user.save(update_fields=["time_zone"])
        offer = make.offered(leg, sam)
        with pytest.raises(Conflict, match="lapsed at 10:01:00"):
            actions.accept_offer(offer, by=sam.user, now=LATER)
        actions.lapse(offer, now=LATER + HOUR)
        with pytest.raises(Conflict, match="lapsed at 10:01:00"):
            actions.accept_offer(offer, by=sam.user, now=LATER + HOUR)

    def test_declined_with_a_reason(self, leg: Leg, sam: Driver) -> None:
        offer = make.offered(leg, sam)
        kept = actions.reject_offer(
            offer, by=sam.user, reason=RejectReason.OTHER, note=" Flat tyre ", now=LATER - SECOND
        )
        assert (kept.status, kept.reason) == ("rejected", "Another reason. Flat tyre")
        assert kept.answered_at == kept.ended_at == LATER - SECOND
        with pytest.raises(Invalid, match="choose a reason"):
            actions.reject_offer(offer, by=sam.user, reason="mood", now=NOW)

    def test_a_no_that_comes_too_late_is_a_lapse(self, leg: Leg, sam: Driver) -> None:
        offer = make.offered(leg, sam)
        with pytest.raises(Conflict, match="This offer lapsed"):
            actions.reject_offer(offer, by=sam.user, reason=RejectReason.TOO_FAR, now=LATER)
        actions.lapse(offer, now=LATER)
        make.offered(leg, sam, now=LATER)

    def test_one_leg_at_a_time(self, leg: Leg, sam: Driver, frank: User) -> None:
        waiting = make.offered(make.leg(leg.booking, frank, note="A pump"), sam, seconds=600)
        first = make.accepted(leg, sam)
        with pytest.raises(Conflict, match=r"You have a leg already: “A new boiler”\. Finish that one first"):
            actions.accept_offer(waiting, by=sam.user, now=NOW)
        actions.fail(first, by=sam.user, reason="other", now=NOW)
        actions.accept_offer(waiting, by=sam.user, now=NOW)

    @pytest.mark.parametrize(
        ("spoil", "sentence"),
        [
            (lambda offer, sam, frank: actions.revoke_offer(offer, by=frank, now=NOW), "The desk took this offer back"),
            (lambda offer, sam, frank: actions.accept_offer(offer, by=sam.user, now=NOW), "this leg is now accepted"),
            (
                lambda offer, sam, frank: actions.reject_offer(offer, by=sam.user, reason="other", now=NOW),
                "this leg is now declined",
            ),
            (lambda offer, sam, frank: actions.lapse(offer, now=LATER), "This offer lapsed at 09:01:00"),
        ],
    )
    def test_what_is_settled_is_settled(self, leg: Leg, sam: Driver, frank: User, spoil, sentence: str) -> None:
        offer = make.offered(leg, sam)
        spoil(offer, sam, frank)
        for again in (
            lambda: actions.accept_offer(offer, by=sam.user, now=NOW),
            lambda: actions.reject_offer(offer, by=sam.user, reason="other", now=NOW),
            lambda: actions.revoke_offer(offer, by=frank, now=NOW),
        ):
            with pytest.raises(Conflict, match=sentence) as refused:
                again()
            assert refused.value.next_url in ("/drive/", f"/desk/legs/{leg.pk}/")

    def test_the_desk_may_answer_for_a_driver_and_others_may_not(self, leg: Leg, sam, kim, alice, bob, frank) -> None:
        offer = make.offered(leg, sam)
        for by in (kim.user, alice, bob):
            with pytest.raises(PermissionDenied):
                actions.accept_offer(offer, by=by, now=NOW)
            with pytest.raises(PermissionDenied):
                actions.reject_offer(offer, by=by, reason="other", now=NOW)
            with pytest.raises(PermissionDenied):
                actions.revoke_offer(offer, by=by, now=NOW)
        assert actions.accept_offer(offer, by=frank, now=NOW).history.last().actor_role == "admin"


class TestLapse:
    def test_not_before_its_time(self, leg: Leg, sam: Driver) -> None:
        offer = make.offered(leg, sam)
        with pytest.raises(Conflict):
            actions.lapse(offer, now=LATER - SECOND)
        kept = actions.lapse(offer, now=LATER)
        assert (kept.status, kept.reason, kept.ended_at) == ("expired", "Nobody answered in time.", LATER)
        row = kept.history.last()
        assert (row.actor, row.actor_role) == (None, "clock")


class TestInTurn:
    def asked(self, leg: Leg) -> list[tuple[str, str]]:
        rows = leg.dispatches.select_related("driver__user").order_by("pk")
        return [(row.driver.user.first_name, row.status) for row in rows]

    def test_the_first_is_asked_and_the_rest_wait(self, leg: Leg, sam: Driver, kim: Driver, frank: User) -> None:
        asking = make.in_turn(leg, sam, kim, seconds=20)
        assert (asking.drivers, asking.asked, asking.seconds, asking.ended_at) == ([sam.pk, kim.pk], 1, 20, None)
        assert self.asked(leg) == [("Sam", "offered")]
        first = asking.dispatches.get()
        assert (first.deadline, first.history.get().reason) == (NOW + 20 * SECOND, "1 of 2 in turn.")

    def test_each_no_asks_the_next_at_once(self, leg: Leg, sam: Driver, kim: Driver) -> None:
        asking = make.in_turn(leg, sam, kim)
        at = NOW + 7 * SECOND
        actions.reject_offer(asking.dispatches.get(), by=sam.user, reason="too_far", now=at)
        assert self.asked(leg) == [("Sam", "rejected"), ("Kim", "offered")]
        second = asking.dispatches.get(driver=kim)
        assert (second.offered_at, second.deadline) == (at, at + MINUTE), "the next has all the time the first had"
        assert second.history.get().actor is None, "nobody does that but the clock"

    def test_a_lapse_does_too(self, leg: Leg, sam: Driver, kim: Driver) -> None:
        asking = make.in_turn(leg, sam, kim)
        actions.lapse(asking.dispatches.get(), now=LATER)
        assert self.asked(leg) == [("Sam", "expired"), ("Kim", "offered")]

    def test_a_yes_ends_it(self, leg: Leg, sam: Driver, kim: Driver) -> None:
        asking = make.in_turn(leg, sam, kim)
        actions.accept_offer(asking.dispatches.get(), by=sam.user, now=LATER - SECOND)
        assert make.fresh(asking).ended_at == LATER - SECOND
        assert self.asked(leg) == [("Sam", "accepted")]

    def test_when_nobody_is_left_it_is_over(self, leg: Leg, sam: Driver, kim: Driver) -> None:
        asking = make.in_turn(leg, sam, kim)
        actions.lapse(asking.dispatches.get(), now=LATER)
        actions.lapse(asking.dispatches.get(driver=kim), now=LATER + MINUTE)
        assert (make.fresh(asking).ended_at, make.fresh(asking).asked) == (LATER + MINUTE, 2)
        make.in_turn(leg, kim, sam, now=LATER + MINUTE)

    def test_taking_it_back_asks_nobody_else(self, leg: Leg, sam: Driver, kim: Driver, frank: User) -> None:
        asking = make.in_turn(leg, sam, kim)
        actions.revoke_offer(asking.dispatches.get(), by=frank, now=LATER)
        assert make.fresh(asking).ended_at == LATER
        assert self.asked(leg) == [("Sam", "revoked")]

    def test_who_can_no_longer_is_passed_over(self, leg: Leg, sam: Driver, kim: Driver, frank: User) -> None:
        lou, max_ = make.at_work("Lou"), make.at_work("Max")
        asking = make.in_turn(leg, sam, kim, lou, max_)
        actions.go_off_duty(actions.duty.current_shift(kim.pk), by=kim.user, now=NOW)
        make.accepted(make.leg(leg.booking, frank), lou)
        actions.reject_offer(asking.dispatches.get(), by=sam.user, reason="other", now=NOW)
        assert self.asked(leg) == [("Sam", "rejected"), ("Max", "offered")]
        assert make.fresh(asking).asked == 4

    def test_the_first_may_be_passed_over_too(self, leg: Leg, sam: Driver, kim: Driver) -> None:
        make.rejected(leg, sam)
        make.in_turn(leg, sam, kim)
        assert self.asked(leg) == [("Sam", "rejected"), ("Kim", "offered")]

    def test_nobody_at_all_is_refused_and_leaves_nothing(self, leg: Leg, frank: User) -> None:
        with pytest.raises(Conflict, match="None of them can take it now"):
            make.in_turn(leg, make.driver("Off"))
        assert not leg.rounds.exists()

    def test_one_is_named_once_and_five_at_most(self, leg: Leg, sam: Driver, kim: Driver, frank: User) -> None:
        assert make.in_turn(leg, sam, kim, sam).drivers == [sam.pk, kim.pk]
        other = make.leg(leg.booking, frank)
        for wrong in ([], [make.at_work(f"D{n}") for n in range(6)]):
            with pytest.raises(Invalid, match="choose one to 5 drivers"):
                actions.ask_in_turn(other, wrong, by=frank, now=NOW)

    def test_not_beside_an_offer(self, leg: Leg, sam: Driver, kim: Driver) -> None:
        make.offered(leg, sam)
        with pytest.raises(Conflict, match="Sam is being asked"):
            make.in_turn(leg, kim)
