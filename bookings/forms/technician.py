"""What technicians type. The forms check what was typed; `bookings.actions` holds the rules."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from bookings.forms.amounts import fit_currency
from bookings.forms.moments import DateInput, LocalTimes, TimeInput
from bookings.forms.photos import PhotosField
from bookings.models import Bid, Booking, Session
from bookings.rules.numbers import number
from bookings.states import CancelReason, ContactChannel
from common.money import SYMBOLS, exponent
from common.zones import half_hour_after

VALIDITY = [("720", "12 hours"), ("1440", "24 hours"), ("2880", "2 days"), ("10080", "A week")]
# Why a technician at the door or at work calls the visit off; the other reasons are a customer's.
STOP_REASONS = (CancelReason.CANNOT_BE_DONE, CancelReason.UNSAFE, CancelReason.OTHER)


def text_area(rows: int, **attrs: Any) -> forms.Textarea:
    """A box for some lines."""
    return forms.Textarea({"rows": rows, **attrs})


class StartForm(LocalTimes):
    """A day and a start at the job's site, read as the instant `starts_at`."""

    day = forms.DateField(label="Day", widget=DateInput)
    time = forms.TimeField(label="Start", widget=TimeInput({"step": 300}))

    def clean(self) -> dict[str, Any]:
        """Adds `starts_at`."""
        data = super().clean() or {}
        data["starts_at"] = self.moment("time", data.get("day"), data.get("time"))
        return data


def start_values(moment: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """`moment` as a form's day and time."""
    local = moment.astimezone(zone)
    return {"day": local.date(), "time": local.time().replace(second=0, microsecond=0)}


class OfferForm(StartForm):
    """A technician's offer on a job."""

    amount = forms.DecimalField(
        label="Your price",
        min_value=Decimal("0.01"),
        max_digits=9,
        decimal_places=2,
        widget=forms.NumberInput({"inputmode": "decimal", "step": "0.01", "autocomplete": "off"}),
        help_text="All in: call-out, labour and small parts.",
        error_messages={"max_digits": "That price is too large.", "min_value": "Offer a price above zero."},
    )
    message = forms.CharField(
        label="Message to the customer",
        required=False,
        max_length=500,
        widget=text_area(3, maxlength=500, placeholder="What you will bring, how you would do it"),
    )
    valid_for = forms.ChoiceField(label="The offer stands for", choices=VALIDITY, initial="2880")
    field_order = ("amount", "day", "time", "message", "valid_for")

    def __init__(self, *args: Any, booking: Booking, bid: Bid | None, now: datetime, **kwargs: Any) -> None:
        kwargs["initial"] = {**offer_values(booking, bid, now), **kwargs.get("initial", {})}
        super().__init__(*args, zone=booking.time_zone, **kwargs)
        self.fields["time"].help_text = f"In the job's own time, {booking.time_zone}."
        fit_currency(self.fields["amount"], booking.currency)
        self.fields["amount"].widget.attrs["step"] = str(Decimal(1).scaleb(-exponent(booking.currency)))
        self.now, self.symbol = now, SYMBOLS.get(booking.currency, booking.currency)

    def terms(self) -> dict[str, Any]:
        """The arguments of `place_bid` and `revise_bid`."""
        data = self.cleaned_data
        return {
            "amount": data["amount"],
            "starts_at": data["starts_at"],
            "message": data["message"].strip(),
            "valid_until": self.now + timedelta(minutes=int(data["valid_for"])),
        }


def offer_values(booking: Booking, bid: Bid | None, now: datetime) -> dict[str, Any]:
    """What the form starts with: the offer as it stands, else the first start that the customer asked for."""
    earliest = half_hour_after(max(booking.window_start or now, now + timedelta(minutes=30)))
    if bid is None:
        return start_values(earliest, booking.zone)
    start = bid.starts_at if bid.starts_at > now else earliest
    return {"amount": bid.price.amount, "message": bid.message, **start_values(start, booking.zone)}


class MoveForm(StartForm):
    """Another time for a visit."""

    message = forms.CharField(label="Why", required=False, max_length=300, widget=text_area(2, maxlength=300))
    field_order = ("day", "time", "message")

    def __init__(self, *args: Any, session: Session, **kwargs: Any) -> None:
        booking = session.booking
        kwargs["initial"] = {**start_values(session.starts_at, booking.zone), **kwargs.get("initial", {})}
        super().__init__(*args, zone=booking.time_zone, **kwargs)


class CodeForm(forms.Form):
    """The start code, as the customer reads it out."""

    code = forms.CharField(
        label="Start code",
        max_length=8,
        help_text="Four digits. The customer sees them on their own page.",
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "one-time-code", "class": "code-input"}),
    )


class PauseForm(forms.Form):
    """Why the work pauses."""

    reason = forms.CharField(
        label="Why?", max_length=200, widget=forms.TextInput({"placeholder": "Fetching a part", "autocomplete": "off"})
    )


class ReleaseForm(forms.Form):
    """Why a technician gives a job back."""

    reason = forms.CharField(
        label="Tell the customer why", max_length=300, widget=text_area(3, placeholder="My van broke down")
    )


class StopForm(forms.Form):
    """Why a visit that has begun is called off."""

    reason = forms.ChoiceField(
        label="Why?", choices=[(each.value, each.label) for each in STOP_REASONS], widget=forms.RadioSelect
    )
    note = forms.CharField(label="More about it", required=False, max_length=250, widget=text_area(2))


class AttemptForm(forms.Form):
    """How the technician tried to reach the customer."""

    channel = forms.ChoiceField(label="How did you try?", choices=ContactChannel, widget=forms.RadioSelect)
    note = forms.CharField(
        label="Note", required=False, max_length=200, widget=forms.TextInput({"placeholder": "No answer"})
    )


class CompleteForm(forms.Form):
    """What was done."""

    note = forms.CharField(
        label="What was done",
        max_length=2000,
        widget=text_area(4, placeholder="Replaced the washer, checked the pressure"),
    )
    photos = PhotosField(label="Photos", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["photos"].help_text = f"Up to {number('PHOTOS_MOST')}. The customer sees them."
