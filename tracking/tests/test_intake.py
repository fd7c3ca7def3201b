"""Fixes that gather in a process: together, in order, again when the database was away, and over a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from accounts.models import User
from common.geo import Point
from realtime.tests.conftest import live  # noqa: F401 (fixture)
from realtime.tests.harness import Live, in_thread, session_of, until
from tracking import actions, intake
from tracking.actions.fixes import Batch, Outcome
from tracking.intake import Intake, TooManyError
from tracking.models import Fix, Position, Shift
from tracking.rules.fixes import to_ms
from tracking.tests import make
from tracking.tests.send import fix, refused
from tracking.topics import fixes_topic, fleet_topic


@pytest.fixture
def db(transactional_db: None) -> None:
    """Whoever asks for `db` writes with real commits here: the intake has a thread of its own."""


@pytest.fixture(autouse=True)
def quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fragments of positions come soon, and nobody has sent before."""
    settings.TRACKING = {"SENDER_EVERY_MS": 50, "FLEET_EVERY_MS": 50, "FLUSH_EVERY_MS": 60}
    monkeypatch.setattr(intake, "_sent", {})


@pytest.fixture
def sam(db: None) -> User:
    """A driver on duty for an hour."""
    return at_work("Sam")


@pytest.fixture
def flushes(monkeypatch: pytest.MonkeyPatch) -> list[dict[int, int]]:
    """What was taken in together: fixes by person."""
    seen: list[dict[int, int]] = []
    real = intake.take_fixes

    def noted(batches: dict[int, Batch], **more: Any) -> dict[int, Outcome]:
        seen.append({pk: len(batch.sent) for pk, batch in batches.items()})
        return real(batches, **more)

    monkeypatch.setattr(intake, "take_fixes", noted)
    return seen


@pytest.fixture
def collector() -> Iterator[Intake]:
    """An intake of the test's own, at rest when it ends."""
    made = Intake()
    yield made
    until(lambda: not made._going, "it rests")


def at_work(name: str) -> User:
    """A driver on duty for an hour."""
    return make.at_work(name, now=timezone.now() - timedelta(hours=1)).user


def now_at(metres: float, ago: float = 0) -> dict[str, Any]:
    """A fix of now, or some seconds ago, so far to the north of a corner."""
    return fix(timezone.now() - timedelta(seconds=ago), Point(51.5 + metres / 111_195, -0.1))


# --- Gathering


def test_people_are_taken_in_together(sam: User, collector: Intake, flushes: list) -> None:
    others = [at_work(f"Driver{n}") for n in range(3)]
    for user in (sam, *others):
        collector.put(user.pk, Batch.of([now_at(0)]))
    until(lambda: Position.objects.count() == 4, "all are taken in")
    assert flushes == [dict.fromkeys((user.pk for user in (sam, *others)), 1)]


def test_what_one_person_sends_quickly_is_one_batch_in_order(sam: User, collector: Intake, flushes: list) -> None:
    for ago in (9, 6, 3, 0):
        collector.put(sam.pk, Batch.of([now_at(100 - 10 * ago, ago)], rtt=ago))
    until(lambda: Fix.objects.count() == 4, "all are taken in")
    assert flushes == [{sam.pk: 4}]
    row = Position.objects.get()
    assert row.latitude == pytest.approx(51.5 + 100 / 111_195) and row.round_trip_ms == 0


def test_who_waits_is_told_of_their_own_and_later_ones_come_after(sam: User, collector: Intake, flushes: list) -> None:
    answers: list[Outcome | None] = []
    collector.put(sam.pk, Batch.of([now_at(0, 9)]))
    asking = in_thread(lambda: answers.append(collector.ask(sam.pk, Batch.of([now_at(60, 3), "what?"]), within=20)))
    until(lambda: len(collector._waiting) == 2 or answers, "the question waits")
    collector.put(sam.pk, Batch.of([now_at(90)]))
    asking.join(20)
    until(lambda: Fix.objects.count() == 3, "all are taken in")
    [answer] = answers
    assert answer is not None and (answer.taken, answer.refused.total()) == (1, 1)
    assert [each[sam.pk] for each in flushes] == [1, 2, 1]


