"""Amounts as people type them: no more decimals than the currency has (rule 12)."""

from __future__ import annotations

from django import forms
from django.core.validators import DecimalValidator

from common.money import exponent


def fit_currency(field: forms.Field, currency: str) -> None:
    """Let a decimal field take what `currency` knows: no sen, three decimals of a dinar.

    Its validator is made with the field, so that setting `decimal_places` alone would change nothing.
    """
    assert isinstance(field, forms.DecimalField)  # noqa: S101 (a slip in a form)
    field.decimal_places = places = exponent(currency)
    others = [each for each in field.validators if not isinstance(each, DecimalValidator)]
    field.validators = [*others, DecimalValidator(field.max_digits, places)]
