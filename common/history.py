"""The base of every history table: who moved what from where to where, when and why."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class HistoryRow(models.Model):
    """One transition. Rows are only ever added; replaying them gives the current state.

    A subclass adds the foreign key to its object. `actor` is null when the clock did it.
    """

    from_state = models.CharField(max_length=20, blank=True)
    to_state = models.CharField(max_length=20)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    actor_role = models.CharField(max_length=12, default="clock")
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    device_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        ordering: ClassVar = ["at", "id"]
