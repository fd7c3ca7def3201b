"""What the desk types about a dispute."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from bookings.forms.amounts import fit_currency
from bookings.states import DisputeOutcome


class DecisionForm(forms.Form):
    """The outcome, the reason that both sides read, and what is owed."""

    outcome = forms.ChoiceField(label="How is it decided?", choices=DisputeOutcome, widget=forms.RadioSelect)
    amount = forms.DecimalField(
        label="Amount",
        required=False,
        min_value=Decimal("0.01"),
        max_digits=9,
        decimal_places=2,
        widget=forms.NumberInput({"inputmode": "decimal", "step": "0.01", "autocomplete": "off"}),
        error_messages={"min_value": "An amount is above zero. Leave it empty where nothing is owed."},
    )
    decision = forms.CharField(
        label="Why, as both sides read it",
        max_length=4000,
        widget=forms.Textarea({"rows": 5}),
        help_text="It is final: the same job cannot be disputed again.",
    )

    def __init__(self, *args: Any, currency: str, agreed: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fit_currency(self.fields["amount"], currency)
        owed = "Due to the technician where it is decided for them, else to the customer."
        self.fields["amount"].help_text = f"In {currency}. {owed}" + (f" Agreed was {agreed}." if agreed else "")
