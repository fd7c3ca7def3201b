"""The clock process: what becomes true by time alone."""

from __future__ import annotations

import logging
import signal
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import close_old_connections
from django.utils import timezone

log = logging.getLogger(__name__)

Due = Callable[[datetime], int]


def due_by_app() -> dict[str, Due]:
    """Each app's `run_due(as_of)`, by the app's name."""
    names = [config.name for config in apps.get_app_configs() if find_spec(f"{config.name}.due")]
    return {name: import_module(f"{name}.due").run_due for name in names}


def tick(as_of: datetime) -> int:
    """Run everything that is due; one app's failure does not stop the others. Returns how much was done."""
    done = 0
    for name, run_due in due_by_app().items():
        try:
            done += run_due(as_of)
        except Exception:
            log.exception("The clock of %s failed; it is tried again at the next tick.", name)
    return done


class Command(BaseCommand):
    """Run every app's `run_due(as_of)` each second until SIGTERM. Any number of clocks may run side by side."""

    help = "Does what becomes true by time alone: expiries, no-shows, pruning."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--every SECONDS` between ticks (1 by default), `--once` for a single tick."""
        parser.add_argument("--every", type=float, default=1.0, help="seconds between ticks")
        parser.add_argument("--once", action="store_true", help="tick once and stop")

    def handle(self, *args: Any, **options: Any) -> None:
        """Tick until told to stop."""
        stop = threading.Event()
        if not options["once"]:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        while True:
            close_old_connections()
            tick(timezone.now())
            close_old_connections()
            if options["once"] or stop.wait(options["every"]):
                return
