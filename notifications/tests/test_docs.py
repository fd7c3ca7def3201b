"""The numbers that docs/domain.md names are those that hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.settings import figures
from notifications.numbers import DEFAULTS, number

DOMAIN = Path(__file__).resolve().parents[2] / "docs" / "domain.md"


def test_the_table_of_numbers_is_true():
    section = DOMAIN.read_text().split("## Notifications")[1].split("\n## ")[0]
    assert {name: int(value) for name, value in re.findall(r"^\| `([A-Z_]+)` \| (\d+) \|", section, re.M)} == DEFAULTS


def test_a_site_may_override_them_and_only_them(settings, monkeypatch):
    settings.NOTIFICATIONS = {"DIGEST_FROM": 10}
    assert number("DIGEST_FROM") == 10 and number("PORTION") == 100
    monkeypatch.setenv("NOTIFICATIONS", "DIGEST_FROM=10, PAUSE_MINUTES=30")
    assert figures("NOTIFICATIONS", DEFAULTS) == {"DIGEST_FROM": 10, "PAUSE_MINUTES": 30}
    for wrong in ("DIGEST=1", "DIGEST_FROM=x", "DIGEST_FROM"):
        monkeypatch.setenv("NOTIFICATIONS", wrong)
        with pytest.raises(ImproperlyConfigured):
            figures("NOTIFICATIONS", DEFAULTS)
