"""Who is told what of the road: every kind, everybody it is for, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from bookings.tests.test_notices import told_by
from notifications.kinds import Kind
from notifications.models import Channel, Mail, MailStatus, Notification
from tracking import actions, due, notices, telling
from tracking.models import Dispatch, Journey, OfferRound, Shift
from tracking.notices import EXHAUSTED, OPEN, SILENT, TABLE, TURNED_BACK, Step
from tracking.states import DISPATCH_MOVES, DUTY_MOVES
from tracking.telling import WORDS, fields
from tracking.tests import make
from tracking.tests.make import MINUTE, NOW
from tracking.tests.scenes import LATER, SCENES, SOON, Cast, Scene

KINDS: dict[str, Kind] = {each.name: each for each in vars(notices).values() if isinstance(each, Kind)}


class Seen(dict[Step, Any]):
    """The table, and which of its steps were looked up."""

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
    steps: set[Step]


@cache
def play(scene: Scene) -> Played:
    """Once for all tests; the database forgets it."""
    seen = Seen()
    with pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr(telling, "TABLE", seen)
        act = scene.begin(Cast())
        mailed = set(Mail.objects.values_list("pk", flat=True))
        Mail.objects.update(status=MailStatus.SENT)
        rows = told_by(act)
        mails = list(Mail.objects.exclude(pk__in=mailed).values_list("user", "kind", "event"))
        transaction.set_rollback(True)
    return Played(rows, mails, seen.steps)


@pytest.fixture(params=SCENES, ids=lambda scene: scene.name)
def scene(request: pytest.FixtureRequest) -> Scene:
    return request.param


@pytest.fixture
def played(scene: Scene, db: None) -> Played:
    return play(scene)


# --- The matrix -----------------------------------------------------------------------------------


def test_exactly_those_hear_of_it_whom_it_concerns(played: Played, scene: Scene) -> None:
    """Nobody who did it, no stranger, no other driver, no admin who did not ask; and nobody twice."""
    found = [(row.user.first_name, row.kind) for row in played.rows]
    assert sorted(found) == sorted(scene.heard)
    assert all(row.actor_id != row.user_id for row in played.rows)


def test_each_leads_to_the_page_that_reads_it(played: Played) -> None:
    for row in (row for row in played.rows if row.kind in KINDS):
        kind, last = KINDS[row.kind], row.url.strip("/").rpartition("/")[2]
        assert (row.priority, row.read_at, row.toasts) == (kind.priority, None, True)
        assert row.user.role in kind.roles
        page = {"driver": ("/drive/", "drive"), "admin": (f"/desk/legs/{last}/", f"leg.{last}")}
        assert (row.url, row.group) == page.get(row.user.role, (f"/jobs/{last}/", f"booking.{last}"))


def test_it_is_mailed_where_it_should_be(played: Played) -> None:
    rows = [row for row in played.rows if row.kind in KINDS and Channel.EMAIL in KINDS[row.kind].channels]
    mails = [mail for mail in played.mails if mail[1] in KINDS]
    assert sorted(mails) == sorted((row.user_id, row.kind, row.event) for row in rows)


def test_no_notice_gives_away_an_address_a_number_or_a_surname(played: Played) -> None:
    for secret in ("Inverness", "NW1 7HJ", "900321", "@", "Test"):
        assert not [row.text for row in played.rows if secret in row.text], secret


def test_every_kind_is_told_in_some_scene() -> None:
    assert {kind for scene in SCENES for _, kind in scene.heard} >= set(KINDS)


def test_every_kind_is_in_the_table_and_its_words_are_known() -> None:
    assert {told.kind for each in TABLE.values() for told in each} == set(KINDS.values())
    assert all(fields(kind) <= set(WORDS) | {"did"} for kind in KINDS.values())


def test_whoever_is_told_has_the_role_of_the_kind() -> None:
    roles = {"the job's customer": "customer", "the driver": "driver", "the admin who asked": "admin"}
    for told in (told for each in TABLE.values() for told in each):
        assert told.kind.roles == (roles[told.whom],), told


# --- Every step -----------------------------------------------------------------------------------


def steps() -> Iterator[Step]:
    """Every step there is: the moves, and what happens to rounds and journeys, which keep no history."""
    for model, moves in ((Dispatch, DISPATCH_MOVES), (Shift, DUTY_MOVES)):
        yield from ((model, start, end) for start, ends in moves.items() for end in ends)
    yield from ((OfferRound, OPEN, EXHAUSTED), (Journey, "", OPEN), (Journey, OPEN, TURNED_BACK))


def test_every_step_is_told_or_says_why_it_is_not() -> None:
    assert set(steps()) == set(TABLE) | set(SILENT)
    assert not set(TABLE) & set(SILENT)
    assert all(reason.endswith(".") for reason in SILENT.values())


def test_every_step_happens_in_some_scene(db: None) -> None:
    """So that the matrix above is a matrix of all of them, the silent ones too."""
    assert set().union(*(play(scene).steps for scene in SCENES)) == set(TABLE) | set(SILENT)


# --- In words -------------------------------------------------------------------------------------


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


class TestWords:
    def test_an_offer_says_what_where_and_until_when_by_the_drivers_clock(self, cast: Cast) -> None:
        cast.sam.user.time_zone = "Europe/Berlin"
        cast.sam.user.save(update_fields=["time_zone"])
        [row] = told_by(lambda: make.offered(cast.leg(), cast.sam))
        assert row.text == "A new boiler, Camden, NW1. Answer by 10:01:00"

    def test_the_desk_reads_the_reason(self, cast: Cast) -> None:
        offer = make.offered(cast.leg(), cast.sam)
        act = lambda: actions.reject_offer(offer, by=cast.sam.user, reason="other", note="Flat tyre", now=SOON)  # noqa: E731
        assert [row.text for row in told_by(act)] == ["Sam declined: A new boiler. Another reason. Flat tyre"]

    def test_it_reads_why_an_offer_lapsed(self, cast: Cast) -> None:
        make.offered(cast.leg(), cast.sam)
        off = told_by(lambda: actions.go_off_duty(cast.shift(), by=cast.sam.user, now=SOON))
        assert [row.text for row in off] == ["The offer to Sam lapsed: A new boiler. Went off duty."]

    def test_a_driver_reads_what_the_desk_did(self, cast: Cast) -> None:
        dispatch = make.accepted(cast.leg(), cast.sam)
        rows = told_by(lambda: actions.set_off(dispatch, by=cast.frank, now=SOON))
        assert {row.text for row in rows} == {
            "The desk noted that you set off: A new boiler",
            "Sam is on the way: A new boiler",
        }

    def test_a_visit_is_named_by_its_job(self, cast: Cast) -> None:
        rows = told_by(lambda: actions.set_out(cast.visit, by=cast.bob, now=cast.visit.starts_at))
        assert [row.text for row in rows] == ["Bob is on the way: Kitchen tap leaks"]

    def test_braces_in_what_people_wrote_do_no_harm(self, cast: Cast) -> None:
        leg = make.leg(cast.visit.booking, cast.frank, note="{name} {0} {what}")
        dispatch = make.accepted(leg, cast.sam)
        rows = told_by(lambda: actions.set_off(dispatch, by=cast.frank, now=SOON))
        assert "Sam is on the way: {name} {0} {what}" in {row.text for row in rows}
        assert "The desk noted that you set off: {name} {0} {what}" in {row.text for row in rows}


# --- What is settled is not news -------------------------------------------------------------------


class TestSettled:
    def waiting(self, cast: Cast) -> list[str]:
        rows = Notification.objects.filter(user=cast.sam.user, kind="tracking.leg_offered", read_at=None)
        return list(rows.values_list("event", flat=True))

    @pytest.mark.parametrize(
        "settle",
        [
            lambda cast, offer: actions.accept_offer(offer, by=cast.sam.user, now=SOON),
            lambda cast, offer: actions.reject_offer(offer, by=cast.sam.user, reason="other", now=SOON),
            lambda cast, offer: actions.revoke_offer(offer, by=cast.frank, now=SOON),
            lambda cast, offer: actions.cancel_leg(offer.leg, by=cast.frank, reason="x", now=SOON),
            lambda cast, offer: actions.go_off_duty(cast.shift(), by=cast.sam.user, now=SOON),
            lambda cast, offer: due.run_due(LATER),
        ],
    )
    def test_its_notice_goes_with_the_offer(self, cast: Cast, settle) -> None:
        offer = make.offered(cast.leg(), cast.sam)
        assert self.waiting(cast) == [f"offer.{offer.pk}"]
        settle(cast, offer)
        assert self.waiting(cast) == []

    def test_others_stay(self, cast: Cast) -> None:
        first, second = (make.offered(cast.leg(), cast.sam) for _ in range(2))
        actions.revoke_offer(first, by=cast.frank, now=SOON)
        assert self.waiting(cast) == [f"offer.{second.pk}"]

    def test_an_act_that_is_refused_tells_nobody(self, cast: Cast) -> None:
        dispatch = make.accepted(cast.leg(), cast.sam)

        def refused() -> None:
            with pytest.raises(Exception, match="Things moved on"):
                actions.arrive(dispatch, by=cast.sam.user, now=SOON)

        assert not told_by(refused)


def test_nobody_hears_of_several_journeys_more_than_once_each(cast: Cast) -> None:
    """A leg that is tried again tells of each try, by its own event: nobody's mail is swallowed."""
    leg = cast.leg()
    for number in range(2):
        make.failed(leg, cast.sam, now=NOW + number * MINUTE)
    mails = Mail.objects.filter(user=cast.alice, kind="tracking.on_the_way").values_list("event", flat=True)
    assert len(set(mails)) == len(mails) == 2


def test_telling_costs_the_same_whoever_is_near(cast: Cast) -> None:
    def cost() -> int:
        leg = cast.leg()
        with CaptureQueriesContext(connection) as seen:
            offer = make.offered(leg, cast.sam)
        actions.revoke_offer(offer, by=cast.frank, now=SOON)
        return len(seen)

    few = cost()
    for number in range(10):
        make.at_work(f"D{number}")
    assert cost() == few
