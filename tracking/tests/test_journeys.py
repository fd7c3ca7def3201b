"""Setting out, turning back, and what opens and closes a journey."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from bookings import actions as visits
from bookings.tests import make
from bookings.tests.make import CAMDEN, HOUR, MINUTE
from common.geo import Point
from common.refusals import Conflict, Invalid
from tracking import actions
from tracking.actions.journeys import call_back, close_journey, hear, open_journey, open_of, remaining
from tracking.models import Journey, Position, ShareLink
from tracking.states import JourneyEnd
from tracking.tests import make as road
from tracking.tests.make import FAR, NEAR, NOW
from tracking.trips import load_trips

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
DOOR_STEP = Point(CAMDEN.latitude + 0.0005, CAMDEN.longitude)  # some 55 metres


@pytest.fixture
def visit(alice, bob):
    """Bob is booked with Alice."""
    return make.visit(alice, bob)


@pytest.fixture
def journey(visit, bob) -> Journey:
    """Bob is on the way to Alice."""
    return actions.set_out(visit, by=bob, now=NOW)


class TestSettingOut:
    def test_it_leads_to_the_job_and_is_open(self, visit, bob, journey) -> None:
        assert journey.is_open and journey.traveller == bob and journey.session == visit and journey.dispatch is None
        assert journey.destination == CAMDEN and journey.opened_at == NOW and journey.booking == visit.booking

    def test_twice_is_once(self, visit, bob, journey) -> None:
        assert actions.set_out(visit, by=bob, now=NOW + MINUTE) == journey
        assert Journey.objects.count() == 1

    def test_an_admin_may_do_it_for_them(self, visit, frank) -> None:
        assert actions.set_out(visit, by=frank, now=NOW).traveller_id == visit.technician_id

    @pytest.mark.parametrize("who", ["alice", "dora", "charlie", "ed"])
    def test_nobody_else(self, request, visit, who) -> None:
        with pytest.raises(PermissionDenied):
            actions.set_out(visit, by=request.getfixturevalue(who), now=NOW)
        assert not Journey.objects.exists()

    def test_not_when_one_is_there_already(self, visit, bob) -> None:
        make.waiting(visit)
        with pytest.raises(Conflict, match="moved on"):
            actions.set_out(visit, by=bob, now=NOW)

    def test_not_to_two_places_at_once(self, visit, bob, charlie, journey) -> None:
        other = make.visit(charlie, bob, window_start=visit.ends_at + 4 * HOUR, window_end=visit.ends_at + 8 * HOUR)
        with pytest.raises(Conflict, match=r"on the way to .Kitchen tap leaks. already") as refused:
            actions.set_out(other, by=bob, now=NOW)
        assert refused.value.next_url == f"/jobs/{visit.booking_id}/"

    def test_and_the_database_stands_behind_it(self, visit, bob, journey) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            Journey.objects.create(
                booking=visit.booking, session=visit, traveller=bob, latitude=1, longitude=1, opened_at=NOW
            )

    def test_a_job_without_a_place_has_no_way_to_it(self, visit) -> None:
        visit.booking.latitude = None
        with pytest.raises(Invalid, match="no place"):
            open_journey(session=visit, now=NOW)

    def test_it_belongs_to_something(self) -> None:
        with pytest.raises(TypeError):
            open_journey(now=NOW)


class TestTheEnd:
    """Whatever ends it, ends it in the same transaction: nobody is shown where the traveller goes next."""

    def closed(self, visit, end: str) -> None:
        journey = Journey.objects.get(session=visit)
        assert (journey.is_open, journey.end, journey.eta_minutes) == (False, end, None)
        assert not Position.objects.filter(user=visit.technician_id).exists()

    @pytest.fixture(autouse=True)
    def somewhere(self, journey, bob) -> None:
        road.place(bob, NEAR, now=NOW)

    def test_checking_in(self, visit, bob) -> None:
        visits.check_in(visit, by=bob, now=visit.starts_at)
        self.closed(visit, "arrived")

    def test_the_customer_cancels(self, visit, alice) -> None:
        visits.cancel_booking(visit.booking, by=alice, reason="mistake", now=NOW)
        self.closed(visit, "cancelled")

    def test_the_technician_gives_the_job_back(self, visit, bob) -> None:
        visits.release(visit, by=bob, reason="Ill", now=NOW)
        self.closed(visit, "cancelled")

    def test_a_no_show(self, visit, alice) -> None:
        at = visit.starts_at + HOUR
        visits.record_contact_attempt(visit, by=alice, channel="call", now=at)
        visits.report_no_show(visit, by=alice, now=at)
        self.closed(visit, "no_show")

    def test_turning_back(self, visit, bob, journey) -> None:
        actions.turn_back(journey, by=bob, now=NOW + MINUTE)
        self.closed(visit, "cancelled")
        assert make.fresh(visit).status == "pending"

    def test_and_setting_out_again_is_another_journey(self, visit, bob, journey) -> None:
        actions.turn_back(journey, by=bob, now=NOW + MINUTE)
        again = actions.set_out(visit, by=bob, now=NOW + 2 * MINUTE)
        assert again != journey and again.is_open and again.heard_at is None

    def test_an_end_is_not_ended_again(self, visit, bob, journey) -> None:
        actions.turn_back(journey, by=bob, now=NOW + MINUTE)
        assert close_journey(journey, JourneyEnd.ARRIVED, now=NOW + HOUR) == journey
        assert make.fresh(journey).closed_at == NOW + MINUTE and make.fresh(journey).end == "cancelled"

    def test_no_journey_has_no_end(self) -> None:
        assert close_journey(None, JourneyEnd.ARRIVED, now=NOW) is None

    @pytest.mark.parametrize("who", ["alice", "dora", "ed"])
    def test_only_the_traveller_turns_back(self, request, journey, who) -> None:
        with pytest.raises(PermissionDenied):
            actions.turn_back(journey, by=request.getfixturevalue(who), now=NOW)
        assert make.fresh(journey).is_open


class TestWhoMayNotTravelAnyMore:
    """An account was closed or got another role: there is no button of theirs left that would end it."""

    def test_the_clock_ends_what_a_closed_account_left_open(self, journey, bob) -> None:
        road.place(bob, NEAR, now=NOW)
        bob.is_active = False
        bob.save(update_fields=["is_active"])
        assert load_trips([str(journey.pk)]) == {}, "at once, before the clock comes by"
        assert call_back(NOW + SECOND) == 1 and call_back(NOW + SECOND) == 0
        assert make.fresh(journey).end == "cancelled" and not Position.objects.exists()

    def test_and_what_somebody_with_another_role_left(self, journey, bob) -> None:
        bob.role = "driver"
        bob.save(update_fields=["role"])
        assert load_trips([str(journey.pk)]) == {}
        assert call_back(NOW + SECOND) == 1 and not make.fresh(journey).is_open

    def test_others_go_on(self, journey, visit, frank) -> None:
        road.en_route(road.leg(visit.booking, frank), road.at_work("Gus", at=NEAR))
        assert call_back(NOW + HOUR) == 0 and Journey.objects.filter(closed_at=None).count() == 2


class TestDrivers:
    @pytest.fixture
    def dispatch(self, visit, frank):
        """Ed's colleague Gus is on the way with a boiler for Alice."""
        return road.en_route(road.leg(visit.booking, frank), road.at_work("Gus", at=NEAR))

    def test_setting_off_opens_one_and_what_is_known_is_said_at_once(self, dispatch) -> None:
        journey = open_of(dispatch=dispatch)
        assert journey is not None and journey.session is None and journey.traveller_id == dispatch.driver_id
        assert journey.eta_minutes == 3 and journey.heard_at == NOW

    def test_arriving_closes_it_and_keeps_the_position_for_the_desk(self, dispatch) -> None:
        actions.arrive(dispatch, by=dispatch.driver.user, now=NOW + MINUTE)
        assert Journey.objects.get(dispatch=dispatch).end == "arrived"
        assert Position.objects.filter(user=dispatch.driver_id).exists()

    def test_drivers_do_not_turn_back_by_themselves(self, dispatch) -> None:
        journey = Journey.objects.get(dispatch=dispatch)
        with pytest.raises(Conflict, match="belongs to a leg"):
            actions.turn_back(journey, by=dispatch.driver.user, now=NOW)
        assert make.fresh(journey).is_open

    def test_one_job_may_expect_two_people(self, dispatch, journey) -> None:
        assert Journey.objects.filter(booking=journey.booking, closed_at=None).count() == 2


