"""What was changed about somebody, as they read it themselves: what, when, by whom and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, Q, QuerySet

from accounts.models import AccountHistory, CredentialHistory, DeskAction, Role, User
from common.keyset import Mark, cursor_of, older_than

PAGE = 30
LAST = 10**17  # above every instant in microseconds: the newest stand first

ACCOUNT = {
    "verified": "You were verified: you can make offers",
    "unverified": "Your verification was taken back",
    "inactive": "Your account was suspended",
    "active": "Your account was opened again",
    "erased": "Your details were removed",
}
DOCUMENT = {
    "pending": "was sent in",
    "approved": "was approved",
    "rejected": "was refused",
    "expired": "has expired",
    "suspended": "was suspended",
    "withdrawn": "was taken back",
}
DESK = {
    "noted": "The desk made a note for itself",
    "removed_note": "The desk removed a note of its own",
    "corrected_person": "Your details were corrected",
    "ended_session": "A browser of yours was signed out",
    "ended_sessions": "You were signed out everywhere",
    "exported_person": "A copy of your data was made",
    "added_record_of_user": "Your account was made by our desk",
    "changed_record_of_user": "Your account was changed",
    "added_record_of_technician": "Your trade was put on file",
    "changed_record_of_technician": "Your trade was changed",
}
FIELDS = {"name": "Name", "phone": "Phone", "time_zone": "Time zone"}
GRAVE = {"unverified", "inactive", "rejected", "expired", "suspended"}


@dataclass(frozen=True)
class Change:
    """One of them. `by` is the person themselves, the desk, or the clock."""

    kind: str
    pk: int
    user_id: int
    at: datetime
    what: str
    by: str
    reason: str = ""
    details: Sequence[tuple[str, Any, Any]] = ()
    is_grave: bool = False

    @property
    def key(self) -> str:
        """As fragments name it: account-12."""
        return f"{self.kind}-{self.pk}"

    @property
    def cursor(self) -> str:
        """Where the next older page begins."""
        return cursor_of(self.at, self.kind, self.pk)

    @property
    def order(self) -> str:
        """As live lists sort it, newest first."""
        return f"{LAST - round(self.at.timestamp() * 1_000_000):018d}"


def whose(row: Any, user_id: int) -> str:
    """Who did it, as the person reads it: the desk has no names here."""
    if row.actor_id == user_id:
        return "You"
    role = getattr(row, "actor_role", Role.ADMIN)
    return "Our desk" if role == Role.ADMIN else "By the clock"


def account_change(row: AccountHistory) -> Change:
    """A step of the account: verified, suspended, another role."""
    role = dict(Role.choices).get(row.to_state)
    what = f"You are {a(str(role).lower())} now" if role else ACCOUNT.get(row.to_state, row.to_state)
    by = whose(row, row.user_id)
    return Change("account", row.pk, row.user_id, row.at, what, by, row.reason, is_grave=row.to_state in GRAVE)


def a(noun: str) -> str:
    """With its article: an admin, a driver."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def document_change(row: CredentialHistory) -> Change:
    """A step of a document."""
    document = row.subject
    word = DOCUMENT.get(row.to_state, f"is {row.to_state.replace('_', ' ')}")
    what, by = f"{document.get_kind_display()} {word}", whose(row, document.technician_id)
    grave = row.to_state in GRAVE
    return Change("credential", row.pk, document.technician_id, row.at, what, by, row.reason, is_grave=grave)


def desk_change(row: DeskAction) -> Change:
    """Something the desk did that moved no state."""
    known = DESK.get(row.verb)
    plain = row.verb.replace("_", " ").capitalize()
    what = known or (f"{plain}: {row.label}" if row.label else plain)
    pairs = row.details.items() if known else ()
    details = [(FIELDS[name], *values) for name, values in pairs if name in FIELDS]
    return Change("desk", row.pk, row.person_id or 0, row.at, what, whose(row, row.person_id or 0), row.reason, details)


@dataclass(frozen=True)
class Source:
    """A table that tells of changes, and where it says whom they concern."""

    model: type[Model]
    person: str
    change: Callable[[Any], Change]
    joined: tuple[str, ...] = ()

    def rows(self) -> QuerySet[Any]:
        """With what `change` reads."""
        rows = self.model._default_manager.all()
        return rows.select_related(*self.joined) if self.joined else rows

    def whom(self, row: Any) -> int | None:
        """The person, by id."""
        for part in self.person.split("__"):
            row = getattr(row, part)
        found: int | None = row
        return found


SOURCES = {
    "account": Source(AccountHistory, "user_id", account_change),
    "credential": Source(CredentialHistory, "subject__technician_id", document_change, ("subject",)),
    "desk": Source(DeskAction, "person_id", desk_change),
}


def changes_of(user: User, *, before: Mark | None = None, limit: int = PAGE) -> list[Change]:
    """The newest `limit` changes about `user`, of those older than a mark; three queries, whatever their number."""
    found: list[Change] = []
    for rank, source in enumerate(SOURCES.values()):
        rows = source.rows().filter(older_than(before, rank) if before else Q(), **{source.person: user.pk})
        found += [source.change(row) for row in rows.order_by("-at", "-pk")[:limit]]
    # Of one instant in the order of the tables, where each has its newest first already.
    return sorted(found, key=lambda change: change.order)[:limit]


def load_changes(keys: Sequence[str]) -> Mapping[str, Change]:
    """Changes by key; a query a table at most."""
    found: dict[str, Change] = {}
    for kind, source in SOURCES.items():
        if ids := ids_of(kind, keys):
            found |= {change.key: change for change in map(source.change, source.rows().filter(pk__in=ids))}
    return found


def ids_of(kind: str, keys: Iterable[str]) -> list[int]:
    """The ids among `keys` that are of one table."""
    parts = [key.partition("-") for key in keys]
    return [int(pk) for name, _, pk in parts if name == kind and pk.isdecimal()]
