"""What the database itself refuses, whatever the code does: one active leg a driver and a leg, shifts, journeys."""

from __future__ import annotations

import copy

import pytest
from django.db import IntegrityError, models, transaction

from bookings.tests.make import visit
from tracking import actions
from tracking.models import Dispatch, Fix, Journey, Leg, OfferRound, RefusedFixes, Shift
from tracking.states import ACTIVE_DISPATCH, HOLDING_DISPATCH, DispatchStatus
from tracking.tests import make
from tracking.tests.make import HOUR, MINUTE, NOW


@pytest.fixture
def sam(db):
    return make.at_work("Sam")


@pytest.fixture
def kim(db):
    return make.at_work("Kim")


@pytest.fixture
def leg(alice, frank) -> Leg:
    return make.leg(make.job(alice), frank)


def refused(row: models.Model, **changes: object) -> None:
    """Saving `row` with `changes` violates a constraint."""
    wrong = copy.copy(row)
    for name, value in changes.items():
        setattr(wrong, name, value)
    with pytest.raises(IntegrityError), transaction.atomic():
        wrong.save()


def let_through(row: models.Model, **changes: object) -> None:
    """Saving `row` with `changes` is fine."""
    for name, value in changes.items():
        setattr(row, name, value)
    with transaction.atomic():
        row.save()


@pytest.mark.parametrize("status", HOLDING_DISPATCH)
@pytest.mark.parametrize("other", HOLDING_DISPATCH)
def test_one_driver_holds_a_leg(leg, sam, kim, status, other):
    dispatch = make.offered(leg, sam)
    let_through(dispatch, status=status)
    refused(dispatch, pk=None, driver=kim, status=other)


@pytest.mark.parametrize("status", ACTIVE_DISPATCH)
@pytest.mark.parametrize("other", ACTIVE_DISPATCH)
def test_one_active_leg_a_driver(alice, frank, leg, sam, status, other):
    dispatch = make.offered(leg, sam)
    let_through(dispatch, status=status)
    refused(dispatch, pk=None, leg=make.leg(leg.booking, frank), status=other)


def test_an_offer_beside_an_active_leg_is_fine(frank, leg, sam):
    dispatch = make.accepted(leg, sam)
    let_through(dispatch, pk=None, leg=make.leg(leg.booking, frank), status=DispatchStatus.OFFERED)


@pytest.mark.parametrize("status", sorted(set(DispatchStatus.values) - set(HOLDING_DISPATCH)))
def test_what_is_over_stands_in_nobodys_way(leg, sam, kim, status):
    dispatch = make.offered(leg, sam)
    let_through(dispatch, status=status)
    let_through(dispatch, pk=None, driver=kim, status=DispatchStatus.ACCEPTED)
    assert Dispatch.objects.count() == 2


def test_a_state_is_one_of_the_list(leg, sam):
    refused(make.offered(leg, sam), status="lost")
    refused(Shift.objects.get(), duty="asleep")
    refused(leg, kind="flight")
    refused(sam, vehicle="horse")


def test_a_deadline_is_ahead(leg, sam):
    refused(make.offered(leg, sam), deadline=NOW)


def test_a_pick_up_has_both_coordinates_or_none(leg):
    refused(leg, pick_up_latitude=51.5)


def test_one_shift_a_person(sam):
    shift = Shift.objects.get()
    refused(shift, pk=None, duty="on_break")
    actions.go_off_duty(make.fresh(Shift.objects.get()), by=sam.user, now=NOW + HOUR)
    make.on_duty(sam, now=NOW + 2 * HOUR)
    assert Shift.objects.count() == 2


def test_a_shift_ends_when_it_goes_off_duty_and_only_then(sam):
    refused(Shift.objects.get(), ended_at=NOW)
    refused(Shift.objects.get(), duty="off_duty")


def test_one_round_at_a_time_a_leg(leg, sam, kim):
    asking = make.in_turn(leg, sam, kim)
    refused(asking, pk=None)
    let_through(make.fresh(asking), ended_at=NOW)
    let_through(OfferRound(leg=leg, drivers=[], seconds=60, by=leg.created_by, made_at=NOW))


def test_one_open_journey_a_traveller(leg, frank, sam, kim):
    make.en_route(leg, sam)
    journey = Journey.objects.get()
    refused(journey, pk=None)
    let_through(make.fresh(journey), closed_at=NOW + MINUTE, end="arrived")
    let_through(journey, pk=None, closed_at=None, end="")


def test_a_journey_belongs_to_a_visit_or_a_dispatch(alice, bob, leg, sam):
    make.en_route(leg, sam)
    journey = Journey.objects.get()
    refused(journey, session=visit(alice, bob))
    refused(make.fresh(journey), dispatch=None)


@pytest.mark.parametrize("changes", [{"closed_at": NOW}, {"end": "arrived"}])
def test_a_journey_is_closed_for_a_reason(leg, sam, changes):
    make.en_route(leg, sam)
    refused(Journey.objects.get(), **changes)


def test_a_fix_is_kept_once_a_moment(sam):
    values = {"user": sam.user, "at": NOW, "received_at": NOW, "latitude": 51.5, "longitude": -0.1}
    Fix.objects.create(**values)
    refused(Fix(**values))


def test_refused_fixes_are_counted_in_one_row_a_day_and_reason(sam):
    values = {"user": sam.user, "day": NOW.date(), "reason": "jump", "count": 1}
    RefusedFixes.objects.create(**values)
    refused(RefusedFixes(**values))
    refused(RefusedFixes(**{**values, "reason": "boredom"}))