class TestHearing:
    def at(self, bob, place: Point, *, now=NOW, **fields) -> Position:
        Position.objects.filter(user=bob).delete()
        return road.place(bob, place, now=now, **fields)

    def test_the_first_fix_is_told(self, journey, bob) -> None:
        position = self.at(bob, NEAR)
        assert hear(journey, position, now=NOW) == ["eta_minutes", "heard_at"]
        assert journey.heard_at == NOW and journey.eta_minutes == 3

    def test_then_nothing_for_some_seconds(self, journey, bob) -> None:
        hear(journey, self.at(bob, NEAR), now=NOW)
        assert hear(journey, self.at(bob, NEAR, now=NOW + 9 * SECOND), now=NOW + 9 * SECOND) == []
        assert hear(journey, self.at(bob, NEAR, now=NOW + 10 * SECOND), now=NOW + 10 * SECOND)

    def test_the_fence_is_told_at_once(self, journey, bob) -> None:
        hear(journey, self.at(bob, NEAR), now=NOW)
        changed = hear(journey, self.at(bob, DOOR_STEP, now=NOW + SECOND), now=NOW + SECOND)
        assert changed == ["near_at", "eta_minutes", "heard_at"] and journey.near_at == NOW + SECOND

    def test_the_edge_of_the_fence_does_not_flicker(self, journey, bob) -> None:
        hear(journey, self.at(bob, DOOR_STEP), now=NOW)
        just_out = Point(CAMDEN.latitude + 0.0018, CAMDEN.longitude)  # 200 m
        hear(journey, self.at(bob, just_out, now=NOW + MINUTE), now=NOW + MINUTE)
        assert journey.near_at == NOW

    def test_who_drives_past_is_not_near_any_more(self, journey, bob) -> None:
        hear(journey, self.at(bob, DOOR_STEP), now=NOW)
        assert "near_at" in hear(journey, self.at(bob, NEAR, now=NOW + SECOND), now=NOW + SECOND)
        assert journey.near_at is None

    def test_a_device_without_a_place_says_nothing(self, journey, bob) -> None:
        nowhere = Position(user=bob, seen_at=NOW, received_at=NOW)
        assert hear(journey, nowhere, now=NOW) == []
        with pytest.raises(ValueError, match="no estimate"):
            remaining(journey, nowhere, now=NOW)

    def test_a_route_is_believed_while_it_is_fresh(self, journey, bob) -> None:
        position = self.at(bob, FAR)
        journey.route_seconds, journey.route_at = 600, NOW
        assert remaining(journey, position, now=NOW + 30 * SECOND) == timedelta(seconds=570)
        own = remaining(journey, position, now=NOW + 5 * MINUTE)
        assert own > timedelta(minutes=30)


