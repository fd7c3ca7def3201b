"""Form fields that several forms share."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from common.zones import validate_zone, zone_names

REGIONS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


def zone_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Zones by region, for a select with groups; the old aliases (GB, Etc/GMT+5) are left out, UTC is in."""
    names = sorted(name for name in zone_names() if name.split("/")[0] in REGIONS and "/" in name)
    grouped = groupby(names, key=lambda name: name.split("/")[0])
    regions = [(region, [(name, _place(name)) for name in each]) for region, each in grouped]
    return [*regions, ("Other", [("UTC", "UTC")])]


def _place(name: str) -> str:
    """Europe/London as London, America/Argentina/Salta as Argentina, Salta."""
    return ", ".join(name.split("/")[1:]).replace("_", " ")


class ZoneField(forms.ChoiceField):
    """An IANA time zone, chosen from a list by region. A valid name that the list leaves out is taken too."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "Times are shown in the job’s own zone, and in this one where they differ.")
        super().__init__(choices=zone_choices, **kwargs)

    def validate(self, value: Any) -> None:
        """Raise `ValidationError` unless it is a zone."""
        forms.Field.validate(self, value)
        validate_zone(value)


class PhoneField(forms.CharField):
    """A phone number as people write it: digits, spaces, brackets and dashes, with or without a country code."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=30,
            widget=forms.TextInput({"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
            help_text="Shown to the other side of a job only once it is assigned.",
            **kwargs,
        )

    def clean(self, value: Any) -> str:
        """The number with single spaces. Raises `ValidationError` where nobody could be called there."""
        text = " ".join(super().clean(value).split())
        if text and not (re.fullmatch(r"\+?[\d ()./-]+", text) and 6 <= sum(c.isdigit() for c in text) <= 15):
            raise ValidationError("That does not look like a phone number. Write it like +44 20 7946 0018.")
        return text
