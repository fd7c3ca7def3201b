"""Stories of the past, told through the same actions that people use, at the times they happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from accounts.models import Technician, User
from bookings import due
from bookings.actions import (
    accept_bid,
    cancel_booking,
    check_in,
    complete_session,
    place_bid,
    record_contact_attempt,
    release,
    report_no_show,
    revise_bid,
    start_session,
)
from bookings.models import Bid, Booking, ServiceCategory, Session
from bookings.rules.numbers import minutes
from bookings.states import CancelReason, ContactChannel
from common.refusals import Refusal
from demo.booking import book, price, window_around
from demo.cast import TECHNICIANS
from demo.trades import KINDS, Job, Kind
from demo.words import BACK_AGAIN, OFFERS, note_for

SKILLS = {person.email: set(person.skills) for person in TECHNICIANS if person.verified}


@dataclass
class Teller:
    """Tells stories. `now` is the present: nothing that is told lies after it, appointments aside."""

    now: datetime
    people: dict[str, User]
    technicians: dict[str, Technician]
    categories: dict[str, ServiceCategory]
    chance: Random
    told: int = field(default=0)

    def kind_for(self, technician: str) -> Kind:
        """A kind of job that this technician can do."""
        return self.chance.choice(
            [k for slug, k in KINDS.items() if self.categories[slug].skill.slug in SKILLS[technician]]
        )

    def placed(
        self, customer: str, kind: Kind, start: datetime, placed_at: datetime, job: Job | None = None
    ) -> Booking:
        """A job for which `start` would suit the customer."""
        self.told += 1
        job = job or kind.jobs[self.told % len(kind.jobs)]
        budget = Decimal((kind.low + kind.high) // 20 * 10) if self.chance.random() < 0.4 else None
        category = self.categories[kind.slug]
        window = window_around(start, kind)
        return book(self.people[customer], kind, category, job, window, now=placed_at, budget=budget)

    def offered(self, booking: Booking, technician: str, start: datetime, at: datetime) -> Bid:
        """An offer of that technician."""
        category = self.categories[booking.category.slug if booking.category else ""]
        return place_bid(
            booking,
            by=self.people[technician],
            amount=price(category, booking.budget, self.chance),
            starts_at=start,
            message=OFFERS[(self.told + booking.bids.count()) % len(OFFERS)],
            now=at,
        )

    def rivals(self, booking: Booking, besides: str, start: datetime, at: datetime, most: int) -> None:
        """Offers of up to `most` others with the skill, some minutes apart."""
        skill = self.categories[booking.category.slug if booking.category else ""].skill.slug
        others = [
            person.email
            for person in TECHNICIANS
            if person.is_simulated and skill in person.skills and person.email != besides
        ]
        for number, other in enumerate(self.chance.sample(others, min(most, len(others)))):
            moment = min(at + timedelta(minutes=4 + 9 * number), self.now)
            try:
                self.offered(booking, other, start + timedelta(minutes=30 * (number % 2)), moment)
            except Refusal:
                continue  # a visit at that time: they would not have offered either

    def agreed(
        self, customer: str, technician: str, kind: Kind, start: datetime, *, ahead: timedelta = timedelta(days=1)
    ) -> Session:
        """A job placed `ahead` of its visit, with offers, of which the technician's was accepted."""
        placed_at = min(start, self.now) - ahead
        booking = self.placed(customer, kind, start, placed_at)
        bid = self.offered(booking, technician, start, placed_at + timedelta(minutes=9))
        self.rivals(booking, technician, start, placed_at + timedelta(minutes=12), self.chance.randint(0, 2))
        return accept_bid(bid, revision=1, by=self.people[customer], now=placed_at + timedelta(minutes=50))

    def begun(self, session: Session, arrived: datetime) -> Session:
        """The technician is there and works."""
        technician = session.technician.user
        session = check_in(session, by=technician, now=arrived)
        by_tap = self.chance.random() < 0.5
        by, code = (session.booking.customer, "") if by_tap else (technician, session.start_code)
        return start_session(session, by=by, code=code, now=arrived + timedelta(minutes=3))

    def finished(self, customer: str, technician: str, kind: Kind, start: datetime) -> Session:
        """A visit that went well."""
        session = self.begun(self.agreed(customer, technician, kind, start), self.about(start))
        ended = start + timedelta(minutes=round(kind.minutes * self.chance.uniform(0.7, 1.15)))
        note = note_for(session.booking.title)
        session = complete_session(session, by=session.technician.user, note=note, now=ended)
        put_away = ended + minutes("FINISHED_SHOWN_MINUTES")
        if put_away <= self.now:
            due.put_finished_away(put_away)
        return session

    def about(self, start: datetime) -> datetime:
        """Nobody arrives on the second."""
        return start + timedelta(seconds=self.chance.randint(-420, 240))

    def called_off(self, customer: str, technician: str, kind: Kind, start: datetime, notice: timedelta) -> None:
        """A customer changed their plans `notice` before the visit."""
        session = self.agreed(customer, technician, kind, start, ahead=notice + timedelta(days=1))
        reason = CancelReason.PLANS_CHANGED
        cancel_booking(session.booking, by=self.people[customer], reason=reason, now=start - notice)

    def nobody_home(self, customer: str, technician: str, kind: Kind, start: datetime) -> None:
        """The technician stood before a closed door."""
        by = self.people[technician]
        session = check_in(self.agreed(customer, technician, kind, start), by=by, now=start)
        record_contact_attempt(session, by=by, channel=ContactChannel.CALL, now=start + timedelta(minutes=6))
        report_no_show(session, by=by, now=start + timedelta(minutes=18))

    def nobody_chosen(self, customer: str, kind: Kind, start: datetime) -> None:
        """A job that ran out of time, whatever was offered."""
        booking = self.placed(customer, kind, start, start - timedelta(days=1))
        self.rivals(booking, "", start, start - timedelta(hours=20), 1)
        if booking.expires_at:
            due.expire_bookings(booking.expires_at)

    def given_back(self, customer: str, first: str, second: str, kind: Kind, start: datetime) -> None:
        """The one who won fell ill; the job opened again and another did it."""
        session = self.agreed(customer, first, kind, start, ahead=timedelta(days=2))
        booking = release(session, by=self.people[first], reason="I am ill, sorry.", now=start - timedelta(hours=22))
        bid = self.offered_again(booking, second, start)
        session = accept_bid(bid, revision=bid.revision, by=self.people[customer], now=start - timedelta(hours=20))
        session = self.begun(session, self.about(start))
        ended = start + timedelta(minutes=kind.minutes)
        complete_session(session, by=session.technician.user, note=note_for(booking.title), now=ended)
        due.put_finished_away(ended + minutes("FINISHED_SHOWN_MINUTES"))

    def offered_again(self, booking: Booking, technician: str, start: datetime) -> Bid:
        """That technician's offer on a job that opened again, whether it is their first or not."""
        at = start - timedelta(hours=21)
        earlier = booking.bids.filter(technician=self.technicians[technician]).first()
        if earlier is None:
            return self.offered(booking, technician, start, at)
        by, amount = self.people[technician], earlier.amount
        return revise_bid(earlier, by=by, amount=amount, starts_at=start, message=BACK_AGAIN, now=at)
