"""The simulated people, watched with a clock of our own: as fast as promised, true to the rules, never for a person."""

from __future__ import annotations

import logging
import os
import signal
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.actions import sign_up_customer
from accounts.models import User
from bookings.actions import (
    accept_bid,
    change_window,
    check_in,
    complete_session,
    open_booking,
    place_bid,
    propose_reschedule,
    release,
    revise_bid,
    save_draft,
    start_session,
)
from bookings.models import Bid, BidHistory, Booking, BookingHistory, ServiceCategory, Session, SessionHistory
from bookings.states import BidStatus, BookingStatus, Party, ProposalStatus, SessionStatus
from demo.booking import book, local, window_around
from demo.cast import PLAYABLE
from demo.management.commands import simulate
from demo.models import Switches
from demo.simulator import run
from demo.simulator.market import FEWEST_A_TRADE, OPEN_A_TRADE
from demo.simulator.run import Simulator
from demo.simulator.world import World
from demo.tests.conftest import NOW, Town, person
from demo.trades import KINDS, TRADES
from realtime.models import Presence, ServerProcess
from tracking.models import Position
from tracking.states import JourneyEnd

TOMORROW = NOW + timedelta(days=1)


def job_of(customer: User, kind: str = "leaks", *, now: datetime = NOW) -> Booking:
    """A job for tomorrow noon, booked `now` by somebody of the cast."""
    category = ServiceCategory.objects.get(slug=kind)
    window = window_around(local(TOMORROW, 12), KINDS[kind])
    return book(customer, KINDS[kind], category, KINDS[kind].jobs[0], window, now=now)


def far_job_of(customer: User) -> Booking:
    """A job outside everybody's radius."""
    typed = {"address_line1": "1 Pier Road", "area_label": "Margate, CT9", "latitude": 51.389, "longitude": 1.386}
    start, end = window_around(local(TOMORROW, 12), KINDS["leaks"])
    draft = save_draft(
        by=customer,
        category=ServiceCategory.objects.get(slug="leaks"),
        title="Dripping tap",
        window_start=start,
        window_end=end,
        duration_minutes=60,
        **typed,  # type: ignore[arg-type]
    )
    return open_booking(draft, by=customer, now=NOW)


def offers_on(booking: Booking) -> list[Bid]:
    return list(booking.bids.standing().order_by("submitted_at").select_related("technician__user"))


def agreed_with_simulated(town: Town, customer: User) -> Session:
    """A job of `customer` for which they chose the first offer."""
    booking = job_of(customer)
    town.wait_for(lambda: offers_on(booking), most=6)
    bid = offers_on(booking)[0]
    return accept_bid(bid, revision=bid.revision, by=customer, now=town.now)


def agreed_with_tariq(town: Town) -> Session:
    """A visit that Tariq, played by a visitor, won from a simulated customer."""
    booking = job_of(person("priya.nair"))
    offer_of(person("tariq"), booking, Decimal(75), town.now)
    town.wait_for(lambda: state(booking) == BookingStatus.ASSIGNED, most=10)
    return booking.sessions.get()


def at_the_door(town: Town, session: Session) -> None:
    """Wait until its technician has checked in."""
    town.wait_for(lambda: state(session) == SessionStatus.WAITING, most=120, step=3)


def offer_of(technician: User, booking: Booking, amount: Decimal, now: datetime) -> Bid:
    assert booking.window_start
    return place_bid(booking, by=technician, amount=amount, starts_at=booking.window_start, now=now)


def state(row: Any) -> str:
    row.refresh_from_db()
    return str(row.status)


def revision(bid: Bid) -> int:
    bid.refresh_from_db()
    return bid.revision


def watch(at: datetime, who: User | None = None) -> None:
    """Somebody has a page open at `at`."""
    process = ServerProcess.objects.create(id="00000000-0000-0000-0000-000000000001", started_at=at, seen_at=at)
    Presence.objects.create(
        process=process,
        page_id="1",
        kind="user",
        principal=str(who.pk if who else 1),
        page="/",
        transport="socket",
        since=at,
        seen_at=at,
    )


