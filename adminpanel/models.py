"""What only the desk keeps: how its figures went, and which alerts of the live system stand."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from realtime.models import LiveModel


class FigureSample(LiveModel):
    """A figure of the dashboard at a full step of the clock, for trends and for the change since yesterday."""

    name = models.CharField(max_length=40)
    at = models.DateTimeField()
    value = models.DecimalField(max_digits=16, decimal_places=3)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["name", "at"], name="figure_sample_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.value} at {self.at:%Y-%m-%d %H:%M} UTC"


class Alert(LiveModel):
    """A crossed limit of the live system: told once when it is crossed and once when it clears."""

    limit = models.CharField(max_length=20, help_text="connect_success, lag or polling.")
    value = models.FloatField(help_text="What was measured when it was crossed.")
    raised_at = models.DateTimeField(default=timezone.now)
    cleared_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["limit"], condition=Q(cleared_at__isnull=True), name="alert_stands_once")
        ]

    def __str__(self) -> str:
        return f"{self.limit} at {self.value:g}"
