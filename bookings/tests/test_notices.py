"""Who is told what of jobs, offers and visits: every kind, everybody it is for, and nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from bookings import actions, notices, notices_desk, notices_disputes, notices_reviews, telling
from bookings.models import (
    Bid,
    Booking,
    ContactAttempt,
    Dispute,
    DisputeEvidence,
    RescheduleProposal,
    Review,
    Session,
)
from bookings.notices import CLASH, SILENT, TABLE, Step, Told
from bookings.states import (
    BID_MOVES,
    BOOKING_MOVES,
    DISPUTE_MOVES,
    REVIEW_MOVES,
    SESSION_MOVES,
    ProposalStatus,
)
from bookings.telling import NEAR, WORDS, fields
from bookings.tests import make, scenes_desk, scenes_disputes, scenes_reviews  # noqa: F401 (their scenes join the others)
from bookings.tests.follow import audience, keys_of, touched_by
from bookings.tests.make import HOUR, MINUTE, NOW
from bookings.tests.scenes import SCENES, Act, Cast, Scene
from notifications.kinds import Kind
from notifications.models import Channel, FanOut, Mail, MailStatus, Notification

TABLES = (notices, notices_desk, notices_disputes, notices_reviews)
KINDS: dict[str, Kind] = {
    each.name: each for module in TABLES for each in vars(module).values() if isinstance(each, Kind)
}


def told_by(act: Act) -> list[Notification]:
    """The notices that `act` makes or adds to."""
    before = dict(Notification.objects.values_list("pk", "event"))
    act()
    rows = Notification.objects.select_related("user").order_by("pk")
    return [row for row in rows if before.get(row.pk) != row.event]


def texts(act: Act) -> set[str]:
    """The sentences that `act` makes somebody read."""
    return {row.text for row in told_by(act)}


# --- The matrix -----------------------------------------------------------------------------------


class Seen(dict[Step, tuple[Told, ...]]):
    """The table, which remembers what was looked up."""

    def __init__(self) -> None:
        super().__init__(TABLE)
        self.steps: set[Step] = set()

    def get(self, step: Step, default: Any = ()) -> Any:
        self.steps.add(step)
        return super().get(step, default)


@dataclass
class Played:
    """What came of a scene's last act, and which steps the whole scene looked up."""

    rows: list[Notification]
    mails: list[tuple[int, str, str]]
    codes: set[str]
    steps: set[Step]


@cache
def play(scene: Scene) -> Played:
    """Once for all tests; the database forgets it."""
    seen = Seen()
    with pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr(telling, "TABLE", seen)
        act = scene.begin(Cast())
        mailed = set(Mail.objects.values_list("pk", flat=True))
        Mail.objects.update(status=MailStatus.SENT)  # or what joins a row that is unread would join its mail
        rows = told_by(act)
        mails = list(Mail.objects.exclude(pk__in=mailed).values_list("user", "kind", "event"))
        codes = set(Session.objects.values_list("start_code", flat=True))
        transaction.set_rollback(True)
    return Played(rows, mails, codes, seen.steps)


@pytest.fixture(params=SCENES, ids=lambda scene: scene.name)
def scene(request: pytest.FixtureRequest) -> Scene:
    return request.param


@pytest.fixture
def played(scene: Scene, db: None) -> Played:
    return play(scene)


def test_exactly_those_hear_of_it_whom_it_concerns(played: Played, scene: Scene) -> None:
    """Nobody who did it, no stranger, no other bidder; and nobody twice."""
    found = [(row.user.first_name, row.kind) for row in played.rows]
    assert sorted(found) == sorted(scene.heard)
    assert all(row.actor_id != row.user_id for row in played.rows)


def test_each_is_as_its_kind_says_and_is_mailed_where_it_should_be(played: Played) -> None:
    for row in played.rows:
        kind = KINDS[row.kind]
        assert (row.priority, row.read_at, row.toasts) == (kind.priority, None, True)
        assert row.user.role in kind.roles
        assert is_addressed(row)
    wanted = [row for row in played.rows if Channel.EMAIL in KINDS[row.kind].channels]
    assert sorted(played.mails) == sorted((row.user_id, row.kind, row.event) for row in wanted)


