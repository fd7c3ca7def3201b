"""What happens in common by the clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from common.models import IdempotencyKey

KEEP_KEYS = timedelta(hours=24)


def run_due(as_of: datetime) -> int:
    """Forget the answers kept for repeated requests after a day; returns how many."""
    return IdempotencyKey.objects.filter(created_at__lt=as_of - KEEP_KEYS).delete()[0]
