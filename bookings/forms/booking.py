"""The steps of the booking form. Each says what a draft holds of it, and what of it to keep."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.utils import timezone

from accounts.fields import ZoneField
from bookings.actions import DraftFields
from bookings.forms.amounts import fit_currency
from bookings.forms.areas import AREAS, BY_LABEL, label_for
from bookings.forms.customer import ChangeTimeForm
from bookings.forms.moments import DateInput, TimeInput
from bookings.forms.photos import PhotosField
from bookings.geocoding import find_place
from bookings.models import Booking, ServiceCategory
from common.geo import Point, is_place
from common.money import SYMBOLS

MIDDLES = {area.point for area in AREAS}
DURATIONS = (30, 45, 60, 90, 120, 180, 240, 360, 480)


def among(data: dict[str, Any], *names: str) -> dict[str, Any]:
    """Those of `names` that came out in order."""
    return {name: data[name] for name in names if name in data}


def fields(kept: dict[str, Any]) -> DraftFields:
    """Cleaned data as fields of a draft: the form's fields bear the same names."""
    return cast(DraftFields, kept)


class WhatForm(forms.Form):
    """Step 1: what is to be done."""

    category = forms.ModelChoiceField(
        ServiceCategory.objects.select_related("skill"), label="Kind of job", widget=forms.RadioSelect, empty_label=None
    )
    title = forms.CharField(
        label="In a few words",
        max_length=100,
        widget=forms.TextInput({"placeholder": "Kitchen tap drips", "autocomplete": "off"}),
    )
    description = forms.CharField(
        label="Details",
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 4}),
        help_text="What happened, make and model, parking, stairs: the better the details, the closer the offers.",
    )
    photos = PhotosField(
        label="Photos",
        required=False,
        help_text="Up to six. Where and when they were taken is removed. Technicians see them before they offer.",
    )

    def kept(self) -> DraftFields:
        """What to keep in the draft, of what is in order."""
        return fields(among(self.cleaned_data, "category", "title", "description"))

    @staticmethod
    def initial_of(draft: Booking | None) -> dict[str, Any]:
        """What the draft holds of this step."""
        if draft is None:
            return {}
        return {"category": draft.category_id, "title": draft.title, "description": draft.description}


class AreaSelect(forms.Select):
    """Neighbourhoods, each with its middle, for the script that moves the pin."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Django's option, with the place of its neighbourhood."""
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        if area := BY_LABEL.get(str(value)):
            option["attrs"] |= {"data-latitude": str(area.latitude), "data-longitude": str(area.longitude)}
        return option


class WhereForm(forms.Form):
    """Step 2: where. The pin decides; without one, the middle of the neighbourhood."""

    address_line1 = forms.CharField(
        label="Street and number", max_length=120, widget=forms.TextInput({"autocomplete": "address-line1"})
    )
    address_line2 = forms.CharField(
        label="Flat, floor, entrance",
        required=False,
        max_length=120,
        widget=forms.TextInput({"autocomplete": "address-line2"}),
    )
    town = forms.CharField(max_length=80, initial="London", widget=forms.TextInput({"autocomplete": "address-level2"}))
    postcode = forms.CharField(max_length=12, widget=forms.TextInput({"autocomplete": "postal-code"}))
    area = forms.ChoiceField(
        label="Neighbourhood",
        required=False,
        choices=[("", "Take it from the pin"), *((area.label, area.label) for area in AREAS)],
        widget=AreaSelect({"data-moves-pin": ""}),
        help_text="Enough without a pin. Everybody sees it; only the technician you accept sees the address.",
    )
    latitude = forms.FloatField(required=False, min_value=-90, max_value=90, widget=forms.NumberInput({"step": "any"}))
    longitude = forms.FloatField(
        required=False, min_value=-180, max_value=180, widget=forms.NumberInput({"step": "any"})
    )
    time_zone = ZoneField(label="Time zone of the place", initial=settings.DEFAULT_ZONE)

    def clean(self) -> dict[str, Any]:
        """Settle the point: the pin, else the address by the geocoder, else the neighbourhood's middle."""
        data = super().clean() or {}
        if self.errors.keys() & {"latitude", "longitude"}:
            return data
        point = self.pin(data) or self.looked_up(data) or self.middle(data)
        if point is None:
            self.add_error("area", "Place the pin on the map, or choose the neighbourhood.")
            return data
        data["latitude"], data["longitude"] = point
        return data

    def pin(self, data: dict[str, Any]) -> Point | None:
        """The point typed or tapped; half of one is none, and neither is the middle of another neighbourhood."""
        latitude, longitude = data.get("latitude"), data.get("longitude")
        if latitude is None or longitude is None or not is_place(latitude, longitude):
            return None
        point = Point(latitude, longitude)
        chosen = BY_LABEL.get(data.get("area", ""))
        return None if chosen and point in MIDDLES and point != chosen.point else point

    def looked_up(self, data: dict[str, Any]) -> Point | None:
        """The address, where the site has a geocoder."""
        return find_place(", ".join(str(data.get(name, "")) for name in ("address_line1", "postcode", "town")))

    def middle(self, data: dict[str, Any]) -> Point | None:
        """The middle of the chosen neighbourhood."""
        area = BY_LABEL.get(data.get("area", ""))
        return area.point if area else None

    def kept(self) -> DraftFields:
        """What to keep in the draft, of what is in order; the area is what everybody may read."""
        data = self.cleaned_data
        kept = among(data, "address_line1", "address_line2", "town", "postcode", "time_zone")
        point = self.pin(data)
        if point is not None:
            kept |= {"latitude": point.latitude, "longitude": point.longitude}
            kept["area_label"] = data.get("area") or label_for(point, data.get("town", ""), data.get("postcode", ""))
        return fields(kept)

    @staticmethod
    def initial_of(draft: Booking) -> dict[str, Any]:
        """What the draft holds of this step."""
        names = ("address_line1", "address_line2", "postcode", "latitude", "longitude", "time_zone")
        kept = {name: getattr(draft, name) for name in names}
        area = draft.area_label if draft.area_label in BY_LABEL else ""
        return {**kept, "area": area, **({"town": draft.town} if draft.town else {})}


