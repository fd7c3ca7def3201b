"""The documentation of the environment is complete and names nothing that is not there."""

from __future__ import annotations

import re

import pytest

from tools.processes import ROOT

READS = re.compile(r'(?:flag|number|whole|choice|words|figures|switches|db_url|email_url|environ\.get)\(\s*"([A-Z_]+)"')
SOURCES = [ROOT / "config" / "settings.py", ROOT / "common" / "logs.py"]
READ = {name for source in SOURCES for name in READS.findall(source.read_text())}


@pytest.mark.parametrize("name", sorted(READ))
def test_every_variable_is_explained(name):
    assert f"`{name}`" in (ROOT / "docs" / "deploy.md").read_text()


def test_the_tables_name_no_variable_that_nothing_reads():
    rows = [line for line in (ROOT / "docs" / "deploy.md").read_text().splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([A-Z][A-Z_]+)`", row.split("|")[1])}

    assert named == READ - {"ENV_FILE"}


def test_the_example_names_no_variable_that_nothing_reads():
    named = set(re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert named <= READ
