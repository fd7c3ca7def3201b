"""What happens to visits and jobs happens to the journeys and legs that belong to them, in the same transaction."""

from __future__ import annotations

import pytest

from accounts.models import User
from bookings import actions as jobs
from bookings import due as jobs_due
from bookings.models import Session
from bookings.tests.make import live, visit, waiting
from common.refusals import Conflict
from tracking import actions
from tracking.models import Driver, Journey, Leg, Position
from tracking.tests import make
from tracking.tests.make import HOUR, MINUTE, NEAR, NOW

LATER = NOW + MINUTE


@pytest.fixture
def session(alice: User, bob: User) -> Session:
    return visit(alice, bob)


@pytest.fixture
def sam(db: None) -> Driver:
    return make.at_work("Sam", at=NEAR)


def set_out(session: Session) -> Journey:
    """Bob is on the way, and his position is known."""
    journey = actions.set_out(session, by=session.technician.user, now=session.starts_at - HOUR)
    make.place(session.technician.user, NEAR)
    return journey


def closed(journey: Journey) -> tuple[object, str]:
    """When it ended and why; by then nobody knows where the technician is."""
    kept = make.fresh(journey)
    assert not Position.objects.filter(user=kept.traveller).exists()
    return kept.closed_at, kept.end


class TestVisits:
    def test_checking_in_is_arriving(self, session: Session) -> None:
        journey = set_out(session)
        waiting(session)
        assert closed(journey) == (session.starts_at, "arrived")

    def test_a_cancelled_job(self, session: Session, alice: User) -> None:
        journey = set_out(session)
        jobs.cancel_booking(session.booking, by=alice, reason="mistake", now=LATER)
        assert closed(journey) == (LATER, "cancelled")

    def test_a_visit_given_back(self, session: Session, bob: User) -> None:
        journey = set_out(session)
        jobs.release(session, by=bob, reason="Ill", now=LATER)
        assert closed(journey) == (LATER, "cancelled")

    def test_a_technician_who_does_not_come(self, session: Session, alice: User) -> None:
        journey = set_out(session)
        jobs.record_contact_attempt(session, by=alice, channel="call", now=session.starts_at)
        at = session.starts_at + 15 * MINUTE
        jobs.report_no_show(session, by=alice, now=at)
        assert closed(journey) == (at, "no_show")

    def test_a_visit_that_is_moved(self, session: Session, alice: User, bob: User) -> None:
        """Whoever set out to the old time does not come then."""
        wish = jobs.propose_reschedule(session, by=bob, starts_at=session.starts_at + HOUR, now=NOW)
        journey = set_out(session)
        jobs.accept_reschedule(wish, by=alice, now=LATER)
        assert closed(journey) == (LATER, "cancelled")

    def test_a_visit_that_fails_to_move_state_leaves_it_open(self, session: Session, bob: User) -> None:
        """Both or neither: the transaction that is refused closes nothing."""
        journey = set_out(session)
        with pytest.raises(Conflict):
            jobs.complete_session(session, by=bob, note="Done.", now=LATER)
        assert make.fresh(journey).is_open

    def test_work_that_goes_on_touches_no_journey_of_somebody_else(self, session: Session, sam, frank) -> None:
        """A delivery is on the way while the technician works."""
        make.en_route(make.leg(session.booking, frank), sam)
        live(session)
        assert Journey.objects.get().is_open


class TestJobs:
    def legs(self, session: Session, frank: User) -> list[Leg]:
        return [make.leg(session.booking, frank, note=f"Box {n}") for n in range(5)]

    def test_a_cancelled_job_takes_everything_along(self, session: Session, alice: User, frank: User) -> None:
        """Each leg in another state: none goes on, and what was done stays done."""
        legs = self.legs(session, frank)
        drivers = [make.at_work(f"D{n}") for n in range(4)]
        offer = make.offered(legs[0], drivers[0])
        going = make.en_route(legs[1], drivers[1])
        there = make.arrived(legs[2], drivers[2])
        done = make.completed(legs[3], drivers[3])
        jobs.cancel_booking(session.booking, by=alice, reason="mistake", now=LATER)
        ends = [make.fresh(each).status for each in (offer, going, there, done)]
        assert ends == ["revoked", "cancelled", "cancelled", "completed"]
        assert [make.fresh(each).cancelled_at for each in legs] == [LATER, LATER, LATER, None, LATER]
        assert {make.fresh(each).cancel_reason for each in legs} == {"The job was cancelled.", ""}
        assert not Journey.objects.filter(closed_at=None).exists()

    def test_whoever_cancelled_stands_in_the_history(self, session: Session, alice, frank, sam: Driver) -> None:
        dispatch = make.en_route(make.leg(session.booking, frank), sam)
        jobs.cancel_booking(session.booking, by=alice, reason="mistake", now=LATER)
        row = dispatch.history.last()
        assert (row.actor, row.actor_role, row.reason, row.at) == (alice, "customer", "The job was cancelled.", LATER)

    def test_a_no_show_too(self, session: Session, bob: User, frank: User, sam: Driver) -> None:
        dispatch = make.accepted(make.leg(session.booking, frank), sam)
        there = waiting(session)
        jobs.record_contact_attempt(there, by=bob, channel="door", now=there.starts_at)
        jobs.report_no_show(there, by=bob, now=there.starts_at + 15 * MINUTE)
        assert (make.fresh(dispatch).status, make.fresh(dispatch).reason) == ("cancelled", "Nobody was there.")

    def test_a_job_that_expires(self, alice: User, frank: User, sam: Driver) -> None:
        job = make.job(alice)
        leg = make.leg(job, frank)
        asking = make.in_turn(leg, sam, make.at_work("Kim"))
        jobs_due.expire_bookings(job.expires_at)
        assert make.fresh(leg).cancel_reason == "The job expired."
        assert (asking.dispatches.get().status, make.fresh(asking).ended_at) == ("revoked", job.expires_at)
        assert asking.dispatches.get().history.last().actor_role == "clock"

    def test_a_job_that_opens_again_keeps_its_legs(self, session: Session, bob: User, frank: User, sam: Driver) -> None:
        dispatch = make.accepted(make.leg(session.booking, frank), sam)
        jobs.release(session, by=bob, reason="Ill", now=LATER)
        assert make.fresh(dispatch).status == "accepted"

    def test_what_is_to_be_fetched_after_the_work_is_still_fetched(self, session: Session, bob, frank, sam) -> None:
        leg = make.leg(session.booking, frank, kind="pick_up", note="The old boiler")
        at_work = live(session)
        jobs.complete_session(at_work, by=bob, note="Done.", now=session.starts_at + HOUR)
        assert make.completed(leg, sam).status == "completed"

    def test_of_other_jobs_nothing(self, session: Session, charlie: User, alice: User, frank: User, sam) -> None:
        other = make.en_route(make.leg(make.job(charlie), frank), sam)
        make.leg(session.booking, frank)
        jobs.cancel_booking(session.booking, by=alice, reason="mistake", now=LATER)
        assert make.fresh(other).status == "en_route"

    def test_a_cancellation_that_is_refused_ends_nothing(self, session: Session, alice, frank, sam: Driver) -> None:
        dispatch = make.en_route(make.leg(session.booking, frank), sam)
        with pytest.raises(Conflict, match="The fee changed"):
            jobs.cancel_booking(session.booking, by=alice, reason="mistake", seen_fee=99, now=LATER)
        assert make.fresh(dispatch).status == "en_route"
        assert Journey.objects.get().is_open
