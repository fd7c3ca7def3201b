"""What the desk types about jobs. Every one of these asks for a reason: it stays in the histories or the audit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms

from accounts.models import Technician
from adminpanel.jobs.candidates import Candidate
from bookings.forms.amounts import fit_currency
from bookings.forms.booking import in_words
from bookings.forms.customer import ChangeTimeForm
from bookings.forms.moments import DateInput, LocalTimes, TimeInput
from bookings.models import Booking, Session
from bookings.states import CancelReason, ContactChannel
from common.money import SYMBOLS

REASON = "It stays in the history, and whoever it concerns can read it."
LENGTHS = (30, 45, 60, 90, 120, 180, 240, 360, 480)


class WhyForm(forms.Form):
    """Why, in the desk's words."""

    reason = forms.CharField(label="Why", max_length=200, widget=forms.Textarea({"rows": 2}), help_text=REASON)


class NoteForm(WhyForm):
    """What was done, as the technician said it, and why the desk writes it."""

    note = forms.CharField(label="What was done", max_length=2000, widget=forms.Textarea({"rows": 3}))
    field_order = ("note", "reason")


class TriedForm(WhyForm):
    """How the technician or the customer tried to reach the other side."""

    channel = forms.ChoiceField(label="How", choices=ContactChannel.choices, widget=forms.RadioSelect)
    field_order = ("channel", "reason")


class DeskCancelForm(forms.Form):
    """Why a job is called off: a reason that the fee may depend on, whose wish it was, and words."""

    code = forms.ChoiceField(label="What kind of reason", choices=CancelReason.choices)
    wished = forms.BooleanField(
        label="The customer wished it", required=False, help_text="Then it costs them what the rule says; else nothing."
    )
    reason = forms.CharField(label="Why", max_length=200, widget=forms.Textarea({"rows": 2}), help_text=REASON)


class PlanForm(LocalTimes):
    """Who comes, when and for how much."""

    technician = forms.ChoiceField(label="Who", widget=forms.RadioSelect)
    day = forms.DateField(label="Day", widget=DateInput)
    starts = forms.TimeField(label="Start", widget=TimeInput)
    length = forms.TypedChoiceField(label="Takes about", coerce=int)
    amount = forms.DecimalField(
        label="Price",
        required=False,
        min_value=Decimal("0.01"),
        max_value=Decimal(999_999),
        decimal_places=2,
        widget=forms.NumberInput({"inputmode": "decimal", "step": "any"}),
        help_text="Empty: what they offered.",
    )
    overlap = forms.BooleanField(
        label="Let it overlap another visit of theirs", required=False, help_text="The audit keeps that you did."
    )
    reason = forms.CharField(label="Why", max_length=200, widget=forms.Textarea({"rows": 2}), help_text=REASON)

    def __init__(self, data: Any, *, booking: Booking, candidates: Sequence[Candidate], **kwargs: Any) -> None:
        super().__init__(data, zone=booking.time_zone, **kwargs)
        self.candidates = list(candidates)
        self.symbol = SYMBOLS.get(booking.currency, booking.currency)
        own = booking.duration_minutes or 60
        names = [(str(each.pk), each.name) for each in self.candidates]
        self.fields["technician"].choices = names  # type: ignore[attr-defined]
        lengths = [(each, in_words(each)) for each in sorted({*LENGTHS, own})]
        self.fields["length"].choices = lengths  # type: ignore[attr-defined]
        fit_currency(self.fields["amount"], booking.currency)

    def clean(self) -> dict[str, Any]:
        """Adds `starts_at` and `ends_at`, as instants; a price that is left out is that of the technician's offer."""
        data = super().clean() or {}
        data["starts_at"] = self.moment("starts", data.get("day"), data.get("starts"))
        if data["starts_at"] and data.get("length"):
            data["ends_at"] = data["starts_at"] + timedelta(minutes=data["length"])
        if data.get("amount") is None and not self.errors.get("amount"):
            offered = next((each.offered for each in self.candidates if str(each.pk) == data.get("technician")), None)
            if offered is None and data.get("technician"):
                self.add_error("amount", "They have made no offer: give the price that was agreed.")
            data["amount"] = offered.amount if offered else None
        return data

    @property
    def who(self) -> Technician:
        """Who was chosen."""
        return next(each.technician for each in self.candidates if str(each.pk) == self.cleaned_data["technician"])

    @staticmethod
    def initial_of(booking: Booking, visit: Session | None, now: datetime) -> dict[str, Any]:
        """The time of the visit that somebody else was to make, or the window's start while that is to come."""
        first = visit.starts_at if visit else booking.window_start or now
        local = max(first, next_quarter(now)).astimezone(booking.zone)
        return {"day": local.date(), "starts": local.time(), "length": booking.duration_minutes or 60}


def next_quarter(now: datetime) -> datetime:
    """The next full quarter of an hour that leaves a little time to get there."""
    soon = now + timedelta(minutes=20)
    return soon.replace(minute=soon.minute // 15 * 15, second=0, microsecond=0) + timedelta(minutes=15)


class DeskMoveForm(LocalTimes):
    """Another time for a booked visit, on the desk's word."""

    day = forms.DateField(label="Day", widget=DateInput)
    starts = forms.TimeField(label="Start", widget=TimeInput)
    wished = forms.BooleanField(
        label="The customer wished it",
        required=False,
        help_text="Then a later cancellation costs at least what it would cost now.",
    )
    overlap = forms.BooleanField(
        label="Let it overlap another visit of the technician",
        required=False,
        help_text="The audit keeps that you did.",
    )
    reason = forms.CharField(label="Why", max_length=200, widget=forms.Textarea({"rows": 2}), help_text=REASON)

    def clean(self) -> dict[str, Any]:
        """Adds `starts_at`, an instant."""
        data = super().clean() or {}
        data["starts_at"] = self.moment("starts", data.get("day"), data.get("starts"))
        return data


class DeskWindowForm(ChangeTimeForm):
    """Another window for an open job, on the desk's word."""

    reason = forms.CharField(label="Why", max_length=200, widget=forms.Textarea({"rows": 2}), help_text=REASON)


class BulkMoveForm(WhyForm):
    """By how many days several jobs are moved."""

    days = forms.IntegerField(
        label="Days later", min_value=-30, max_value=90, initial=1, help_text="A number below zero moves them earlier."
    )
    field_order = ("days", "reason")

    def clean_days(self) -> int:
        """Not at all is no move."""
        days = int(self.cleaned_data["days"])
        if not days:
            raise forms.ValidationError("Say by how many days.")
        return days
