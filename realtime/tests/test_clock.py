"""The clock: everything due, once, whoever else ticks."""

from __future__ import annotations

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
    assert [row.key for row in JournalRow.objects.all()] == ["young"] and not ServerProcess.objects.exists()
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
    assert JournalRow.objects.count() == 0 and ServerProcess.objects.count() == 0


def test_an_app_that_fails_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    asked: list[str] = []

    def broken(as_of: datetime) -> int:
        raise ZeroDivisionError

    def works(as_of: datetime) -> int:
        asked.append("works")
        return 3

    monkeypatch.setattr(clock, "due_by_app", lambda: {"broken": broken, "works": works})
    assert clock.tick(timezone.now()) == 3 and asked == ["works"]
    assert "The clock of broken failed" in caplog.text


def test_one_tick_by_command(transactional_db: None) -> None:
    leave_behind(2)
    call_command("clock", once=True)
    assert JournalRow.objects.count() == 0
