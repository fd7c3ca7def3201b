"""Money: one rounding rule, a currency beside every amount."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from common.money import Money, exponent, is_exact, rounded, validate_currency, whole_units

amounts = st.decimals(-(10**8), 10**8, allow_nan=False, allow_infinity=False, places=5)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("1.005", "GBP", "1.01"),
        ("1.004", "GBP", "1.00"),
        ("-1.005", "GBP", "-1.01"),
        ("2.5", "JPY", "3"),
        ("3.5", "JPY", "4"),
        ("1.0005", "KWD", "1.001"),
        ("7", "XYZ", "7.00"),
    ],
)
def test_halves_go_away_from_zero_at_the_currencys_own_exponent(amount, currency, expected):
    assert str(rounded(Decimal(amount), currency)) == expected


@pytest.mark.parametrize(("currency", "places"), [("GBP", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3)])
def test_exponents(currency, places):
    assert exponent(currency) == places


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        ("45", "GBP", "£45.00"),
        ("86.4", "GBP", "£86.40"),
        ("1234567.891", "GBP", "£1,234,567.89"),
        ("-3.5", "GBP", "-£3.50"),
        ("0", "EUR", "€0.00"),
        ("1200", "JPY", "¥1,200"),
        ("5", "CHF", "5.00 CHF"),
        ("1.5", "KWD", "1.500 KWD"),
        ("-2", "CHF", "-2.00 CHF"),
    ],
)
def test_how_an_amount_is_written(amount, currency, said):
    assert str(Money(Decimal(amount), currency)) == said


@pytest.mark.parametrize(
    ("amount", "currency", "exact"),
    [
        ("1.23", "GBP", True),
        ("1.230", "GBP", True),
        ("1.234", "GBP", False),
        ("1.5", "JPY", False),
        ("1.234", "KWD", True),
        ("NaN", "GBP", False),
        ("Infinity", "GBP", False),
    ],
)
def test_what_is_payable(amount, currency, exact):
    assert is_exact(Decimal(amount), currency) is exact


@pytest.mark.parametrize(
    ("currency", "said"),
    [
        ("GBP", "whole pence"),
        ("JPY", "whole JPY"),
        ("EUR", "EUR with at most 2 decimals"),
        ("KWD", "KWD with at most 3 decimals"),
    ],
)
def test_what_an_amount_is_counted_in(currency, said):
    assert whole_units(currency) == said


def test_nothing_is_falsy():
    assert not Money(Decimal("0.00"), "GBP")
    assert Money(Decimal("0.01"), "GBP")


def test_the_currency_is_part_of_the_value():
    assert Money(Decimal(1), "GBP") != Money(Decimal(1), "EUR")
    assert Money(Decimal("1.0"), "GBP") == Money(Decimal(1), "GBP")


def test_a_share_is_rounded_once():
    assert Money(Decimal("10.01"), "GBP").percent(50) == Money(Decimal("5.01"), "GBP")
    assert Money(Decimal("999"), "JPY").percent(25) == Money(Decimal("250"), "JPY")


@given(amount=amounts)
def test_rounding_is_idempotent_and_near(amount):
    once = rounded(amount, "GBP")
    assert rounded(once, "GBP") == once
    assert abs(once - amount) <= Decimal("0.005")


@pytest.mark.parametrize("code", ["gbp", "GB", "GBPX", "G1P", "", "ÄÖÜ"])
def test_what_is_no_currency_code(code):
    with pytest.raises(ValidationError, match="not a currency code"):
        validate_currency(code)


def test_a_currency_code():
    validate_currency("GBP")
