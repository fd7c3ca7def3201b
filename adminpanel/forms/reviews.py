"""What the desk types about a review."""

from __future__ import annotations

from django import forms

from bookings.states import FlagReason, HideReason

READ = "Both sides may read it, and it stays in the history."


class KeepForm(forms.Form):
    """Why a review stays."""

    reason = forms.CharField(
        label="Why it stays",
        max_length=300,
        widget=forms.Textarea({"rows": 2, "maxlength": 300}),
        help_text=READ,
        error_messages={"required": "Say why: whoever flagged it must be able to understand."},
    )


class HideForm(forms.Form):
    """Why a review is taken away: a code, and the desk's words."""

    why = forms.ChoiceField(
        label="Why it goes",
        choices=HideReason,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose the rule that it breaks."},
    )
    reason = forms.CharField(
        label="In your words",
        max_length=300,
        widget=forms.Textarea({"rows": 2, "maxlength": 300}),
        help_text=READ,
        error_messages={"required": "Say why: its author must be able to understand."},
    )


class TakeUpForm(forms.Form):
    """What the desk itself finds wrong with a review."""

    reason = forms.ChoiceField(label="What is wrong with it?", choices=FlagReason, widget=forms.RadioSelect)
    words = forms.CharField(
        label="More about it",
        required=False,
        max_length=500,
        widget=forms.Textarea({"rows": 2, "maxlength": 500}),
        help_text="Only the desk reads this.",
    )
