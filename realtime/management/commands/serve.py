"""The server process: Daphne, with a clean stop."""

from __future__ import annotations

import asyncio
import gc
from argparse import ArgumentParser
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

if TYPE_CHECKING:
    from realtime.hub import Hub

APPLICATION = "config.asgi"
GOODBYE_WITHIN = 1.0  # seconds for the last frames to leave
THRESHOLD = 20_000  # allocations between collections of the youngest generation


class Command(BaseCommand):
    """Serve the site on Daphne. SIGTERM says goodbye to every page (4012) before the process ends."""

    help = "Serves the site; stop it with SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--host`, `--port`, or `--fd` for a socket that the caller has bound."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--fd", type=int, default=None, help="serve on this bound file descriptor instead")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until stopped."""
        # Importing Daphne installs its reactor, which no other command should have.
        from daphne.endpoints import build_endpoint_description_strings
        from daphne.server import Server
        from twisted.internet import reactor

        application = import_module(APPLICATION).application
        where = (
            {"file_descriptor": options["fd"]}
            if options["fd"] is not None
            else {"host": options["host"], "port": options["port"]}
        )
        server = Server(
            application=application,
            endpoints=build_endpoint_description_strings(**where),
            signal_handlers=True,
            ping_interval=20,
            ping_timeout=30,
            application_close_timeout=5,
            server_name="callout",
            verbosity=0,
        )
        # Before Daphne's own trigger, which cancels every connection without a word.
        reactor.addSystemEventTrigger("before", "shutdown", goodbye)  # type: ignore[arg-type]
        # Not callWhenRunning: Twisted does that before the loop runs, and there is no hub without a running loop.
        reactor.callLater(0, begin)  # type: ignore[arg-type]
        server.run()


def begin() -> None:
    """On the running loop: start the hub, and keep the garbage collector off what lives as long as the process.

    Full collections made the 99th percentile of deliveries (380 ms at 5,000 sockets).
    """
    from realtime import hub

    hub.ensure()
    gc.collect()
    gc.freeze()
    gc.set_threshold(THRESHOLD, 20, 50)


def goodbye() -> Any:
    """Tell every page to come back elsewhere, and give the words time to leave.

    The words are written here and now: Twisted calls Daphne's trigger right after this one.
    """
    from twisted.internet import defer

    from realtime import hub

    running = hub.current()
    if running is None:
        return None
    running.goodbye()
    return defer.Deferred.fromFuture(asyncio.ensure_future(_stop(running)))


async def _stop(running: Hub) -> None:
    await asyncio.sleep(GOODBYE_WITHIN)
    await running.stop()
