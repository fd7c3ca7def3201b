"""The machine of a dispute: whatever anybody tries in whatever order, it moves along its arrows and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import User
from bookings import actions, due
from bookings.models import Dispute
from bookings.states import DISPUTE_MOVES, STANDING_DISPUTE, DisputeStatus
from bookings.tests import make, quarrel
from bookings.tests.make import HOUR, MINUTE
from common.refusals import Conflict

pytestmark = pytest.mark.django_db
OPEN, ASKED, REVIEW, RESOLVED, WITHDRAWN = DisputeStatus
WALKS, STEPS = 15, 12


@dataclass
class Expected:
    """What the rules say a dispute is by now; written down apart from the code that it judges."""

    now: datetime
    status: str = OPEN
    answer_by: datetime | None = None
    opened_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.opened_at = self.now


Verb = Callable[[Dispute, User, datetime], Any]
VERBS: dict[str, Verb] = {
    "take_on": lambda dispute, by, now: actions.take_on(dispute, by=by, now=now),
    "answer": lambda dispute, by, now: actions.answer_dispute(dispute, by=by, answer="No", now=now),
    "withdraw": lambda dispute, by, now: actions.withdraw_dispute(dispute, by=by, now=now),
    "resolve": lambda dispute, by, now: actions.resolve_dispute(
        dispute, by=by, outcome="no_fault", decision="Nobody could know", now=now
    ),
}
WHO = {"take_on": "frank", "answer": "bob", "withdraw": "alice", "resolve": "frank"}


def foreseen(it: Expected, verb: str, who: str) -> str:
    """What a verb of somebody's leads to: a state, or the refusal."""
    if who != WHO[verb]:
        return "forbidden"
    if verb == "take_on":
        return ASKED if it.status == OPEN else "refused"
    if verb == "answer":
        in_time = it.answer_by is not None and it.now < it.answer_by
        return REVIEW if it.status == ASKED and in_time else "refused"
    if verb == "withdraw":
        return WITHDRAWN if it.status in STANDING_DISPUTE else "refused"
    return RESOLVED if it.status == REVIEW else "refused"


def tried(verb: Verb, dispute: Dispute, by: User, now: datetime) -> str:
    """What came of it."""
    try:
        verb(dispute, by, now)
    except PermissionDenied:
        return "forbidden"
    except Conflict:
        return "refused"
    return str(make.fresh(dispute).status)


def tick(it: Expected) -> None:
    """What the clock does by `it.now`, by the rules."""
    if it.status == OPEN and it.now >= it.opened_at + 4 * HOUR:
        it.status, it.answer_by = ASKED, it.now + 48 * HOUR
    elif it.status == ASKED and it.answer_by is not None and it.now >= it.answer_by:
        it.status = REVIEW


@pytest.fixture
def people(alice: User, bob: User, charlie: User, dora: User, ed: User, frank: User) -> dict[str, User]:
    """Everybody; the dispute is Alice's against Bob."""
    return {each.first_name.lower(): each for each in (alice, bob, charlie, dora, ed, frank)}


def same(it: Expected, dispute: Dispute) -> None:
    """The row is as the rules say, and its history leads there along the arrows."""
    row = make.fresh(dispute)
    assert (row.status, row.answer_by) == (it.status, it.answer_by)
    steps = list(row.history.values_list("from_state", "to_state"))
    assert steps[0] == ("", OPEN) and steps[-1][1] == row.status
    assert all(end in DISPUTE_MOVES[start] for start, end in steps[1:])
    assert all(before[1] == after[0] for before, after in pairwise(steps))


Seen = set[tuple[str, str, str]]


def walk(random: Random, dispute: Dispute, people: dict[str, User], seen: Seen) -> None:
    """Anybody tries anything while the time passes; after each step the row is as the rules say."""
    it = Expected(dispute.opened_at)
    for _ in range(STEPS):
        it.now += random.choice((MINUTE, HOUR, 5 * HOUR, 30 * HOUR))
        if random.random() < 0.25:
            due.take_on_disputes(it.now)
            due.end_answering(it.now)
            tick(it)
        else:
            verb = random.choice(list(VERBS))
            who = WHO[verb] if random.random() < 0.7 else random.choice(list(people))
            wanted, steps = foreseen(it, verb, who), dispute.history.count()
            assert tried(VERBS[verb], dispute, people[who], it.now) == wanted, (verb, who, it)
            seen.add((it.status, verb, wanted))
            if wanted in DisputeStatus.values:
                it.status = wanted
                it.answer_by = it.now + 48 * HOUR if wanted == ASKED else it.answer_by
            else:
                assert dispute.history.count() == steps
        same(it, dispute)


def test_whatever_anybody_tries_it_does_what_the_rules_say(people):
    random, seen = Random(20270302), Seen()
    job = quarrel.done(people["alice"], people["bob"])
    for _ in range(WALKS):
        with transaction.atomic():
            walk(random, quarrel.opened(job, people["alice"]), people, seen)
            transaction.set_rollback(True)
    arrows = {(start, wanted) for start, _, wanted in seen if wanted in DisputeStatus.values}
    assert arrows == {(start, end) for start, ends in DISPUTE_MOVES.items() for end in ends}, (
        "not every arrow was tried"
    )
    assert {start for start, _, wanted in seen if wanted == "refused"} == set(DisputeStatus.values)


@pytest.mark.parametrize("status", DisputeStatus.values)
@pytest.mark.parametrize("verb", VERBS)
def test_every_illegal_move_is_a_conflict_and_changes_nothing(people, status, verb):
    """Each verb by whom it belongs to, in each state: it leads along an arrow, or it is a 409."""
    dispute = quarrel.in_state(status, people["alice"], people["bob"], people["frank"])
    it = Expected(dispute.opened_at + 5 * HOUR, status, dispute.answer_by)
    wanted = foreseen(it, verb, WHO[verb])
    before = list(Dispute.objects.filter(pk=dispute.pk).values())
    assert tried(VERBS[verb], dispute, people[WHO[verb]], it.now) == wanted
    if wanted == "refused":
        assert list(Dispute.objects.filter(pk=dispute.pk).values()) == before
