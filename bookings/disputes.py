"""What pages show of disputes: how far one is, what was said, and what the person who looks may do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from accounts.models import User
from bookings.links import url
from bookings.models import Booking, Dispute, DisputeEvidence, DisputeHistory, Session
from bookings.rules.disputes import is_told, open_until, sides_of, why_not
from bookings.states import STANDING_DISPUTE, DisputeOutcome, DisputeStatus, Party
from common.documents import is_picture

ASKED, DECIDING = DisputeStatus.AWAITING_RESPONSE, DisputeStatus.UNDER_REVIEW


@dataclass(frozen=True)
class Stage:
    """One step on the way. `state` is done, now, or nothing for what is still to come."""

    label: str
    state: str = ""
    at: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Case:
    """A dispute with all that was put on the table. Everything in it may be read by whoever may read what was said."""

    dispute: Dispute
    evidence: Sequence[DisputeEvidence] = ()
    history: Sequence[DisputeHistory] = ()

    @property
    def pk(self) -> int:
        """The dispute's id."""
        return self.dispute.pk

    @property
    def booking(self) -> Booking:
        """The job it is about."""
        return self.dispute.booking

    @property
    def opener(self) -> User:
        """Who opened it."""
        return self.dispute.opened_by

    @property
    def other(self) -> User:
        """Whom it is against."""
        return self.dispute.against

    @property
    def stands(self) -> bool:
        """Whether it is neither decided nor withdrawn."""
        return self.dispute.status in STANDING_DISPUTE

    @property
    def is_awaited(self) -> bool:
        """Whether the other side is asked for an answer."""
        return self.dispute.status == ASKED

    @property
    def zone(self) -> str:
        """The job's."""
        return self.booking.time_zone

    @property
    def went_unanswered(self) -> bool:
        """Whether the other side was asked and the time passed."""
        after = (DECIDING, DisputeStatus.RESOLVED)
        return self.dispute.status in after and self.dispute.answered_at is None

    @property
    def stages(self) -> list[Stage]:
        """Opened, answered, decided: with the time each was reached or is due."""
        dispute, status = self.dispute, self.dispute.status
        opened = Stage("Opened", "now" if status == DisputeStatus.OPEN else "done", dispute.opened_at)
        if status == DisputeStatus.WITHDRAWN:
            return [opened, Stage("Withdrawn", "done", dispute.ended_at)]
        if status == ASKED:
            answer = Stage(self.answering, "now", until=dispute.answer_by)
        elif self.went_unanswered:
            answer = Stage("No answer came", "done", dispute.answer_by)
        else:
            label = "Answered" if dispute.answered_at else self.answering
            answer = Stage(label, "done" if dispute.answered_at else "", dispute.answered_at)
        decided = Stage("Decided", "done", dispute.ended_at)
        deciding = Stage("The desk decides", "now" if status == DECIDING else "")
        return [opened, answer, decided if status == DisputeStatus.RESOLVED else deciding]

    @property
    def answering(self) -> str:
        """What the other side is asked to do."""
        return f"{self.other.first_name} answers"

    @property
    def owed_to(self) -> str:
        """Who gets the amount of the decision."""
        return "the technician" if self.dispute.outcome == DisputeOutcome.TECHNICIAN else "the customer"

    def pieces_by(self, *people: int) -> list[DisputeEvidence]:
        """The evidence that these put on the table, in order."""
        return [each for each in self.evidence if each.by_id in people]

    @property
    def of_opener(self) -> list[DisputeEvidence]:
        """What the opener put on the table."""
        return self.pieces_by(self.dispute.opened_by_id)

    @property
    def of_other(self) -> list[DisputeEvidence]:
        """What the other side put on the table."""
        return self.pieces_by(self.dispute.against_id)

    @property
    def of_desk(self) -> list[DisputeEvidence]:
        """What the desk added."""
        sides = (self.dispute.opened_by_id, self.dispute.against_id)
        return [each for each in self.evidence if each.by_id not in sides]


@dataclass(frozen=True)
class Side(Case):
    """A dispute as one of its two sides sees it."""

    user_id: int = 0

    @property
    def key(self) -> str:
        """The fragment's: there is one for each side."""
        return f"{self.pk}-{self.user_id}"

    @property
    def is_mine(self) -> bool:
        """Whether whoever looks opened it."""
        return self.user_id == self.dispute.opened_by_id

    @property
    def may_read(self) -> bool:
        """Whether what was said is theirs to read: the other side's from the moment they are asked."""
        return self.is_mine or is_told(self.dispute)

    @property
    def them(self) -> User:
        """The other one."""
        return self.other if self.is_mine else self.opener

    @property
    def answering(self) -> str:
        """The same, to whoever is asked."""
        return super().answering if self.is_mine else "You answer"

    @property
    def may_answer(self) -> bool:
        """Whether their answer is wanted."""
        return self.is_awaited and not self.is_mine

    @property
    def may_add(self) -> bool:
        """Whether they may put more on the table."""
        return self.stands and self.may_read

    @property
    def may_withdraw(self) -> bool:
        """Whether they may take it back."""
        return self.stands and self.is_mine

    @property
    def line(self) -> str:
        """Where it stands, in one sentence for this side."""
        return line_for(self)


