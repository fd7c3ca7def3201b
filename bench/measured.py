"""What is measured with: a server process, signed-in people, and their sockets."""

import asyncio
import contextlib
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator
from typing import Any

from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore

from bench.crowd import Crowd
from realtime import journal
from tools.processes import ROOT, free_port


class Server:
    """A measured server process."""

    def __init__(self, kind: str, environment: dict[str, str] | None = None) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.server", kind, str(self.port)],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
        )

    def get(self, path: str, cookie: str = "") -> tuple[int, bytes]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Cookie": cookie})
        with urllib.request.urlopen(request, timeout=300) as answer:
            return answer.status, answer.read()

    def wait(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                self.get("/healthz")
                return
            time.sleep(0.1)
        raise TimeoutError("The measured server did not start.")

    async def change(self, how: str, first: int, count: int, pause: float = 0) -> dict[int, float]:
        """Have the server make changes; returns when each was committed."""
        _, body = await asyncio.to_thread(self.get, f"/bench/{how}?first={first}&count={count}&pause={pause}")
        return {int(number): at for number, at in json.loads(body).items()}

    def memory(self) -> int:
        return int(json.loads(self.get("/bench/memory")[1])["kb"])


@contextlib.asynccontextmanager
async def serving(kind: str, environment: dict[str, str] | None = None) -> AsyncIterator[Server]:
    server = Server(kind, environment)
    try:
        await asyncio.to_thread(server.wait)
        yield server
    finally:
        server.process.terminate()
        await asyncio.to_thread(server.process.wait)


def make_people(count: int, email: str = "bench{}@example.org") -> list[str]:
    """Signed-in people; returns their session keys."""
    user_model = get_user_model()
    keys = []
    for number in range(count):
        user, _ = user_model.objects.get_or_create(email=email.format(number), defaults={"name": f"B{number}"})
        store = SessionStore()
        store[SESSION_KEY] = str(user.pk)
        store["_auth_user_backend"] = "allauth.account.auth_backends.AuthenticationBackend"
        store["_auth_user_hash"] = user.get_session_auth_hash()
        store["live_id"] = secrets.token_hex(8)
        store.save()
        keys.append(store.session_key)
    return keys


async def hello() -> dict[str, Any]:
    return {"t": "hello", "c": str(await asyncio.to_thread(journal.now)), "topics": ["wall.1"], "page": "/bench"}


async def crowd(server: Server, kind: str, sessions: list[str]) -> Crowd:
    if kind == "live":
        return Crowd(server.port, "/live/socket", sessions, await hello())
    return Crowd(server.port, f"/bench/{kind}-socket", sessions)
