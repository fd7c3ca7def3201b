"""What drivers type, where a tap is not enough."""

from __future__ import annotations

from django import forms

from tracking.states import FailReason, RejectReason


class DeclineForm(forms.Form):
    """Why a driver says no. On the screen itself each reason is one tap."""

    reason = forms.ChoiceField(label="Why not?", choices=RejectReason, widget=forms.RadioSelect)


class FailForm(forms.Form):
    """Why a leg could not be done."""

    reason = forms.ChoiceField(label="What went wrong?", choices=FailReason, widget=forms.RadioSelect)
    note = forms.CharField(
        label="More about it", required=False, max_length=200, widget=forms.TextInput({"autocomplete": "off"})
    )


class FinishForm(forms.Form):
    """What there is to say about a leg that is done."""

    note = forms.CharField(
        label="Note for the desk",
        required=False,
        max_length=200,
        widget=forms.TextInput({"placeholder": "Left with the neighbour at 14", "autocomplete": "off"}),
    )
