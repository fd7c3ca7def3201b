"""The desk's own line in the audit, for what it does that moves no state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import DeskAction, Role, User


def record(
    by: User | None,
    verb: str,
    *,
    subject_kind: str = "",
    subject_id: int | None = None,
    label: str = "",
    person: User | None = None,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> DeskAction | None:
    """Write that the admin `by` did `verb` (past tense, lower_snake_case); nothing where it was no admin.

    `person` is whom it concerns, who may read this line and its `reason`; `details` says what changed, as
    {field: [before, after]}. Call it inside the action's transaction.
    """
    if by is None or by.role != Role.ADMIN:
        return None
    return DeskAction.objects.create(
        actor=by,
        verb=verb,
        subject_kind=subject_kind,
        subject_id=subject_id,
        label=label[:120],
        person=person,
        reason=reason[:300],
        details=dict(details or {}),
        at=now or timezone.now(),
    )
