"""What the desk types about legs and drivers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from common.geo import Point, is_place
from tracking.dispatching import Candidate
from tracking.models import Driver, Leg
from tracking.rules.numbers import number

SHOWN = 8  # candidates; the rest are folded away


class LegForm(forms.ModelForm[Leg]):
    """A new leg; the action makes it."""

    class Meta:
        model = Leg
        fields = ("kind", "note", "weight_kg", "skill", "pick_up", "pick_up_latitude", "pick_up_longitude")
        widgets = {  # noqa: RUF012 (Django's own)
            "kind": forms.RadioSelect,
            "pick_up_latitude": forms.NumberInput({"step": "any"}),
            "pick_up_longitude": forms.NumberInput({"step": "any"}),
        }
        labels = {"pick_up_latitude": "Latitude", "pick_up_longitude": "Longitude"}  # noqa: RUF012
        help_texts = {"skill": "Only drivers who can do this are asked."}  # noqa: RUF012

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["skill"].empty_label = "None needed"  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Half a point is none, and (0, 0) is nowhere."""
        data = super().clean() or {}
        place = data.get("pick_up_latitude"), data.get("pick_up_longitude")
        if place != (None, None) and not is_place(*place) and not self.errors.keys() & {"pick_up_latitude"}:
            self.add_error("pick_up_latitude", "Place the pin on the map, or leave both fields empty.")
        return data

    @property
    def point(self) -> Point | None:
        """Where it is fetched, if the pin was placed."""
        place = self.cleaned_data["pick_up_latitude"], self.cleaned_data["pick_up_longitude"]
        return Point(*place) if is_place(*place) else None


class DriverForm(forms.ModelForm[Driver]):
    """A driver's vehicle and skills; the action writes them."""

    class Meta:
        model = Driver
        fields = ("vehicle", "plate", "capacity_kg", "skills")
        widgets = {"skills": forms.CheckboxSelectMultiple}  # noqa: RUF012 (Django's own)


def answer_times() -> list[tuple[str, str]]:
    """How long a driver has to answer; the first is the usual."""
    urgent, usual = number("OFFER_URGENT_SECONDS"), number("OFFER_SECONDS")
    choices = [(usual, "Usual"), (urgent, "Urgent"), (5 * 60, ""), (15 * 60, "")]
    return [(str(value), f"{word}, {in_words(value)}" if word else in_words(value)) for value, word in choices]


def in_words(seconds: int) -> str:
    """A span: 15 s, 5 min."""
    return f"{seconds} s" if seconds % 60 or seconds < 120 else f"{seconds // 60} min"


class OfferForm(forms.Form):
    """Whom to ask, and how long they have to answer."""

    drivers = forms.MultipleChoiceField(required=False)
    seconds = forms.ChoiceField(label="Time to answer", widget=forms.RadioSelect)

    def __init__(self, data: Any, *, candidates: Sequence[Candidate], chosen: Sequence[str] = ()) -> None:
        super().__init__(data)
        self.candidates = [each for each in candidates if each.fits]
        self.others = [each for each in candidates if not each.fits]
        self.first, self.rest = self.candidates[:SHOWN], self.candidates[SHOWN:]
        first = [str(each.driver.pk) for each in self.candidates[:1]]
        self.ticked = data.getlist("drivers") if data else (list(chosen) or first)
        self.fields["drivers"].choices = [(str(c.driver.pk), str(c.driver)) for c in candidates]  # type: ignore[attr-defined]
        self.fields["seconds"].choices = answer_times()  # type: ignore[attr-defined]
        self.fields["seconds"].initial = answer_times()[0][0]

    @property
    def most(self) -> int:
        """How many are asked in turn at most."""
        return min(number("ASK_MOST"), len(self.candidates))

    @property
    def best(self) -> int:
        """How many the button for the best few asks."""
        return min(3, self.most)

    def clean(self) -> dict[str, Any]:
        """The drivers in the order in which they fit best, whatever the order of their ticks."""
        data = super().clean() or {}
        if self.data.get("how") == "best":
            data["asked"] = [each.driver for each in self.candidates[: self.best]]
        else:
            ticked = set(data.get("drivers", ()))
            everyone = [*self.candidates, *self.others]
            data["asked"] = [each.driver for each in everyone if str(each.driver.pk) in ticked]
        if not data["asked"] and not self.errors:
            self.add_error("drivers", "Tick at least one driver to ask.")
        elif len(data["asked"]) > number("ASK_MOST"):
            self.add_error("drivers", f"At most {number('ASK_MOST')} are asked in turn; untick some.")
        return data

    @property
    def asked(self) -> list[Driver]:
        """Whom to ask, the best first."""
        return list(self.cleaned_data["asked"])

    @property
    def time(self) -> int:
        """The seconds each has."""
        return int(self.cleaned_data["seconds"])


class ReasonForm(forms.Form):
    """Why, in the desk's words."""

    reason = forms.CharField(label="Why", max_length=200, help_text="The driver reads it, and it stays in the history.")


class MaybeReasonForm(ReasonForm):
    """The same, where it may stay empty."""

    reason = forms.CharField(label="Why", max_length=200, required=False, help_text="It stays in the history.")


class ReassignForm(ReasonForm):
    """To whom it goes instead, and why."""

    driver = forms.ChoiceField(label="Who drives instead", widget=forms.RadioSelect)
    field_order = ("driver", "reason")

    def __init__(self, data: Any, *, candidates: Sequence[Candidate]) -> None:
        super().__init__(data)
        self.candidates = [each for each in candidates if each.fits][:SHOWN]
        self.fields["driver"].choices = [  # type: ignore[attr-defined]
            (str(each.driver.pk), f"{each.driver}: {', '.join(each.why)}") for each in self.candidates
        ]

    @property
    def chosen(self) -> Driver:
        """Who was chosen."""
        return next(each.driver for each in self.candidates if str(each.driver.pk) == self.cleaned_data["driver"])
