"""Money: a Decimal with its currency beside it, one rounding rule, and how an amount is written."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

# ISO 4217 exponents that are not 2.
EXPONENTS = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "RWF", "UGX", "VND", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥"}


def exponent(currency: str) -> int:
    """How many decimals `currency` has (ISO 4217)."""
    return EXPONENTS.get(currency, 2)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """`amount` at the currency's own exponent; halves go away from zero. The only rounding rule there is."""
    return amount.quantize(Decimal(1).scaleb(-exponent(currency)), rounding=ROUND_HALF_UP)


def is_exact(amount: Decimal, currency: str) -> bool:
    """Whether `amount` has no more decimals than `currency` knows, and is a number at all."""
    return amount.is_finite() and rounded(amount, currency) == amount


def whole_units(currency: str) -> str:
    """What an amount is counted in, for a sentence: whole pence, whole JPY, at most 3 decimals of KWD."""
    if currency == "GBP":
        return "whole pence"
    places = exponent(currency)
    return f"{currency} with at most {places} decimals" if places else f"whole {currency}"


@dataclass(frozen=True)
class Money:
    """An amount in a currency. Amounts of different currencies are never compared or added."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        sign = "-" if self.amount < 0 else ""
        figures = f"{abs(rounded(self.amount, self.currency)):,}"
        symbol = SYMBOLS.get(self.currency)
        return f"{sign}{symbol}{figures}" if symbol else f"{sign}{figures} {self.currency}"

    def __bool__(self) -> bool:
        return self.amount != 0

    def percent(self, percent: Decimal | int) -> Money:
        """That many per cent of it, rounded."""
        return Money(rounded(self.amount * Decimal(percent) / 100, self.currency), self.currency)


def validate_currency(code: str) -> None:
    """Raise `ValidationError` unless `code` looks like an ISO 4217 code: three capital letters."""
    if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        raise ValidationError(f"{code!r} is not a currency code such as GBP.")


def money_field(**options: Any) -> models.DecimalField[Any, Any]:
    """A column for an amount: three decimals, which every currency we take fits into."""
    return models.DecimalField(max_digits=12, decimal_places=3, **options)


def currency_field(**options: Any) -> models.CharField[Any, Any]:
    """The column that stands beside an amount."""
    return models.CharField(max_length=3, validators=[validate_currency], **options)
