"""The simulator process."""

from __future__ import annotations

import logging
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django.utils import timezone

from demo.cast import MOST_DRIVERS
from demo.models import Switches
from demo.people import demo_is_here
from demo.simulator.run import Simulator

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Act for the demo's simulated people until SIGTERM."""

    help = (
        "Lets the demo's simulated customers, technicians and drivers act. Only with DEMO=on, after the command demo."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--seed` for the dice, `--every SECONDS` between steps (1 by default), `--once` for a single step.

        `--drivers` says how many are on duty from now on; the desk can change that while it runs.
        """
        parser.add_argument("--seed", type=int, default=1, help="what the dice start from")
        parser.add_argument("--every", type=float, default=1.0, help="seconds between steps")
        parser.add_argument("--drivers", type=int, metavar=f"0-{MOST_DRIVERS}", help="drivers on duty from now on")
        parser.add_argument("--once", action="store_true", help="take one step and stop")

    def handle(self, *args: Any, **options: Any) -> None:
        """Step until told to stop. Raises `CommandError` outside demo mode and without the demo's people."""
        if not settings.DEMO:
            raise CommandError("This is not a demo site; set DEMO=on to let simulated people act.")
        if not demo_is_here():
            raise CommandError("The demo's people are not here; run the command demo first.")
        if options["drivers"] is not None:
            self.want(options["drivers"])
        stop = threading.Event()
        if not options["once"]:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        simulator = Simulator(options["seed"])
        try:
            while True:
                self.step(simulator)
                if options["once"] or stop.wait(options["every"]):
                    return
        finally:
            simulator.close()

    def want(self, drivers: int) -> None:
        """Turn the switch that the desk has too. Raises `CommandError` for more than there are."""
        if not 0 <= drivers <= MOST_DRIVERS:
            raise CommandError(f"There are 0 to {MOST_DRIVERS} simulated drivers.")
        Switches.objects.update_or_create(pk=1, defaults={"drivers": drivers})

    def step(self, simulator: Simulator) -> None:
        """One step; whatever goes wrong (a database that restarts, say), the next one is taken."""
        try:
            close_old_connections()
            simulator.step(timezone.now())
        except Exception:
            log.exception("A step of the simulator failed; the next one follows.")
        finally:
            close_old_connections()
