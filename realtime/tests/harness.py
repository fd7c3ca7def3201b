"""The real application and its hub on a loop of their own thread, as in a server process.

Tests stay plain and synchronous: they write to the database from their own thread, as a request would,
and watch what arrives at pages that speak the protocol.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from channels.layers import channel_layers
from django.conf import settings
from django.db import connections
from django.db.backends.utils import CursorWrapper
from django.test import Client
from prometheus_client import REGISTRY

from realtime import bell, counters, hub, journal, presence

T = TypeVar("T")
WITHIN = 20.0  # seconds; generous, because a healthy run never waits for it


def until(condition: Callable[[], T], what: str = "", within: float = WITHIN) -> T:
    """Poll `condition` until it is true, and return what it gave. Fails with `what` when it never is."""
    end = time.monotonic() + within
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"not within {within} s: {what or condition}"
        time.sleep(0.004)


def sample(name: str, **labels: str) -> float:
    """A counter of the live mechanism as it stands; counters live as long as the test process, so use differences."""
    full = f"{counters.PREFIX}{name}"
    assert full in REGISTRY._names_to_collectors, f"no counter is called {name}"
    return REGISTRY.get_sample_value(full, labels) or 0.0


class Counted:
    """How much a counter has grown since this was made."""

    def __init__(self, name: str, **labels: str) -> None:
        self._name, self._labels = name, labels
        self._before = sample(name, **labels)

    def __call__(self) -> int:
        return int(sample(self._name, **self._labels) - self._before)


def session_of(user: Any) -> Client:
    """A browser signed in as `user`; its session key is in its cookies."""
    client = Client()
    client.force_login(user)
    return client


def session_key(client: Client) -> str:
    """The session key in `client`'s cookie."""
    return client.cookies[settings.SESSION_COOKIE_NAME].value


