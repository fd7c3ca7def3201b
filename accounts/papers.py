"""What a technician has proved so far: their documents by kind, and what is lacking before they may make offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from django.utils import timezone

from accounts.credentials import REQUIRED, SOON, local_day, missing, words
from accounts.models import Credential, CredentialKind, CredentialStatus, Technician

HINTS: dict[str, str] = {
    CredentialKind.IDENTITY: "Passport, driving licence or national identity card. Name and photo must be readable.",
    CredentialKind.INSURANCE: "The certificate of your public liability insurance, with its last day.",
    CredentialKind.TRADE: "What your trade asks for: Gas Safe, NICEIC, City & Guilds, and the like.",
    CredentialKind.BACKGROUND: "A DBS certificate, if you have one. Customers with children at home ask for it.",
}


@dataclass(frozen=True)
class Paper:
    """One kind of document of one technician: what holds, what is being checked, and how the last one ended."""

    technician: Technician
    kind: str
    holds: Credential | None
    waits: Credential | None
    last: Credential | None  # the newest that was decided, where it does not hold and nothing newer waits

    @property
    def key(self) -> str:
        """As its fragment names it: 12-identity."""
        return f"{self.technician.pk}-{self.kind}"

    @property
    def label(self) -> str:
        """What it is called."""
        return str(CredentialKind(self.kind).label)

    @property
    def hint(self) -> str:
        """What counts as one."""
        return HINTS[self.kind]

    @property
    def is_required(self) -> bool:
        """Whether nobody makes an offer without one."""
        return self.kind in REQUIRED

    @property
    def state(self) -> str:
        """Where it stands; empty where nothing was ever sent."""
        shown = self.waits or self.holds or self.last
        return shown.status if shown else ""

    @property
    def runs_out(self) -> bool:
        """Whether what holds does so for two more weeks at most, and nothing newer is being checked."""
        return self.holds is not None and self.waits is None and runs_out(self.holds)


@dataclass(frozen=True)
class Standing:
    """Whether a technician may make offers, and what is lacking."""

    technician: Technician
    papers: Sequence[Paper]

    @property
    def is_verified(self) -> bool:
        """Only the verified may bid."""
        return self.technician.is_verified

    @cached_property
    def lacking(self) -> str:
        """The required documents that neither hold nor are being checked, in words."""
        return words(missing(paper.kind for paper in self.papers if paper.holds or paper.waits))

    @cached_property
    def is_checked(self) -> bool:
        """Whether anything required is being checked."""
        return any(paper.waits for paper in self.papers if paper.is_required)

    @cached_property
    def ended(self) -> Credential | None:
        """A required document that held once and does not any more: why offers are paused."""
        lost = (CredentialStatus.EXPIRED, CredentialStatus.SUSPENDED)
        return next((p.last for p in self.papers if p.is_required and p.last and p.last.status in lost), None)


def runs_out(credential: Credential) -> bool:
    """Whether its last day is two weeks away at most, where its technician is."""
    last: date | None = credential.valid_until
    return last is not None and last <= local_day(credential.technician.user, timezone.now()) + SOON


def of_technician(technician: Technician) -> list[Paper]:
    """Each kind once, from the documents that were loaded with the technician."""
    every = list(technician.credentials.all())
    return [of_kind(technician, kind, [row for row in every if row.kind == kind]) for kind in CredentialKind.values]


def of_kind(technician: Technician, kind: str, rows: list[Credential]) -> Paper:
    """One kind, from its documents, the newest first."""
    for row in rows:
        row.technician = technician  # whose zone says what day it is
    by_state = {row.status: row for row in reversed(rows)}
    holds, waits = by_state.get(CredentialStatus.APPROVED), by_state.get(CredentialStatus.PENDING)
    over = [row for row in rows if row not in (holds, waits)]
    newest = max(over, key=lambda row: (row.submitted_at, row.pk), default=None)
    if newest and (waits or (holds and holds.submitted_at >= newest.submitted_at)):
        newest = None
    return Paper(technician, kind, holds, waits, newest)


def standings(technician_ids: Iterable[int | str]) -> dict[str, Standing]:
    """By technician; two queries."""
    rows = Technician.objects.select_related("user").prefetch_related("credentials")
    found = rows.filter(pk__in=[int(pk) for pk in technician_ids])
    return {str(row.pk): Standing(row, of_technician(row)) for row in found}


def load_papers(keys: Sequence[str]) -> Mapping[str, Paper]:
    """Papers by key; two queries, for any number of technicians."""
    known = {key.partition("-")[0] for key in keys}
    papers = [paper for standing in standings(known).values() for paper in standing.papers]
    return {paper.key: paper for paper in papers if paper.key in keys}
