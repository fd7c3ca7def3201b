"""Throw-away PostgreSQL and Redis: own port, own temporary folder, gone afterwards.

Tests reach the very servers they run on through the environment, and may stop, start, restart or empty them:

    from tools.servers import Postgres, Redis
    Redis.from_env().restart()

Nothing here touches a server that it did not make. `python -m tools.servers COMMAND` runs a command on a fresh pair.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import psycopg
import redis

from tools import processes

START_WITHIN = 60.0


class ServerTrouble(RuntimeError):
    """A throw-away server did not start or stop; the message holds the end of its log."""


@dataclass(frozen=True)
class Server:
    """One throw-away server. All its state is its folder and port, so another process can take it over."""

    folder: Path
    port: int
    variable: ClassVar[str]

    @classmethod
    def make(cls) -> Self:
        """A new server in a fresh temporary folder, not started yet."""
        folder = Path(tempfile.mkdtemp(prefix=f"callout-{cls.__name__.lower()}-"))
        server = cls(folder, processes.free_port())
        server.prepare()
        return server

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The server that this process was given. Raises `ServerTrouble` when it was given none."""
        value = environ.get(cls.variable, "")
        if not value:
            raise ServerTrouble(f"{cls.variable} is not set: run this by `make test`, `make unit` or `make e2e`.")
        port, _, folder = value.partition(":")
        return cls(Path(folder), int(port))

    @property
    def env(self) -> dict[str, str]:
        """What a process needs in its environment to use and to control this server."""
        raise NotImplementedError

    def prepare(self) -> None:
        """What must be done once before the first start."""

    def start(self) -> None:
        """Start, and return when it answers. Does nothing when it runs."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop cleanly, and return when it is gone. Does nothing when it is stopped."""
        raise NotImplementedError

    def kill(self) -> None:
        """End it without a goodbye, as a power cut would."""
        raise NotImplementedError

    def drop_connections(self) -> None:
        """Cut every client's connection; the server stays up."""
        raise NotImplementedError

    def is_running(self) -> bool:
        """Whether its main process is alive."""
        return self.pid() is not None

    def restart(self) -> None:
        """Stop and start on the same port with the same data."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """End it and delete its folder."""
        with contextlib.suppress(ServerTrouble):
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def pid(self) -> int | None:
        """The main process, or None when there is none."""
        try:
            pid = int(self.pid_file.read_text().split()[0])
            os.kill(pid, 0)
        except (OSError, ValueError, IndexError):
            return None
        return pid

    @property
    def pid_file(self) -> Path:
        """Where the server writes its process id."""
        raise NotImplementedError

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self.folder / "log"

    def trouble(self, what: str) -> ServerTrouble:
        """An error that says `what`, with the end of the log."""
        lines = self.log.read_text(errors="replace").splitlines()[-15:] if self.log.exists() else []
        return ServerTrouble("\n".join([f"{type(self).__name__} on port {self.port} {what}.", *lines]))

    def wait_gone(self) -> None:
        """Return when the main process has ended."""
        until = time.monotonic() + START_WITHIN
        while self.pid() is not None:
            if time.monotonic() > until:
                raise self.trouble("did not stop")
            time.sleep(0.02)

    def signal(self, number: int) -> None:
        """Send `number` to the main process, if there is one."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, number)


