"""What people are told of the road: the kinds of notices, and on which step who gets which.

`tracking.telling` reads the table. Like those of bookings, no notice holds an address, a phone number or a surname.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Model

from accounts.models import Role
from bookings.whom import By
from notifications.kinds import Kind
from notifications.models import Channel, Priority
from tracking.models import Dispatch, Journey, OfferRound, Shift
from tracking.states import ACTIVE_DISPATCH, DispatchStatus, Duty

CUSTOMER, DRIVER, ADMIN = (Role.CUSTOMER,), (Role.DRIVER,), (Role.ADMIN,)
PAGE, MAILED = (Channel.PAGE,), (Channel.PAGE, Channel.EMAIL)
LOW, MEDIUM, HIGH, URGENT = Priority.LOW, Priority.MEDIUM, Priority.HIGH, Priority.URGENT
ROAD, LEGS, DISPATCH = "On the road", "Legs", "Dispatch"

# --- To customers ---------------------------------------------------------------------------------

ON_THE_WAY = Kind(
    "tracking.on_the_way",
    label="Somebody is on the way to you",
    section=ROAD,
    text="{name} is on the way: {what}",
    roles=CUSTOMER,
    priority=HIGH,
    channels=MAILED,
)
NOT_COMING = Kind(
    "tracking.not_coming",
    label="Somebody is no longer on the way to you",
    section=ROAD,
    text="{name} is no longer on the way: {what}",
    roles=CUSTOMER,
    priority=HIGH,
    channels=MAILED,
)
THERE = Kind(
    "tracking.there",
    label="A driver is at the door",
    section=ROAD,
    text="{name} is at your door: {what}",
    roles=CUSTOMER,
    priority=URGENT,
    channels=MAILED,
)
LEG_DONE = Kind(
    "tracking.leg_done",
    label="A delivery, pick-up or tow is done",
    section=ROAD,
    text="{name} is done: {what}",
    roles=CUSTOMER,
)

# --- To drivers -----------------------------------------------------------------------------------

LEG_OFFERED = Kind(
    "tracking.leg_offered",
    label="A leg is offered to you",
    section=LEGS,
    text="{what}, {area}. Answer by {until}",
    roles=DRIVER,
    priority=URGENT,
)
OFFER_BACK = Kind(
    "tracking.offer_back",
    label="An offer was taken back",
    section=LEGS,
    text="The offer was taken back: {what}",
    roles=DRIVER,
)
OFFER_MISSED = Kind(
    "tracking.offer_missed",
    label="An offer lapsed before you answered",
    section=LEGS,
    text="The offer lapsed before you answered: {what}",
    roles=DRIVER,
    priority=LOW,
)
LEG_OFF = Kind(
    "tracking.leg_off",
    label="Your leg was called off",
    section=LEGS,
    text="Your leg was called off: {what}. {why}",
    roles=DRIVER,
    priority=URGENT,
    channels=MAILED,
)
BY_DESK = Kind(
    "tracking.by_desk",
    label="The desk did something for you",
    section=LEGS,
    text="The desk {did}",
    roles=DRIVER,
    priority=HIGH,
)

# --- To the desk ----------------------------------------------------------------------------------

LEG_TAKEN = Kind(
    "tracking.leg_taken",
    label="A driver takes a leg you offered",
    section=DISPATCH,
    text="{name} takes it: {what}",
    roles=ADMIN,
)
LEG_DECLINED = Kind(
    "tracking.leg_declined",
    label="A driver declined a leg you offered",
    section=DISPATCH,
    text="{name} declined: {what}. {why}",
    roles=ADMIN,
    priority=HIGH,
)
OFFER_LAPSED = Kind(
    "tracking.offer_lapsed",
    label="An offer of yours lapsed",
    section=DISPATCH,
    text="The offer to {name} lapsed: {what}. {why}",
    roles=ADMIN,
    priority=HIGH,
)
NOBODY_LEFT = Kind(
    "tracking.nobody_left",
    label="Nobody of those asked in turn takes a leg",
    section=DISPATCH,
    text="Nobody of those asked takes it: {what}",
    roles=ADMIN,
    priority=URGENT,
)
LEG_FAILED = Kind(
    "tracking.leg_failed",
    label="A leg you gave out failed",
    section=DISPATCH,
    text="{name} could not do it: {what}. {why}",
    roles=ADMIN,
    priority=URGENT,
)

# --- Who is told what -----------------------------------------------------------------------------


class Whom(StrEnum):
    """Who is told of a step, in the words of docs/domain.md. Whoever did it is always left out."""

    CUSTOMER = "the job's customer"
    DRIVER = "the driver"
    DESK = "the admin who asked"


@dataclass(frozen=True)
class Told:
    """One notice of a step. `alone`: not of a round, which goes on with the next or ends in a notice of its own.
    `did` says what the desk did for a driver.
    """

    kind: Kind
    whom: Whom
    by: By = By.ANYBODY
    alone: bool = False
    did: str = ""


def desk(did: str) -> Told:
    """What a driver hears when an admin acted for them."""
    return Told(BY_DESK, Whom.DRIVER, By.DESK, did=did)


Step = tuple[type[Model], str, str]  # the row's model, from, to; "" before it is made
OPEN, TURNED_BACK, EXHAUSTED = "open", "turned_back", "exhausted"  # of journeys and rounds, which keep no history
S, D = DispatchStatus, Duty
COMING = (S.EN_ROUTE, S.ARRIVED)  # the customer was told that somebody comes

TABLE: dict[Step, tuple[Told, ...]] = {
    (Dispatch, "", S.OFFERED): (Told(LEG_OFFERED, Whom.DRIVER),),
    (Dispatch, S.OFFERED, S.ACCEPTED): (Told(LEG_TAKEN, Whom.DESK), desk("accepted for you: {what}")),
    (Dispatch, S.OFFERED, S.REJECTED): (
        Told(LEG_DECLINED, Whom.DESK, alone=True),
        desk("declined for you: {what}"),
    ),
    (Dispatch, S.OFFERED, S.EXPIRED): (
        Told(OFFER_LAPSED, Whom.DESK, alone=True),
        Told(OFFER_MISSED, Whom.DRIVER, By.CLOCK),
    ),
    (Dispatch, S.OFFERED, S.REVOKED): (Told(OFFER_BACK, Whom.DRIVER),),
    (Dispatch, S.ACCEPTED, S.EN_ROUTE): (Told(ON_THE_WAY, Whom.CUSTOMER), desk("noted that you set off: {what}")),
    (Dispatch, S.EN_ROUTE, S.ARRIVED): (Told(THERE, Whom.CUSTOMER), desk("noted that you arrived: {what}")),
    (Dispatch, S.ARRIVED, S.COMPLETED): (Told(LEG_DONE, Whom.CUSTOMER), desk("noted that you finished: {what}")),
    **{
        (Dispatch, start, S.FAILED): (
            Told(LEG_FAILED, Whom.DESK),
            desk("noted that it did not work out: {what}"),
            *((Told(NOT_COMING, Whom.CUSTOMER),) if start in COMING else ()),
        )
        for start in ACTIVE_DISPATCH
    },
    **{
        (Dispatch, start, S.CANCELLED): (
            Told(LEG_OFF, Whom.DRIVER),
            *((Told(NOT_COMING, Whom.CUSTOMER),) if start in COMING else ()),
        )
        for start in ACTIVE_DISPATCH
    },
    (OfferRound, OPEN, EXHAUSTED): (Told(NOBODY_LEFT, Whom.DESK),),
    (Journey, "", OPEN): (Told(ON_THE_WAY, Whom.CUSTOMER),),
    (Journey, OPEN, TURNED_BACK): (Told(NOT_COMING, Whom.CUSTOMER),),
    (Shift, D.ON_DUTY, D.ON_BREAK): (desk("put you on a break"),),
    (Shift, D.ON_DUTY, D.OFF_DUTY): (desk("ended your shift"),),
    (Shift, D.ON_BREAK, D.OFF_DUTY): (desk("ended your shift"),),
}

SILENT: dict[Step, str] = {
    (Shift, "", D.ON_DUTY): "Only the driver goes on duty.",
    (Shift, D.ON_BREAK, D.ON_DUTY): "Only the driver ends a break.",
}
