"""Scenes of the road: each ends in one act, and says who exactly hears of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bookings import actions as jobs
from bookings.models import Session
from bookings.tests import make as bookings
from tracking import actions, due
from tracking.access import current_shift
from tracking.models import Driver, Leg, Shift
from tracking.tests import make
from tracking.tests.make import HOUR, MINUTE, NEAR, NOW

Act = Callable[[], object]
Heard = frozenset[tuple[str, str]]
LATER = NOW + MINUTE
SOON = NOW + MINUTE / 2


class Cast:
    """Alice has a job, with Bob's visit; Sam and Kim drive, Frank and Fay are the desk; the rest are strangers."""

    def __init__(self) -> None:
        self.alice = bookings.person("Alice", phone="+44 7700 900321")
        self.charlie = bookings.person("Charlie")
        self.bob, self.dora = bookings.technician("Bob"), bookings.technician("Dora")
        self.frank, self.fay = make.desk(), make.desk("Fay")
        self.sam, self.kim = make.at_work("Sam", at=NEAR), make.at_work("Kim")
        self.visit: Session = bookings.visit(self.alice, self.bob)

    def leg(self) -> Leg:
        """Frank has a boiler brought."""
        return make.leg(self.visit.booking, self.frank)

    def shift(self, driver: Driver | None = None) -> Shift:
        """Sam's, or another's."""
        shift = current_shift((driver or self.sam).pk)
        assert shift is not None
        return shift


@dataclass(frozen=True)
class Scene:
    """`begin(cast)` sets up and returns the last act; `heard` is what exactly follows: (first name, kind)."""

    name: str
    begin: Callable[[Cast], Act]
    heard: Heard


SCENES: list[Scene] = []


def scene(**heard: str) -> Callable[[Callable[[Cast], Act]], Callable[[Cast], Act]]:
    """Declare a scene: scene(alice="there", sam="…"); kinds of bookings by their full name."""

    def declare(begin: Callable[[Cast], Act]) -> Callable[[Cast], Act]:
        named = ((name.capitalize(), kind) for name, kinds in heard.items() for kind in kinds.split())
        pairs = ((name, kind if "." in kind else f"tracking.{kind}") for name, kind in named)
        SCENES.append(Scene(begin.__name__, begin, frozenset(pairs)))
        return begin

    return declare


# --- Offers ---------------------------------------------------------------------------------------


@scene(sam="leg_offered")
def a_leg_is_offered(cast: Cast) -> Act:
    leg = cast.leg()
    return lambda: make.offered(leg, cast.sam)


@scene(sam="leg_offered")
def the_first_of_a_round_is_asked(cast: Cast) -> Act:
    leg = cast.leg()
    return lambda: make.in_turn(leg, cast.sam, cast.kim)


@scene(frank="leg_taken")
def an_offer_is_accepted(cast: Cast) -> Act:
    offer = make.offered(cast.leg(), cast.sam)
    return lambda: actions.accept_offer(offer, by=cast.sam.user, now=SOON)


@scene(frank="leg_taken", sam="by_desk")
def another_admin_accepts_for_the_driver(cast: Cast) -> Act:
    offer = make.offered(cast.leg(), cast.sam)
    return lambda: actions.accept_offer(offer, by=cast.fay, now=SOON)


@scene(frank="leg_declined")
def an_offer_is_declined(cast: Cast) -> Act:
    offer = make.offered(cast.leg(), cast.sam)
    return lambda: actions.reject_offer(offer, by=cast.sam.user, reason="vehicle", now=SOON)


@scene(sam="by_desk")
def the_one_who_asked_declines_for_the_driver(cast: Cast) -> Act:
    offer = make.offered(cast.leg(), cast.sam)
    return lambda: actions.reject_offer(offer, by=cast.frank, reason="vehicle", now=SOON)


@scene(kim="leg_offered")
def who_declines_in_a_round_is_followed_by_the_next(cast: Cast) -> Act:
    first = make.in_turn(cast.leg(), cast.sam, cast.kim).dispatches.get()
    return lambda: actions.reject_offer(first, by=cast.sam.user, reason="vehicle", now=SOON)


@scene(frank="nobody_left")
def the_last_of_a_round_declines(cast: Cast) -> Act:
    first = make.in_turn(cast.leg(), cast.sam).dispatches.get()
    return lambda: actions.reject_offer(first, by=cast.sam.user, reason="vehicle", now=SOON)


