"""Races with real threads, on either database: one accepted leg, readable refusals, and nothing happens twice."""

from __future__ import annotations

from functools import partial

import pytest

from accounts.models import User
from bookings import actions as jobs
from bookings.tests.make import person
from common.refusals import Conflict
from common.tests.race import at_once, split
from tracking import actions, due
from tracking.models import Dispatch, DispatchHistory, Driver, Journey, Leg, OfferRound, Position, Shift, ShiftHistory
from tracking.states import ACTIVE_DISPATCH, HOLDING_DISPATCH, FailReason, RejectReason
from tracking.tests import make
from tracking.tests.make import MINUTE, NEAR, NOW

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + MINUTE  # the deadline of an offer made at NOW
DESKS, DRIVERS = 20, 20


@pytest.fixture
def alice() -> User:
    return person("Alice")


@pytest.fixture
def frank() -> User:
    return make.desk()


@pytest.fixture
def sam() -> Driver:
    return make.at_work("Sam", at=NEAR)


@pytest.fixture
def kim() -> Driver:
    return make.at_work("Kim")


def refusals(errors: list[Exception]) -> list[str]:
    """The sentences of the losers; anything but a readable refusal fails."""
    assert all(isinstance(error, Conflict) for error in errors), errors
    sentences = [error.sentence for error in errors if isinstance(error, Conflict)]
    assert all(sentence.endswith(".") and len(sentence) > 15 for sentence in sentences), sentences
    assert all(error.next_url for error in errors if isinstance(error, Conflict))
    return sentences


def check_invariants() -> None:
    """No driver with two active legs, no leg with two drivers, and history that replays."""
    active = list(Dispatch.objects.filter(status__in=ACTIVE_DISPATCH).values_list("driver_id", flat=True))
    assert len(active) == len(set(active))
    holding = list(Dispatch.objects.filter(status__in=HOLDING_DISPATCH).values_list("leg_id", flat=True))
    assert len(holding) == len(set(holding))
    for dispatch in Dispatch.objects.all():
        assert make.states(dispatch)[-1] == dispatch.status


class TestTwentyDesks:
    def test_of_twenty_desks_that_offer_one_leg_one_asks(self, alice, frank) -> None:
        """Each asks a driver of its own."""
        leg = make.leg(make.job(alice), frank)
        desks = [make.desk(f"Desk{n}") for n in range(DESKS)]
        drivers = [make.at_work(f"D{n}") for n in range(DRIVERS)]
        calls = [
            partial(actions.offer_leg, leg, driver, by=desk, now=NOW)
            for desk, driver in zip(desks, drivers, strict=True)
        ]
        won, lost = split(at_once(calls))
        assert (len(won), len(lost)) == (1, DESKS - 1)
        name = won[0].driver.user.first_name
        assert set(refusals(lost)) == {f"{name} is being asked. Take it back first, or look what comes of it."}
        assert Dispatch.objects.count() == DispatchHistory.objects.count() == 1

    def test_twenty_desks_offer_and_twenty_drivers_answer(self, alice, frank) -> None:
        """All at once, and again and again: whoever is asked accepts. One has the leg at the end, once."""
        leg = make.leg(make.job(alice), frank)
        desks = [make.desk(f"Desk{n}") for n in range(DESKS)]
        drivers = [make.at_work(f"D{n}") for n in range(DRIVERS)]

        def ask(place: int) -> object:
            return actions.offer_leg(leg, drivers[place], by=desks[place], now=NOW)

        def answer(place: int) -> object:
            mine = None
            for _ in range(200):
                mine = Dispatch.objects.filter(leg=leg, driver=drivers[place]).first()
                if mine or Dispatch.objects.filter(leg=leg, status="accepted").exists():
                    break
            return actions.accept_offer(mine, by=drivers[place].user, now=NOW) if mine else None

        results = at_once([partial(work, n) for n in range(DESKS) for work in (ask, answer)])
        refusals(split(results)[1])
        asked = Dispatch.objects.get(leg=leg)
        if asked.status == "offered":  # its driver looked before it was there
            actions.accept_offer(asked, by=asked.driver.user, now=NOW)
        assert Dispatch.objects.filter(leg=leg, status="accepted").count() == 1
        assert DispatchHistory.objects.filter(to_state="accepted").count() == 1
        check_invariants()

    def test_of_twenty_taps_on_accept_one_counts(self, alice, frank, sam) -> None:
        offer = make.offered(make.leg(make.job(alice), frank), sam)
        won, lost = split(at_once([partial(actions.accept_offer, offer, by=sam.user, now=NOW)] * 20))
        assert (len(won), len(lost)) == (1, 19)
        assert set(refusals(lost)) == {
            "Things moved on a moment ago: this leg is now accepted. Your screen shows what is next."
        }
        assert make.states(offer) == ["offered", "accepted"]

    def test_a_driver_who_accepts_twenty_offers_at_once_has_one_leg(self, alice, frank, sam) -> None:
        job = make.job(alice)
        offers = [make.offered(make.leg(job, frank, note=f"Box {n}"), sam) for n in range(20)]
        won, lost = split(at_once([partial(actions.accept_offer, offer, by=sam.user, now=NOW) for offer in offers]))
        assert (len(won), len(lost)) == (1, 19)
        note = won[0].leg.note
        assert set(refusals(lost)) == {f"You have a leg already: “{note}”. Finish that one first."}
        assert Dispatch.objects.filter(status__in=ACTIVE_DISPATCH).count() == 1
        assert Dispatch.objects.filter(status="offered").count() == 19
        check_invariants()

    def test_twenty_desks_begin_a_round_and_one_goes_on(self, alice, frank, sam, kim) -> None:
        """The rounds name the drivers in different orders: nobody waits for another for ever."""
        leg = make.leg(make.job(alice), frank)
        orders = [(sam, kim), (kim, sam)]
        calls = [partial(actions.ask_in_turn, leg, orders[n % 2], by=frank, now=NOW) for n in range(DESKS)]
        won, lost = split(at_once(calls))
        assert (len(won), len(lost)) == (1, DESKS - 1)
        refusals(lost)
        assert OfferRound.objects.count() == Dispatch.objects.count() == 1


