"""docs/domain.md says of the road what the code does: states, moves, notices and numbers are read from its tables."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.settings import figures
from notifications.models import Channel
from tracking import notices, states
from tracking.rules.numbers import DEFAULTS, number

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "domain.md").read_text()


def section(heading: str) -> str:
    """The text under `heading`, to the next one."""
    return TEXT.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]


@pytest.mark.parametrize(
    ("heading", "moves"), [("### Dispatch", states.DISPATCH_MOVES), ("### Shift", states.DUTY_MOVES)]
)
def test_the_moves_in_the_docs_are_those_of_the_code(heading: str, moves: dict[str, tuple[str, ...]]) -> None:
    written = set(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", section(heading), re.MULTILINE))
    assert written == {(str(start), str(end)) for start, ends in moves.items() if start for end in ends}


def test_every_end_of_a_journey_is_named() -> None:
    assert set(re.findall(r"`(\w+)`", section("### Journey"))) == set(states.JourneyEnd.values)


def test_the_numbers_in_the_docs_are_those_of_the_code() -> None:
    written = re.findall(r"^\| `(\w+)` \| (\d+) \|", section("### On the road"), re.MULTILINE)
    assert {name: int(value) for name, value in written} == DEFAULTS


def test_a_site_may_override_them_and_only_them(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TRACKING = {"ASK_MOST": 3}
    assert number("ASK_MOST") == 3 and number("OFFER_SECONDS") == 60
    monkeypatch.setenv("TRACKING", "ASK_MOST=3,OFFER_SECONDS=90")
    assert figures("TRACKING", DEFAULTS) == {"ASK_MOST": 3, "OFFER_SECONDS": 90}
    monkeypatch.setenv("TRACKING", "ASK_MOSTLY=3")
    with pytest.raises(ImproperlyConfigured):
        figures("TRACKING", DEFAULTS)


def test_who_is_told_what_is_as_the_docs_say() -> None:
    whom = defaultdict(set)
    for told in (told for each in notices.TABLE.values() for told in each):
        whom[told.kind].add(str(told.whom))
    said = {Channel.PAGE: "page", Channel.EMAIL: "e-mail"}
    rows = re.findall(
        r"^\| ([^|]+) \| ([^|]+) \| `(\w+)` \| (\w+) \| ([^|]+) \|$", section("## Who is told what of the road"), re.M
    )
    assert set(rows) == {
        (
            ", ".join(sorted(people)),
            kind.label,
            kind.name.removeprefix("tracking."),
            str(kind.priority),
            ", ".join(said[Channel(each)] for each in kind.channels),
        )
        for kind, people in whom.items()
    }
    assert all(kind.name.startswith("tracking.") and not kind.grouped for kind in whom)
