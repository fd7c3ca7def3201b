"""Any order of any actions by any actors: no driver with two active legs, no leg with two drivers, and a history that
replays to what is.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404

from accounts.models import User
from bookings import actions as jobs
from bookings.models import Booking, Session
from bookings.tests.make import accept, offer, person, technician
from common.refusals import Refusal
from tracking import actions, due
from tracking.access import current_shift
from tracking.models import Dispatch, DispatchHistory, Driver, Journey, Leg, OfferRound, Position, Shift
from tracking.states import (
    ACTIVE_DISPATCH,
    DISPATCH_MOVES,
    DUTY_MOVES,
    HOLDING_DISPATCH,
    DispatchStatus,
    Duty,
    FailReason,
    RejectReason,
)
from tracking.tests import make
from tracking.tests.make import MINUTE, NEAR, NOW

STEPS = 120
SEEDS = range(6)


class World:
    """A small town in which everybody may try everything, at a clock that goes on."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.now: datetime = NOW
        self.alice, self.charlie = person("Alice"), person("Charlie")
        self.bob = technician("Bob")
        self.desks = [make.desk("Frank"), make.desk("Fay")]
        self.drivers = [make.at_work(name, at=NEAR) for name in ("Sam", "Kim", "Lou", "Max")]
        self.jobs = [make.job(self.alice), make.job(self.charlie), make.job(self.charlie)]
        accept(offer(self.jobs[0], self.bob))
        self.legs = [make.leg(job, self.desks[0]) for job in self.jobs for _ in range(2)]
        self.everybody = [self.alice, self.charlie, self.bob, *self.desks, *(each.user for each in self.drivers)]
        self.trail: list[str] = []

    # --- Choosing ---

    def anybody(self) -> User:
        return self.dice.choice(self.everybody)

    def desk(self) -> User:
        """Most often an admin."""
        return self.dice.choice(self.desks) if self.dice.random() < 0.9 else self.anybody()

    def driver(self) -> Driver:
        return self.dice.choice(self.drivers)

    def leg(self) -> Leg:
        return self.dice.choice(self.legs)

    def dispatch(self) -> Dispatch:
        """Most often one that goes on."""
        rows = list(Dispatch.objects.all())
        live = [row for row in rows if row.status in HOLDING_DISPATCH]
        chosen = live if live and self.dice.random() < 0.85 else rows
        if not chosen:
            raise Http404
        return self.dice.choice(chosen)

    def by_driver_of(self, dispatch: Dispatch) -> User:
        """Most often its driver."""
        return User.objects.get(pk=dispatch.driver_id) if self.dice.random() < 0.8 else self.anybody()

    def shift(self) -> Shift:
        return self.dice.choice(list(Shift.objects.all()))

    def by_owner_of(self, shift: Shift) -> User:
        return User.objects.get(pk=shift.user_id) if self.dice.random() < 0.8 else self.anybody()

    def device_at(self) -> datetime | None:
        """Some taps come out of a device's queue."""
        return self.now - MINUTE if self.dice.random() < 0.3 else None

    # --- Acting ---

    def go_on_duty(self) -> None:
        who = self.driver().user
        by = who if self.dice.random() < 0.9 else self.anybody()
        actions.go_on_duty(who, by=by, now=self.now, device_at=self.device_at())
        make.place(who, NEAR, now=self.now)

    def duty(self, verb: Callable[..., object]) -> None:
        shift = current_shift(self.driver().pk) if self.dice.random() < 0.7 else self.shift()
        if shift is not None:
            verb(shift, by=self.by_owner_of(shift), now=self.now)

    def make_leg(self) -> None:
        job = self.dice.choice(self.jobs)
        self.legs.append(actions.create_leg(job, by=self.desk(), kind="delivery", note="Box", now=self.now))

    def cancel_leg(self) -> None:
        if self.dice.random() < 0.3:
            actions.cancel_leg(self.leg(), by=self.desk(), reason="Not needed", now=self.now)

    def offer_leg(self) -> None:
        seconds = self.dice.choice([None, 5, 15, 300])
        actions.offer_leg(self.leg(), self.driver(), by=self.desk(), seconds=seconds, now=self.now)

    def ask_in_turn(self) -> None:
        few = self.dice.sample(self.drivers, self.dice.randint(1, len(self.drivers)))
        actions.ask_in_turn(self.leg(), few, by=self.desk(), seconds=20, now=self.now)

    def see_offer(self) -> None:
        dispatch = self.dispatch()
        actions.see_offer(dispatch, by=self.by_driver_of(dispatch), now=self.now)

    def answer(self) -> None:
        dispatch = self.dispatch()
        by = self.by_driver_of(dispatch)
        if self.dice.random() < 0.75:
            actions.accept_offer(dispatch, by=by, now=self.now, device_at=self.device_at())
        else:
            actions.reject_offer(dispatch, by=by, reason=self.dice.choice(RejectReason.values), now=self.now)

    def step(self, verb: Callable[..., object]) -> None:
        dispatch = self.dispatch()
        verb(dispatch, by=self.by_driver_of(dispatch), now=self.now, device_at=self.device_at())

    def fail(self) -> None:
        if self.dice.random() < 0.8:
            dispatch = self.dispatch()
            reason = self.dice.choice(FailReason.values)
            actions.fail(dispatch, by=self.by_driver_of(dispatch), reason=reason, now=self.now)

    def desk_takes(self) -> None:
        dispatch, by = self.dispatch(), self.desk()
        match self.dice.randrange(3):
            case 0:
                actions.revoke_offer(dispatch, by=by, now=self.now)
            case 1:
                actions.cancel_dispatch(dispatch, by=by, reason="Plans", now=self.now)
            case _:
                actions.reassign(dispatch, self.driver(), by=by, reason="Nearer", now=self.now)

    def clock(self) -> None:
        due.run_due(self.now)

    def lapse(self) -> None:
        actions.lapse(self.dispatch(), now=self.now)

    def visit(self) -> None:
        """The job's own people act too: the technician sets out, arrives; now and then somebody calls it off."""
        session = Session.objects.get()
        match self.dice.randrange(12):
            case 0 | 1 | 2 | 3:
                actions.set_out(session, by=self.bob, now=session.starts_at)
            case 4 | 5:
                actions.turn_back(Journey.objects.filter(session=session).latest("pk"), by=self.bob, now=self.now)
            case 6:
                jobs.check_in(session, by=self.bob, now=self.now)
            case 7:
                job = self.dice.choice(self.jobs)
                jobs.cancel_booking(job, by=job.customer, reason="mistake", now=self.now)
            case _:
                pass

    def account(self) -> None:
        """Once in a while an account is closed, and opened again later."""
        if self.dice.random() < 0.15:
            user = self.driver().user
            user = User.objects.get(pk=user.pk)
            user.is_active = not user.is_active
            user.save(update_fields=["is_active"])

    def moves(self) -> list[tuple[str, Callable[[], object]]]:
        """Everything that may be tried, the more often named the likelier."""
        verbs = [self.go_on_duty, self.make_leg, self.cancel_leg, self.ask_in_turn, self.see_offer, self.fail]
        verbs += [self.offer_leg, self.answer] * 3 + [self.desk_takes, self.clock, self.lapse, self.visit, self.account]
        steps = (actions.set_off, actions.arrive, actions.complete) * 2
        shifts = (actions.take_break, actions.end_break, actions.go_off_duty)
        return [
            *((verb.__name__, verb) for verb in verbs),
            *((verb.__name__, partial(self.step, verb)) for verb in steps),
            *((verb.__name__, partial(self.duty, verb)) for verb in shifts),
        ]

    def act(self) -> None:
        """One try of anything. Refusals are fine, whatever else is not."""
        self.now += timedelta(seconds=self.dice.choice([0, 0, 1, 3, 10, 25]))
        name, verb = self.dice.choice(self.moves())
        try:
            verb()
        except (Refusal, PermissionDenied, Http404, Journey.DoesNotExist) as error:
            self.trail.append(f"{self.now:%H:%M:%S} {name}: {error}")
        else:
            self.trail.append(f"{self.now:%H:%M:%S} {name}")