class TestLinks:
    def test_a_link_is_made_once(self, journey, alice) -> None:
        link = actions.share(journey, by=alice, now=NOW)
        assert actions.share(journey, by=alice, now=NOW + MINUTE) == link and len(link.token) == 32

    def test_after_it_was_taken_back_there_is_another(self, journey, alice) -> None:
        link = actions.share(journey, by=alice, now=NOW)
        actions.revoke_link(link, by=alice, now=NOW + MINUTE)
        other = actions.share(journey, by=alice, now=NOW + 2 * MINUTE)
        assert other.token != link.token and make.fresh(link).revoked_at == NOW + MINUTE

    def test_taking_back_twice_is_once(self, journey, alice) -> None:
        link = actions.share(journey, by=alice, now=NOW)
        actions.revoke_link(link, by=alice, now=NOW + MINUTE)
        assert actions.revoke_link(link, by=alice, now=NOW + HOUR).revoked_at == NOW + MINUTE

    def test_what_is_over_is_not_shared(self, journey, alice, bob) -> None:
        actions.turn_back(journey, by=bob, now=NOW)
        with pytest.raises(Conflict, match="over"):
            actions.share(journey, by=alice, now=NOW)
        assert not ShareLink.objects.exists()

    @pytest.mark.parametrize("who", ["bob", "charlie", "dora", "ed"])
    def test_it_is_the_customers_to_give(self, request, journey, alice, who) -> None:
        link = actions.share(journey, by=alice, now=NOW)
        stranger = request.getfixturevalue(who)
        with pytest.raises(PermissionDenied):
            actions.share(journey, by=stranger, now=NOW)
        with pytest.raises(PermissionDenied):
            actions.revoke_link(link, by=stranger, now=NOW)
        assert make.fresh(link).revoked_at is None