class TestTheLastInstant:
    """What happens at the deadline settles one way, and everybody reads the same."""

    def test_a_lapse_and_an_accept(self, alice, frank, sam) -> None:
        """The driver's tap came in a moment before the deadline, the clock comes by at it."""
        job = make.job(alice)
        for n in range(10):
            offer = make.offered(make.leg(job, frank, note=f"Box {n}"), sam)
            before = LATER - MINUTE / 600
            accepted, lapsed = at_once(
                [
                    partial(actions.accept_offer, offer, by=sam.user, now=before),
                    partial(due.lapse_offers, LATER),
                ]
            )
            kept = make.fresh(offer)
            if isinstance(accepted, Conflict):
                assert refusals([accepted]) == ["This offer lapsed at 09:01:00. Your screen shows what is next."]
                assert make.states(offer) == ["offered", "expired"]
                assert lapsed == 1
            else:
                assert make.states(offer) == ["offered", "accepted"]
                assert (kept.status, lapsed) == ("accepted", 0)
                actions.fail(offer, by=sam.user, reason=FailReason.OTHER, now=LATER)
            check_invariants()

    def test_an_accept_after_the_deadline_never_wins(self, alice, frank, sam) -> None:
        job = make.job(alice)
        for n in range(5):
            offer = make.offered(make.leg(job, frank, note=f"Box {n}"), sam)
            accepted, _ = at_once(
                [partial(actions.accept_offer, offer, by=sam.user, now=LATER), partial(due.lapse_offers, LATER)]
            )
            assert refusals([accepted]) == ["This offer lapsed at 09:01:00. Your screen shows what is next."]
            due.lapse_offers(LATER)  # the clock skipped the row, if the driver held it
            assert make.states(offer) == ["offered", "expired"]

    def test_a_revocation_and_an_accept(self, alice, frank, sam) -> None:
        job = make.job(alice)
        for n in range(8):
            offer = make.offered(make.leg(job, frank, note=f"Box {n}"), sam)
            accepted, revoked = at_once(
                [
                    partial(actions.accept_offer, offer, by=sam.user, now=NOW),
                    partial(actions.revoke_offer, offer, by=frank, now=NOW),
                ]
            )
            assert isinstance(accepted, Conflict) is not isinstance(revoked, Conflict)
            if isinstance(accepted, Conflict):
                assert refusals([accepted])[0].startswith("The desk took this offer back a moment ago.")
            else:
                assert refusals([revoked]) == ["Things moved on a moment ago: this leg is now accepted."]
                actions.fail(offer, by=sam.user, reason=FailReason.OTHER, now=NOW)

    def test_a_rejection_and_a_lapse_ask_the_next_once(self, alice, frank, sam, kim) -> None:
        job = make.job(alice)
        for n in range(6):
            asking = make.in_turn(make.leg(job, frank, note=f"Box {n}"), sam, kim)
            first = asking.dispatches.get()
            before = LATER - MINUTE / 600
            results = at_once(
                [
                    partial(actions.reject_offer, first, by=sam.user, reason=RejectReason.TOO_FAR, now=before),
                    partial(due.lapse_offers, LATER),
                ]
            )
            refusals(split(results)[1])
            assert sorted(asking.dispatches.values_list("driver_id", flat=True)) == sorted([sam.pk, kim.pk])
            assert make.fresh(asking).asked == 2
            actions.revoke_offer(asking.dispatches.get(driver=kim), by=frank, now=NOW)


