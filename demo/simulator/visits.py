"""How simulated technicians run a visit, and simulated customers receive one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from accounts.models import User
from bookings.actions import (
    accept_reschedule,
    cancel_booking,
    check_in,
    complete_session,
    decline_reschedule,
    pause_session,
    propose_reschedule,
    resume_session,
    start_session,
)
from bookings.models import RescheduleProposal, Session
from bookings.states import CancelReason, Party, ProposalStatus, SessionStatus
from common.refusals import Refusal
from demo.errands import home_of
from demo.simulator.world import World
from demo.words import MOVES, PAUSES, note_for
from tracking.actions import set_out
from tracking.models import Journey

JUST_AGREED = timedelta(minutes=15)  # a visit agreed so lately runs at the demo's pace, others at their own time
TOO_LATE = timedelta(hours=1)
ON_THE_ROAD = timedelta(seconds=80)  # so long a technician is seen coming


def visits(world: World, *states: str) -> QuerySet[Session]:
    """Visits in one of `states`, with both sides."""
    return Session.objects.for_pages().filter(status__in=states).order_by("pk")


def of_technicians(world: World, *states: str) -> QuerySet[Session]:
    """Those that a simulated technician runs."""
    return visits(world, *states).filter(technician_id__in=world.technicians)


def of_customers(world: World, *states: str) -> QuerySet[Session]:
    """Those that a simulated customer receives."""
    return visits(world, *states).filter(booking__customer_id__in=world.customers)


def for_a_person(world: World, session: Session) -> bool:
    """Whether a person waits for it."""
    return session.booking.customer_id not in world.customers


# --- technicians ----------------------------------------------------------------------------------


def come(world: World) -> int:
    """Whoever was just chosen by a person sets out within ten seconds; others some minutes later, or at their time.

    At the door they check in. Nobody sets out while nobody looks on, or where that is refused: they are there when
    they would have been.
    """
    done = 0
    for session in coming(world):
        a_person_waits = for_a_person(world, session)
        seen = (a_person_waits or world.is_watched) and not world.gave_up("set out", session.pk)
        if session.under_way:  # type: ignore[attr-defined]
            home = home_of(session.booking)
            if home is not None and world.fleet.is_there(session.technician_id, home):
                done += arrive(world, session)
        elif seen and on_time(world, session, (5, 9) if a_person_waits else (40, 110), before=ON_THE_ROAD):
            leave = partial(set_out, session, by=session.technician.user, now=world.now)
            done += world.attempt(leave, "set out", session.pk)
        elif not seen and on_time(world, session, (20, 30) if a_person_waits else (60, 150)):
            done += arrive(world, session)
    return done


def arrive(world: World, session: Session) -> bool:
    """Ring the bell."""
    return act(world, "arrive", session, lambda s: check_in(s, by=s.technician.user, now=world.now))


def coming(world: World) -> QuerySet[Session]:
    """Visits ahead of simulated technicians, unless somebody asked to move them, with whether they are on the way."""
    asked = Q(proposals__status=ProposalStatus.PROPOSED)
    under_way = Exists(Journey.objects.filter(session=OuterRef("pk"), closed_at__isnull=True))
    pending = of_technicians(world, SessionStatus.PENDING).exclude(asked)
    return pending.annotate(moved_at=Max("proposals__answered_at"), under_way=under_way)


def on_time(world: World, session: Session, span: tuple[float, float], *, before: timedelta = timedelta(0)) -> bool:
    """Whether a visit agreed lately is due some seconds after that, or any other at its time or `before` it."""
    moved_at: datetime | None = session.moved_at  # type: ignore[attr-defined]
    since = max(session.created_at, moved_at or session.created_at)
    soon = world.now - since < JUST_AGREED and world.due(since, *span, "arrive", session.pk)
    return soon or session.starts_at - before <= world.now


def ask_for_code(world: World) -> int:
    """A person who reads the code out at the door instead of tapping is understood after a while."""
    done = 0
    for session in of_technicians(world, SessionStatus.WAITING):
        if for_a_person(world, session) and world.due(session.checked_in_at, 30, 40, "code", session.pk):
            done += act(world, "code", session, lambda s: start_with_code(s, world.now))
    return done


def start_with_code(session: Session, now: datetime) -> Session:
    """Type what the customer says."""
    return start_session(session, by=session.technician.user, code=session.start_code, now=now)


def work(world: World) -> int:
    """A minute for a person, some minutes for each other; then it is done, with a note."""
    done = 0
    for session in of_technicians(world, SessionStatus.LIVE):
        waited_for = for_a_person(world, session)
        least, most = (50, 70) if waited_for else (180, 360)
        pauses = waited_for and world.chance("pauses", session.pk).random() < 0.3 and not session.paused_seconds
        if world.due(session.started_at, least, most, "finish", session.pk):
            done += act(world, "finish", session, lambda s: finish(s, world.now))
        elif pauses and world.due(session.started_at, 15, 25, "pause", session.pk):
            why = world.chance("why", session.pk).choice(PAUSES)
            done += act(world, "pause", session, partial(pause, why=why, now=world.now))
    return done


def finish(session: Session, now: datetime) -> Session:
    """Leave the note that fits the job."""
    return complete_session(session, by=session.technician.user, note=note_for(session.booking.title), now=now)


def pause(session: Session, why: str, now: datetime) -> Session:
    """Stop the work clock."""
    return pause_session(session, by=session.technician.user, reason=why, now=now)


def go_on(world: World) -> int:
    """A pause lasts ten seconds."""
    return sum(
        act(world, "go on", session, lambda s: resume_session(s, by=s.technician.user, now=world.now))
        for session in of_technicians(world, SessionStatus.PAUSED)
        if world.due(session.paused_at, 8, 12, "go on", session.pk)
    )


# --- customers ------------------------------------------------------------------------------------


def let_in(world: World) -> int:
    """A simulated customer opens the door within ten seconds."""
    return sum(
        act(world, "let in", session, lambda s: start_session(s, by=s.booking.customer, now=world.now))
        for session in of_customers(world, SessionStatus.WAITING)
        if world.due(session.checked_in_at, 4, 8, "let in", session.pk)
    )


def ask_to_move(world: World) -> int:
    """Of the visits agreed with a person one in four is to be moved."""
    pending = of_customers(world, SessionStatus.PENDING).exclude(technician_id__in=world.technicians)
    fresh = pending.filter(proposals__isnull=True, created_at__gt=world.now - JUST_AGREED, starts_at__gt=world.now)
    return sum(
        act(world, "move", session, lambda s: propose(world, s))
        for session in fresh
        if world.chance("moves", session.pk).random() < 0.25
        and world.due(session.created_at, 8, 15, "move", session.pk)
    )


def propose(world: World, session: Session) -> RescheduleProposal:
    """An hour or two later."""
    dice = world.chance("move", session.pk)
    start = session.starts_at + timedelta(minutes=30 * dice.randint(1, 4))
    return propose_reschedule(
        session, by=session.booking.customer, starts_at=start, message=dice.choice(MOVES), now=world.now
    )


def stop_waiting(world: World) -> int:
    """A customer calls the visit off when a person who plays the technician does not come."""
    late = of_customers(world, SessionStatus.PENDING).exclude(technician_id__in=world.technicians)
    return sum(
        act(world, "stop waiting", session, lambda s: call_off(s, world.now))
        for session in late.filter(starts_at__lt=world.now - TOO_LATE)
    )


def call_off(session: Session, now: datetime) -> object:
    """It costs nothing, since the technician is late."""
    booking = session.booking
    return cancel_booking(booking, by=booking.customer, reason=CancelReason.TECHNICIAN_LATE, now=now)


# --- both -----------------------------------------------------------------------------------------


def answer_moves(world: World) -> int:
    """Whoever is asked to move a visit answers within ten seconds, mostly with yes."""
    theirs = Q(party=Party.CUSTOMER, session__technician_id__in=world.technicians) | Q(
        party=Party.TECHNICIAN, session__booking__customer_id__in=world.customers
    )
    asked = RescheduleProposal.objects.filter(theirs, status=ProposalStatus.PROPOSED, expires_at__gt=world.now)
    done = 0
    for proposal in asked.select_related("session__technician__user", "session__booking__customer").order_by("pk"):
        if world.due(proposal.proposed_at, 4, 8, "answer", proposal.pk):
            done += world.attempt(partial(answer, world, proposal), "answer", proposal.pk)
    return done


def answer(world: World, proposal: RescheduleProposal) -> None:
    """Yes where the time is free, four times in five; otherwise no."""
    by = answering(proposal)
    if world.chance("yes", proposal.pk).random() < 0.8:
        try:
            accept_reschedule(proposal, by=by, now=world.now)
        except Refusal:  # the time is taken: then it is a no
            decline_reschedule(proposal, by=by, now=world.now)
    else:
        decline_reschedule(proposal, by=by, now=world.now)


def answering(proposal: RescheduleProposal) -> User:
    """The side that did not propose."""
    session = proposal.session
    return session.technician.user if proposal.party == Party.CUSTOMER else session.booking.customer


def act(world: World, what: str, session: Session, do: Callable[[Session], object]) -> bool:
    """Do something to a visit; where it was refused, never again."""
    return world.attempt(lambda: do(session), what, session.pk)
