"""The hub: one per server process, between the journal and the sockets.

It hears of changes by bells (its own process, the channel layer) and by its tail (a look at the journal
several times a second), renders each touched fragment once and hands the same ready frame to every
socket that follows it. Everything that decides order runs in one task, `_work`: collect, render in the
thread, deliver, then collect again. So a socket is never pushed to before its hello is answered, and a
change that arrives while its fragment is being rendered causes another rendering.
"""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import close_old_connections, connection, connections

from realtime import bell, counters, journal, presence, topics
from realtime.bell import Items, Ringer
from realtime.jobs import Answer, Job, Question, answer_frames, by_socket, frame
from realtime.journal import ORDER, ORDERS_TOPIC, Cursor, Reading, Touch
from realtime.sockets import SERVER_GOING, SIGNED_OUT, TOO_SLOW, LiveSocket, Send

log = logging.getLogger(__name__)

REMEMBERED = 50_000  # journal row ids, to know a change that was heard twice
YIELD_EVERY = 200  # sockets written to before other work of the loop gets a turn
BELL_GRACE = 1.0  # seconds within which a bell may follow the tail's find
JOIN_WITHIN = 5.0  # seconds for one group_add
RETRY_AFTER = 0.2  # seconds, doubled up to 2, when the database does not answer
LOOK_WHOLE_EVERY = 1.0  # seconds
CHECK_SESSIONS_EVERY = 60.0  # seconds

# Ready frames of one batch by (topics delivered, topics lost): sockets that follow the same get the same text.
Frames = dict[tuple[tuple[str, ...], tuple[str, ...]], str]


