"""The customer's small forms: cancelling, moving, reaching the technician."""

from __future__ import annotations

from typing import Any

from django import forms

from bookings.forms.moments import DateInput, LocalTimes, TimeInput
from bookings.models import Booking, Session
from bookings.states import CancelReason, ContactChannel

REASONS = (
    CancelReason.PLANS_CHANGED,
    CancelReason.FIXED_ITSELF,
    CancelReason.BOOKED_ELSEWHERE,
    CancelReason.MISTAKE,
    CancelReason.OTHER,
)


class CancelForm(forms.Form):
    """Why the customer calls the job off."""

    reason = forms.ChoiceField(label="Why?", widget=forms.RadioSelect)
    note = forms.CharField(
        label="Anything to add",
        required=False,
        max_length=300,
        widget=forms.Textarea({"rows": 2}),
        help_text="The technician will see it.",
    )

    def __init__(self, *args: Any, assigned: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        late = (CancelReason.TECHNICIAN_LATE,) if assigned else ()
        self.fields["reason"].choices = [(each.value, each.label) for each in (*late, *REASONS)]  # type: ignore[attr-defined]


class ChangeTimeForm(LocalTimes):
    """Another window for an open job."""

    day = forms.DateField(label="Day", widget=DateInput)
    starts = forms.TimeField(label="From", widget=TimeInput)
    ends = forms.TimeField(label="Until", widget=TimeInput)

    def clean(self) -> dict[str, Any]:
        """Adds `window_start` and `window_end`, as instants."""
        data = super().clean() or {}
        day = data.get("day")
        data["window_start"] = self.moment("starts", day, data.get("starts"))
        data["window_end"] = self.moment("ends", day, data.get("ends"))
        if data["window_start"] and data["window_end"] and data["window_end"] <= data["window_start"]:
            self.add_error("ends", "The end must be after the start.")
        return data

    @staticmethod
    def initial_of(booking: Booking) -> dict[str, Any]:
        """The window as it is, in the job's zone."""
        if booking.window_start is None or booking.window_end is None:
            return {}
        first, last = booking.window_start.astimezone(booking.zone), booking.window_end.astimezone(booking.zone)
        return {"day": first.date(), "starts": first.time(), "ends": last.time()}


class MoveVisitForm(LocalTimes):
    """Another time for a booked visit, which the other side has to agree to."""

    day = forms.DateField(label="Day", widget=DateInput)
    starts = forms.TimeField(label="Start", widget=TimeInput)
    message = forms.CharField(label="Why", required=False, max_length=300, widget=forms.Textarea({"rows": 2}))

    def clean(self) -> dict[str, Any]:
        """Adds `starts_at`, an instant."""
        data = super().clean() or {}
        data["starts_at"] = self.moment("starts", data.get("day"), data.get("starts"))
        return data

    @staticmethod
    def initial_of(session: Session) -> dict[str, Any]:
        """The visit's time as it is, in the job's zone."""
        first = session.starts_at.astimezone(session.booking.zone)
        return {"day": first.date(), "starts": first.time()}


class ContactForm(forms.Form):
    """How the customer tried to reach the technician."""

    channel = forms.ChoiceField(
        label="How did you try?",
        widget=forms.RadioSelect,
        choices=[(each.value, each.label) for each in (ContactChannel.CALL, ContactChannel.MESSAGE)],
    )
    note = forms.CharField(label="What came of it", required=False, max_length=200)