# --- offers on a person's job ---------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
def test_a_booking_gets_its_first_offer_in_five_seconds_and_two_to_four_in_fifteen(people: None, seed: int) -> None:
    town, booking = Town(seed), job_of(person("emma"))
    assert town.wait_for(lambda: offers_on(booking), most=5) >= 2
    town.wait(15 - (town.now - NOW).total_seconds())
    offers = offers_on(booking)
    assert 2 <= len(offers) <= 4
    assert all(Decimal(30) < bid.amount < Decimal(200) and bid.message for bid in offers)
    town.wait(15)
    assert len(booking.bids.all()) == len(offers)


def test_somebody_who_just_signed_up_is_served_alike(town: Town) -> None:
    carol = sign_up_customer(email="carol@example.org", password=None, name="Carol Reed", time_zone="Europe/London")
    booking = far_job_of(carol)
    town.wait(15)
    assert len(offers_on(booking)) >= 2
    assert "further out" in offers_on(booking)[0].message


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_of_job_finds_somebody(town: Town, kind: str) -> None:
    booking = job_of(person("omar"), kind)
    town.wait(15, step=3)
    assert len(offers_on(booking)) >= 2


def test_those_not_chosen_come_back_when_the_job_opens_again(town: Town) -> None:
    session = agreed_with_simulated(town, person("emma"))
    rivals = session.booking.bids.filter(status=BidStatus.NOT_SELECTED).count()
    town.wait(2)
    release(session, by=session.technician.user, reason="Ill.", now=town.now)
    town.wait(16)
    again = offers_on(session.booking)
    assert len(again) >= max(rivals, 1)
    assert session.technician_id not in {bid.technician_id for bid in again}


def test_offers_that_lapsed_with_the_window_are_made_again(town: Town) -> None:
    booking = job_of(person("emma"))
    town.wait(16)
    offered = {bid.technician_id for bid in offers_on(booking)}
    start, end = window_around(local(NOW + timedelta(days=3), 12), KINDS["leaks"])
    change_window(booking, by=person("emma"), window_start=start, window_end=end, now=town.now)
    assert not offers_on(booking)
    town.wait(16)
    assert {bid.technician_id for bid in offers_on(booking)} == offered
    assert all(bid.revision == 2 and bid.starts_at >= start for bid in offers_on(booking))


def test_now_and_then_an_offer_becomes_cheaper(town: Town) -> None:
    bid = offer_of(person("anna.novak"), job_of(person("emma")), Decimal(80), NOW)
    town.load_dice(lambda world: world.chance("mood", bid.pk).random() < 0.2)
    town.wait_for(lambda: revision(bid) == 2, most=61)
    assert bid.amount in (70, 75) and bid.message != bid.revisions.get(revision=1).message
    town.wait(300, step=30)
    assert revision(bid) == 2  # once is enough


def test_now_and_then_one_of_several_offers_is_taken_back(town: Town) -> None:
    booking = job_of(person("emma"))
    names = ("anna.novak", "marcus.reid", "delroy.campbell")
    bids = [offer_of(person(name), booking, Decimal(80), NOW) for name in names]
    calm = bids[1:]  # or one of them is taken back first, and two are too few for another
    town.load_dice(
        lambda world: (
            world.chance("mood", bids[0].pk).random() > 0.93
            and all(0.2 < world.chance("mood", bid.pk).random() < 0.93 for bid in calm)
        )
    )
    town.wait(121, step=10)
    assert state(bids[0]) == BidStatus.WITHDRAWN
    assert len(offers_on(booking)) >= 2


def test_where_one_has_no_time_another_offers(town: Town) -> None:
    for name in ("anna.novak", "marcus.reid"):
        other = job_of(person("omar"), now=NOW - timedelta(hours=2))
        bid = offer_of(person(name), other, Decimal(80), NOW - timedelta(hours=2))
        bid = revise_bid(
            bid, by=bid.technician.user, amount=bid.amount, starts_at=bid.starts_at,
            ends_at=bid.starts_at + timedelta(hours=8), now=NOW - timedelta(hours=2),
        )  # fmt: skip
        accept_bid(bid, revision=2, by=person("omar"), now=NOW - timedelta(hours=1))
    booking = job_of(person("emma"))
    town.wait(20)
    names = {bid.technician.user.first_name for bid in offers_on(booking)}
    assert names == {"Tomasz", "Delroy"}


# --- a visit of a simulated technician ------------------------------------------------------------