class Postgres(Server):
    """A PostgreSQL cluster without fsync, made by the newest initdb on this machine."""

    variable = "CALLOUT_TEST_POSTGRES"
    OPTIONS: ClassVar[dict[str, str]] = {
        "listen_addresses": "127.0.0.1",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_connections": "200",
        "autovacuum_naptime": "10s",
    }

    @staticmethod
    def binaries() -> Path | None:
        """The folder with the newest initdb from version 15 on, or None."""
        found = {int(p.parent.parent.name): p.parent for p in Path("/usr/lib/postgresql").glob("[0-9]*/bin/initdb")}
        if found and max(found) >= 15:
            return found[max(found)]
        initdb = shutil.which("initdb")
        return Path(initdb).resolve().parent if initdb else None

    @staticmethod
    def owner() -> str | None:
        """PostgreSQL refuses to run as root, so root lends it another user; anybody else runs it themselves."""
        if os.geteuid() != 0:
            return None
        names = {entry.pw_name for entry in pwd.getpwall()}
        return next((name for name in ("postgres", "nobody") if name in names), None)

    @property
    def pid_file(self) -> Path:
        return self.folder / "data" / "postmaster.pid"

    @property
    def env(self) -> dict[str, str]:
        return {self.variable: f"{self.port}:{self.folder}", "DATABASE_URL": self.url("callout")}

    def url(self, database: str) -> str:
        """The DATABASE_URL of `database`."""
        return f"postgres://callout@127.0.0.1:{self.port}/{database}"

    def run(self, tool: str, *arguments: str, check: bool = True) -> None:
        """Run one of PostgreSQL's own tools as its owner, its words into the log."""
        binaries = self.binaries()
        if binaries is None:
            raise ServerTrouble("PostgreSQL 15 or newer is not installed.")
        with self.log.open("ab") as log:
            user = self.owner()
            lend = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
            done = subprocess.run(
                [str(binaries / tool), *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **lend,  # type: ignore[call-overload]
            )
        if check and done.returncode != 0:
            raise self.trouble(f"failed in {tool}")

    def prepare(self) -> None:
        user = self.owner()
        if user:
            shutil.chown(self.folder, user, pwd.getpwnam(user).pw_gid)
        data = str(self.folder / "data")
        self.run("initdb", "-D", data, "-U", "callout", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        options = {**self.OPTIONS, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        with (self.folder / "data" / "postgresql.auto.conf").open("a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in options.items())

    def start(self) -> None:
        if self.is_running():
            return
        log = str(self.folder / "server.log")
        self.run("pg_ctl", "start", "-w", "-t", str(int(START_WITHIN)), "-D", str(self.folder / "data"), "-l", log)
        with self.connect("postgres") as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'callout'").fetchone() is None:
                connection.execute("CREATE DATABASE callout")

    def stop(self) -> None:
        if self.is_running():
            self.run("pg_ctl", "stop", "-w", "-m", "fast", "-D", str(self.folder / "data"))

    def kill(self) -> None:
        self.signal(signal.SIGQUIT)  # an immediate shutdown: no checkpoint, recovery at the next start
        self.wait_gone()

    def drop_connections(self) -> None:
        with self.connect("postgres") as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )

    def connect(self, database: str = "callout") -> psycopg.Connection:
        """A plain connection in autocommit, for what a test must do behind Django's back."""
        return psycopg.connect(self.url(database), autocommit=True, connect_timeout=5)


class Redis(Server):
    """A Redis that keeps nothing on disk."""

    variable = "CALLOUT_TEST_REDIS"

    @property
    def pid_file(self) -> Path:
        return self.folder / "pid"

    @property
    def url(self) -> str:
        """The REDIS_URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def env(self) -> dict[str, str]:
        return {self.variable: f"{self.port}:{self.folder}", "REDIS_URL": self.url}

    def client(self) -> redis.Redis:
        """A plain client, for what a test must do behind the channel layer's back."""
        return redis.Redis.from_url(self.url, socket_timeout=5, socket_connect_timeout=5)

    def start(self) -> None:
        if self.is_running():
            return
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self.folder, "save": "", "appendonly": "no"}
        options |= {"daemonize": "yes", "pidfile": self.pid_file, "logfile": self.log, "enable-debug-command": "yes"}
        command = ["redis-server", *[str(part) for name, value in options.items() for part in (f"--{name}", value)]]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until = time.monotonic() + START_WITHIN
        while not self.answers():
            if time.monotonic() > until:
                raise self.trouble("did not start")
            time.sleep(0.02)

    def answers(self) -> bool:
        """Whether it says PONG."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def stop(self) -> None:
        self.resume()
        self.signal(signal.SIGTERM)
        self.wait_gone()

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.wait_gone()

    def drop_connections(self) -> None:
        with self.client() as client:
            for kind in ("normal", "pubsub"):
                client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")

    def flush(self) -> None:
        """FLUSHALL."""
        with self.client() as client:
            client.flushall()

    def stall(self) -> None:
        """Make it a black hole: it accepts connections and never answers. `resume` ends that."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End a stall."""
        self.signal(signal.SIGCONT)


def watch_over(servers: list[Server]) -> int:
    """Fork a janitor that removes `servers` once this process is gone, however it went. Returns its process id."""
    reading, writing = os.pipe()
    janitor = os.fork()
    if janitor:
        os.close(reading)
        os.set_inheritable(writing, False)  # the pipe must break when we end, not when our last child does
        return janitor
    os.close(writing)
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.read(reading, 1)
    for server in servers:
        server.remove()
    os._exit(0)


@contextlib.contextmanager
def throw_away() -> Iterator[dict[str, str]]:
    """A running PostgreSQL and Redis; gives the environment that uses them, and removes them at the end."""
    made: list[Server] = []
    try:
        for kind in (Postgres, Redis):
            made.append(kind.make())
        watch_over(made)
        for server in made:
            server.start()
        yield {name: value for server in made for name, value in server.env.items()}
    finally:
        for server in made:
            server.remove()


def main() -> int:
    """Run the command line's command on a fresh pair of servers; returns its exit code."""
    with throw_away() as environment:
        return subprocess.run(sys.argv[1:], env={**os.environ, **environment}).returncode


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