@scene(frank="offer_lapsed", sam="offer_missed")
def nobody_answers(cast: Cast) -> Act:
    make.offered(cast.leg(), cast.sam)
    return lambda: due.lapse_offers(LATER)


@scene(sam="offer_missed", kim="leg_offered")
def nobody_answers_in_a_round(cast: Cast) -> Act:
    make.in_turn(cast.leg(), cast.sam, cast.kim)
    return lambda: due.lapse_offers(LATER)


@scene(sam="offer_missed", frank="nobody_left")
def nobody_answers_and_nobody_is_left(cast: Cast) -> Act:
    make.in_turn(cast.leg(), cast.sam)
    return lambda: due.lapse_offers(LATER)


@scene(sam="offer_back")
def an_offer_is_taken_back(cast: Cast) -> Act:
    offer = make.offered(cast.leg(), cast.sam)
    return lambda: actions.revoke_offer(offer, by=cast.frank, now=SOON)


# --- On the road ----------------------------------------------------------------------------------


@scene(alice="on_the_way")
def a_driver_sets_off(cast: Cast) -> Act:
    dispatch = make.accepted(cast.leg(), cast.sam)
    return lambda: actions.set_off(dispatch, by=cast.sam.user, now=SOON)


@scene(alice="on_the_way", sam="by_desk")
def the_desk_notes_that_a_driver_set_off(cast: Cast) -> Act:
    dispatch = make.accepted(cast.leg(), cast.sam)
    return lambda: actions.set_off(dispatch, by=cast.frank, now=SOON)


@scene(alice="there")
def a_driver_arrives(cast: Cast) -> Act:
    dispatch = make.en_route(cast.leg(), cast.sam)
    return lambda: actions.arrive(dispatch, by=cast.sam.user, now=SOON)


@scene(alice="there", sam="by_desk")
def the_desk_notes_that_a_driver_arrived(cast: Cast) -> Act:
    dispatch = make.en_route(cast.leg(), cast.sam)
    return lambda: actions.arrive(dispatch, by=cast.frank, now=SOON)


@scene(alice="leg_done")
def a_driver_finishes(cast: Cast) -> Act:
    dispatch = make.arrived(cast.leg(), cast.sam)
    return lambda: actions.complete(dispatch, by=cast.sam.user, now=SOON)


@scene(alice="leg_done", sam="by_desk")
def the_desk_notes_that_a_driver_finished(cast: Cast) -> Act:
    dispatch = make.arrived(cast.leg(), cast.sam)
    return lambda: actions.complete(dispatch, by=cast.frank, now=SOON)


@scene(frank="leg_failed")
def a_leg_fails_before_anybody_set_off(cast: Cast) -> Act:
    dispatch = make.accepted(cast.leg(), cast.sam)
    return lambda: actions.fail(dispatch, by=cast.sam.user, reason="vehicle", now=SOON)


@scene(frank="leg_failed", alice="not_coming")
def a_leg_fails_on_the_way(cast: Cast) -> Act:
    dispatch = make.en_route(cast.leg(), cast.sam)
    return lambda: actions.fail(dispatch, by=cast.sam.user, reason="vehicle", now=SOON)


@scene(frank="leg_failed", alice="not_coming", sam="by_desk")
def a_leg_fails_at_the_door_says_another_admin(cast: Cast) -> Act:
    dispatch = make.arrived(cast.leg(), cast.sam)
    return lambda: actions.fail(dispatch, by=cast.fay, reason="goods", now=SOON)


@scene(sam="leg_off")
def a_leg_is_taken_off_a_driver_who_has_not_set_off(cast: Cast) -> Act:
    dispatch = make.accepted(cast.leg(), cast.sam)
    return lambda: actions.cancel_dispatch(dispatch, by=cast.frank, reason="Wrong van", now=SOON)


@scene(sam="leg_off", alice="not_coming")
def a_leg_is_taken_off_a_driver_on_the_way(cast: Cast) -> Act:
    dispatch = make.en_route(cast.leg(), cast.sam)
    return lambda: actions.cancel_dispatch(dispatch, by=cast.frank, reason="Wrong van", now=SOON)