class TestTwoClocks:
    """Several clocks tick at the same moment: every offer lapses once."""

    def test_offers_lapse_once(self, alice, frank) -> None:
        job = make.job(alice)
        drivers = [make.at_work(f"D{n}") for n in range(12)]
        for n, driver in enumerate(drivers):
            make.offered(make.leg(job, frank, note=f"Box {n}"), driver)
        done, failed = split(at_once([partial(due.run_due, LATER)] * 4))
        assert failed == []
        assert sum(done) + due.run_due(LATER) == 12
        assert DispatchHistory.objects.filter(to_state="expired").count() == 12

    def test_rounds_go_on_once(self, alice, frank) -> None:
        """Rounds that name the same drivers in different orders, all due at once: nobody waits for ever."""
        job = make.job(alice)
        drivers = [make.at_work(f"D{n}") for n in range(6)]
        rounds = [
            make.in_turn(make.leg(job, frank, note=f"Box {n}"), *(drivers[n:] + drivers[:n])[:5]) for n in range(6)
        ]
        at = LATER
        for _ in range(6):
            done, failed = split(at_once([partial(due.run_due, at)] * 3))
            assert failed == []
            assert sum(done) + due.run_due(at) == (6 if at < LATER + 5 * MINUTE else 0)
            at += MINUTE
        for asking in rounds:
            assert list(asking.dispatches.order_by("pk").values_list("driver_id", flat=True)) == asking.drivers
            assert make.fresh(asking).ended_at == LATER + 4 * MINUTE
        assert DispatchHistory.objects.filter(to_state="expired").count() == 30


class TestDuty:
    def test_going_on_duty_twice_at_once_is_one_shift(self) -> None:
        sam = make.driver("Sam")
        won, lost = split(at_once([partial(actions.go_on_duty, sam.user, by=sam.user, now=NOW)] * 8))
        assert (len(won), len(lost)) == (1, 7)
        assert set(refusals(lost)) == {"You are on duty already."}
        assert Shift.objects.count() == ShiftHistory.objects.count() == 1

    def test_whoever_goes_off_duty_keeps_no_offer(self, alice, frank, sam) -> None:
        """Offers come in at the moment the shift ends: refused, or lapsed with it; none waits for nobody."""
        job = make.job(alice)
        legs = [make.leg(job, frank, note=f"Box {n}") for n in range(8)]
        shift = Shift.objects.get(user=sam.user)
        calls = [partial(actions.offer_leg, leg, sam, by=frank, now=NOW) for leg in legs]
        results = at_once([*calls, partial(actions.go_off_duty, shift, by=sam.user, now=NOW)])
        refused = refusals(split(results)[1])
        assert set(refused) <= {"Sam cannot take this leg: off duty."}
        assert make.fresh(shift).duty == "off_duty"
        assert not Position.objects.exists()
        assert set(Dispatch.objects.values_list("status", flat=True)) <= {"expired"}
        assert Dispatch.objects.count() + len(refused) == 8

    def test_whoever_accepts_while_going_off_duty_does_one_of_both(self, alice, frank, sam) -> None:
        job = make.job(alice)
        for n in range(8):
            shift = Shift.objects.exclude(duty="off_duty").get(user=sam.user)
            offer = make.offered(make.leg(job, frank, note=f"Box {n}"), sam)
            accepted, off = at_once(
                [
                    partial(actions.accept_offer, offer, by=sam.user, now=NOW),
                    partial(actions.go_off_duty, shift, by=sam.user, now=NOW),
                ]
            )
            assert isinstance(accepted, Conflict) is not isinstance(off, Conflict)
            if isinstance(accepted, Conflict):
                assert make.states(offer) == ["offered", "expired"]
                make.on_duty(sam)
            else:
                assert "is not finished (accepted)" in refusals([off])[0]
                actions.fail(offer, by=sam.user, reason=FailReason.OTHER, now=NOW)

    def test_two_drivers_of_crosswise_rounds_go_off_duty_at_once(self, alice, frank) -> None:
        job = make.job(alice)
        for n in range(5):
            one, two = make.at_work(f"One{n}"), make.at_work(f"Two{n}")
            make.in_turn(make.leg(job, frank, note=f"Box {n}"), one, two)
            make.in_turn(make.leg(job, frank, note=f"Bag {n}"), two, one)
            shifts = [Shift.objects.get(user=each.user) for each in (one, two)]
            won, lost = split(at_once([partial(actions.go_off_duty, each, by=each.user, now=NOW) for each in shifts]))
            assert (len(won), lost) == (2, [])
        assert not Dispatch.objects.exclude(status="expired").exists()
        assert not OfferRound.objects.filter(ended_at=None).exists()