class WhenForm(ChangeTimeForm):
    """Step 3: when, how long, and what one hopes to pay."""

    day = forms.DateField(label="Day", widget=DateInput)
    starts = forms.TimeField(label="Not before", widget=TimeInput)
    ends = forms.TimeField(label="Done by", widget=TimeInput)
    duration_minutes = forms.TypedChoiceField(label="Takes about", coerce=int)
    budget = forms.DecimalField(
        label="Your budget",
        required=False,
        min_value=1,
        max_value=99_999,
        decimal_places=2,
        widget=forms.NumberInput({"inputmode": "decimal", "step": "1"}),
        help_text="Technicians see it. Leave it empty to hear what they ask.",
    )
    field_order = ("day", "starts", "ends", "duration_minutes", "budget")

    def __init__(self, *args: Any, draft: Booking, **kwargs: Any) -> None:
        self.draft = draft
        super().__init__(*args, zone=draft.time_zone, **kwargs)
        usual = draft.category.usual_minutes if draft.category else 60
        lengths = sorted({*DURATIONS, usual, draft.duration_minutes or usual})
        self.fields["duration_minutes"].choices = [(each, in_words(each)) for each in lengths]  # type: ignore[attr-defined]
        fit_currency(self.fields["budget"], draft.currency)
        self.symbol = SYMBOLS.get(draft.currency, draft.currency)

    def clean(self) -> dict[str, Any]:
        """The visit has to fit into the window, and the window into the future."""
        data = super().clean()
        start, end, length = data.get("window_start"), data.get("window_end"), data.get("duration_minutes")
        if self.errors or not (start and end and length):
            return data
        latest = end - timedelta(minutes=length)
        if latest < start:
            self.add_error("ends", f"That leaves less than {in_words(length)}. Choose a later end or an earlier start.")
        elif latest <= timezone.now():
            self.add_error("day", "That time has passed, or leaves too little of the window. Choose a later one.")
        return data

    def kept(self) -> DraftFields:
        """What to keep in the draft, of what is in order."""
        data = self.cleaned_data
        kept = among(data, "duration_minutes", "budget")
        start, end = data.get("window_start"), data.get("window_end")
        if start and end and end > start:
            kept |= {"window_start": start, "window_end": end}
        return fields(kept)

    @classmethod
    def initial_for(cls, draft: Booking) -> dict[str, Any]:
        """What the draft holds of this step; at first, tomorrow in daylight."""
        usual = draft.category.usual_minutes if draft.category else 60
        kept = {"duration_minutes": draft.duration_minutes or usual, "budget": draft.budget}
        return {**tomorrow(draft, timezone.now()), **kept, **cls.initial_of(draft)}


def tomorrow(draft: Booking, now: datetime) -> dict[str, Any]:
    """The next day from nine to five, at the job's place."""
    day = (now.astimezone(draft.zone) + timedelta(days=1)).date()
    return {"day": day, "starts": "09:00", "ends": "17:00"}


def in_words(minutes: int) -> str:
    """45 min, 1 h 30 min."""
    hours, rest = divmod(minutes, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)
