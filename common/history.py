"""The base of every history table: who moved what from where to where, when and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.db import models

from realtime.models import LiveModel

H = TypeVar("H", bound="HistoryRow")


class HistoryRow(LiveModel):
    """One transition. Rows are only ever added; replaying them gives the current state.

    A subclass adds the foreign key to its object. `actor` is null when the clock did it.
    """

    from_state = models.CharField(max_length=20, blank=True)
    to_state = models.CharField(max_length=20)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    actor_role = models.CharField(max_length=12, default="clock")
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(db_index=True)  # the audit reads all histories together, newest first
    device_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        ordering: ClassVar = ["at", "id"]
        indexes: ClassVar = [  # what the desk did is rare among what happened, and asked for alone
            models.Index(fields=["-at", "-id"], condition=models.Q(actor_role="admin"), name="%(class)s_by_desk")
        ]


def keep(
    history: type[H],
    before: str,
    after: str,
    *,
    by: Any,
    now: datetime,
    reason: str = "",
    device_at: datetime | None = None,
    **subject: models.Model,
) -> H:
    """Write the row of one transition; `by` is the user who made it, None for the clock.

    `subject` is the object, by the name of the table's foreign key: `subject=booking`.
    """
    row = history(
        **subject,
        from_state=before,
        to_state=after,
        actor=by,
        actor_role=by.role if by else "clock",
        reason=reason[:300],
        at=now,
        device_at=device_at,
    )
    row.save()
    return row
