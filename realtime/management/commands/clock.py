"""The clock process: what becomes true by time alone."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections, connections
from django.utils import timezone

from realtime.ticking import Report

log = logging.getLogger(__name__)

Due = Callable[[datetime], int]
OWN = "the clock's own row"
END_WITHIN = 20.0  # seconds: less than the service manager gives before it kills


def due_by_app() -> dict[str, Due]:
    """Each app's `run_due(as_of)`, by the app's name."""
    names = [config.name for config in apps.get_app_configs() if find_spec(f"{config.name}.due")]
    return {name: import_module(f"{name}.due").run_due for name in names}


class Clock:
    """Runs what is due, each app in a thread of its own: a slow mail server holds up nothing else.

    An app that is still running is not started again, so it never overtakes itself.
    """

    def __init__(self, report: Report | None = None) -> None:
        self._report = report
        self._running: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()
        self.done = 0  # since the start

    def tick(self, as_of: datetime) -> None:
        """Start everything that is due and not running."""
        late = [name for name, thread in self._running.items() if thread.is_alive()]
        for name, run_due in self._due(late).items():
            if name in late:
                continue
            # Daemons, or an app that hangs would keep the process from ending.
            thread = threading.Thread(target=self._run, args=(name, run_due, as_of), name=f"clock-{name}", daemon=True)
            self._running[name] = thread
            thread.start()

    def _due(self, late: list[str]) -> dict[str, Due]:
        if self._report is None:
            return due_by_app()
        self._report.late, self._report.done = late, self.done
        return {**due_by_app(), OWN: self._report.run_due}

    def wait(self, seconds: float | None = None) -> list[str]:
        """Wait for what is running, for `seconds` in all; returns the apps that are running still."""
        until = None if seconds is None else time.monotonic() + seconds
        for thread in self._running.values():
            thread.join(None if until is None else max(0.0, until - time.monotonic()))
        return [name for name, thread in self._running.items() if thread.is_alive()]

    def _run(self, name: str, run_due: Due, as_of: datetime) -> None:
        close_old_connections()
        try:
            done = run_due(as_of)
            with self._lock:
                self.done += done
        except Exception:
            log.exception("The clock of %s failed; it is tried again at the next tick.", name)
        finally:
            connections.close_all()  # this thread ends here, and nobody else would close them


class Command(BaseCommand):
    """Run every app's `run_due(as_of)` each second until SIGTERM. Any number of clocks may run side by side."""

    help = "Does what becomes true by time alone: expiries, no-shows, mails, pruning."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--every SECONDS` between ticks (1 by default), `--once` for a single tick."""
        parser.add_argument("--every", type=float, default=1.0, help="seconds between ticks")
        parser.add_argument("--once", action="store_true", help="tick once and stop")

    def handle(self, *args: Any, **options: Any) -> None:
        """Tick until told to stop; then what is running has a while to end."""
        if options["once"]:
            clock = Clock()
            clock.tick(timezone.now())
            clock.wait()
            return
        report = Report()
        clock = Clock(report)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while True:
            clock.tick(timezone.now())
            if stop.wait(options["every"]):
                break
        left = clock.wait(END_WITHIN)
        if left:
            log.warning("The clock stopped while these were still running: %s.", ", ".join(left))
        with contextlib.suppress(DatabaseError):  # it will be found silent
            report.close()