class Page:
    """A page's socket that behaves as live.js does: it keeps a cursor and, of two versions, the newer."""

    def __init__(self, live: Live, client: Client | None, **changes: Any) -> None:
        headers = {"host": "testserver", "origin": "http://testserver", **changes.pop("headers", {})}
        if client is not None:
            headers["cookie"] = f"{settings.SESSION_COOKIE_NAME}={session_key(client)}"
        self._live = live
        self.scope = {
            "type": "websocket",
            "path": "/live/socket",
            "query_string": b"",
            "subprotocols": [],
            "headers": [(k.encode(), v.encode()) for k, v in headers.items() if v is not None],
            **changes,
        }
        self.accepted = False
        self.code: int | None = None
        self.got: list[dict[str, Any]] = []
        self.sizes: list[int] = []
        self.times: list[float] = []  # when each of `got` came, by time.monotonic()
        self.cursor = ""
        self.topics: list[str] = []
        self.shown: dict[str, tuple[int, str | None]] = {}
        self._input: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.side: Any = None  # the hub's side of this socket
        self._task = live.on_loop(self._open())

    async def _open(self) -> asyncio.Task[None]:
        self._input.put_nowait({"type": "websocket.connect"})
        return asyncio.create_task(self._live.application(self.scope, self._input.get, self._take))

    async def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.accept":
            self.accepted = True
        elif message["type"] == "websocket.close":
            self.code = message.get("code", 1000) or 1000
            self._input.put_nowait({"type": "websocket.disconnect", "code": self.code})
        else:
            self._see(json.loads(message["text"]), len(message["text"]))

    def _see(self, frame: dict[str, Any], size: int) -> None:
        self.sizes.append(size)
        self.times.append(time.monotonic())
        self.cursor = frame.get("c") or self.cursor
        for piece in frame.get("f", ()):
            version, here = int(piece["v"]), self.shown.get(piece["id"])
            if here is None or version >= here[0]:
                self.shown[piece["id"]] = (version, piece["html"])
        self.got.append(frame)

    # --- What it does

    def send(self, **message: Any) -> None:
        """Send a message of the protocol."""
        self.send_text(json.dumps(message))

    def send_text(self, text: str) -> None:
        """Send any text."""
        self._live.loop.call_soon_threadsafe(self._input.put_nowait, {"type": "websocket.receive", "text": text})

    def send_raw(self, **message: Any) -> None:
        """Send any ASGI event."""
        self._live.loop.call_soon_threadsafe(self._input.put_nowait, message)

    def opened(self) -> Page:
        """Wait for the handshake, whichever way it goes."""
        until(lambda: self.accepted or self.code, "the handshake is answered")
        return self

    def say_hello(self, topics: Iterable[str], cursor: str | None = None, **more: Any) -> Page:
        """Say hello without waiting for the answer."""
        self.topics = list(topics)
        self.cursor = journal_now() if cursor is None else cursor
        self.send(t="hello", c=self.cursor, topics=self.topics, **{"page": "/board/", **more})
        return self

    def hello(self, topics: Iterable[str], cursor: str | None = None, **more: Any) -> dict[str, Any]:
        """Say hello and wait for the whole welcome; its last frame."""
        self.say_hello(topics, cursor, **more)
        return self.answer("welcome")

    def follow(self, topics: Iterable[str], cursor: str | None = None) -> dict[str, Any]:
        """Follow more topics and wait for the answer."""
        before = len(self.of("followed"))
        self.send(t="follow", c=self.cursor if cursor is None else cursor, topics=list(topics))
        return until(lambda: self.of("followed")[before:], "followed")[-1]

    def answer(self, kind: str) -> dict[str, Any]:
        """Wait for the last frame of an answer."""
        done = until(lambda: self.code or [f for f in self.of(kind) if not f["more"]], kind)
        assert done is not self.code, f"closed with {self.code} instead of {kind}"
        return done[-1]

    def ack(self) -> None:
        """Acknowledge everything received."""
        self.send(t="ack", n=len(self.got))

    def leave(self) -> None:
        """Close as a browser does that goes elsewhere."""
        self.send_raw(type="websocket.disconnect", code=1001)

    # --- What it saw

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The frames of one kind, in order."""
        return [frame for frame in self.got if frame["t"] == kind]

    @property
    def pushes(self) -> list[dict[str, Any]]:
        """The frames of changes."""
        return self.of("f")

    @property
    def html(self) -> dict[str, str]:
        """What the page shows by DOM id; what was removed is missing."""
        return {key: html for key, (_, html) in self.shown.items() if html is not None}

    def sees(self, text: str) -> Page:
        """Wait until some fragment on the page holds `text`."""
        until(lambda: any(text in html for html in self.html.values()), f"{text!r} on the page")
        return self

    def closed(self, within: float = WITHIN) -> int:
        """Wait for the close; its code."""
        until(lambda: self.code, "closed", within)
        assert self.code is not None
        return self.code


class Live:
    """A loop in a thread of its own with the hub on it."""

    def __init__(self) -> None:
        from config.asgi import application

        channel_layers.backends.clear()
        self.application = application
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="live-loop", daemon=True)
        self._thread.start()
        self.pages: list[Page] = []
        self.hub = self.on_loop(self._begin())

    async def _begin(self) -> hub.Hub:
        return hub.ensure()

    def on_loop(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the loop and return what it gave."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(WITHIN)

    def call(self, function: Callable[[], T]) -> T:
        """Run a plain function on the loop."""

        async def run() -> T:
            return function()

        return self.on_loop(run())

    def open(self, client: Client | None = None, **changes: Any) -> Page:
        """A page with an open socket that has not said hello yet."""
        page = Page(self, client, **changes).opened()
        self.pages.append(page)
        if page.accepted:
            page.side = self.call(lambda: list(self.hub.sockets)[-1])
        return page

    def page(self, client: Client, topics: Iterable[str], cursor: str | None = None, **more: Any) -> Page:
        """A page that has been welcomed."""
        page = self.open(client)
        page.hello(topics, cursor, **more)
        return page

    def restart(self, task: str) -> None:
        """Start one of the hub's tasks anew, with the settings as they are now."""

        def begin() -> None:
            self.hub._tasks[task].cancel()
            body = self.hub._bodies[task]
            self.hub._tasks[task] = self.loop.create_task(self.hub._supervise(task, body))

        self.call(begin)

    def joined(self, *topics: str) -> None:
        """Wait until the hub listens for `topics` on the layer, as it does a blink after somebody follows."""
        until(lambda: all(name in self.hub.ears.joined for name in topics), "joined")

    def quiet(self) -> None:
        """Wait until the hub has delivered everything committed so far."""
        here = journal.now()
        until(lambda: self._has_passed(here), "the hub is quiet")

    def _has_passed(self, here: journal.Cursor) -> bool:
        seen = self.hub.safe_cursor
        return seen is not None and seen.xmax >= here.xmax and not self.hub.dirty and self.hub._job is None

    def stop(self) -> None:
        """End pages, hub and loop, and leave nothing behind for the next test."""
        for page in self.pages:
            page.leave()
        until(lambda: all(page._task.done() for page in self.pages), "pages have left")
        self.on_loop(self._end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(WITHIN)
        self.loop.close()
        hub._hub = None
        bell.local_hub = None
        presence._polling.clear()
        channel_layers.backends.clear()

    async def _end(self) -> None:
        layer = self.hub.ears._layer
        await self.hub.stop()
        await layer.flush()
        await self.loop.shutdown_default_executor()


class Queries:
    """The SQL that threads whose name begins with `thread` execute while this is open."""

    def __init__(self, thread: str = "live-render") -> None:
        self._thread = thread
        self.sql: list[str] = []

    def __enter__(self) -> Queries:
        real = self._real = CursorWrapper._execute_with_wrappers

        def execute(cursor: Any, sql: str, *args: Any, **kwargs: Any) -> Any:
            if threading.current_thread().name.startswith(self._thread):
                self.sql.append(sql)
            return real(cursor, sql, *args, **kwargs)

        CursorWrapper._execute_with_wrappers = execute  # type: ignore[method-assign]
        return self

    def __exit__(self, *error: object) -> None:
        CursorWrapper._execute_with_wrappers = self._real  # type: ignore[method-assign]

    def __len__(self) -> int:
        return len(self.sql)


def journal_now() -> str:
    """A cursor of this moment, as a page would carry."""
    return str(journal.now())


def in_thread(work: Callable[[], Any]) -> threading.Thread:
    """Run `work` in a started thread that gives its database connections back."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread
