"""docs/domain.md says what the code does: states, moves and numbers are read from its tables."""

from __future__ import annotations

import re

import pytest

from bookings import states
from bookings.rules.numbers import DEFAULTS
from tests.world import ROOT

TEXT = (ROOT / "docs" / "domain.md").read_text()


def section(heading: str) -> str:
    """The text under `heading`, to the next one."""
    return TEXT.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]


@pytest.mark.parametrize(
    ("heading", "moves"),
    [
        ("### Booking", states.BOOKING_MOVES),
        ("### Bid", states.BID_MOVES),
        ("### Session", states.SESSION_MOVES),
    ],
)
def test_the_moves_in_the_docs_are_those_of_the_code(heading, moves):
    written = set(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", section(heading), re.MULTILINE))
    assert written == {(str(start), str(end)) for start, ends in moves.items() for end in ends}


def test_every_state_of_a_proposal_is_named():
    assert set(states.ProposalStatus.values) <= set(re.findall(r"`(\w+)`", section("### Proposal to move a visit")))


def test_the_numbers_in_the_docs_are_those_of_the_code():
    written = re.findall(r"^\| `(\w+)` \| (\d+) \|", section("## Numbers"), re.MULTILINE)
    assert {name: int(value) for name, value in written} == DEFAULTS
