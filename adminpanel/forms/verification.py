"""What the desk types about a technician's document."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms

OTHER = "other"
REASONS = {
    "unreadable": "It cannot be read. Send a sharper photo or the PDF itself.",
    "incomplete": "A part of it is missing. Send every page and all four corners.",
    "name": "The name on it is not the name of your account. Correct one of the two.",
    "over": "It is over, or its last day cannot be found. Send one that still holds.",
    "kind": "It is not the document we asked for. See what counts on your page.",
}
SUSPENSIONS = {
    "cancelled": "Whoever gave it says that it no longer holds.",
    "doubt": "There is a doubt whether it is genuine. Please talk to our desk.",
    "asked": "You asked us to take it out.",
}


class ApproveForm(forms.Form):
    """The last day, as it was read on the document."""

    valid_until = forms.DateField(
        label="Last day it holds",
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text="As you read it on the document. Empty: it does not end.",
        error_messages={"required": "Read its last day on the document."},
    )

    def __init__(self, data: Any, *, valid_until: date | None, ends: bool) -> None:
        super().__init__(data, initial={"valid_until": valid_until})
        self.fields["valid_until"].required = ends
        if ends:
            self.fields["valid_until"].help_text = "As you read it on the document."


class WhyForm(forms.Form):
    """A reason: a usual one, the desk's own words, or both."""

    choice = forms.ChoiceField(
        label="Why", widget=forms.RadioSelect, error_messages={"required": "Choose why, or “Something else”."}
    )
    words = forms.CharField(
        label="In your words",
        max_length=200,
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text="The technician reads it, and it stays in the history.",
    )

    def __init__(self, data: Any, *, reasons: dict[str, str]) -> None:
        super().__init__(data)
        self._reasons = reasons
        self.fields["choice"].choices = [*reasons.items(), (OTHER, "Something else")]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Something else needs words."""
        data = super().clean() or {}
        if data.get("choice") == OTHER and not data.get("words"):
            self.add_error("words", "Say it in your words: the technician must know what to do next.")
        return data

    @property
    def reason(self) -> str:
        """As the technician reads it."""
        parts = [self._reasons.get(self.cleaned_data["choice"], ""), self.cleaned_data["words"]]
        return " ".join(part for part in parts if part)
