"""A storm: random people do random things, legal or not, while the clock moves on. Made by the actions themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet

from accounts import actions as accounts
from accounts import credentials
from accounts import due as accounts_due
from accounts.models import Credential, CredentialKind, Role, Technician, User
from accounts.tests.papers import document
from adminpanel.due import figures as due_figures
from adminpanel.tests.road import comes_online
from bookings import actions
from bookings import due as bookings_due
from bookings.models import Bid, Booking, Dispute, RescheduleProposal, Review, Session
from bookings.states import CancelReason, DisputeOutcome, DisputeReason, FlagReason, HideReason
from bookings.tests import make
from common.refusals import Refusal
from realtime.models import LastSeen, Presence
from tracking import actions as driving
from tracking.models import Shift
from tracking.states import Duty
from tracking.tests import make as road

HOUR = timedelta(hours=1)
REFUSED = (Refusal, PermissionDenied, ValidationError, LookupError)


@dataclass
class Storm:
    """Who takes part, what time it is, and what was done and refused so far."""

    chance: Random
    now: datetime
    desk: User
    customers: list[User]
    technicians: list[User]
    drivers: list[User]
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    pages: dict[int, Presence] = field(default_factory=dict)  # that are open, by whose they are
    left: dict[int, LastSeen] = field(default_factory=dict)

    @classmethod
    def gather(cls, chance: Random, now: datetime, desk: User) -> Storm:
        """Six customers, eight technicians, four drivers."""
        return cls(
            chance,
            now,
            desk,
            [make.person(f"Customer{number}") for number in range(6)],
            [make.technician(f"Technician{number}") for number in range(8)],
            [road.driver(f"Driver{number}").user for number in range(4)],
        )

    def step(self) -> bool:
        """Somebody tries something; whether it was done. What is refused leaves nothing behind: actions see to that."""
        act = self.chance.choices(ACTS, WEIGHTS)[0]
        try:
            act(self)
        except REFUSED:
            self.refused[act.__name__] += 1
            return False
        self.done[act.__name__] += 1
        return True

    def moves_on(self) -> None:
        """Some minutes pass, and the clocks do what is due."""
        self.now += timedelta(minutes=self.chance.choice((1, 7, 20, 45, 180, 400)), seconds=self.chance.randint(0, 59))
        for run_due in (bookings_due.run_due, accounts_due.run_due, due_figures.run_due):
            run_due(self.now)

    def one(self, rows: QuerySet[Any], **which: Any) -> Any:
        """A random row of the newest few. Raises LookupError where there is none."""
        pks = list(rows.filter(**which).order_by("-pk").values_list("pk", flat=True)[:25])
        if not pks:
            raise LookupError
        return rows.model.objects.get(pk=self.chance.choice(pks))

    def window(self) -> dict[str, datetime]:
        """When a job is wanted: within three days, for six hours."""
        start = self.now + self.chance.randint(1, 60) * HOUR
        return {"window_start": start, "window_end": start + 6 * HOUR}


# --- Jobs and offers ------------------------------------------------------------------------------


def place(storm: Storm) -> None:
    """A customer places a job."""
    make.job(storm.chance.choice(storm.customers), now=storm.now, **storm.window())


def draft(storm: Storm) -> None:
    """A customer begins one."""
    make.draft(storm.chance.choice(storm.customers), now=storm.now, **storm.window())


def book_for(storm: Storm) -> None:
    """The desk places one for a customer."""
    typed = make.typed(**storm.window())
    actions.book_for(
        storm.chance.choice(storm.customers), by=storm.desk, reason="By telephone.", now=storm.now, **typed
    )


def offer(storm: Storm) -> None:
    """A technician offers."""
    booking = storm.one(Booking.objects.all(), status="open")
    starts = booking.window_start + storm.chance.randint(0, 4) * HOUR
    by, amount = storm.chance.choice(storm.technicians), storm.chance.randint(40, 200)
    make.offer(booking, by, amount, now=storm.now, starts_at=starts)


def withdraw(storm: Storm) -> None:
    """A technician thinks better of it."""
    bid = storm.one(Bid.objects.all(), status="submitted")
    actions.withdraw_bid(bid, by=bid.technician.user, now=storm.now)


def accept(storm: Storm) -> None:
    """A customer chooses."""
    bid = storm.one(Bid.objects.all(), status="submitted")
    make.accept(bid, now=storm.now)


def assign(storm: Storm) -> None:
    """The desk sends somebody, instead of whoever was to come."""
    booking = storm.one(Booking.objects.all(), status__in=("open", "assigned"))
    technician = Technician.objects.get(pk=storm.chance.choice(storm.technicians).pk)
    plan = actions.Plan(technician, booking.window_start, Decimal(80), "Nobody else can.", overlap_allowed=True)
    actions.assign_technician(booking, plan, by=storm.desk, now=storm.now)


def cancel(storm: Storm) -> None:
    """A customer calls it off."""
    booking = storm.one(Booking.objects.all(), status__in=("open", "assigned", "in_progress"))
    actions.cancel_booking(booking, by=booking.customer, reason=CancelReason.PLANS_CHANGED, now=storm.now)


# --- Visits ---------------------------------------------------------------------------------------


def release(storm: Storm) -> None:
    """A technician gives the job back."""
    session = storm.one(Session.objects.all(), status="pending")
    actions.release(session, by=session.technician.user, reason="I am ill.", now=storm.now)


def check_in(storm: Storm) -> None:
    """A technician is at the door."""
    session = storm.one(Session.objects.all(), status="pending")
    actions.check_in(session, by=session.technician.user, now=storm.now)


def start(storm: Storm) -> None:
    """The work begins."""
    session = storm.one(Session.objects.all(), status="waiting")
    actions.start_session(session, by=session.booking.customer, now=storm.now)


def pause(storm: Storm) -> None:
    """The work rests."""
    session = storm.one(Session.objects.all(), status="live")
    actions.pause_session(session, by=session.technician.user, reason="A part.", now=storm.now)


def resume(storm: Storm) -> None:
    """It goes on."""
    session = storm.one(Session.objects.all(), status="paused")
    actions.resume_session(session, by=session.technician.user, now=storm.now)


def complete(storm: Storm) -> None:
    """It is done."""
    session = storm.one(Session.objects.all(), status__in=("live", "paused"))
    actions.complete_session(session, by=session.technician.user, note="Done.", now=storm.now)


def ring(storm: Storm) -> None:
    """Nobody opens."""
    session = storm.one(Session.objects.all(), status="waiting")
    actions.record_contact_attempt(session, by=session.technician.user, channel="door", now=storm.now)


def propose(storm: Storm) -> None:
    """A customer would like another time."""
    session = storm.one(Session.objects.all(), status="pending")
    starts = session.starts_at + storm.chance.randint(1, 48) * HOUR
    actions.propose_reschedule(session, by=session.booking.customer, starts_at=starts, now=storm.now)


def agree(storm: Storm) -> None:
    """The technician agrees."""
    proposal = storm.one(RescheduleProposal.objects.all(), status="proposed")
    actions.accept_reschedule(proposal, by=proposal.session.technician.user, now=storm.now)


def move(storm: Storm) -> None:
    """The desk moves a visit."""
    session = storm.one(Session.objects.all(), status="pending")
    starts = storm.now + storm.chance.randint(1, 100) * HOUR
    actions.move_visit(session, by=storm.desk, starts_at=starts, reason="Traffic.", now=storm.now)


# --- Reviews and disputes -------------------------------------------------------------------------


def review(storm: Storm) -> None:
    """One of the two sides says how it was."""
    session = storm.one(Session.objects.all(), status="completed")
    by = storm.chance.choice((session.booking.customer, session.technician.user))
    actions.write_review(session.booking, by=by, stars=storm.chance.randint(1, 5), now=storm.now)


def flag(storm: Storm) -> None:
    """Whom it is about finds that it should not stand."""
    found = storm.one(Review.objects.all(), status="published")
    actions.flag_review(found, by=found.about, reason=storm.chance.choice(FlagReason.values), now=storm.now)


def keep(storm: Storm) -> None:
    """The desk lets it stand."""
    found = storm.one(Review.objects.all(), status="flagged")
    actions.keep_review(found, by=storm.desk, reason="An opinion.", now=storm.now)


def hide(storm: Storm) -> None:
    """The desk hides it."""
    found = storm.one(Review.objects.all(), status="flagged")
    actions.hide_review(found, by=storm.desk, why=HideReason.SPAM, reason="It advertises.", now=storm.now)


def complain(storm: Storm) -> None:
    """A customer opens a dispute."""
    booking = storm.one(Booking.objects.all(), status__in=("completed", "no_show"))
    actions.open_dispute(booking, by=booking.customer, reason=DisputeReason.QUALITY, statement="Bad.", now=storm.now)


def take_on(storm: Storm) -> None:
    """The desk hears the other side."""
    actions.take_on(storm.one(Dispute.objects.all(), status="open"), by=storm.desk, now=storm.now)


def answer(storm: Storm) -> None:
    """The other side answers."""
    dispute = storm.one(Dispute.objects.all(), status="awaiting_response")
    actions.answer_dispute(dispute, by=dispute.against, answer="It was fine.", now=storm.now)


def give_in(storm: Storm) -> None:
    """Whoever opened it withdraws it."""
    dispute = storm.one(Dispute.objects.all(), status__in=("open", "awaiting_response", "under_review"))
    actions.withdraw_dispute(dispute, by=dispute.opened_by, now=storm.now)


def resolve(storm: Storm) -> None:
    """The desk decides."""
    dispute = storm.one(Dispute.objects.all(), status="under_review")
    actions.resolve_dispute(dispute, by=storm.desk, outcome=DisputeOutcome.NO_FAULT, decision="So.", now=storm.now)


# --- People ---------------------------------------------------------------------------------------


def sign_up(storm: Storm) -> None:
    """Somebody new."""
    number = storm.done["sign_up"]
    role = storm.chance.choice((Role.CUSTOMER, Role.TECHNICIAN))
    person = make.person(f"New{number}", role) if role == Role.CUSTOMER else make.technician(f"New{number}")
    assert person


def close(storm: Storm) -> None:
    """The desk closes an account."""
    person = storm.chance.choice([*storm.drivers, *storm.technicians[:2]])
    accounts.deactivate(make.fresh(person), by=storm.desk, reason="Holidays.", now=storm.now)


def reopen(storm: Storm) -> None:
    """It opens it again."""
    person = storm.one(User.objects.all(), is_active=False)
    accounts.reactivate(person, by=storm.desk, now=storm.now)


def send_paper(storm: Storm) -> None:
    """A technician sends a document."""
    technician = storm.chance.choice(storm.technicians).technician
    kind = storm.chance.choice((CredentialKind.TRADE, CredentialKind.BACKGROUND))
    credentials.submit_credential(technician, by=technician.user, kind=kind, document=document(), now=storm.now)


def approve(storm: Storm) -> None:
    """The desk approves one."""
    credentials.approve_credential(storm.one(Credential.objects.all(), status="pending"), by=storm.desk, now=storm.now)


def refuse(storm: Storm) -> None:
    """The desk refuses one."""
    found = storm.one(Credential.objects.all(), status="pending")
    credentials.reject_credential(found, by=storm.desk, reason="It cannot be read.", now=storm.now)


# --- Drivers and pages ----------------------------------------------------------------------------


def begin_duty(storm: Storm) -> None:
    """A driver begins."""
    driver = make.fresh(storm.chance.choice(storm.drivers))
    driving.go_on_duty(driver, by=driver, now=storm.now)


def rest(storm: Storm) -> None:
    """A driver takes a break."""
    shift = storm.one(Shift.objects.all(), duty=Duty.ON_DUTY)
    driving.take_break(shift, by=shift.user, now=storm.now)


def end_duty(storm: Storm) -> None:
    """A driver goes home."""
    shift = storm.one(Shift.objects.all(), ended_at=None)
    driving.go_off_duty(shift, by=shift.user, now=storm.now)


def open_page(storm: Storm) -> None:
    """Somebody opens a page, or comes back to it."""
    person, away = storm.chance.choice([*storm.customers, *storm.drivers]), storm.chance.random() < 0.3
    page = storm.pages.get(person.pk)
    if page is None:
        storm.pages[person.pk] = comes_online(person, away=away)[0]
        return
    page.since = page.seen_at = storm.now
    page.away = away
    page.save()


def close_page(storm: Storm) -> None:
    """Somebody closes it, and was here just now."""
    if not storm.pages:
        raise LookupError
    pk = storm.chance.choice(list(storm.pages))
    left = storm.left.setdefault(pk, LastSeen(kind="user", principal=str(pk)))
    left.seen_at = storm.now
    left.save()
    storm.pages.pop(pk).delete()


# What costs little is done most: people come and go far more often than they agree on something.
WEIGHED: dict[Callable[[Storm], None], int] = {
    place: 12, draft: 40, book_for: 2, offer: 18, withdraw: 2, accept: 12, assign: 3, cancel: 3,
    release: 2, check_in: 5, start: 9, pause: 4, resume: 4, complete: 12, ring: 3, propose: 3, agree: 3,
    move: 3, review: 8, flag: 4, keep: 2, hide: 2, complain: 5, take_on: 4, answer: 3, give_in: 1, resolve: 3,
    sign_up: 1, close: 1, reopen: 2, send_paper: 3, approve: 2, refuse: 2,
    begin_duty: 40, rest: 20, end_duty: 25, open_page: 170, close_page: 120,
}  # fmt: skip
ACTS, WEIGHTS = list(WEIGHED), list(WEIGHED.values())