class TestOnTheRoad:
    def test_an_arrival_and_a_cancellation(self, alice, frank, sam) -> None:
        """The job is called off as the driver taps "I am here": over either way, with one end of the journey."""
        for n in range(6):
            job = make.job(alice, title=f"Job {n}")
            dispatch = make.en_route(make.leg(job, frank), sam)
            results = at_once(
                [
                    partial(actions.arrive, dispatch, by=sam.user, now=NOW),
                    partial(jobs.cancel_booking, job, by=alice, reason="mistake", now=NOW),
                ]
            )
            refusals(split(results)[1])
            assert make.states(dispatch)[-1] == "cancelled"
            journey = Journey.objects.get(dispatch=dispatch)
            assert journey.end == ("arrived" if "arrived" in make.states(dispatch) else "cancelled")
            assert make.fresh(dispatch.leg).cancelled_at == NOW
            check_invariants()

    def test_a_cancelled_job_keeps_no_offer(self, alice, frank, sam) -> None:
        for n in range(6):
            job = make.job(alice, title=f"Job {n}")
            leg = make.leg(job, frank)
            results = at_once(
                [
                    partial(actions.offer_leg, leg, sam, by=frank, now=NOW),
                    partial(jobs.cancel_booking, job, by=alice, reason="mistake", now=NOW),
                    partial(make.leg, job, frank, note="Another"),
                ]
            )
            refusals(split(results)[1])
            assert not Dispatch.objects.filter(status="offered").exists()
            assert not Leg.objects.filter(booking=job, cancelled_at=None).exists()

    def test_several_journeys_of_one_job_end_together_whoever_asks(self, alice, frank) -> None:
        """Two legs and a cancellation, while each driver takes a step: nobody waits for ever."""
        for n in range(4):
            job = make.job(alice, title=f"Job {n}")
            drivers = [make.at_work(f"D{n}x{m}") for m in range(4)]
            dispatches = [make.en_route(make.leg(job, frank, note=f"Box {m}"), each) for m, each in enumerate(drivers)]
            calls = [
                partial(actions.arrive, each, by=who.user, now=NOW)
                for each, who in zip(dispatches, drivers, strict=True)
            ]
            results = at_once([*calls, partial(jobs.cancel_booking, job, by=alice, reason="mistake", now=NOW)])
            refusals(split(results)[1])
            assert not Journey.objects.filter(closed_at=None).exists()
            assert {make.fresh(each).status for each in dispatches} == {"cancelled"}

    def test_crosswise_reassignments_do_not_wait_for_each_other_for_ever(self, alice, frank) -> None:
        job = make.job(alice)
        for n in range(5):
            one, two = make.at_work(f"One{n}"), make.at_work(f"Two{n}")
            mine = make.en_route(make.leg(job, frank, note=f"Box {n}"), one)
            yours = make.en_route(make.leg(job, frank, note=f"Bag {n}"), two)
            won, lost = split(
                at_once(
                    [
                        partial(actions.reassign, mine, two, by=frank, reason="Nearer", now=NOW),
                        partial(actions.reassign, yours, one, by=frank, reason="Nearer", now=NOW),
                    ]
                )
            )
            assert (len(won), lost) == (2, [])
            assert {make.fresh(each).status for each in (mine, yours)} == {"cancelled"}
            check_invariants()
            for offer in won:
                actions.revoke_offer(offer, by=frank, now=NOW)
