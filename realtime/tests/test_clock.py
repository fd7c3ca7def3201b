"""The clock: everything due, once, whoever else ticks."""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from realtime import due, journal
from realtime.journal import Touch
from realtime.management.commands import clock
from realtime.models import JournalRow, ServerProcess
from realtime.tests.harness import in_thread
from realtime.ticking import Report

LONG_AGO = timedelta(hours=3)


def leave_behind(rows: int) -> None:
    """Old journal rows and a process that died long ago."""
    journal.write([Touch("test.1", "test.thing", str(n)) for n in range(rows)])
    JournalRow.objects.update(at=timezone.now() - LONG_AGO)
    moment = timezone.now() - LONG_AGO
    ServerProcess.objects.create(
        id="00000000-0000-4000-8000-000000000001", name="dead:1", started_at=moment, seen_at=moment
    )


def test_every_app_with_something_due_is_asked() -> None:
    found = clock.due_by_app()
    assert found["realtime"] is due.run_due and all(callable(each) for each in found.values())


def test_one_tick_prunes_what_is_old(transactional_db: None) -> None:
    leave_behind(5)
    journal.write([Touch("test.1", "test.thing", "young")])
    assert due.run_due(timezone.now()) == 6
    left = JournalRow.objects.filter(topic="test.1")
    assert [row.key for row in left] == ["young"] and not ServerProcess.objects.exists()
    assert due.run_due(timezone.now()) == 0


def test_what_is_due_depends_on_the_time_given(transactional_db: None) -> None:
    journal.write([Touch("test.1", "test.thing", "young")])
    assert due.run_due(timezone.now() + timedelta(minutes=59)) == 0
    assert due.run_due(timezone.now() + timedelta(minutes=61)) == 1


def test_two_clocks_at_once_do_nothing_twice(transactional_db: None) -> None:
    leave_behind(300)
    done: list[int] = []
    threads = [in_thread(lambda: done.append(due.run_due(timezone.now()))) for _ in range(4)]
    for thread in threads:
        thread.join()
    assert len(done) == 4 and sum(done) == 301
    assert not JournalRow.objects.filter(topic="test.1").exists() and ServerProcess.objects.count() == 0


@pytest.fixture
def apps(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is due, by app, as the test wants it."""
    due_now: dict[str, Any] = {}
    monkeypatch.setattr(clock, "due_by_app", lambda: due_now)
    return due_now


def fails(as_of: datetime) -> int:
    """An app that is broken."""
    raise ZeroDivisionError


def test_an_app_that_fails_does_not_stop_the_others(apps: dict[str, Any], caplog: Any) -> None:
    apps.update(broken=fails, works=lambda as_of: 3)
    ticking = clock.Clock()
    ticking.tick(timezone.now())
    assert ticking.wait(10) == [] and ticking.done == 3
    assert "The clock of broken failed" in caplog.text


def test_a_slow_app_holds_up_no_other_and_is_not_started_twice(apps: dict[str, Any]) -> None:
    go_on, asked = threading.Event(), []

    def slow(as_of: datetime) -> int:
        asked.append(as_of)
        return int(go_on.wait(30))

    ticks = threading.Semaphore(0)

    def quick(as_of: datetime) -> int:
        ticks.release()
        return 0

    apps.update(slow=slow, quick=quick)
    ticking = clock.Clock()
    for _ in range(3):
        ticking.tick(timezone.now())
        while not ticks.acquire(timeout=0.01):  # the one before may be just ending
            ticking.tick(timezone.now())
    assert ticking.wait(0.01) == ["slow"] and len(asked) == 1

    go_on.set()
    assert ticking.wait(10) == [] and ticking.done == 1
    ticking.tick(timezone.now())
    ticking.wait(10)
    assert len(asked) == 2


def test_waiting_for_an_app_that_hangs_has_an_end(apps: dict[str, Any]) -> None:
    hangs = threading.Event()
    apps.update(hangs=lambda as_of: int(hangs.wait(30)))
    ticking = clock.Clock()
    ticking.tick(timezone.now())
    began = time.monotonic()
    assert ticking.wait(0.05) == ["hangs"] and time.monotonic() - began < 5
    hangs.set()
    assert ticking.wait(10) == []


def test_told_to_stop_it_waits_for_what_runs_a_bounded_time(
    apps: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    hangs = threading.Event()

    def ask_to_stop(as_of: datetime) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        return int(hangs.wait(30))

    monkeypatch.setattr(clock, "END_WITHIN", 0.05)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    apps.update(hangs=ask_to_stop)
    try:
        call_command("clock", every=30.0)
    finally:
        hangs.set()
        for number, handler in before.items():
            signal.signal(number, handler)
    assert "still running: hangs" in caplog.text


def test_one_tick_by_command(transactional_db: None) -> None:
    leave_behind(2)
    call_command("clock", once=True)
    assert not JournalRow.objects.filter(topic="test.1").exists()


# --- Its own row ----------------------------------------------------------------------------------


def test_a_clock_says_that_it_ticks_and_who_is_late(transactional_db: None, settings: Any) -> None:
    settings.LIVE = {**settings.LIVE, "PRESENCE_EVERY": 60}
    report, now = Report(), timezone.now()
    report.late, report.done = ["bookings"], 7
    assert report.run_due(now) == 0
    row = ServerProcess.objects.get()
    assert (row.kind, row.seen_at, row.counters) == ("clock", now, {"done": 7, "late": ["bookings"]})
    report.run_due(now + timedelta(seconds=1))  # too soon to be said again
    row.refresh_from_db()
    assert row.seen_at == now
    report.close()
    assert not ServerProcess.objects.exists()


def test_a_ticking_clock_keeps_its_row_and_one_tick_alone_leaves_none(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "due_by_app", dict)
    call_command("clock", once=True)
    assert not ServerProcess.objects.exists()
    ticking = clock.Clock(Report())
    ticking.tick(timezone.now())
    assert ticking.wait(20) == [] and ServerProcess.objects.get().kind == "clock"