# --- What must hold after every step --------------------------------------------------------------


def replayed(states: list[tuple[str, str]], moves: dict[str, tuple[str, ...]]) -> str:
    """The state that a history leads to; each step must be allowed, and begin where the one before ended."""
    at = ""
    for before, after in states:
        assert before == at, states
        assert after in moves.get(before, ()), states
        at = after
    return at


def check_dispatches() -> None:
    """No driver with two active legs, no leg with two drivers, histories that replay, columns that agree."""
    rows = list(Dispatch.objects.select_related("leg").prefetch_related("history"))
    active = Counter(row.driver_id for row in rows if row.status in ACTIVE_DISPATCH)
    holding = Counter(row.leg_id for row in rows if row.status in HOLDING_DISPATCH)
    assert not [pk for pk, count in active.items() if count > 1], "a driver with two active legs"
    assert not [pk for pk, count in holding.items() if count > 1], "a leg with two drivers"
    for row in rows:
        steps = [(each.from_state, each.to_state) for each in row.history.all()]
        assert replayed(steps, DISPATCH_MOVES) == row.status
        assert (row.ended_at is None) == (row.status in HOLDING_DISPATCH)
        if row.status in HOLDING_DISPATCH:
            assert row.leg.cancelled_at is None, "a leg that was called off is held"
    done = Counter(row.leg_id for row in rows if row.status == DispatchStatus.COMPLETED)
    assert not [pk for pk, count in done.items() if count > 1], "a leg done twice"
    assert not done.keys() & holding.keys(), "a leg that is done is held"