def test_within_a_transaction_it_is_taken_in_there(sam: User, collector: Intake) -> None:
    with transaction.atomic():
        collector.put(sam.pk, Batch.of([now_at(0, 5)]))
        assert Fix.objects.count() == 1
        answer = collector.ask(sam.pk, Batch.of([now_at(60)]), within=0)
        assert answer is not None and answer.taken == 1
    assert not collector._going


def test_a_database_that_is_away_costs_time_and_nothing_else(
    sam: User, collector: Intake, monkeypatch: pytest.MonkeyPatch, caplog
) -> None:
    real, failures = intake.take_fixes, iter(range(2))

    def away(batches: dict[int, Batch], **more: Any) -> dict[int, Outcome]:
        if next(failures, None) is not None:
            raise OperationalError("away")
        return real(batches, **more)

    monkeypatch.setattr(intake, "take_fixes", away)
    collector.put(sam.pk, Batch.of([now_at(0, 5)]))
    answer = collector.ask(sam.pk, Batch.of([now_at(60)]), within=20)
    assert answer is not None and answer.taken == 1
    assert Fix.objects.count() == 2 and caplog.text.count("trying again") == 2


def test_an_answer_that_takes_too_long_is_not_waited_for(
    sam: User, collector: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, real = threading.Event(), intake.take_fixes
    monkeypatch.setattr(intake, "take_fixes", lambda batches, **more: (go.wait(20), real(batches, **more))[1])
    assert collector.ask(sam.pk, Batch.of([now_at(0)]), within=0.1) is None
    go.set()
    until(lambda: Fix.objects.count() == 1, "it is taken in all the same")


def test_no_more_waits_than_is_held(sam: User, collector: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST_OF_ONE", 2)
    monkeypatch.setattr(intake, "MOST_WAITING", 3)
    kim, lou = at_work("Kim"), at_work("Lou")
    for user, ago in ((sam, 9), (sam, 6), (sam, 3), (kim, 0), (lou, 0)):
        collector.put(user.pk, Batch.of([now_at(30 * ago, ago)]))
    with pytest.raises(TooManyError):
        collector.ask(lou.pk, Batch.of([now_at(0)]), within=1)
    until(lambda: not collector._going, "it rests")
    assert Fix.objects.filter(user=sam).count() == 2 and not Position.objects.filter(user=lou).exists()
    answer = collector.ask(lou.pk, Batch.of([now_at(0)]), within=20)  # there is room again
    assert answer is not None and answer.taken == 1


def test_one_post_of_a_person_waits_at_a_time(sam: User, collector: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    go, real = threading.Event(), intake.take_fixes
    monkeypatch.setattr(intake, "take_fixes", lambda batches, **more: (go.wait(20), real(batches, **more))[1])
    asking = in_thread(lambda: collector.ask(sam.pk, Batch.of([now_at(0, 5)]), within=20))
    until(lambda: collector._asking, "the first waits")
    with pytest.raises(TooManyError):
        collector.ask(sam.pk, Batch.of([now_at(90)]), within=20)
    go.set()
    asking.join(20)
    assert not collector._asking
    answer = collector.ask(sam.pk, Batch.of([now_at(90)]), within=20)
    assert answer is not None and answer.taken == 1


def test_whose_fixes_cannot_be_taken_in_is_dropped_alone(
    sam: User, collector: Intake, monkeypatch: pytest.MonkeyPatch, caplog
) -> None:
    kim, real = at_work("Kim"), intake.take_fixes

    def poisoned(batches: dict[int, Batch], **more: Any) -> dict[int, Outcome]:
        if kim.pk in batches:
            raise IntegrityError("no such account")
        return real(batches, **more)

    monkeypatch.setattr(intake, "take_fixes", poisoned)
    collector.put(sam.pk, Batch.of([now_at(0)]))
    assert collector.ask(kim.pk, Batch.of([now_at(0)]), within=20) is None
    until(lambda: Position.objects.filter(user=sam).exists(), "the other's are taken in")
    until(lambda: not collector._going, "nothing is tried for ever")
    assert not collector._held and "are dropped" in caplog.text


@pytest.mark.postgresql
def test_whose_shift_is_held_comes_with_the_next(sam: User, collector: Intake, flushes: list) -> None:
    kim = at_work("Kim")
    with transaction.atomic():
        Shift.objects.select_for_update().get(user=sam)
        in_thread(lambda: [collector.put(user.pk, Batch.of([now_at(0)])) for user in (sam, kim)]).join()
        until(lambda: len(flushes) >= 2, "Sam is tried again")
        seen = in_thread_value(lambda: list(Position.objects.values_list("user", flat=True)))
        assert seen == [kim.pk]
    until(lambda: Position.objects.count() == 2, "then Sam's is taken in")


def in_thread_value(work: Any) -> Any:
    """What `work` gives on a connection of its own."""
    found: list[Any] = []
    in_thread(lambda: found.append(work())).join()
    return found[0]


# --- Over the wire


def test_over_a_socket(live: Live, sam: User, frank: User) -> None:  # noqa: F811
    page = live.page(session_of(sam), [fixes_topic(sam.pk)])
    desk = live.page(session_of(frank), [fleet_topic()])
    sent = now_at(0, 4)
    page.send(t="say", kind="tracking.fixes", data={"fixes": [sent, fix(timezone.now(), None)], "rtt": 130})
    until(lambda: any(f'data-upto="{upto}"' in html for html in page.html.values() for upto in uptos()), "the ack")
    until(lambda: desk.html, "the fleet")
    people = json.loads(text_of(desk.html["tracking-fleet-all"]))["people"]
    assert [(row[0], row[1], row[2], row[8]) for row in people] == [(sam.pk, 51.5, -0.1, 130)]
    assert people[0][6] == people[0][7] == sent["at"] and refused(sam) == {"no_place": 1}


def uptos() -> list[int]:
    """The newest device times dealt with."""
    return [to_ms(at) for at in Position.objects.exclude(device_at=None).values_list("device_at", flat=True)]


def text_of(html: str) -> str:
    """What stands in an element of text."""
    return html.partition(">")[2].rpartition("<")[0]


def test_nonsense_over_a_socket(live: Live, sam: User) -> None:  # noqa: F811
    page = live.page(session_of(sam), [fixes_topic(sam.pk)])
    for data in ({}, {"fixes": 7}, {"fixes": []}, {"fixes": {"at": 1}}, {"fixes": [now_at(0)] * 101}):
        page.send(t="say", kind="tracking.fixes", data=data)
    page.send(t="say", kind="tracking.fixes", data={"fixes": [None, "x", {"at": []}, now_at(10)], "rtt": {"ms": 1}})
    until(lambda: Fix.objects.count() == 1, "the good one")
    assert refused(sam) == {"malformed": 3} and page.code is None


def test_a_share_links_bearer_has_no_position(live: Live, sam: User) -> None:  # noqa: F811
    from realtime.inbound import hear
    from realtime.topics import Principal

    hear("tracking.fixes", Principal("link", "abc"), {"fixes": [now_at(0)]})
    hear("tracking.fixes", Principal("user", str(sam.pk)), {"fixes": [now_at(0)]})
    until(lambda: Fix.objects.exists(), "the person's")
    assert Fix.objects.count() == 1


def test_who_sends_too_much_over_a_socket_is_passed_over(live: Live, sam: User, flushes: list) -> None:  # noqa: F811
    page = live.page(session_of(sam), [fixes_topic(sam.pk)])
    for _ in range(8):
        page.send(t="say", kind="tracking.fixes", data={"fixes": [now_at(20 * ago, ago) for ago in range(100)]})
    until(lambda: flushes and not page.side.lane and not intake.intake._going, "all are dealt with")
    total = sum(count for each in flushes for count in each.values())
    assert 200 <= total < 800 and total % 100 == 0  # two at once, and what CATCH_UP earned meanwhile
    assert Position.objects.count() == 1 and page.code is None


def test_after_going_off_duty_the_sender_is_told(live: Live, sam: User) -> None:  # noqa: F811
    page = live.page(session_of(sam), [fixes_topic(sam.pk)])
    page.send(t="say", kind="tracking.fixes", data={"fixes": [now_at(0)]})
    page.sees("gps-chip")
    actions.go_off_duty(Shift.objects.get(), by=sam)
    live.quiet()
    assert not Position.objects.exists()
    page.send(t="say", kind="tracking.fixes", data={"fixes": [now_at(0)]})
    until(lambda: refused(sam).get("not_collected") == 1, "it is refused")
    live.quiet()
    assert not Position.objects.exists()
