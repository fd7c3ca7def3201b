"""One measured server process: `python -m bench.server daphne|uvicorn PORT`."""

import asyncio
import os
import sys
from typing import Any


def daphne(port: int) -> None:
    """As `manage.py serve` does."""
    from django.core.management import call_command

    from realtime.management.commands import serve

    serve.APPLICATION = "bench.asgi"
    call_command("serve", port=port)


def uvicorn(port: int) -> None:
    """The same application on Uvicorn, with the same start of the hub."""
    from uvicorn import Config, Server

    from bench.asgi import application
    from realtime.management.commands.serve import begin

    async def run() -> None:
        begin()
        config = Config(
            application, port=port, log_level="warning", lifespan="off", access_log=False, ws_ping_interval=None
        )
        await Server(config).serve()

    asyncio.run(run())


SERVERS: dict[str, Any] = {"daphne": daphne, "uvicorn": uvicorn}

if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    SERVERS[sys.argv[1]](int(sys.argv[2]))
