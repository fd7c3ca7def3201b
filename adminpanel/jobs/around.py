"""The small things around a job (photos, wishes to move it, attempts to reach somebody, legs, disputes): one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, DateTimeField, F, QuerySet, Value
from django.db.models.functions import Cast

from bookings.models import BookingPhoto, CompletionPhoto, ContactAttempt, Dispute, RescheduleProposal
from bookings.states import ACTIVE_SESSION, ContactChannel, DisputeReason, ProposalStatus
from tracking.models import Leg
from tracking.states import LegKind

PHOTO, DONE, WISH, TRY, LEG, DISPUTE = "photo", "done", "wish", "try", "leg", "dispute"
LABELS: dict[str, Any] = {TRY: ContactChannel, LEG: LegKind, DISPUTE: DisputeReason}


@dataclass(frozen=True)
class Thing:
    """One of them, `kind` says what. `word` is its own kind (a channel, a reason), `side` whose it is, or its state."""

    kind: str
    pk: int
    side: str
    word: str
    text: str
    at: datetime
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def label(self) -> str:
        """Its word as people read it: Rang the bell."""
        return str(LABELS[self.kind](self.word).label) if self.kind in LABELS else ""


Things = Sequence[Thing]


def of(things: Things, kind: str) -> list[Thing]:
    """Those of one kind, in their order."""
    return [thing for thing in things if thing.kind == kind]


def load_things(booking_ids: Sequence[int]) -> Mapping[int, Things]:
    """The things around jobs, by job, oldest first; one query for any number of them."""
    found: dict[int, list[Thing]] = defaultdict(list)
    first, *others = parts(booking_ids)
    for row in first.union(*others, all=True).order_by("at_", "pk"):
        thing = Thing(
            row["kind_"], row["pk"], row["side_"], row["word_"], row["text_"], row["at_"], row["from_"], row["to_"]
        )
        found[row["job"]].append(thing)
    return found


def parts(ids: Sequence[int]) -> list[QuerySet[Any, dict[str, Any]]]:
    """One selection a kind, all with the same columns."""
    tries = ContactAttempt.objects.filter(session__status__in=ACTIVE_SESSION)
    wishes = RescheduleProposal.objects.filter(status=ProposalStatus.PROPOSED)
    wish = {"side": "party", "text": "message", "at": "expires_at", "start": "starts_at", "end": "ends_at"}
    return [
        part(wishes, WISH, "session__booking", ids, **wish),
        part(tries, TRY, "session__booking", ids, side="party", word="channel", text="note"),
        part(BookingPhoto.objects.all(), PHOTO, "booking", ids),
        part(CompletionPhoto.objects.all(), DONE, "completion__session__booking", ids),
        part(Leg.objects.all(), LEG, "booking", ids, word="kind", text="note", at="created_at"),
        part(Dispute.objects.all(), DISPUTE, "booking", ids, side="status", word="reason", at="opened_at"),
    ]


def part(
    rows: QuerySet[Any], kind: str, booking: str, ids: Sequence[int], *, at: str = "at", start: str = "", end: str = "",
    side: str = "", word: str = "", text: str = "",
) -> QuerySet[Any, dict[str, Any]]:  # fmt: skip
    """The rows of one kind in the columns that all have in common: the same types everywhere, or no union."""
    return (
        rows.filter(**{f"{booking}__in": list(ids)})
        .order_by()
        .values(
            "pk",
            kind_=words(kind=kind),
            job=F(f"{booking}_id"),
            side_=words(side),
            word_=words(word),
            text_=words(text),
            at_=F(at),
            from_=moment(start),
            to_=moment(end),
        )
    )


def words(name: str = "", kind: str = "") -> Cast:
    """A column as text, or the word `kind` for all rows."""
    return Cast(F(name) if name else Value(kind), CharField(max_length=500))


def moment(name: str) -> Any:
    """A column that is an instant, or none."""
    return F(name) if name else Cast(Value(None), DateTimeField())
