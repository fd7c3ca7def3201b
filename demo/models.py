"""What the desk may set of the demo while it runs."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator
from django.db import models

from demo.cast import MOST_DRIVERS

USUAL_DRIVERS = 7


class Switches(models.Model):
    """How it goes on the demo's roads: one row, set from the desk in demo mode, obeyed by the simulator."""

    drivers = models.PositiveSmallIntegerField(
        "simulated drivers on duty", default=USUAL_DRIVERS, validators=[MaxValueValidator(MOST_DRIVERS)]
    )
    bad_gps = models.BooleanField("bad GPS", default=False, help_text="Jumps, (0, 0), wrong clocks, vague fixes.")
    drop_outs = models.BooleanField("drop-outs", default=False, help_text="Devices lose the network for a while.")
    refusals = models.BooleanField(
        "refusals", default=False, help_text="Drivers decline, or do not answer, more often."
    )
    paused = models.BooleanField("pause", default=False, help_text="Nobody who is simulated moves or answers.")

    class Meta:
        verbose_name_plural = "switches"
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="switches_are_one_row"),
            models.CheckConstraint(condition=models.Q(drivers__lte=MOST_DRIVERS), name="switches_drivers_in_range"),
        ]

    def __str__(self) -> str:
        return f"{self.drivers} drivers"


def switches() -> Switches:
    """As they stand, or as they are at first; one query."""
    return Switches.objects.filter(pk=1).first() or Switches(pk=1)
