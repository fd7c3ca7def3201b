"""The desk's queue of technicians' documents: which are shown, and all that is known about one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from django.db.models import Prefetch, Q, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from accounts.credentials import ENDS, missing, waiting, words
from accounts.models import Credential, CredentialHistory, CredentialStatus, Role
from accounts.papers import Standing, of_technician
from common.documents import is_picture

PAGE = 30
AHEAD = timedelta(days=30)  # how far the list of what runs out looks
TABS = {"waiting": "Waiting", "ending": "Running out", "decided": "Decided"}


def ids(keys: Sequence[str]) -> list[int]:
    """Keys as numbers."""
    return [int(key) for key in keys]


# --- The list -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tab:
    """One of the lists, as a link."""

    slug: str
    label: str
    is_chosen: bool

    @property
    def url(self) -> str:
        """Where it is."""
        return reverse("desk:verification") + ("" if self.slug == "waiting" else f"?show={self.slug}")


class Queue:
    """What the query string `asked` asks of the list: `show` (one of TABS) and `page`. `usual`: without it.

    A page is one query: nobody needs to know how many there are behind it.
    """

    def __init__(self, asked: QueryDict, usual: str = "waiting") -> None:
        self.show = asked.get("show", usual)
        if self.show not in TABS:
            self.show = "waiting"
        page = asked.get("page", "")
        self.number = int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 6 else 1
        self.number = max(self.number, 1)

    @cached_property
    def _found(self) -> list[Credential]:
        rows = LISTS[self.show]().select_related("technician__user")
        start = (self.number - 1) * PAGE
        found = list(rows[start : start + PAGE + 1])
        if not found and start:  # the queue has become shorter than that
            self.number = 1
            found = list(rows[: PAGE + 1])
        return found

    @property
    def rows(self) -> Mapping[str, Credential]:
        """The documents of this page by key, in their order."""
        return {str(row.pk): row for row in self._found[:PAGE]}

    @property
    def before(self) -> int:
        """The page before this one; 0 on the first."""
        return self.number - 1 if self._found else 0

    @property
    def after(self) -> int:
        """The page after this one; 0 on the last."""
        return self.number + 1 if len(self._found) > PAGE else 0

    @property
    def new(self) -> str:
        """What becomes of one that is not on the page yet: what waits comes in at the end of the last page."""
        return "insert" if self.show == "waiting" and not self.after else "pill"

    @property
    def query(self) -> str:
        """The query string without the page."""
        return "" if self.show == "waiting" else f"show={self.show}"

    @property
    def tabs(self) -> list[Tab]:
        """Every list."""
        return [Tab(slug, label, slug == self.show) for slug, label in TABS.items()]


def ending() -> QuerySet[Credential]:
    """What holds still and runs out within a month, the first to go first."""
    last = timezone.now().date() + AHEAD
    rows = Credential.objects.filter(status=CredentialStatus.APPROVED, valid_until__lte=last)
    rows = rows.filter(technician__user__is_active=True, technician__user__role=Role.TECHNICIAN)
    return rows.order_by("valid_until", "pk")


def decided() -> QuerySet[Credential]:
    """What was decided, the latest first."""
    return Credential.objects.filter(decided_at__isnull=False).order_by("-decided_at", "-pk")


LISTS = {"waiting": waiting, "ending": ending, "decided": decided}


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
    rows = waiting()
    later = rows.filter(Q(submitted_at__gt=row.submitted_at) | Q(submitted_at=row.submitted_at, pk__gt=row.pk))
    return later.first() or rows.first()


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