def is_addressed(row: Notification) -> bool:
    """Whether it leads where its reader looks at what it tells of, and is read with the others about that."""
    noun, pk = row.url.strip("/").split("/")[-2:] if row.url.count("/") > 2 else ("market", "")
    if row.user.role == "admin":
        return row.url == f"/desk/{noun}/{pk}/" and row.group == f"desk.{noun}"
    if noun == "disputes":
        return row.group.startswith("booking.")
    near = row.kind == "bookings.new_job"
    return (row.url, row.group) == (("/market/", NEAR) if near else (f"/jobs/{pk}/", f"booking.{pk}"))


def test_no_notice_gives_away_what_pages_keep_to_the_two_sides(played: Played) -> None:
    said = {row.text for row in played.rows}
    for secret in ("Inverness", "NW1 7HJ", "900321", "@", "Test", *played.codes):
        assert not [text for text in said if secret in text], secret


def test_every_kind_is_told_in_some_scene() -> None:
    assert {kind for scene in SCENES for _, kind in scene.heard} == set(KINDS)


def test_every_kind_is_in_the_table_and_its_words_are_known() -> None:
    assert {told.kind for each in TABLE.values() for told in each} == set(KINDS.values())
    assert all(fields(kind) <= set(WORDS) for kind in KINDS.values())


EITHER = (
    "the other side",
    "the side that asked",
    "whom the review is about",
    "who wrote the review",
    "who flagged the review",
)


def test_whoever_is_told_has_a_role_of_the_kind() -> None:
    """Or a notice would be declared and never arrive."""
    for each in TABLE.values():
        for told in each:
            sides = {"the job's customer": ["customer"], "the desk": ["admin"]}
            sides |= {whom: ["customer", "technician"] for whom in EITHER}
            assert set(told.kind.roles) >= set(sides.get(str(told.whom), ["technician"])), told


# --- Every step -----------------------------------------------------------------------------------


def steps() -> Iterator[tuple[type, str, str]]:
    """Every step there is: the moves, what is made, and what changes without a move."""
    machines = ((Booking, BOOKING_MOVES), (Bid, BID_MOVES), (Session, SESSION_MOVES), (Review, REVIEW_MOVES))
    for model, moves in (*machines, (Dispute, DISPUTE_MOVES)):
        yield from ((model, start, end) for start, ends in moves.items() for end in ends)
    yield from ((RescheduleProposal, "proposed", end) for end in ProposalStatus.values if end != "proposed")
    yield from ((Bid, "", "submitted"), (Session, "", "pending"), (RescheduleProposal, "", "proposed"))
    yield from ((Booking, "open", "open"), (Bid, "submitted", "submitted"), (Session, "pending", "pending"))
    yield from ((Bid, "submitted", CLASH), (ContactAttempt, "", ""), (Review, "", "submitted"))
    yield from ((Dispute, "", "open"), (DisputeEvidence, "", ""))
    yield from notices_desk.TABLE  # what the desk and the clock do is no move of a state


def test_every_step_is_told_or_says_why_it_is_not() -> None:
    assert set(steps()) == set(TABLE) | set(SILENT)
    assert not set(TABLE) & set(SILENT)
    assert all(reason.endswith(".") for reason in SILENT.values())


def test_every_step_happens_in_some_scene(db: None) -> None:
    """So that the matrix above is a matrix of all of them, the silent ones too."""
    assert set().union(*(play(scene).steps for scene in SCENES)) == set(TABLE) | set(SILENT)


# --- In words -------------------------------------------------------------------------------------


