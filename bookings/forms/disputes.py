"""What the two sides of a dispute type. The forms check what was typed; `bookings.actions` holds the rules."""

from __future__ import annotations

from typing import Any

from django import forms

from bookings.forms.photos import PhotosField
from bookings.rules.numbers import number
from bookings.states import DisputeReason, Party
from common.documents import ACCEPT

R = DisputeReason
REASONS: dict[str, tuple[DisputeReason, ...]] = {
    Party.CUSTOMER: (R.QUALITY, R.DAMAGE, R.PRICE, R.NOT_THERE, R.CONDUCT, R.OTHER),
    Party.TECHNICIAN: (R.UNPAID, R.PRICE, R.NOT_THERE, R.DAMAGE, R.CONDUCT, R.OTHER),
}


def words(**attrs: Any) -> forms.Textarea:
    """A box for several lines."""
    return forms.Textarea({"rows": 5, **attrs})


class DocumentsField(PhotosField):
    """Several photos or PDFs, as a list."""

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """What the browser offers to choose from."""
        return {**super().widget_attrs(widget), "accept": ACCEPT}


class EvidenceForm(forms.Form):
    """Something more for the table."""

    note = forms.CharField(
        label="What it shows", required=False, max_length=500, widget=words(rows=2, placeholder="The tap, this morning")
    )
    documents = DocumentsField(label="Photos or PDFs", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["documents"].help_text = f"Up to {number('PHOTOS_MOST')} at once, 10 MB each."


class OpenForm(EvidenceForm):
    """What went wrong, in the words of whoever opens a dispute."""

    reason = forms.ChoiceField(label="What is it about?", widget=forms.RadioSelect)
    statement = forms.CharField(
        label="What happened",
        max_length=4000,
        widget=words(placeholder="When, what, and what you have tried already"),
    )
    wanted = forms.CharField(
        label="What would settle it",
        required=False,
        max_length=300,
        widget=forms.TextInput({"placeholder": "A second visit, half of the price back"}),
    )
    note = None  # type: ignore[assignment]
    field_order = ("reason", "statement", "wanted", "documents")

    def __init__(self, *args: Any, party: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].choices = [(each.value, each.label) for each in REASONS[party]]  # type: ignore[attr-defined]


class AnswerForm(EvidenceForm):
    """How the other side sees it."""

    answer = forms.CharField(label="How you see it", max_length=4000, widget=words())
    note = None  # type: ignore[assignment]
    field_order = ("answer", "documents")