def test_the_chosen_technician_is_seen_coming_there_in_two_minutes_and_done_in_one_more(town: Town) -> None:
    session = agreed_with_simulated(town, person("emma"))
    town.wait(10)
    journey = session.journeys.get()
    assert state(session) == SessionStatus.PENDING and journey.is_open
    places = {Position.objects.get(user=session.technician_id).point for _ in range(4) if town.wait(6)}
    assert len(places) == 4
    assert town.wait_for(lambda: state(session) == SessionStatus.WAITING, most=100) >= 30
    journey.refresh_from_db()
    assert journey.end == JourneyEnd.ARRIVED and journey.near_at and journey.near_at < journey.closed_at
    assert not Position.objects.filter(user=session.technician_id).exists()
    start_session(session, by=person("emma"), now=town.now)
    town.wait(49, step=10)
    assert state(session) in (SessionStatus.LIVE, SessionStatus.PAUSED)
    town.wait(21, step=3)
    assert state(session) == SessionStatus.COMPLETED
    assert state(session.booking) == BookingStatus.COMPLETED
    assert "cartridge" in session.completion.note


def test_who_does_not_tap_is_asked_for_the_code(town: Town) -> None:
    session = agreed_with_simulated(town, person("emma"))
    at_the_door(town, session)
    town.wait(41, step=5)
    assert state(session) in (SessionStatus.LIVE, SessionStatus.PAUSED)
    started = session.history.get(to_state=SessionStatus.LIVE)
    assert started.actor == session.technician.user and started.reason == "Start code."


def test_some_visits_pause_and_go_on(town: Town) -> None:
    session = agreed_with_simulated(town, person("emma"))
    town.load_dice(lambda world: world.chance("pauses", session.pk).random() < 0.3)
    at_the_door(town, session)
    start_session(session, by=person("emma"), now=town.now)
    town.wait_for(lambda: state(session) == SessionStatus.PAUSED, most=26)
    assert session.pause_reason
    town.wait_for(lambda: state(session) == SessionStatus.LIVE, most=13)
    town.wait(71, step=5)
    assert state(session) == SessionStatus.COMPLETED and session.paused_seconds >= 8


def test_a_customer_who_asks_to_move_is_answered_before_anybody_sets_off(town: Town) -> None:
    session = agreed_with_simulated(town, person("emma"))
    town.wait(4)
    later = session.starts_at + timedelta(hours=1)
    proposal = propose_reschedule(session, by=person("emma"), starts_at=later, now=town.now)
    town.wait_for(lambda: state(proposal) != ProposalStatus.PROPOSED, most=9)
    answered = town.now
    assert state(session) == SessionStatus.PENDING
    assert (session.starts_at == later) == (proposal.status == ProposalStatus.ACCEPTED)
    assert not session.journeys.exists()
    at_the_door(town, session)
    assert town.now - answered >= timedelta(seconds=40)


def test_a_visit_agreed_long_ago_waits_for_its_time(demo_visit: Session, town: Town) -> None:
    town.wait(120, step=10)
    assert state(demo_visit) == SessionStatus.PENDING
    town.now = demo_visit.starts_at - timedelta(seconds=85)
    at_the_door(town, demo_visit)
    assert abs(town.now - demo_visit.starts_at) < timedelta(seconds=30)


def test_where_nobody_can_be_seen_coming_they_are_there_all_the_same(town: Town) -> None:
    session = agreed_with_simulated(town, person("emma"))
    town.simulator.given_up.add(f"set out {session.pk}")
    town.wait(19, step=5)
    assert state(session) == SessionStatus.PENDING
    town.wait(12, step=3)
    assert state(session) == SessionStatus.WAITING and not session.journeys.exists()


@pytest.fixture
def demo_visit(people: None) -> Session:
    """A visit for tomorrow that was agreed an hour ago."""
    placed_at = NOW - timedelta(hours=2)
    booking = job_of(person("emma"), now=placed_at)
    bid = offer_of(person("anna.novak"), booking, Decimal(80), placed_at)
    return accept_bid(bid, revision=1, by=person("emma"), now=NOW - timedelta(hours=1))


# --- a person who plays a technician --------------------------------------------------------------


def test_a_persons_offer_is_accepted_in_ten_seconds(town: Town) -> None:
    session = agreed_with_tariq(town)
    assert session.technician.user == person("tariq")


