"""The part of a form that says what a technician offers: skills, area, and hours by weekday."""

from __future__ import annotations

from datetime import time
from typing import Any, NamedTuple

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from accounts.actions import Hours, Trade
from accounts.models import Skill, Technician
from common.geo import is_place

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
USUAL = (time(8), time(18))


class Weekday(NamedTuple):
    """One line of the hours: its name and its three fields, bound."""

    name: str
    works: forms.BoundField
    starts: forms.BoundField
    ends: forms.BoundField


class TradeForm(forms.Form):
    """Skills, base on the map, radius, working hours."""

    skills = forms.ModelMultipleChoiceField(
        queryset=Skill.objects.all(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one skill: it decides which jobs you see."},
    )
    base_label = forms.CharField(
        label="Where you start from", max_length=80, help_text="A neighbourhood or postcode area, e.g. Camden."
    )
    base_latitude = forms.FloatField(
        label="Latitude", min_value=-90, max_value=90, widget=forms.NumberInput({"step": "any", "inputmode": "decimal"})
    )
    base_longitude = forms.FloatField(
        label="Longitude",
        min_value=-180,
        max_value=180,
        widget=forms.NumberInput({"step": "any", "inputmode": "decimal"}),
    )
    radius_km = forms.IntegerField(
        label="How far you travel (km)",
        initial=15,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        widget=forms.NumberInput({"min": 1, "max": 100, "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number, name in enumerate(WEEKDAYS):
            self.fields[f"day_{number}"] = forms.BooleanField(required=False, label=name, initial=number < 5)
            for part, usual in zip(("starts", "ends"), USUAL, strict=True):
                self.fields[f"day_{number}_{part}"] = forms.TimeField(
                    required=False,
                    label=f"{name} {'from' if part == 'starts' else 'to'}",
                    initial=usual,
                    widget=forms.TimeInput({"type": "time", "step": 900}, format="%H:%M"),
                )

    @property
    def weekdays(self) -> list[Weekday]:
        """The hours, line by line, for the template."""
        return [
            Weekday(name, self[f"day_{number}"], self[f"day_{number}_starts"], self[f"day_{number}_ends"])
            for number, name in enumerate(WEEKDAYS)
        ]

    def clean(self) -> dict[str, Any]:
        """Check the place, and each working day's hours."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        place = data.get("base_latitude"), data.get("base_longitude")
        if None not in place and not is_place(*place):
            self.add_error("base_latitude", "That is not a place on land. Put the pin where you start from.")
        for number in range(7):
            self._clean_day(number, data)
        if not self.errors and not any(data.get(f"day_{number}") for number in range(7)):
            self.add_error("day_0", "Tick at least one day you work on.")
        return data

    def _clean_day(self, number: int, data: dict[str, Any]) -> None:
        if not data.get(f"day_{number}"):
            return
        starts, ends = data.get(f"day_{number}_starts"), data.get(f"day_{number}_ends")
        if starts is None or ends is None:
            self.add_error(f"day_{number}", f"Say from when to when you work on {WEEKDAYS[number]}, or untick it.")
        elif ends <= starts:
            self.add_error(f"day_{number}", f"{WEEKDAYS[number]} ends before it starts. Correct one of the two times.")

    def trade(self) -> Trade:
        """What was typed, as the actions take it."""
        data = self.cleaned_data
        worked = [number for number in range(7) if data[f"day_{number}"]]
        return Trade(
            skills=list(data["skills"]),
            base_label=data["base_label"],
            base_latitude=data["base_latitude"],
            base_longitude=data["base_longitude"],
            radius_km=data["radius_km"],
            hours=[Hours(n, data[f"day_{n}_starts"], data[f"day_{n}_ends"]) for n in worked],
            about=data.get("about", ""),
        )


def initial_trade(technician: Technician) -> dict[str, Any]:
    """What the form shows first for a technician who is on file."""
    names = ("base_label", "base_latitude", "base_longitude", "radius_km", "about")
    initial: dict[str, Any] = {name: getattr(technician, name) for name in names}
    initial["skills"] = [skill.pk for skill in technician.skills.all()]
    initial |= {f"day_{number}": False for number in range(7)}
    for day in technician.hours.all():
        initial |= {
            f"day_{day.weekday}": True,
            f"day_{day.weekday}_starts": day.starts,
            f"day_{day.weekday}_ends": day.ends,
        }
    return initial