class TestWords:
    def test_offers_name_the_technician_the_price_and_the_job(self, alice, bob) -> None:
        booking = make.job(alice)
        assert texts(lambda: make.offer(booking, bob, 45)) == {"Bob offers £45.00 on Kitchen tap leaks"}

    def test_several_offers_are_counted_while_nobody_has_read_them(self, alice, bob, dora) -> None:
        booking = make.job(alice)
        make.offer(booking, bob, 45)
        assert texts(lambda: make.offer(booking, dora, 50)) == {"2 new offers on Kitchen tap leaks"}
        assert Notification.objects.get(user=alice).count == 2
        assert Mail.objects.get(user=alice).text == "2 new offers on Kitchen tap leaks"

    def test_offers_on_another_job_are_counted_apart(self, alice, bob, dora) -> None:
        make.offer(make.job(alice), bob, 45)
        assert texts(lambda: make.offer(make.job(alice), dora, 50)) >= {"Dora offers £50.00 on Kitchen tap leaks"}

    def test_new_jobs_are_counted_whoever_placed_them(self, alice, charlie, bob) -> None:
        make.job(alice)
        assert texts(lambda: make.job(charlie)) == {"2 new jobs near you"}
        assert not Mail.objects.filter(user=bob).exists()

    def test_the_other_side_is_named_as_it_is_known(self, alice, bob, frank) -> None:
        visit = make.visit(alice, bob)
        ask = {"starts_at": visit.starts_at + HOUR, "now": NOW}
        said = texts(lambda: actions.propose_reschedule(visit, by=bob, **ask))
        assert said == {"Bob asks to move the visit: Kitchen tap leaks"}
        actions.withdraw_reschedule(visit.proposals.get(), by=bob, now=NOW)
        said = texts(lambda: actions.propose_reschedule(visit, by=alice, **ask))
        assert said == {"The customer asks to move the visit: Kitchen tap leaks"}
        wish = visit.proposals.get(status="proposed")
        said = texts(lambda: actions.withdraw_reschedule(wish, by=frank, now=NOW))
        assert said == {
            "The desk no longer asks to move the visit: Kitchen tap leaks",
            "The desk took back your wish to move the visit: Kitchen tap leaks",
        }

    def test_one_clash_names_its_job_and_several_their_number(self, alice, charlie, bob, dora) -> None:
        make.offer(make.job(charlie, title="Cold boiler"), bob)
        said = texts(lambda: make.accept(make.offer(make.job(alice), bob)))
        assert "Your offer on Cold boiler was withdrawn: you won another job at that time" in said
        for title in ("Cold boiler", "Wet cellar"):
            make.offer(make.job(charlie, title=title), dora)
        said = texts(lambda: make.accept(make.offer(make.job(alice), dora)))
        assert "2 offers of yours were withdrawn: you won another job at that time" in said

    def test_a_long_title_with_braces_does_no_harm(self, alice, bob) -> None:
        booking = make.job(alice, title="{name} {0} {count}" * 5)
        assert texts(lambda: make.offer(booking, bob, 45)) == {f"Bob offers £45.00 on {booking.title}"}


# --- One's own calendar, many people, what fails ---------------------------------------------------


def test_who_loses_offers_to_their_own_choice_hears_of_it_too(alice, bob) -> None:
    """Alice accepts Bob for one job; that he withdrew from her other one is his doing."""
    make.offer(make.job(alice, title="Cold boiler"), bob)
    bid = make.offer(make.job(alice), bob)
    assert "Bob withdrew the offer on Cold boiler" in texts(lambda: make.accept(bid))


def test_the_bell_rings_in_the_transaction_of_what_it_tells(alice, bob, dora, charlie) -> None:
    """So page and bell travel in one frame; and it rings for nobody else."""
    booking = make.job(alice)
    make.offer(booking, dora)
    touched = touched_by(lambda: make.accept(make.offer(booking, bob)))
    bells = {touch for touch in touched if touch.fragment == "notifications.bell"}
    assert keys_of(bells, "notifications.bell") == {str(alice.pk), str(bob.pk), str(dora.pk)}
    assert audience(bells, "notifications.bell", alice, bob, charlie, dora) == {"Alice", "Bob", "Dora"}
    assert "bookings.job_now" in {touch.fragment for touch in touched}


def test_an_act_that_fails_tells_nobody(alice, bob, dora) -> None:
    bid = make.offer(make.job(alice), bob)
    actions.withdraw_bid(bid, by=bob, now=NOW)

    def refused() -> None:
        with pytest.raises(Exception, match="withdrawn by now"):
            make.accept(bid)

    assert not told_by(refused)


