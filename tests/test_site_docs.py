"""docs/domain.md says what the code does: states, moves and numbers are read from its tables."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

from bookings import notices, states
from bookings.rules.numbers import DEFAULTS
from notifications.models import Channel
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
        ("### Review", states.REVIEW_MOVES),
        ("### Dispute", states.DISPUTE_MOVES),
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


def test_who_is_told_what_is_as_the_docs_say():
    whom = defaultdict(set)
    for told in (told for each in notices.TABLE.values() for told in each):
        whom[told.kind].add(str(told.whom))
    said = {Channel.PAGE: "page", Channel.EMAIL: "e-mail"}
    counted = {True: "yes", False: "no"}
    rows = re.findall(
        r"^\| ([^|]+) \| ([^|]+) \| `(\w+)` \| (\w+) \| ([^|]+) \| (\w+) \|$", section("## Who is told what"), re.M
    )
    assert set(rows) == {
        (
            ", ".join(sorted(people)),
            kind.label,
            kind.name.removeprefix("bookings."),
            str(kind.priority),
            ", ".join(said[Channel(each)] for each in kind.channels),
            counted[bool(kind.grouped)],
        )
        for kind, people in whom.items()
    }
