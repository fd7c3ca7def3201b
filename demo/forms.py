"""The demo's tray on the desk."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from demo.models import Switches


class SwitchesForm(forms.ModelForm[Switches]):
    """How many drive, and what goes wrong."""

    class Meta:
        model = Switches
        fields = ("drivers", "bad_gps", "drop_outs", "refusals", "paused")
        labels: ClassVar[dict[str, Any]] = {
            "drivers": "Simulated drivers",
            "bad_gps": "Bad GPS",
            "drop_outs": "Drop-outs",
            "refusals": "Refusals",
            "paused": "Pause",
        }
        help_texts: ClassVar[dict[str, Any]] = dict.fromkeys(("bad_gps", "drop_outs", "refusals", "paused"), "")