def check_journeys() -> None:
    """En route is an open journey, and nothing else is."""
    journeys = {row.dispatch_id: row for row in Journey.objects.filter(closed_at=None, dispatch__isnull=False)}
    en_route = set(Dispatch.objects.filter(status=DispatchStatus.EN_ROUTE).values_list("pk", flat=True))
    assert journeys.keys() == en_route
    travellers = list(Journey.objects.filter(closed_at=None).values_list("traveller_id", flat=True))
    assert len(travellers) == len(set(travellers))
    for journey in Journey.objects.filter(closed_at=None, session__isnull=False).select_related("session"):
        assert journey.session.status == "pending"


def check_shifts() -> None:
    """One shift a person; off duty or on a break nothing is kept of where they are, and nothing waits for them."""
    rows = list(Shift.objects.prefetch_related("history"))
    on = [row.user_id for row in rows if row.duty != Duty.OFF_DUTY]
    assert len(on) == len(set(on))
    for row in rows:
        steps = [(each.from_state, each.to_state) for each in row.history.all()]
        assert replayed(steps, DUTY_MOVES) == row.duty
    working = {row.user_id for row in rows if row.duty == Duty.ON_DUTY}
    assert set(Position.objects.values_list("user_id", flat=True)) <= working
    asked = Dispatch.objects.filter(status=DispatchStatus.OFFERED).values_list("driver_id", flat=True)
    assert set(asked) <= working
    on_the_way = Dispatch.objects.filter(status=DispatchStatus.EN_ROUTE).values_list("driver_id", flat=True)
    assert set(on_the_way) <= working


def check_rounds() -> None:
    """A round that goes on waits for an answer of one of its own; nobody is asked twice in it."""
    for asking in OfferRound.objects.all():
        drivers = list(asking.dispatches.values_list("driver_id", flat=True))
        assert len(drivers) == len(set(drivers))
        assert set(drivers) <= set(asking.drivers[: asking.asked])
        assert (asking.ended_at is None) == asking.dispatches.filter(status=DispatchStatus.OFFERED).exists()


def check_refusers() -> None:
    """Whoever rejected a leg was not offered it again."""
    for dispatch in Dispatch.objects.filter(status=DispatchStatus.REJECTED):
        again = Dispatch.objects.filter(leg=dispatch.leg_id, driver=dispatch.driver_id, pk__gt=dispatch.pk)
        assert not again.exists()


def check_jobs() -> None:
    """Nothing is driven for a job that was called off."""
    for job in Booking.objects.filter(status__in=("cancelled", "no_show", "expired")):
        assert not Journey.objects.filter(booking=job, closed_at=None).exists()
        assert not Dispatch.objects.filter(leg__booking=job, status__in=HOLDING_DISPATCH).exists()


CHECKS = (check_dispatches, check_journeys, check_shifts, check_rounds, check_refusers, check_jobs)


def check_everything() -> None:
    """All that must hold."""
    for check in CHECKS:
        check()


@pytest.mark.django_db
@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_of_any_actions_by_any_actors(seed: int) -> None:
    world = World(seed)
    try:
        for _ in range(STEPS):
            world.act()
            check_everything()
    except Exception as error:
        error.add_note(f"Seed {seed}, after:\n" + "\n".join(world.trail))
        raise


@pytest.mark.django_db
def test_the_walk_goes_far() -> None:
    """Or the test above would prove little."""
    offers = {("offered", after) for after in DISPATCH_MOVES[DispatchStatus.OFFERED]}
    wanted = offers | {("", "offered"), ("accepted", "en_route"), ("en_route", "arrived"), ("arrived", "completed")}
    seen: set[tuple[str, str]] = set()
    for seed in SEEDS:
        with transaction.atomic():
            world = World(seed)
            for _ in range(STEPS):
                world.act()
            seen |= set(DispatchHistory.objects.values_list("from_state", "to_state"))
            transaction.set_rollback(True)
    assert wanted <= seen, wanted - seen
    assert {"cancelled", "failed"} <= {after for _, after in seen}
