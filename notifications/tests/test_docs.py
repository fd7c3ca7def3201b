"""The numbers that docs/domain.md names are those that hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from accounts.credentials import MOVES
from config.settings import figures
from notifications import notices
from notifications.kinds import Kind
from notifications.models import Channel
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


def test_the_moves_of_documents_in_the_docs_are_those_of_the_code():
    section = DOMAIN.read_text().split("\n### Credential\n")[1].split("\n#")[0]
    written = set(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", section, re.M))
    assert written == {(str(start), str(end)) for start, ends in MOVES.items() for end in ends}


def test_who_is_told_what_of_accounts_is_as_the_docs_say():
    section = DOMAIN.read_text().split("\n## Who is told what of accounts\n")[1].split("\n#")[0]
    said = {Channel.PAGE: "page", Channel.EMAIL: "e-mail"}
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| `(\w+)` \| (\w+) \| ([^|]+) \| (\w+) \|$", section, re.M)
    assert set(rows) == {
        (
            "the desk" if kind.roles == notices.DESK else "the technician",
            kind.label,
            kind.name.removeprefix("accounts."),
            str(kind.priority),
            ", ".join(said[Channel(each)] for each in kind.channels),
            "yes" if kind.grouped else "no",
        )
        for kind in vars(notices).values()
        if isinstance(kind, Kind)
    }
