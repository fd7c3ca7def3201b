"""Races about a dispute, with real threads on either database: one wins, each loser reads why, nothing twice."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from accounts.models import User
from bookings import actions, due
from bookings.models import Dispute, DisputeEvidence, DisputeHistory
from bookings.states import DisputeStatus
from bookings.tests import make, quarrel
from bookings.tests.make import HOUR, MINUTE
from common.refusals import Conflict
from common.tests.race import at_once, split

pytestmark = pytest.mark.django_db(transaction=True)
DESKS, ROUNDS = 8, 6


@pytest.fixture
def alice() -> User:
    return make.person("Alice")


@pytest.fixture
def bob() -> User:
    return make.technician("Bob")


@pytest.fixture
def frank() -> User:
    return make.person("Frank", "admin")


def sentences(errors: list[Exception]) -> set[str]:
    """What the losers read; anything but a readable refusal with a way on fails."""
    refused = [error for error in errors if isinstance(error, Conflict)]
    assert len(refused) == len(errors), errors
    assert all(error.sentence.endswith(".") and error.next_url for error in refused)
    return {error.sentence for error in refused}


def moved_on(state: str) -> set[str]:
    """What each of them reads where the dispute went on."""
    return {f"Things moved on a moment ago: this dispute is now {state}. Look at the job again."}


def states(dispute: Dispute) -> list[str]:
    """The steps it took, replayed: each begins where the one before ended, and the last is its state."""
    rows = list(DisputeHistory.objects.filter(subject=dispute).order_by("at", "pk"))
    assert [row.from_state for row in rows] == ["", *(row.to_state for row in rows[:-1])]
    assert rows[-1].to_state == make.fresh(dispute).status
    return [row.to_state for row in rows]


def decide(dispute: Dispute, by: User, outcome: str, **more: Any) -> Dispute:
    return actions.resolve_dispute(
        dispute, by=by, outcome=outcome, decision=f"{by.name} says so.", now=dispute.opened_at + 4 * HOUR, **more
    )


def test_of_several_desks_that_decide_one_dispute_one_does(alice: User, bob: User, frank: User) -> None:
    dispute = quarrel.in_state("under_review", alice, bob, frank)
    desks = [make.person(f"Desk{n}", "admin") for n in range(DESKS)]
    outcomes = ("customer", "technician")
    won, lost = split(at_once([partial(decide, dispute, desk, outcomes[n % 2]) for n, desk in enumerate(desks)]))
    assert (len(won), len(lost)) == (1, DESKS - 1)
    assert sentences(lost) == moved_on("resolved")
    now = make.fresh(dispute)
    assert (now.outcome, now.decision, now.decided_by) == (won[0].outcome, won[0].decision, won[0].decided_by)
    assert states(dispute).count("resolved") == 1


def test_of_several_desks_that_take_it_on_and_the_clock_one_does(alice: User, bob: User, frank: User) -> None:
    dispute = quarrel.opened(quarrel.done(alice, bob), alice)
    late = dispute.opened_at + 5 * HOUR
    desks = [partial(actions.take_on, dispute, by=frank, now=late)] * 4
    won, lost = split(at_once([*desks, *[partial(due.take_on_disputes, late)] * 4]))
    asked = [result for result in won if isinstance(result, Dispute)]
    by_clock = sum(result for result in won if not isinstance(result, Dispute))
    assert len(asked) + by_clock == 1
    assert len(lost) == 4 - len(asked) and sentences(lost) <= moved_on("awaiting an answer")
    assert states(dispute) == ["open", "awaiting_response"]


def test_the_opener_withdraws_while_the_desk_decides(alice: User, bob: User, frank: User) -> None:
    for _ in range(ROUNDS):
        dispute = quarrel.in_state("under_review", alice, bob, frank)
        late = dispute.opened_at + 4 * HOUR
        decided, withdrawn = at_once(
            [
                partial(decide, dispute, frank, "customer"),
                partial(actions.withdraw_dispute, dispute, by=alice, now=late),
            ]
        )
        won, lost = split([decided, withdrawn])
        assert (len(won), len(lost)) == (1, 1)
        now = make.fresh(dispute)
        assert sentences(lost) == moved_on(str(now.get_status_display()).lower())
        assert states(dispute)[-1] == ("resolved" if won[0] is decided else "withdrawn")
        assert (now.decision == "") is (won[0] is withdrawn)  # who withdrew was decided about in no word


def test_both_sides_open_one_about_the_same_job_at_once(alice: User, bob: User) -> None:
    for _ in range(ROUNDS):
        job = quarrel.done(alice, bob)
        calls = [partial(quarrel.opened, job, side) for side in (alice, bob)]
        won, lost = split(at_once(calls))
        assert (len(won), len(lost)) == (1, 1)
        (sentence,) = sentences(lost)
        assert "dispute" in sentence.lower()
        assert Dispute.objects.filter(booking=job).get() == won[0]
        assert states(won[0]) == ["open"]


def test_one_side_that_taps_twice_opens_one(alice: User, bob: User) -> None:
    job = quarrel.done(alice, bob)
    won, lost = split(at_once([partial(quarrel.opened, job, alice, files=[quarrel.paper()]) for _ in range(6)]))
    assert (len(won), len(lost)) == (1, 5)
    sentences(lost)
    assert DisputeEvidence.objects.filter(dispute__booking=job).count() == 1


def test_an_answer_in_the_last_moment_and_the_clock_at_the_deadline(alice: User, bob: User, frank: User) -> None:
    """The answer came in a moment before the deadline; the clock comes by at it. Whoever is first, it is decided next,
    and the answer is in it or Bob reads that it is too late.
    """
    for _ in range(ROUNDS):
        dispute = quarrel.taken_on(quarrel.opened(quarrel.done(alice, bob), alice), frank)
        assert dispute.answer_by is not None
        answered, lapsed = at_once(
            [
                partial(quarrel.answered, dispute, now=dispute.answer_by - MINUTE / 600),
                partial(due.end_answering, dispute.answer_by),
            ]
        )
        now = make.fresh(dispute)
        assert states(dispute) == ["open", "awaiting_response", "under_review"]
        assert now.status == DisputeStatus.UNDER_REVIEW
        if isinstance(answered, Exception):
            assert sentences([answered]) == moved_on(str(now.get_status_display()).lower())
            assert (lapsed, now.answer, now.answered_at) == (1, "", None)
        else:
            assert (lapsed, now.answer) == (0, "It did not drip when I left.")


def test_several_clocks_end_a_wait_once(alice: User, bob: User, frank: User) -> None:
    dispute = quarrel.taken_on(quarrel.opened(quarrel.done(alice, bob), alice), frank)
    assert sum(at_once([partial(due.end_answering, dispute.answer_by)] * 6)) == 1
    assert states(dispute) == ["open", "awaiting_response", "under_review"]


def test_evidence_beside_the_decision_is_on_the_table_or_refused(alice: User, bob: User, frank: User) -> None:
    dispute = quarrel.in_state("under_review", alice, bob, frank)
    late = dispute.opened_at + 4 * HOUR
    adding = [partial(actions.add_evidence, dispute, by=side, note="And this.", now=late) for side in (alice, bob) * 3]
    results = at_once([*adding, partial(decide, dispute, frank, "customer")])
    won, lost = split(results[:-1])
    assert isinstance(results[-1], Dispute)
    assert sentences(lost) <= moved_on("resolved")
    assert DisputeEvidence.objects.filter(dispute=dispute, note="And this.").count() == len(won)