def test_the_offer_of_a_new_technician_is_accepted_too(town: Town) -> None:
    lucy = person("lucy")
    lucy.technician.verified_at = NOW
    lucy.technician.save()
    booking = job_of(person("priya.nair"), "sockets")
    offer_of(lucy, booking, Decimal(60), town.now)
    town.wait_for(lambda: state(booking) == BookingStatus.ASSIGNED, most=10)


def test_an_offer_far_above_the_usual_price_is_declined(town: Town) -> None:
    booking = job_of(person("priya.nair"))
    bid = offer_of(person("tariq"), booking, Decimal(900), town.now)
    town.wait_for(lambda: state(bid) == BidStatus.REJECTED, most=10)
    assert state(booking) == BookingStatus.OPEN


def test_the_customer_opens_the_door_within_ten_seconds(town: Town) -> None:
    session = agreed_with_tariq(town)
    check_in(session, by=person("tariq"), now=town.now)
    town.wait_for(lambda: state(session) == SessionStatus.LIVE, most=10)
    assert session.history.get(to_state=SessionStatus.LIVE).actor == person("priya.nair")
    town.wait(180, step=10)
    assert state(session) == SessionStatus.LIVE  # finishing is the person's to do
    complete_session(session, by=person("tariq"), note="Done.", now=town.now)


def test_a_technician_who_asks_to_move_is_answered(town: Town) -> None:
    session = agreed_with_tariq(town)
    later = session.starts_at + timedelta(hours=1)
    proposal = propose_reschedule(session, by=person("tariq"), starts_at=later, now=town.now)
    town.wait_for(lambda: state(proposal) in (ProposalStatus.ACCEPTED, ProposalStatus.DECLINED), most=10)


@pytest.mark.parametrize("wants_to", [True, False])
def test_some_customers_ask_to_move(town: Town, wants_to: bool) -> None:
    session = agreed_with_tariq(town)
    town.load_dice(lambda world: (world.chance("moves", session.pk).random() < 0.25) == wants_to)
    town.wait(16, step=4)
    asked = session.proposals.filter(party=Party.CUSTOMER, status=ProposalStatus.PROPOSED)
    assert asked.exists() == wants_to


def test_a_customer_stops_waiting_for_a_person_who_never_comes(town: Town) -> None:
    session = agreed_with_tariq(town)
    town.now = session.starts_at + timedelta(minutes=59)
    town.wait(1)
    assert state(session) == SessionStatus.PENDING
    town.now = session.starts_at + timedelta(minutes=61)
    town.wait(1)
    assert state(session) == SessionStatus.CANCELLED
    assert state(session.booking) == BookingStatus.CANCELLED and session.booking.fee_amount == 0


# --- the marketplace ------------------------------------------------------------------------------


def open_jobs(now: datetime) -> Counter[str]:
    slugs = Booking.objects.open_for_bids(now).values_list("category__skill__slug", flat=True)
    return Counter(slug or "" for slug in slugs)


def test_an_empty_market_has_a_job_of_each_trade_at_once(town: Town) -> None:
    town.wait(1)
    assert open_jobs(town.now) == dict.fromkeys((trade.slug for trade in TRADES), FEWEST_A_TRADE)


def test_while_nobody_looks_it_grows_no_further(town: Town) -> None:
    town.wait(600, step=20)
    assert Booking.objects.count() == len(TRADES) * FEWEST_A_TRADE
    assert not Bid.objects.exists()


def test_while_somebody_looks_it_fills_up_and_stays_bounded(town: Town) -> None:
    watch(NOW + timedelta(hours=1))
    Switches.objects.create(pk=1, drivers=0)  # the road has tests of its own
    town.wait(2700, step=30)
    jobs = open_jobs(town.now)
    assert set(jobs) == {trade.slug for trade in TRADES}
    assert max(jobs.values()) <= OPEN_A_TRADE and sum(jobs.values()) >= len(TRADES) * (OPEN_A_TRADE - 1)
    assert Booking.objects.filter(status=BookingStatus.COMPLETED).exists()
    assert Booking.objects.count() < 100


def test_the_same_seed_does_the_same(people: None) -> None:
    booking = job_of(person("emma"))
    done = []
    for _ in range(2):
        town = Town(5)
        town.wait(15)
        done.append([(bid.technician_id, bid.amount, bid.message, bid.submitted_at) for bid in offers_on(booking)])
        booking.bids.all().delete()
    assert done[0] == done[1]


# --- whom it acts for -----------------------------------------------------------------------------


