"""What Django's admin may do with raw rows: look, or change them and leave the desk's line in the audit.

What has states, a history or pages of its own at the desk is `ReadOnly`: there its rules are asked and its history is
written. The few other things are `Audited`. `tests/test_site_raw.py` holds that each is one of the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.http import HttpRequest

from accounts.access import signed_in
from accounts.audit import record
from accounts.models import Technician, User


class ReadOnly:
    """Nothing is added, changed or deleted by hand: it would write no history and ask no rule."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class Audited(ModelAdmin[Any]):
    """What is added, changed or deleted by hand leaves a line in the audit, in the transaction that does it.

    It says which fields, not what was in them: the line stays when a person is erased.
    """

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        """Django's own line, and the desk's."""
        entry: LogEntry = super().log_addition(request, obj, message)
        leave_line(request, "added", obj, entry.get_change_message())
        return entry

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        """Django's own line, and the desk's."""
        entry: LogEntry = super().log_change(request, obj, message)
        leave_line(request, "changed", obj, entry.get_change_message())
        return entry

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> Any:
        """Django's own lines, and the desk's; the rows are still there."""
        for row in queryset:
            leave_line(request, "deleted", row, "")
        return super().log_deletions(request, queryset)  # type: ignore[arg-type]


def leave_line(request: HttpRequest, done: str, row: Model, words: str) -> None:
    """That the desk `done` something to a row in the raw; whoever it is about may read it."""
    person = row.user if isinstance(row, Technician) else row if isinstance(row, User) else None
    kind = "user" if person else str(row._meta.model_name)
    verb = f"{done}_record_of_{row._meta.model_name}"[:40]
    record(
        signed_in(request),
        verb,
        subject_kind=kind,
        subject_id=person.pk if person else row.pk,
        label=str(row),
        person=person,
        reason=words,
    )
