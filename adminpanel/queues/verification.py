"""The desk's queue of technicians' documents: which are shown, and all that is known about one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from accounts.credentials import ENDS, missing, waiting, words
from accounts.models import Credential, CredentialHistory, CredentialStatus, Role
from accounts.papers import Standing, of_technician
from adminpanel.queues.piles import Listed, Pile, ids, next_among
from common.documents import is_picture

AHEAD = timedelta(days=30)  # how far the list of what runs out looks


# --- The list -------------------------------------------------------------------------------------


def ending() -> QuerySet[Credential]:
    """What holds still and runs out within a month, the first to go first."""
    last = timezone.now().date() + AHEAD
    rows = Credential.objects.filter(status=CredentialStatus.APPROVED, valid_until__lte=last)
    rows = rows.filter(technician__user__is_active=True, technician__user__role=Role.TECHNICIAN)
    return rows.order_by("valid_until", "pk")


def decided() -> QuerySet[Credential]:
    """What was decided, the latest first."""
    return Credential.objects.filter(decided_at__isnull=False).order_by("-decided_at", "-pk")


def with_whose(rows: Callable[[], QuerySet[Credential]]) -> QuerySet[Credential]:
    """A list with what its rows say."""
    return rows().select_related("technician__user")


PILES: dict[str, Pile[Credential]] = {
    "waiting": Pile("Waiting", partial(with_whose, waiting), "last"),
    "ending": Pile("Running out", partial(with_whose, ending)),
    "decided": Pile("Decided", partial(with_whose, decided)),
}
credentials_listed = partial(Listed, "desk:verification", PILES)


def lists_of(row: Credential) -> list[str]:
    """The lists that a document stands in now."""
    user = row.technician.user
    open_account = user.is_active and user.role == Role.TECHNICIAN
    if row.status == CredentialStatus.PENDING:
        return ["waiting"] if open_account else []
    last = timezone.now().date() + AHEAD
    runs_out = row.status == CredentialStatus.APPROVED and row.valid_until is not None and row.valid_until <= last
    return ["decided", "ending"] if runs_out and open_account else ["decided"]


def next_after(row: Credential) -> Credential | None:
    """The next that waits: what was sent after `row`, else the oldest."""
    return next_among(waiting(), "submitted_at", row.submitted_at, row.pk)


def load_rows(keys: Sequence[str]) -> Mapping[str, Credential]:
    """Documents with whose they are; one query."""
    rows = Credential.objects.select_related("technician__user").filter(pk__in=ids(keys))
    return {str(row.pk): row for row in rows}


# --- One ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One document with its technician, what else they have proved, and what happened to it."""

    credential: Credential
    standing: Standing

    @property
    def history(self) -> list[CredentialHistory]:
        """The latest step first; loaded with the document."""
        return list(reversed(self.credential.history.all()))

    @property
    def is_picture(self) -> bool:
        """Whether the page can show it; a PDF is only ever saved."""
        return bool(self.credential.file) and is_picture(self.credential.file)

    @property
    def lacks_end(self) -> bool:
        """Whether its last day is to be read from it before it can be approved."""
        return self.credential.kind in ENDS and self.credential.valid_until is None

    @property
    def consequence(self) -> str:
        """What approving it does for the technician, as far as it does more than that."""
        lacking = missing([paper.kind for paper in self.standing.papers if paper.holds] + [self.credential.kind])
        if self.standing.is_verified:
            return "They may bid already."
        return f"Then only their {words(lacking)} is missing." if lacking else "Then they may bid at once."

    @property
    def loss(self) -> str:
        """What refusing or suspending it does, where it does more than that."""
        kind = self.credential.kind
        paper = next(paper for paper in self.standing.papers if paper.kind == kind)
        other = paper.holds is not None and paper.holds.pk != self.credential.pk
        if self.standing.is_verified and paper.is_required and not other:
            return "They can make no new offers until another one is approved. What is booked goes on."
        return ""


def load_cases(keys: Sequence[str]) -> Mapping[str, Case]:
    """Documents by key; three queries, for any number."""
    steps = Prefetch("history", CredentialHistory.objects.select_related("actor"))
    rows = Credential.objects.select_related("technician__user").prefetch_related(steps, "technician__credentials")
    found = rows.filter(pk__in=ids(keys))
    return {str(row.pk): Case(row, Standing(row.technician, of_technician(row.technician))) for row in found}