def test_a_bid_that_returns_and_loses_again_is_mailed_again(alice, bob, dora) -> None:
    booking = make.job(alice)
    make.offer(booking, dora)
    visit = make.accept(make.offer(booking, bob))
    for minute in (1, 2):
        actions.release(visit, by=visit.technician.user, reason="Ill", now=NOW + minute * MINUTE)
        third = make.technician(f"Third{minute}")
        if minute == 1:
            mine = booking.bids.get(technician=dora.pk)
            actions.revise_bid(mine, by=dora, amount=mine.amount, starts_at=mine.starts_at, now=NOW + MINUTE)
        visit = make.accept(make.offer(make.fresh(booking), third, now=NOW + minute * MINUTE), now=NOW + 2 * MINUTE)
    events = list(Mail.objects.filter(user=dora, kind="bookings.job_reopened").values_list("event", flat=True))
    assert len(set(events)) == len(events) == 2


def test_many_near_are_told_by_the_clock(alice, settings) -> None:
    settings.NOTIFICATIONS = {"AT_ONCE_MOST": 3}
    people = [make.technician(f"Near{number}") for number in range(4)]
    assert not told_by(lambda: make.job(alice))
    assert sorted(FanOut.objects.get().people) == sorted(person.pk for person in people)


class TestCost:
    def cost(self, act: Act) -> int:
        """The queries about notices that `act` makes."""
        with CaptureQueriesContext(connection) as seen:
            act()
        return sum("notifications_" in query["sql"] for query in seen)

    def test_telling_twelve_losers_costs_what_telling_two_costs(self, alice) -> None:
        def accepting(losers: int) -> Callable[[], object]:
            booking = make.job(alice)
            people = [make.technician(f"T{losers}x{number}") for number in range(losers + 1)]
            bids = [make.offer(booking, person) for person in people]
            return lambda: make.accept(bids[0])

        assert self.cost(accepting(12)) == self.cost(accepting(2))

    def test_and_a_job_near_twenty_what_one_near_three_costs(self, alice, bob, dora) -> None:
        make.technician("Third")
        few = self.cost(lambda: make.job(alice))
        for number in range(17):
            make.technician(f"Near{number}")
        Notification.objects.all().delete()
        assert self.cost(lambda: make.job(alice)) == few


# --- Read on the page, read in the bell -------------------------------------------------------------


class TestReading:
    def unread(self, user: User) -> set[str]:
        return set(Notification.objects.filter(user=user, read_at=None).values_list("kind", flat=True))

    def test_the_job_page_reads_what_was_told_of_that_job(self, client: Client, alice, bob, dora) -> None:
        bid = make.offer(make.job(alice), bob)
        make.offer(make.job(alice, title="Another"), dora)
        client.force_login(alice)
        assert client.get(f"/jobs/{bid.booking_id}/").status_code == 200
        left = Notification.objects.get(user=alice, read_at=None)
        assert left.text.endswith("on Another")

    def test_the_technicians_page_too(self, client: Client, alice, bob) -> None:
        visit = make.visit(alice, bob)
        client.force_login(bob)
        assert self.unread(bob) == {"bookings.new_job", "bookings.offer_accepted"}
        client.get(f"/jobs/{visit.booking_id}/")
        assert self.unread(bob) == {"bookings.new_job"}
        client.get("/market/")
        assert not self.unread(bob)

    def test_a_page_that_refreshes_itself_reads_nothing(self, client: Client, alice, bob) -> None:
        bid = make.offer(make.job(alice), bob)
        client.force_login(alice)
        client.get(f"/jobs/{bid.booking_id}/", headers={"X-Live-Refresh": "1"})
        assert self.unread(alice) == {"bookings.offer_new"}

    def test_nobody_reads_for_somebody_else(self, client: Client, alice, bob, charlie, dora) -> None:
        bid = make.offer(make.job(alice), bob)
        for stranger in (charlie, dora):
            client.force_login(stranger)
            client.get(f"/jobs/{bid.booking_id}/")
        assert self.unread(alice) == {"bookings.offer_new"}