def line_for(side: Side) -> str:
    """What one side reads first: where it stands and what comes next."""
    status, them = side.dispute.status, side.them.first_name
    if status == DisputeStatus.OPEN:
        if side.is_mine:
            return f"The desk looks at it first, then asks {them} for an answer."
        return "The desk looks at it first. You can then read what is said, and answer."
    if status == ASKED:
        return f"Waiting for {them}'s answer." if side.is_mine else "Your answer is wanted."
    if status == DECIDING:
        return "Both sides are heard. The desk decides." if not side.went_unanswered else "The desk decides."
    if status == DisputeStatus.WITHDRAWN:
        return "You withdrew it." if side.is_mine else f"{them} withdrew it."
    return {
        DisputeOutcome.SHARED: "Decided: the fault is shared.",
        DisputeOutcome.NO_FAULT: "Decided: nobody is at fault.",
    }.get(DisputeOutcome(side.dispute.outcome), "Decided for you." if won(side) else f"Decided for {them}.")


def won(side: Side) -> bool:
    """Whether the decision names the side that looks."""
    theirs = side.dispute.party if side.is_mine else other_party(side.dispute.party)
    return side.dispute.outcome == theirs


def other_party(party: str) -> str:
    """The other side."""
    return Party.CUSTOMER if party == Party.TECHNICIAN else Party.TECHNICIAN


# --- Loading --------------------------------------------------------------------------------------


def cases() -> QuerySet[Dispute]:
    """Disputes with all that `Case` reads; four queries, however many."""
    told: Any = DisputeEvidence.objects.select_related("by")
    steps: Any = DisputeHistory.objects.select_related("actor")
    rows = Dispute.objects.select_related("booking__category", "opened_by", "against", "decided_by")
    return rows.prefetch_related(
        Prefetch("evidence", told, to_attr="pieces"), Prefetch("history", steps, to_attr="steps")
    )


def shown(rows: Iterable[DisputeEvidence]) -> list[DisputeEvidence]:
    """Pieces of evidence that know whether they are a photo."""
    pieces = list(rows)
    for each in pieces:
        each.is_picture = bool(each.file) and is_picture(each.file)  # type: ignore[attr-defined]
    return pieces


def parted(keys: Iterable[str]) -> list[tuple[int, int]]:
    """Keys "<row>-<person>" as pairs of ids; what is none is nobody's key."""
    pairs = (key.partition("-") for key in keys)
    return [(int(row), int(user)) for row, _, user in pairs if row.isdecimal() and user.isdecimal()]


def load_sides(keys: Sequence[str]) -> Mapping[str, Side]:
    """Disputes as their sides see them, by "<dispute>-<person>"; nothing for anybody else."""
    pairs = parted(keys)
    found: dict[int, Any] = {row.pk: row for row in cases().filter(pk__in={pk for pk, _ in pairs})}
    sides = [
        Side(found[pk], shown(found[pk].pieces), found[pk].steps, user_id=user)
        for pk, user in pairs
        if pk in found and user in (found[pk].opened_by_id, found[pk].against_id)
    ]
    return {side.key: side for side in sides}


# --- On the job's page ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Card:
    """What a job's page says of disputes to one of its sides."""

    booking: Booking
    user_id: int
    party: str
    last: Side | None = None
    until: datetime | None = None
    can_open: bool = False

    @property
    def key(self) -> str:
        """The fragment's: there is one for each side."""
        return f"{self.booking.pk}-{self.user_id}"

    @property
    def open_url(self) -> str:
        """The form of a new one."""
        return url("bookings:dispute_open", self.booking.pk)


def load_cards(keys: Sequence[str], now: datetime | None = None) -> Mapping[str, Card]:
    """Cards by "<booking>-<person>", for the two sides of jobs that had a visit; nothing to say, no card."""
    now = now or timezone.now()
    pairs = parted(keys)
    disputes = Dispute.objects.select_related("opened_by", "against").order_by("pk")
    visits = Session.objects.order_by("pk")
    rows: Any = Booking.objects.filter(pk__in={pk for pk, _ in pairs}).with_end()
    rows = rows.prefetch_related(
        Prefetch("disputes", disputes, to_attr="all_disputes"), Prefetch("sessions", visits, to_attr="visits")
    )
    found = {row.pk: row for row in rows}
    cards = [card_of(found[pk], user, now) for pk, user in pairs if pk in found]
    return {card.key: card for card in cards if card is not None and (card.last or card.can_open)}


def card_of(booking: Any, user_id: int, now: datetime) -> Card | None:
    """The card for one person, if they are a side of the job or of its last dispute."""
    visit, disputes = (booking.visits or [None])[-1], booking.all_disputes
    mine = [each for each in disputes if user_id in (each.opened_by_id, each.against_id)]
    party = sides_of(booking, visit).get(user_id) if visit else None
    if party is None:
        return None
    last = mine[-1] if mine else None
    if last is not None:
        last.booking = booking
    refusal = why_not(booking, visit, disputes, booking.ended_at, now)
    return Card(
        booking=booking,
        user_id=user_id,
        party=party,
        last=Side(last, user_id=user_id) if last else None,
        until=open_until(booking.ended_at) if booking.ended_at and not booking.is_active else None,
        can_open=not refusal,
    )
