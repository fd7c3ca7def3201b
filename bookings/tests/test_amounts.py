"""Amounts in forms have the decimals of their currency."""

from __future__ import annotations

import pytest

from bookings.forms.booking import WhenForm
from bookings.forms.technician import OfferForm
from bookings.tests import make
from bookings.tests.make import NOW

CASES = [("JPY", "4500", True), ("JPY", "4500.50", False), ("GBP", "45.50", True), ("GBP", "45.505", False)]


@pytest.mark.parametrize(("currency", "typed", "fine"), [*CASES, ("KWD", "45.505", True), ("KWD", "45.5055", False)])
def test_an_amount_has_no_more_decimals_than_its_currency(alice, currency: str, typed: str, fine: bool) -> None:
    draft = make.draft(alice, currency=currency)
    assert ("budget" not in WhenForm({"budget": typed}, draft=draft).errors) is fine
    offer = OfferForm({"amount": typed}, booking=draft, bid=None, now=NOW)
    assert ("amount" not in offer.errors) is fine


@pytest.mark.parametrize(("currency", "step"), [("JPY", "1"), ("GBP", "0.01"), ("KWD", "0.001")])
def test_a_browser_steps_by_the_smallest_coin(alice, currency: str, step: str) -> None:
    form = OfferForm(booking=make.draft(alice, currency=currency), bid=None, now=NOW)
    assert f'step="{step}"' in str(form["amount"])
