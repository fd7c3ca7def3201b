"""What each side of a finished job may know of its reviews, loaded for many jobs at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import User
from bookings.links import url
from bookings.models import Booking, Review, ReviewFlag, Session
from bookings.rules.seal import may_be_written, opens_at
from bookings.states import Party, ReviewStatus

STARS = range(1, 6)
WORDS = {1: "Bad", 2: "Poor", 3: "Fair", 4: "Good", 5: "Excellent"}


@dataclass(frozen=True)
class ReviewCard:
    """The reviews of a finished job as one side may know them: their own, and the other side's once it is open."""

    visit: Session
    party: str
    now: datetime
    own: Review | None = None
    theirs: Review | None = None
    flags: Sequence[ReviewFlag] = field(default_factory=tuple)  # of `theirs`, by this side

    @property
    def booking(self) -> Booking:
        """The job."""
        return self.visit.booking

    @property
    def other(self) -> User:
        """The person on the other side."""
        return self.visit.technician.user if self.party == Party.CUSTOMER else self.booking.customer

    @property
    def opens_at(self) -> datetime:
        """When sealed reviews open, and none can be written any more."""
        return opens_at(self.visit.finished_at or self.now)

    @property
    def may_write(self) -> bool:
        """Whether this side may still say what it thinks."""
        return self.own is None and may_be_written(self.visit.finished_at or self.now, self.now)

    @property
    def may_flag(self) -> bool:
        """Whether this side may ask the desk to look at what was said of it: once."""
        return self.theirs is not None and self.theirs.status == ReviewStatus.PUBLISHED and not self.flags

    @property
    def flag_stands(self) -> bool:
        """Whether the desk is looking at what this side has flagged."""
        return any(flag.settled_at is None for flag in self.flags)

    @property
    def flag_was_settled(self) -> bool:
        """Whether the desk has looked at what this side flagged, and kept it."""
        kept = self.theirs is not None and self.theirs.status == ReviewStatus.PUBLISHED
        return kept and bool(self.flags)

    @property
    def is_worth_showing(self) -> bool:
        """Whether there is anything to write or to read."""
        return self.may_write or self.own is not None or self.theirs is not None

    @property
    def choices(self) -> list[tuple[int, str, str]]:
        """Each number of stars, its word, and the form that begins with it."""
        form = url("bookings:review", self.booking.pk)
        return [(stars, WORDS[stars], f"{form}?stars={stars}") for stars in STARS]


def cards(visits: Sequence[Session], party: str, now: datetime) -> dict[int, ReviewCard]:
    """The cards of finished visits for one side, by booking; two queries. The other side's sealed review is not even
    read: what is not there cannot leak.
    """
    rows = Review.objects.filter(booking__in=[visit.booking_id for visit in visits]).readable_by(party)
    written = {(row.booking_id, row.party): row for row in rows.prefetch_related("flags")}
    made = [card_of(visit, party, now, written) for visit in visits]
    return {card.booking.pk: card for card in made if card.is_worth_showing}


def card_of(visit: Session, party: str, now: datetime, written: dict[tuple[int, str], Review]) -> ReviewCard:
    """The card of one visit, out of the reviews that were read."""
    other = Party.TECHNICIAN if party == Party.CUSTOMER else Party.CUSTOMER
    own, theirs = written.get((visit.booking_id, party)), written.get((visit.booking_id, other))
    flags = [flag for flag in theirs.flags.all() if flag.by_id == theirs.about_id] if theirs else []
    return ReviewCard(visit, party, now, own, theirs, flags)