class Hub:
    """The live mechanism of one process. Use `ensure()`; all methods run on its loop unless they say otherwise."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.id = uuid.uuid4()
        self.name = f"{platform.node()}:{os.getpid()}"
        self.started_at = time.time()
        self.sockets: dict[LiveSocket, None] = {}
        self.followers: dict[str, dict[LiveSocket, None]] = {}
        self.dirty: dict[Touch, float] = {}
        self.waiting: list[Question] = []
        self.tail_cursor: Cursor | None = None
        self.safe_cursor: Cursor | None = None
        self.asof = 0.0
        self._looked = 0.0
        self.ringer = Ringer()
        self.going = False
        self._numbers = 0
        self._heard: dict[int, None] = {}
        self._unbelled: dict[int, float] = {}
        self._orders: deque[tuple[float, str]] = deque(maxlen=500)
        self._joined: dict[str, float] = {}
        self._channel = ""
        self._working = False
        self._wake = asyncio.Event()
        self._topics_changed = asyncio.Event()
        self._layer = get_channel_layer()
        # One thread each: rendering must not wait for the tail's look, nor either for the presence batch.
        self._renderer = ThreadPoolExecutor(1, "live-render")
        self._looker = ThreadPoolExecutor(1, "live-tail")
        self._bookkeeper = ThreadPoolExecutor(1, "live-presence")
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._book = presence.Book(self)

    # --- Life -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start every task of the hub, each supervised."""
        loops: dict[str, Callable[[], Awaitable[None]]] = {
            "work": self._work,
            "tail": self._tail,
            "listen": self._listen,
            "join": self._join,
            "ring": self.ringer.run,
            "sweep": self._sweep,
            "presence": self._presence,
        }
        for name, body in loops.items():
            self._tasks[name] = self.loop.create_task(self._supervise(name, body), name=f"live-{name}")

    async def _supervise(self, name: str, body: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await body()
            except Exception:  # a task of the hub never stays dead
                counters.hub_restarts.labels(name).inc()
                log.exception("The hub's task %s failed and is started again.", name)
            await asyncio.sleep(0.5)

    async def stop(self) -> None:
        """Stop every task and thread; for the end of the process and of a test's loop."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for pool in (self._renderer, self._looker, self._bookkeeper):
            pool.submit(connections.close_all)  # looked up in the pool's thread: each has its own
            pool.shutdown(wait=True)
        if bell.local_hub is self:
            bell.local_hub = None

    @property
    def state(self) -> dict[str, Any]:
        """For /readyz: whether every task runs and how old the tail's last good look is, in seconds."""
        return {
            "running": all(not task.done() for task in self._tasks.values()),
            "tail_age": round(time.time() - self.asof / 1000, 1) if self.asof else None,
            "sockets": len(self.sockets),
        }

    def goodbye(self) -> None:
        """Tell every page that the server is going; they return spread over time."""
        self.going = True
        for socket in list(self.sockets):
            socket.say({"t": "bye", "spread": settings.LIVE["RETURN_SPREAD"]})
            socket.close(SERVER_GOING)

    # --- Sockets ----------------------------------------------------------------------------------

    def enter(self, send: Send, session_key: str) -> LiveSocket:
        """A socket has been accepted; it is told nothing before its hello is answered."""
        self._numbers += 1
        socket = LiveSocket(self, send, self._numbers, session_key)
        self.sockets[socket] = None
        counters.sockets_open.set(len(self.sockets))
        counters.sockets_opened.inc()
        return socket

    def leave(self, socket: LiveSocket) -> None:
        """The socket is closed: follow nothing for it any more."""
        if self.sockets.pop(socket, 0) is None:
            self.unfollow(socket, list(socket.topics))
            counters.sockets_open.set(len(self.sockets))

    def follow(self, socket: LiveSocket, kind: str, cursor: str, names: set[str]) -> None:
        """Begin to follow `names` and ask what changed on them since `cursor`.

        Followed first, read afterwards: a change in between is heard of, and told after the answer.
        """
        known = {name for name in names if topics.resolve(name)}
        for name in known:
            self.followers.setdefault(name, {})[socket] = None
        socket.topics |= known
        self._topics_changed.set()
        self._ask(Question(socket, kind, cursor, known, names - known, socket.principal))

    def resume(self, socket: LiveSocket) -> None:
        """Ask what a socket missed while its window was full."""
        if not any(question.socket is socket for question in self.waiting):
            self._ask(Question(socket, "resume", socket.cursor, set(socket.topics), principal=socket.principal))

    def _ask(self, question: Question) -> None:
        self.waiting.append(question)
        self._wake.set()

    def unfollow(self, socket: LiveSocket, names: list[str]) -> None:
        """Stop following `names`."""
        for name in names:
            socket.topics.discard(name)
            sockets = self.followers.get(name)
            if sockets is not None:
                sockets.pop(socket, None)
                if not sockets:
                    del self.followers[name]
                    self._topics_changed.set()

    def cursor_text(self) -> str:
        """The cursor up to which everything has been handed to the sockets."""
        return str(self.safe_cursor) if self.safe_cursor else ""

    # --- Hearing ----------------------------------------------------------------------------------

    def rung(self, items: Items, at: float) -> None:
        """Something committed in this process: hear it, and ring for the others."""
        self.heard(items, at)
        self.ringer.ring(items, at)

    def heard(self, items: Items, at: float) -> None:
        """A bell rang for journal rows `items`; `at` is their commit in milliseconds since 1970."""
        for number, touch in items:
            self._unbelled.pop(number, None)
            if number not in self._heard:
                self._remember(number)
                self._mark(touch, at)

    def _remember(self, number: int) -> None:
        self._heard[number] = None
        if len(self._heard) > REMEMBERED:
            del self._heard[next(iter(self._heard))]

    def _mark(self, touch: Touch, at: float) -> None:
        if touch.fragment == ORDER:
            self._obey(touch.key)
        elif touch.topic in self.followers:
            self.dirty.setdefault(touch, at)
            self._wake.set()

    def _obey(self, order: str) -> None:
        self._orders.append((time.monotonic(), order))
        for socket in list(self.sockets):
            if socket.ready and _is_ended(socket, order):
                socket.close(SIGNED_OUT)

    async def _tail(self) -> None:
        """Look at the journal for what no bell brought: a lost bell then costs a blink and never a change."""
        while True:
            try:
                reading = await self.loop.run_in_executor(self._looker, self._look)
            except Exception as error:  # the database is away; pages see it by the age of their data
                log.warning("The tail could not read the journal: %s", error)
                await asyncio.sleep(1)
                continue
            self._take(reading)
            await asyncio.sleep(settings.LIVE["TAIL_EVERY"])

    def _look(self) -> Reading:
        """In the tail's thread."""
        close_old_connections()
        cursor, moment = self.tail_cursor, time.monotonic()
        if cursor is None:
            return journal.read(None)
        # The cheapest look sees new rows only, so now and then a whole one for the epoch.
        cheap = connection.vendor == "sqlite" and moment - self._looked < LOOK_WHOLE_EVERY
        if cheap and journal.newest_id_sqlite() < cursor.xmin:
            return Reading(cursor, [])
        self._looked = moment
        return journal.since(cursor)

    def _take(self, reading: Reading) -> None:
        self.asof = journal.milliseconds()
        self.tail_cursor = reading.cursor
        if reading.reset:  # another database, or a tail that slept past the journal's horizon
            for socket in list(self.sockets):
                socket.close(TOO_SLOW)
        moment = time.monotonic()
        for change in reading.changes:
            if change.id not in self._heard:
                self._remember(change.id)
                if moment - self._joined.get(change.touch.topic, moment) > BELL_GRACE:
                    self._unbelled[change.id] = moment
                self._mark(change.touch, change.at)
        for number, found_at in list(self._unbelled.items()):
            if moment - found_at > BELL_GRACE:
                del self._unbelled[number]
                counters.tail_finds.inc()
        if not self.dirty and not self._working:
            self.safe_cursor = self.tail_cursor

    async def _listen(self) -> None:
        """Receive what other processes send through the layer."""
        self._channel = await self._layer.new_channel()
        self._joined = {}
        self._topics_changed.set()
        while True:
            # Never cancelled, never under a time-out: the pub/sub layer would drop the channel.
            message = await self._layer.receive(self._channel)
            if message["type"] == "live.bell":
                self.heard([(number, Touch(*touch)) for number, *touch in message["items"]], message["at"])
            elif message["type"] == "live.signal":
                self._signal(message)

    def _signal(self, message: dict[str, Any]) -> None:
        for socket in list(self.followers.get(message["topic"], ())):
            if socket.ready and str(socket.principal) != message.get("except"):
                socket.say({"t": "signal", **{key: message[key] for key in ("topic", "name", "data")}})

    async def _join(self) -> None:
        """Keep the channel in exactly the groups whose topics somebody here follows."""
        while True:
            await self._topics_changed.wait()
            self._topics_changed.clear()
            if not self._channel:
                continue
            channel, wanted = self._channel, {*self.followers, ORDERS_TOPIC}
            try:
                for name in wanted - self._joined.keys():
                    async with asyncio.timeout(JOIN_WITHIN):
                        await self._layer.group_add(name, channel)
                    self._joined[name] = time.monotonic()
                for name in self._joined.keys() - wanted:
                    async with asyncio.timeout(JOIN_WITHIN):
                        await self._layer.group_discard(name, channel)
                    del self._joined[name]
            except Exception as error:  # the layer is away: the tail serves meanwhile
                log.warning("The channel layer cannot be joined: %s", error)
                await asyncio.sleep(1)
                self._topics_changed.set()

    # --- Delivering -------------------------------------------------------------------------------

    async def _work(self) -> None:
        pause = RETRY_AFTER
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self.dirty or self.waiting:
                self._working = True
                job = self._collect()
                try:
                    await self.loop.run_in_executor(self._renderer, job.run)
                    pause = RETRY_AFTER
                except Exception:  # nothing was delivered: keep it all and try again
                    log.exception("A batch could not be rendered; trying again in %.1f s.", pause)
                    self.dirty = job.dirty | self.dirty
                    self.waiting = job.questions + self.waiting
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 2)
                else:
                    await self._deliver(job)
                self._working = False

    def _collect(self) -> Job:
        dirty, self.dirty = self.dirty, {}
        questions, self.waiting = self.waiting, []
        audience = {}
        for name in {touch.topic for touch in dirty}:
            sockets = self.followers.get(name, ())
            audience[name] = {each.principal for each in sockets if each.ready and each.principal}
        open_ones = [question for question in questions if question.socket.open]
        return Job(dirty, audience, open_ones, self.safe_cursor, self.tail_cursor, time.monotonic())

    async def _deliver(self, job: Job) -> None:
        """Frames carry the cursor up to which everything was delivered before this batch: never the tail's
        newest, whose rows may still be waiting."""
        cursor = str(job.cursor) if job.cursor else ""
        frames: Frames = {}
        counters.batches.inc()
        for count, (socket, names) in enumerate(by_socket(job, self.followers).items(), 1):
            self._push(socket, names, job, cursor, frames)
            if count % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        for count, answer in enumerate(job.answers, 1):
            self._give(job, answer)
            if count % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        self._observe(job)
        self.safe_cursor = job.collected

    def _push(
        self,
        socket: LiveSocket,
        names: list[str],
        job: Job,
        cursor: str,
        frames: Frames,
    ) -> None:
        if not socket.ready:
            return
        members = job.rendering.members
        mine = tuple(name for name in names if socket.principal in members[name])
        # Asked about and refused; a topic followed only since then waits for its own answer.
        lost = tuple(n for n in names if socket.principal not in members[n] and socket.principal in job.audience[n])
        if not mine and not lost:
            return
        text = frames.get((mine, lost))
        if text is None:
            at = min(when for touch, when in job.dirty.items() if touch.topic in {*mine, *lost})
            head = {"t": "f", "c": cursor or None, "at": int(at), "gone": list(lost)}
            text = frames[mine, lost] = frame(head, job.rendering.for_topics(mine))
        # A slow reader that is passed by goes on following: its resume is asked about the topic again and told.
        if socket.push(text, cursor) and lost:
            self.unfollow(socket, list(lost))
            counters.gone.inc(len(lost))

    def _give(self, job: Job, answer: Answer) -> None:
        question = answer.question
        socket = question.socket
        if not socket.open:
            return
        if question.kind == "hello":
            socket.principal, socket.live_id = question.principal, question.live_id
            ended = any(_is_ended(socket, o) for when, o in self._orders if when >= job.started or _is_for_good(o))
            if not question.signed_in or ended:
                socket.close(SIGNED_OUT)
                return
        self.unfollow(socket, list(answer.gone))
        if question.kind == "follow":
            # Only the new topics were read up to here; for the others the cursor stays where it was.
            sent = [socket.push(text) for text in answer_frames(answer, job.rendering, "")]
            if not all(sent):
                socket.cursor = question.cursor
                socket.catch_up()
        else:
            cursor = str(job.here)
            socket.answer(answer_frames(answer, job.rendering, cursor), cursor)

    def _observe(self, job: Job) -> None:
        now = journal.milliseconds()
        for touch, at in job.dirty.items():
            if touch.topic in self.followers:
                counters.commit_to_send.observe(max(now - at, 0) / 1000)

    # --- Keeping order ----------------------------------------------------------------------------

    async def _sweep(self) -> None:
        """Close those who never said hello and those who stopped reading."""
        while True:
            await asyncio.sleep(min(1.0, settings.LIVE["ACK_WITHIN"] / 4))
            for socket in list(self.sockets):
                if not socket.ready and time.time() - socket.opened_at > settings.LIVE["HELLO_WITHIN"]:
                    if not any(question.socket is socket for question in self.waiting) and not self._working:
                        socket.close(TOO_SLOW)
                elif socket.behind and time.monotonic() - socket.behind_since > settings.LIVE["ACK_WITHIN"]:
                    counters.slow_closed.inc()
                    socket.close(TOO_SLOW)

    async def _presence(self) -> None:
        """Write who is here and the counters, in one batch; look now and then whether the sessions still stand."""
        checked = time.monotonic()
        while True:
            await asyncio.sleep(settings.LIVE["PRESENCE_EVERY"])
            await self.loop.run_in_executor(self._bookkeeper, self._book.write, self._book.pages_now())
            if time.monotonic() - checked > CHECK_SESSIONS_EVERY:
                checked = time.monotonic()
                keys = {socket.session_key: None for socket in self.sockets if socket.ready and not socket.link}
                live = await self.loop.run_in_executor(self._bookkeeper, presence.signed_in, list(keys))
                for socket in list(self.sockets):
                    if socket.ready and socket.session_key in keys and socket.session_key not in live:
                        socket.close(SIGNED_OUT)


def _is_ended(socket: LiveSocket, order: str) -> bool:
    kind, _, rest = order.partition(".")
    if kind == "session":
        return bool(rest) and socket.live_id == rest
    user, _, spared = rest.partition(".")
    mine = socket.principal is not None and socket.principal.kind == "user" and socket.principal.id == user
    return mine and not (spared and socket.live_id == spared)


def _is_for_good(order: str) -> bool:
    # A session's live id never comes again; a user may sign in anew right after all sessions were ended.
    return order.startswith("session.")


_hub: Hub | None = None


def ensure() -> Hub:
    """The hub of the running loop, started at the first call; two sockets that connect together start one."""
    global _hub
    loop = asyncio.get_running_loop()
    if _hub is None or _hub.loop is not loop:
        _hub = Hub(loop)
        _hub.start()
        bell.local_hub = _hub
    return _hub


def current() -> Hub | None:
    """The hub of this process, if a socket has started it."""
    return _hub
