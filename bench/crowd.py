"""A thousand signed-in pages, as sockets of one client process (picows)."""

import asyncio
import json
import random
import time
from collections.abc import Callable
from typing import Any

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

Hello = dict[str, Any] | Callable[[str], dict[str, Any]] | None

ACK_WITHIN = 32  # frames; each page has a number of its own, as in the browser
CONNECT_AT_ONCE = 100


class Page(WSListener):
    """One socket. Notes when which bytes came; speaks the protocol if `hello` is given."""

    def __init__(self, hello: dict[str, Any] | None) -> None:
        self.hello = hello
        self.frames: list[tuple[float, bytes]] = []
        self.count = 0
        self.ack_every = random.randint(ACK_WITHIN // 2 + 1, ACK_WITHIN)
        self.welcomed = asyncio.get_running_loop().create_future() if hello else None
        self.got: dict[str, float] = {}
        self.transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        if self.hello is not None:
            transport.send(WSMsgType.TEXT, json.dumps(self.hello).encode())

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            return
        payload = frame.get_payload_as_bytes()
        self.count += 1
        if self.hello is not None and self.count % self.ack_every == 0:
            transport.send(WSMsgType.TEXT, b'{"t":"ack","n":%d}' % self.count)
        if payload.startswith(b'{"t":"welcome"'):
            self.welcome(payload)
        self.frames.append((time.time(), payload))

    def welcome(self, payload: bytes) -> None:
        if self.welcomed is not None and not self.welcomed.done():
            self.welcomed.set_result(payload)

    def marks(self) -> dict[int, float]:
        """When each numbered change arrived first."""
        found: dict[int, float] = {}
        for at, payload in self.frames:
            for part in payload.split(b"change-")[1:]:
                found.setdefault(int(part[:6]), at)
        return found


class Crowd:
    """Many pages at one server. `hello` is everybody's, or gives each session its own."""

    def __init__(self, port: int, path: str, sessions: list[str], hello: Hello = None) -> None:
        self.url = f"ws://127.0.0.1:{port}{path}"
        self.origin = f"http://127.0.0.1:{port}"
        self.sessions, self.hello = sessions, hello
        self.pages: list[Page] = []

    async def enter(self, at_once: int = CONNECT_AT_ONCE) -> float:
        """Connect everybody; returns the seconds until the last was welcomed (or, without a hello, open)."""
        start = time.perf_counter()
        gate = asyncio.Semaphore(at_once)
        self.pages = list(await asyncio.gather(*(self._one(key, gate) for key in self.sessions)))
        await asyncio.gather(*(page.welcomed for page in self.pages if page.welcomed is not None))
        return time.perf_counter() - start

    async def _one(self, session: str, gate: asyncio.Semaphore) -> Page:
        async with gate:
            headers = {"Cookie": f"sessionid={session}", "Origin": self.origin}
            hello = self.hello(session) if callable(self.hello) else self.hello
            _, page = await ws_connect(
                lambda: Page(hello), self.url, extra_headers=headers, websocket_handshake_timeout=60
            )
        return page

    async def until(self, number: int, within: float = 120) -> None:
        """Wait until every page has the change `number`."""
        mark = b"change-%06d;" % number
        deadline = time.monotonic() + within
        waiting = self.pages
        while waiting:
            waiting = [page for page in waiting if not any(mark in payload for _, payload in page.frames[-60:])]
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(waiting)} of {len(self.pages)} pages never got change {number}.")
            await asyncio.sleep(0.02)

    def forget(self) -> None:
        """Drop what was received so far."""
        for page in self.pages:
            page.frames.clear()

    async def leave(self) -> None:
        """Cut every connection."""
        for page in self.pages:
            if page.transport is not None:
                page.transport.disconnect(graceful=False)
        self.pages = []
        await asyncio.sleep(0.5)
