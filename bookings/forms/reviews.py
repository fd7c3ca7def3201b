"""What people type about each other after a visit. The forms check what was typed; the actions hold the rules."""

from __future__ import annotations

from typing import Any

from django import forms

from bookings.actions.reviews import TEXT_MOST
from bookings.models import Review
from bookings.reviewing import WORDS
from bookings.states import FlagReason


class ReviewForm(forms.Form):
    """Stars, and words if one likes."""

    stars = forms.TypedChoiceField(
        label="How was it?",
        coerce=int,
        choices=[(stars, word) for stars, word in WORDS.items()],
        widget=forms.RadioSelect,
        error_messages={"required": "Tap as many stars as you would give."},
    )
    text = forms.CharField(
        label="In your words",
        required=False,
        max_length=TEXT_MOST,
        widget=forms.Textarea({"rows": 4, "maxlength": TEXT_MOST}),
    )

    def __init__(self, data: Any = None, *, own: Review | None = None, stars: str = "", hint: str = "") -> None:
        super().__init__(data, initial={"stars": own.stars, "text": own.text} if own else {"stars": stars})
        self.fields["text"].widget.attrs["placeholder"] = hint

    @property
    def chosen(self) -> str:
        """The number of stars that is ticked."""
        return str(self["stars"].value() or "")


class FlagForm(forms.Form):
    """What is wrong with a review."""

    reason = forms.ChoiceField(label="What is wrong with it?", choices=FlagReason, widget=forms.RadioSelect)
    words = forms.CharField(
        label="More about it",
        required=False,
        max_length=500,
        widget=forms.Textarea({"rows": 2, "maxlength": 500}),
        help_text="Only the desk reads this.",
    )