@scene(sam="leg_off", alice="not_coming", kim="leg_offered")
def a_leg_goes_to_another_driver(cast: Cast) -> Act:
    dispatch = make.arrived(cast.leg(), cast.sam)
    return lambda: actions.reassign(dispatch, cast.kim, by=cast.frank, reason="Nearer", now=SOON)


@scene(sam="leg_off", alice="not_coming")
def a_leg_under_way_is_called_off(cast: Cast) -> Act:
    dispatch = make.en_route(cast.leg(), cast.sam)
    return lambda: actions.cancel_leg(dispatch.leg, by=cast.frank, reason="Not needed", now=SOON)


@scene(alice="bookings.job_cancelled", bob="bookings.visit_cancelled", sam="leg_off")
def the_desk_calls_the_whole_job_off(cast: Cast) -> Act:
    """The customer hears of the job, and not of the driver too."""
    make.en_route(cast.leg(), cast.sam)
    booking = cast.visit.booking
    return lambda: jobs.cancel_booking(booking, by=cast.frank, reason="mistake", now=SOON)


@scene(bob="bookings.visit_cancelled", sam="leg_off", kim="offer_back")
def the_customer_calls_the_whole_job_off(cast: Cast) -> Act:
    make.en_route(cast.leg(), cast.sam)
    make.offered(cast.leg(), cast.kim)
    return lambda: jobs.cancel_booking(cast.visit.booking, by=cast.alice, reason="mistake", now=SOON)


# --- Visits ---------------------------------------------------------------------------------------


@scene(alice="on_the_way")
def a_technician_sets_out(cast: Cast) -> Act:
    return lambda: actions.set_out(cast.visit, by=cast.bob, now=cast.visit.starts_at - HOUR)


@scene(alice="not_coming")
def a_technician_turns_back(cast: Cast) -> Act:
    journey = actions.set_out(cast.visit, by=cast.bob, now=cast.visit.starts_at - HOUR)
    return lambda: actions.turn_back(journey, by=cast.bob, now=cast.visit.starts_at)


@scene(alice="bookings.at_your_door")
def a_technician_arrives(cast: Cast) -> Act:
    """The visit tells it."""
    actions.set_out(cast.visit, by=cast.bob, now=cast.visit.starts_at - HOUR)
    return lambda: jobs.check_in(cast.visit, by=cast.bob, now=cast.visit.starts_at)


@scene(alice="bookings.technician_released")
def a_technician_gives_the_visit_back_on_the_way(cast: Cast) -> Act:
    actions.set_out(cast.visit, by=cast.bob, now=cast.visit.starts_at - HOUR)
    return lambda: jobs.release(cast.visit, by=cast.bob, reason="Ill", now=cast.visit.starts_at)


# --- Shifts ---------------------------------------------------------------------------------------


@scene()
def a_driver_comes_and_goes_by_themselves(cast: Cast) -> Act:
    def act() -> None:
        actions.end_break(actions.take_break(cast.shift(), by=cast.sam.user, now=SOON), by=cast.sam.user, now=SOON)
        actions.go_off_duty(cast.shift(), by=cast.sam.user, now=SOON)
        make.on_duty(cast.sam, now=LATER)

    return act


@scene(sam="by_desk")
def the_desk_sends_a_driver_on_a_break(cast: Cast) -> Act:
    return lambda: actions.take_break(cast.shift(), by=cast.frank, now=SOON)


@scene(sam="by_desk")
def the_desk_ends_a_shift(cast: Cast) -> Act:
    return lambda: actions.go_off_duty(cast.shift(), by=cast.frank, now=SOON)


@scene(sam="by_desk")
def the_desk_ends_a_shift_from_a_break(cast: Cast) -> Act:
    shift = actions.take_break(cast.shift(), by=cast.sam.user, now=NOW)
    return lambda: actions.go_off_duty(shift, by=cast.frank, now=SOON)


@scene(frank="offer_lapsed")
def a_driver_goes_off_duty_with_an_offer(cast: Cast) -> Act:
    make.offered(cast.leg(), cast.sam)
    return lambda: actions.go_off_duty(cast.shift(), by=cast.sam.user, now=SOON)


@scene()
def an_account_is_closed(cast: Cast) -> Act:
    """Nobody is left to tell."""
    cast.sam.user.is_active = False
    cast.sam.user.save(update_fields=["is_active"])
    return lambda: due.dismiss_drivers(LATER)