def test_it_never_acts_for_a_person(town: Town) -> None:
    carol = sign_up_customer(email="carol@example.org", password=None, name="Carol Reed", time_zone="Europe/London")
    persons = {person(slug).pk for slug in PLAYABLE} | {carol.pk}
    watch(NOW + timedelta(hours=1))
    for customer in (carol, person("emma"), person("omar")):
        job_of(person("emma") if customer == carol else customer)
    far_job_of(carol)
    agreed_with_simulated(town, person("emma"))
    agreed_with_tariq(town)
    last = {model: model.objects.order_by("-pk").first().pk for model in (BookingHistory, BidHistory, SessionHistory)}
    town.wait(600, step=10)
    for model, pk in last.items():
        assert not model.objects.filter(pk__gt=pk, actor_id__in=persons).exists()
    assert not Bid.objects.filter(technician_id__in=persons).exclude(technician__user=person("tariq")).exists()


def test_everything_it_did_replays_to_the_state(town: Town) -> None:
    watch(NOW + timedelta(hours=1))
    Switches.objects.create(pk=1, drivers=1)
    agreed_with_simulated(town, person("emma"))
    town.wait(600, step=10)
    for model, history in ((Booking, BookingHistory), (Bid, BidHistory), (Session, SessionHistory)):
        states: dict[int, str] = {}
        for row in history.objects.order_by("id"):
            assert row.from_state == states.get(row.subject_id, "draft" if model is Booking else "")
            states[row.subject_id] = row.to_state
        assert states == dict(model.objects.values_list("pk", "status"))


def test_a_step_with_nothing_to_do_costs_the_same_however_much_there_is(
    town: Town, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    job_of(person("emma"))
    town.wait(140, step=10)
    with django_assert_max_num_queries(40) as few:
        town.simulator.step(town.now)
    for kind in ("lights", "wifi", "doors"):
        job_of(person("omar"), kind)
    town.wait(140, step=10)
    with django_assert_num_queries(len(few)):
        town.simulator.step(town.now)


# --- it keeps going -------------------------------------------------------------------------------


def test_a_habit_that_fails_does_not_stop_the_others(
    town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(world: World) -> int:
        raise RuntimeError("a fault")

    monkeypatch.setattr(run, "HABITS", (fails, *run.HABITS))
    booking = job_of(person("emma"))
    with caplog.at_level(logging.CRITICAL):
        town.wait(15)
    assert offers_on(booking)


def test_what_was_refused_is_not_asked_again(people: None) -> None:
    world, asked = World(NOW, 1), []

    def refused() -> None:
        asked.append(1)
        check_in(session, by=person("omar"), now=NOW)

    booking = job_of(person("emma"))
    bid = offer_of(person("anna.novak"), booking, Decimal(80), NOW)
    session = accept_bid(bid, revision=1, by=person("emma"), now=NOW)
    assert not world.attempt(refused, "arrive", 1)
    assert not world.attempt(refused, "arrive", 1)
    assert len(asked) == 1


class TestCommand:
    @pytest.fixture(autouse=True)
    def handlers(self, people: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
        """In demo mode; the process's own signal handlers are put back, and the connection is ours."""
        settings.DEMO = True
        monkeypatch.setattr(simulate, "close_old_connections", lambda: None)
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        yield
        for number, handler in before.items():
            signal.signal(number, handler)

    def test_one_step(self) -> None:
        call_command("simulate", once=True)
        assert Booking.objects.count() == len(TRADES)

    def test_it_stops_on_sigterm_and_survives_faults(self, monkeypatch: pytest.MonkeyPatch) -> None:
        steps: list[datetime] = []

        def step(self: Simulator, as_of: datetime) -> int:
            steps.append(as_of)
            if len(steps) == 3:
                os.kill(os.getpid(), signal.SIGTERM)
            raise RuntimeError("a fault")

        monkeypatch.setattr(Simulator, "step", step)
        call_command("simulate", every=0.01)
        assert len(steps) == 3

    def test_it_is_for_demo_sites_only(self, settings: Any) -> None:
        settings.DEMO = False
        with pytest.raises(CommandError, match="not a demo site"):
            call_command("simulate", once=True)

    def test_without_the_demos_people_it_says_what_to_do(self) -> None:
        person("omar").delete()
        with pytest.raises(CommandError, match="run the command demo first"):
            call_command("simulate", once=True)
