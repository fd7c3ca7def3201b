"""Real `manage.py serve` processes on the database of the tests, and clients over TCP."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from websockets.sync.client import ClientConnection, connect

from realtime.tests.harness import journal_now, session_key, until
from tools import processes

TOKEN = "a-token-for-the-counters"


def database_url() -> str:
    """The test database as another process must be told of it."""
    known = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{known['NAME']}"
    return f"postgres://{known['USER']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"


def environment(**more: str) -> dict[str, str]:
    """The environment of another process on the test database."""
    return {**os.environ, "DATABASE_URL": database_url(), "METRICS_TOKEN": TOKEN, "DATABASE_POOL": "6", **more}


class Serving:
    """One server process. `env` goes on top of the environment of the tests."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.port = processes.free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.lines: list[Line] = []
        self.log = folder / f"serve-{self.port}.log"
        with self.log.open("wb") as log:
            self.process = processes.start(
                [sys.executable, "manage.py", "serve", "--port", str(self.port)],
                env=environment(VAR_DIR=str(folder), **env),
                output=log,
            )
        until(self.is_ready, f"ready; see {self.log.read_text()}", 60)

    def is_ready(self) -> bool:
        """Whether /readyz says 200."""
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.get("/readyz").startswith("{")
        except OSError:
            return False

    def get(self, path: str, **headers: str) -> str:
        """The body of an answer with 200."""
        with urllib.request.urlopen(
            urllib.request.Request(f"{self.origin}{path}", headers=headers), timeout=10
        ) as answer:
            return answer.read().decode()

    def counter(self, name: str) -> float:
        """A counter of that process; its labels summed up."""
        lines = self.get("/metrics", Authorization=f"Bearer {TOKEN}").splitlines()
        starts = tuple(f"callout_live_{name}{end}" for end in " {")
        found = [line.rpartition(" ") for line in lines if line.startswith(starts)]
        return sum(float(value) for _, _, value in found)

    @property
    def rss(self) -> int:
        """Resident memory, in bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def line(self, client: Client, topics: list[str]) -> Line:
        """A page with a socket on this server."""
        self.lines.append(Line(self, client, topics))
        return self.lines[-1]

    def stop(self) -> None:
        """SIGTERM, and SIGKILL if that does not help."""
        for line in self.lines:
            line.close()
        processes.stop([self.process], patience=15)


class Connection(ClientConnection):
    """Reads what came, also when nobody takes its answer any more.

    The library drops the frames that it read together with a close frame when its own close frame cannot be sent,
    which happens when the server has gone meanwhile.
    """

    def send_data(self) -> None:
        """As ever; that the other side is gone shows at the next reading."""
        with contextlib.suppress(ConnectionError):
            super().send_data()


class Line:
    """A page's socket over TCP."""

    def __init__(self, server: Serving, client: Client, topics: list[str]) -> None:
        cookie = f"{settings.SESSION_COOKIE_NAME}={session_key(client)}"
        self._open = contextlib.ExitStack()
        connection = connect(
            f"ws://127.0.0.1:{server.port}/live/socket",
            origin=server.origin,  # type: ignore[arg-type]
            additional_headers={"Cookie": cookie},
            max_size=None,
            compression=None,
            ping_interval=None,
            create_connection=Connection,
        )
        self.socket: ClientConnection = self._open.enter_context(connection)
        self.got: list[dict[str, Any]] = []
        self.send(t="hello", c=journal_now(), topics=topics, page="/board/")
        assert self.next()["t"] == "welcome"

    def send(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def next(self, within: float = 20.0) -> dict[str, Any]:
        """The next frame."""
        frame = json.loads(self.socket.recv(timeout=within))
        self.got.append(frame)
        return frame

    def until(self, text: str) -> dict[str, Any]:
        """Read, and acknowledge, until a frame holds `text`."""
        while True:
            frame = self.next()
            self.send(t="ack", n=len(self.got))
            if text in str(frame.get("f")):
                return frame

    def close(self) -> None:
        self._open.close()


class Deaf:
    """A client that says hello and then never reads again, over a bare TCP socket with a small buffer."""

    def __init__(self, server: Serving, client: Client, topics: list[str]) -> None:
        self.tcp = socket.socket()
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.tcp.settimeout(20)
        self.tcp.connect(("127.0.0.1", server.port))
        cookie = f"{settings.SESSION_COOKIE_NAME}={session_key(client)}"
        head = [
            "GET /live/socket HTTP/1.1",
            f"Host: 127.0.0.1:{server.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            f"Origin: {server.origin}",
            f"Cookie: {cookie}",
        ]
        self.tcp.sendall("\r\n".join([*head, "", ""]).encode())
        assert self.tcp.recv(4096).startswith(b"HTTP/1.1 101")
        self._say({"t": "hello", "c": journal_now(), "topics": topics, "page": "/deaf/"})
        assert b"welcome" in self.tcp.recv(4096)

    def _say(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode()
        size = struct.pack("!B", 0x80 | len(data)) if len(data) < 126 else struct.pack("!BH", 0x80 | 126, len(data))
        self.tcp.sendall(b"\x81" + size + b"\0\0\0\0" + data)

    def is_cut(self) -> bool:
        """Whether the server has dropped the connection: reading what is left ends."""
        try:
            while self.tcp.recv(65536):
                pass
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        self.tcp.close()


def manage(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A command in a process of its own."""
    return processes.start([sys.executable, "manage.py", *arguments], env=environment(VAR_DIR=str(folder)))
