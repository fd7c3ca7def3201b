"""The application as it really runs: `manage.py serve` processes on a database of the tests' own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from tools import processes
from tools.servers import Postgres, Redis, Server

READY_WITHIN = 90.0

# The intervals of the domain, shrunk: a test waits for what they do, not for them. A test that is about an
# interval itself restarts the site with its own.
QUICK = {
    "LIVE_HEARTBEAT_EVERY": "2",
    "LIVE_PRESENCE_EVERY": "0.5",
    "LIVE_OFFLINE_AFTER": "5",
    "LIVE_TROUBLE_AFTER": "1",
    "LIVE_POLL_EVERY": "0.7",
    "LIVE_POLL_EVERY_CLOSE": "0.4",
    "LIVE_POLL_EVERY_DASHBOARD": "1",
    "LIVE_POLL_AT_MOST": "2",
    "LIVE_RETRY_FROM": "0.2",
    "LIVE_RETRY_AT_MOST": "1.5",
    "LIVE_RETURN_SPREAD": "0.5",
    "LIVE_HIDDEN_RESYNC_AFTER": "1",
    "TRACKING": "SEND_MOVING_SECONDS=1,SEND_IDLE_SECONDS=3",
    "DATABASE_POOL": "12",
}


class Process:
    """One `manage.py` process of the site, with its log."""

    def __init__(self, name: str, arguments: list[str], env: dict[str, str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._command = [sys.executable, "-X", "faulthandler", "manage.py", *arguments]
        self._child: subprocess.Popen[bytes] | None = None
        self.start(env)

    def start(self, env: dict[str, str]) -> None:
        """Start it, appending to the log it already has."""
        with self.log.open("ab") as log:
            self._child = processes.start(self._command, env=env, output=log)

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._child is not None
        return self._child.pid

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._child is not None and self._child.poll() is None

    def stop(self) -> None:
        """SIGTERM, as a deployment does; returns when it has ended."""
        if self._child is not None:
            processes.stop([self._child], patience=15)

    def kill9(self) -> None:
        """SIGKILL: no goodbye, nothing flushed; returns when it is gone."""
        self.signal(signal.SIGKILL)
        assert self._child is not None
        self._child.wait()

    def signal(self, number: int) -> None:
        """Send it a signal, SIGSTOP and SIGCONT for instance."""
        assert self._child is not None
        self._child.send_signal(number)

    def said(self, since: int = 0) -> str:
        """Its log from byte `since` on."""
        return self.log.read_bytes()[since:].decode(errors="replace")


class Web(Process):
    """A server process. The port stays the same over restarts, so that open pages come back to it."""

    def __init__(self, name: str, env: dict[str, str], folder: Path) -> None:
        self.port = processes.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(name, ["serve", "--port", str(self.port)], env, folder)
        self.wait_ready()

    def wait_ready(self) -> Self:
        """Return when /readyz says 200; raise with the log when it does not in time."""
        until = time.monotonic() + READY_WITHIN
        while trouble := self.not_ready():
            if not self.is_running() or time.monotonic() > until:
                raise RuntimeError(f"{self.name} is not ready: {trouble}\n{self.said()[-4000:]}")
            time.sleep(0.05)
        return self

    def not_ready(self) -> str:
        """Why /readyz does not say 200 now; empty when it does."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=3):
                return ""
        except urllib.error.HTTPError as error:
            return error.read().decode(errors="replace")
        except OSError as error:
            return str(error)


class Site:
    """The site under test: one server process, more on demand, and the servers they stand on."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.base_env = {**os.environ, **QUICK, **env, "PYTHONUNBUFFERED": "1"}
        self.env = dict(self.base_env)
        self.web: Web | None = None
        self.others: list[Process] = []
        self._broken = ""

    @property
    def url(self) -> str:
        """Where the first server process answers."""
        assert self.web is not None
        return self.web.url

    def start(self) -> None:
        """Start the first server process. When that fails once, it fails at once ever after."""
        if self._broken:
            raise RuntimeError(self._broken)
        try:
            self.web = Web("web", self.env, self.folder)
        except RuntimeError as error:
            self._broken = str(error)
            raise

    def restart(self, env: dict[str, str] | None = None, *, kill: bool = False) -> None:
        """End the first process (SIGKILL with `kill`) and start it on the same port, with `env` on top."""
        assert self.web is not None
        self.web.kill9() if kill and self.web.is_running() else self.web.stop()
        self.env = {**self.base_env, **(env or {})}
        self.web.start(self.env)
        self.web.wait_ready()

    def kill9(self) -> None:
        """SIGKILL the first process and leave it dead; `restart` brings it back."""
        assert self.web is not None
        self.web.kill9()

    def spawn(self, env: dict[str, str] | None = None) -> Web:
        """One more server process on the same database and Redis, for this test only."""
        other = Web(f"web-{len(self.others) + 2}", {**self.env, **(env or {})}, self.folder)
        self.others.append(other)
        return other

    def clock(self) -> Process:
        """A `manage.py clock` beside the site, for this test only."""
        clock = Process(f"clock-{len(self.others) + 1}", ["clock"], self.env, self.folder)
        self.others.append(clock)
        return clock

    def manage(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        """Run a command in a process of its own, as an operator would; what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=processes.ROOT,
            env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,  # under a whole CI run a migration from nothing takes a minute and more
        )
        if done.returncode != 0:
            raise RuntimeError(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def servers(self) -> list[Server]:
        """The throw-away servers under the site; none on SQLite."""
        return [kind.from_env() for kind in (Postgres, Redis) if os.environ.get(kind.variable)]

    def reset(self) -> None:
        """Bring back what a test before may have stopped or changed."""
        for server in self.servers():
            if isinstance(server, Redis):
                server.resume()
            server.start()
        for other in self.others:  # killed: nobody is left whom a goodbye would reach
            if other.is_running():
                other.kill9()
        self.others.clear()
        if self.web is None:
            self.start()
        elif self.env != self.base_env or not self.web.is_running():
            self.restart(kill=True)
        else:
            self.web.wait_ready()

    def stop(self) -> None:
        """End every process of the site."""
        for one in [*self.others, *([self.web] if self.web else [])]:
            one.stop()

    def logs(self) -> list[Path]:
        """The logs of all processes so far."""
        return sorted(self.folder.glob("*.log"))
