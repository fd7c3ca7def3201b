"""What happens in a dispute between Alice and Bob, once each: who then hears of what."""

from __future__ import annotations

from bookings import actions, due
from bookings.models import Dispute
from bookings.tests import make, quarrel
from bookings.tests.make import HOUR
from bookings.tests.scenes import Act, Cast, scene


def of_alice(cast: Cast) -> Dispute:
    """Her dispute about what Bob has done."""
    return quarrel.opened(make.finished(cast.visit()).booking, cast.alice)


def asked(cast: Cast) -> Dispute:
    """The same; Bob is asked for an answer."""
    return quarrel.taken_on(of_alice(cast), cast.frank)


@scene(frank="desk_dispute")
def a_dispute_is_opened(cast: Cast) -> Act:
    booking = make.finished(cast.visit()).booking
    return lambda: quarrel.opened(booking, cast.alice)


@scene(frank="desk_dispute")
def a_technician_opens_one(cast: Cast) -> Act:
    booking = make.finished(cast.visit()).booking
    return lambda: quarrel.opened(booking, cast.bob, reason="unpaid")


@scene(alice="dispute_taken_on", bob="dispute_asked")
def the_desk_takes_a_dispute_on(cast: Cast) -> Act:
    dispute = of_alice(cast)
    return lambda: quarrel.taken_on(dispute, cast.frank)


@scene(alice="dispute_taken_on", bob="dispute_asked")
def the_clock_takes_a_dispute_on(cast: Cast) -> Act:
    dispute = of_alice(cast)
    return lambda: due.take_on_disputes(dispute.opened_at + 4 * HOUR)


@scene(alice="dispute_answered", frank="desk_dispute_ready")
def a_dispute_is_answered(cast: Cast) -> Act:
    dispute = asked(cast)
    return lambda: quarrel.answered(dispute)


@scene(alice="dispute_unanswered", bob="dispute_unanswered", frank="desk_dispute_ready")
def a_dispute_is_not_answered(cast: Cast) -> Act:
    dispute = asked(cast)
    return lambda: due.end_answering(dispute.answer_by)


@scene(alice="dispute_decided", bob="dispute_decided")
def a_dispute_is_decided(cast: Cast) -> Act:
    dispute = quarrel.answered(asked(cast))
    return lambda: quarrel.decided(dispute, cast.frank)


@scene()
def a_dispute_is_withdrawn_before_anybody_was_asked(cast: Cast) -> Act:
    dispute = of_alice(cast)
    return lambda: actions.withdraw_dispute(dispute, by=cast.alice)


@scene(bob="dispute_withdrawn")
def a_dispute_is_withdrawn_while_the_other_side_is_asked(cast: Cast) -> Act:
    dispute = asked(cast)
    return lambda: actions.withdraw_dispute(dispute, by=cast.alice)


@scene(bob="dispute_withdrawn")
def a_dispute_is_withdrawn_before_it_is_decided(cast: Cast) -> Act:
    dispute = quarrel.answered(asked(cast))
    return lambda: actions.withdraw_dispute(dispute, by=cast.alice)


@scene()
def evidence_is_added_before_the_other_side_may_read_it(cast: Cast) -> Act:
    dispute = of_alice(cast)
    return lambda: actions.add_evidence(dispute, by=cast.alice, note="The tap, this morning")


@scene(bob="dispute_evidence")
def one_side_adds_evidence(cast: Cast) -> Act:
    dispute = asked(cast)
    return lambda: actions.add_evidence(dispute, by=cast.alice, note="The tap, this morning")


@scene(alice="dispute_evidence", bob="dispute_evidence")
def the_desk_adds_evidence(cast: Cast) -> Act:
    dispute = asked(cast)
    return lambda: actions.add_evidence(dispute, by=cast.frank, note="I have called both")
