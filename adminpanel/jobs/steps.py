"""What the desk may do on behalf of a job's customer or technician, each with its page and its line in the audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from accounts.models import User
from adminpanel.forms.bookings import NoteForm, TriedForm, WhyForm
from adminpanel.jobs.rows import Case
from bookings import actions
from bookings.links import desk_url
from bookings.models import RescheduleProposal, Session
from bookings.states import Party, SessionStatus
from common.refusals import Conflict

Data = Mapping[str, Any]
CUSTOMER, TECHNICIAN = Party.CUSTOMER, Party.TECHNICIAN


@dataclass(frozen=True)
class Step:
    """One thing that somebody might have done themselves.

    `side` is whose doing it is, `verb` what the audit calls it, `states` those of the visit in which it can be done.
    `act` gets the visit, the admin and what the form holds.
    """

    title: str
    button: str
    verb: str
    side: str
    states: tuple[str, ...]
    act: Callable[[Session, User, Data], object]
    text: str = ""
    form: type[forms.Form] = WhyForm
    icon: str = "check"
    danger: bool = False

    def fits(self, case: Case) -> bool:
        """Whether it can be done now."""
        return case.visit is not None and case.visit.status in self.states

    def person(self, visit: Session) -> User:
        """On whose behalf."""
        return visit.booking.customer if self.side == CUSTOMER else visit.technician.user


V = SessionStatus
BEFORE = (V.PENDING, V.WAITING)


def proposal_of(visit: Session) -> RescheduleProposal:
    """The last wish to move the visit; whose it is and whether it stands is the action's to ask.

    Raises `Conflict` where there was none.
    """
    rows = visit.proposals.select_related("session__booking", "session__bid")
    found = rows.order_by("proposed_at", "pk").last()
    if found is None:
        raise Conflict(
            "Nobody asks to move this visit.", next_url=desk_url("booking", visit.booking_id), next_label="See the job"
        )
    return found


def tried(party: str) -> Callable[[Session, User, Data], object]:
    """Note that one side tried to reach the other."""
    return lambda visit, by, data: actions.record_contact_attempt(
        visit, by=by, channel=data["channel"], note=data["reason"], party=party
    )


STEPS: dict[str, Step] = {
    "check_in": Step(
        "Check {name} in?", "Check in", "checked_in", TECHNICIAN, (V.PENDING,),
        lambda visit, by, data: actions.check_in(visit, by=by),
        "As if {name} had tapped “I have arrived”. The customer is told, and sees the start code.", icon="door-open",
    ),
    "start": Step(
        "Let the work begin?", "Start the work", "let_work_begin", CUSTOMER, (V.WAITING,),
        lambda visit, by, data: actions.start_session(visit, by=by),
        "As if the customer had tapped it. The work clock starts at once.", icon="circle-play",
    ),
    "pause": Step(
        "Pause the work?", "Pause", "paused_work", TECHNICIAN, (V.LIVE,),
        lambda visit, by, data: actions.pause_session(visit, by=by, reason=data["reason"]),
        "The work clock stands still until it goes on.", icon="circle-pause",
    ),
    "resume": Step(
        "Let the work go on?", "Go on", "resumed_work", TECHNICIAN, (V.PAUSED,),
        lambda visit, by, data: actions.resume_session(visit, by=by), icon="circle-play",
    ),
    "finish": Step(
        "Finish the work?", "Finish", "finished_work", TECHNICIAN, (V.LIVE, V.PAUSED),
        lambda visit, by, data: actions.complete_session(visit, by=by, note=data["note"]),
        "The work clock stops, and the job is done.", form=NoteForm, icon="circle-check",
    ),
    "code": Step(
        "Make a new start code?", "New code", "renewed_start_code", CUSTOMER, BEFORE,
        lambda visit, by, data: actions.renew_start_code(visit, by=by),
        "The old one stops working at once, and wrong tries are forgotten.", icon="key-round",
    ),
    "take_back": Step(
        "Take the job back from {name}?", "Take it back", "took_visit_back", TECHNICIAN, (V.PENDING,),
        lambda visit, by, data: actions.release(visit, by=by, reason=data["reason"]),
        "The visit is called off, the job takes offers again, and the customer owes nothing.", icon="undo-2",
        danger=True,
    ),
    "agree": Step(
        "Agree to the time that {name} asks for?", "Agree", "agreed_to_move", CUSTOMER, (V.PENDING,),
        lambda visit, by, data: actions.accept_reschedule(proposal_of(visit), by=by), "The visit moves at once.",
    ),
    "keep": Step(
        "Keep the time as it is?", "Keep the time", "declined_to_move", CUSTOMER, (V.PENDING,),
        lambda visit, by, data: actions.decline_reschedule(proposal_of(visit), by=by), icon="x",
    ),
    "customer_tried": Step(
        "Did the customer try to reach {name}?", "Note it", "noted_contact", CUSTOMER, BEFORE, tried(CUSTOMER),
        "It is kept with the visit. Without it, a visit cannot be closed as a no-show.", TriedForm, "phone",
    ),
    "technician_tried": Step(
        "Did {name} try to reach the customer?", "Note it", "noted_contact", TECHNICIAN, BEFORE, tried(TECHNICIAN),
        "It is kept with the visit. Without it, a visit cannot be closed as a no-show.", TriedForm, "phone",
    ),
    "technician_absent": Step(
        "{name} did not come?", "Close as a no-show", "reported_no_show", CUSTOMER, (V.PENDING,),
        lambda visit, by, data: actions.report_no_show(visit, by=by, party=CUSTOMER),
        "The visit is closed, and nothing is owed. This cannot be taken back.", icon="user-x", danger=True,
    ),
    "customer_absent": Step(
        "Nobody opened the door?", "Close as a no-show", "reported_no_show", TECHNICIAN, (V.WAITING,),
        lambda visit, by, data: actions.report_no_show(visit, by=by, party=TECHNICIAN),
        "The visit is closed, with the fee that the rule says. This cannot be taken back.", icon="user-x", danger=True,
    ),
}  # fmt: skip
