"""The hub: one per server process, between the journal and the sockets.

It hears of changes (`realtime.ears`), renders each touched fragment once (`realtime.jobs`) and hands the
same ready frame to every socket that follows it. Everything that decides order runs in one task, `_work`:
collect, render in the thread, deliver, then collect again. So a socket is never pushed to before its
hello is answered, and a change that arrives while its fragment is being rendered causes another rendering.
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

from django.conf import settings
from django.db import connections

from realtime import bell, counters, journal, kept, topics, transport
from realtime.bell import Items, Ringer
from realtime.ears import Ears
from realtime.jobs import Answer, Job, Question, answer_frames, by_socket, frame
from realtime.journal import ORDER, Cursor, Touch
from realtime.keeping import Keeper
from realtime.pacing import Pacer
from realtime.sockets import ASK_INSTEAD, NOT_YOURS, SERVER_GOING, SIGNED_OUT, TOO_SLOW, LiveSocket, Send
from realtime.switching import Switcher
from realtime.topics import Principal
from realtime.vitals import Vitals

log = logging.getLogger(__name__)

COLLECT_AFTER = 0.002  # seconds from the first change of a batch: what commits together travels together
QUESTIONS_AT_ONCE = 250
YIELD_EVERY = 200  # sockets written to before other work of the loop gets a turn
RETRY_AFTER = 0.2  # seconds, doubled up to 2, when the database does not answer
MEND_AFTER = 0.5  # seconds, doubled at each try, when a fragment failed to render
MEND_TRIES = 5
MEMBERS_KNOWN_FOR = 2.0  # seconds that a signal trusts who belongs to its topic
STOP_WITHIN = 3.0  # seconds for the threads to come to an end

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
        # Everything up to here has been handed to the sockets, as of (milliseconds since 1970).
        self.safe_cursor: Cursor | None = None
        self.asof = 0.0
        self.going = False
        self.ringer = Ringer()
        self.ears = Ears(
            followed=lambda: self.followers,
            mark=self._mark,
            looked=self._looked,
            lost=self._send_all_back,
            signal=self._signal,
        )
        self.pacer = Pacer(loop, cursor=lambda: self.ears.cursor, release=self._take_back)
        self.keeper = Keeper(self)
        self.switcher = Switcher(self)
        self.vitals = Vitals(self)
        self._numbers = 0
        self._orders: deque[tuple[float, str]] = deque(maxlen=500)
        self._failing: dict[Touch, int] = {}
        self._members: dict[str, tuple[float, set[Principal]]] = {}
        self._job: Job | None = None
        self._wake = asyncio.Event()
        # A thread of its own: rendering must not wait for the tail's look or the presence batch, nor they for it.
        self._renderer = ThreadPoolExecutor(1, "live-render")
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._restarted_at: dict[str, float] = {}

    # --- Life -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start every task of the hub, each supervised."""
        self._bodies: dict[str, Callable[[], Awaitable[None]]] = {
            "work": self._work,
            "tail": self.ears.tail,
            "listen": self.ears.listen,
            "join": self.ears.join,
            "signals": self.ears.hear_kept,
            "ring": self.ringer.run,
            "sweep": self.keeper.sweep,
            "presence": self.keeper.note,
        }
        for name, body in self._bodies.items():
            self._tasks[name] = self.loop.create_task(self._supervise(name, body), name=f"live-{name}")

    async def _supervise(self, name: str, body: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await body()
            except Exception:  # a task of the hub never stays dead
                self._restarted_at[name] = time.monotonic()
                counters.hub_restarts.labels(name).inc()
                log.exception("The hub's task %s failed and is started again.", name)
            await asyncio.sleep(0.5)

    async def stop(self) -> None:
        """Stop every task and thread; for the end of the process and of a test's loop."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if bell.local_hub is self:
            bell.local_hub = None
        self.keeper.pool.submit(self.keeper.book.close)
        pools = (self._renderer, self.ears.looker, self.keeper.pool)
        # Looked up in the pool's thread: each has its own connections.
        ends = [self.loop.run_in_executor(pool, connections.close_all) for pool in pools]
        _, stuck = await asyncio.wait(ends, timeout=STOP_WITHIN)
        for pool in pools:
            pool.shutdown(wait=not stuck, cancel_futures=True)

    @property
    def state(self) -> dict[str, Any]:
        """For /readyz: whether every task runs without failing, the age of the tail's last good look, sockets."""
        lately = time.monotonic() - 5
        failing = sorted(name for name, when in self._restarted_at.items() if when > lately)
        dead = sorted(name for name, task in self._tasks.items() if task.done())
        age = round(time.time() - self.ears.looked_at / 1000, 1) if self.ears.looked_at else None
        running = not failing and not dead
        return {"running": running, "failing": failing + dead, "tail_age": age, "sockets": len(self.sockets)}

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

    def follow(self, socket: LiveSocket, kind: str, cursor: str, names: set[str], number: int = 0) -> None:
        """Begin to follow `names` and ask what changed on them since `cursor`; `number` is echoed in the answer.

        Followed first, read afterwards: a change in between is heard of, and told after the answer.
        """
        known = {name for name in names if topics.resolve(name)}
        for name in known:
            self.followers.setdefault(name, {})[socket] = None
        socket.topics |= known
        self.ears.topics_changed.set()
        if kind == "hello":  # a new one says all that a waiting one said
            self.waiting = [question for question in self.waiting if question.socket is not socket]
        asked = Question(socket, kind, cursor, known, names - known, number, socket.principal)
        asked.switches = transport.switches_of(socket.topics)
        self._ask(asked)

    def resume(self, socket: LiveSocket) -> None:
        """Ask what a socket missed while its window was full."""
        if not any(question.socket is socket and question.kind != "follow" for question in self.waiting):
            self._ask(Question(socket, "resume", socket.cursor, set(socket.topics), principal=socket.principal))

    def _ask(self, question: Question) -> None:
        self.waiting.append(question)
        self._wake.set()

    def is_asking(self, socket: LiveSocket) -> bool:
        """Whether an answer to this socket is on its way."""
        asked = self.waiting + (self._job.questions if self._job else [])
        return any(question.socket is socket for question in asked)

    def unfollow(self, socket: LiveSocket, names: list[str]) -> None:
        """Stop following `names`."""
        for name in names:
            socket.topics.discard(name)
            sockets = self.followers.get(name)
            if sockets is not None:
                sockets.pop(socket, None)
                if not sockets:
                    del self.followers[name]
                    self.ears.topics_changed.set()

    def cursor_text(self) -> str:
        """The cursor up to which everything has been handed to the sockets."""
        return str(self.safe_cursor) if self.safe_cursor else ""

    # --- Hearing ----------------------------------------------------------------------------------

    def rung(self, items: Items, at: float) -> None:
        """Something committed in this process: hear it, and ring for the others."""
        self.ears.heard(items, at)
        self.ringer.ring(items, at)

    def _mark(self, touch: Touch, at: float) -> None:
        if touch.fragment == ORDER:
            self._obey(touch.key)
        elif touch.topic in self.followers and not self.pacer.holds(touch, at):
            self.dirty.setdefault(touch, at)
            self._wake.set()

    def _take_back(self, touches: dict[Touch, float]) -> None:
        for touch, at in touches.items():
            self._mark_again(touch, at)

    def _looked(self) -> None:
        """After a look of the tail with nothing left to deliver, everything up to it is delivered."""
        if not self.dirty and self._job is None and not self._failing:
            self.safe_cursor, self.asof = self.pacer.floor(self.ears.cursor), self.ears.looked_at

    def _send_all_back(self) -> None:
        for socket in list(self.sockets):
            socket.close(TOO_SLOW)

    def _obey(self, order: str) -> None:
        if order.startswith(transport.TURNED):
            self.switcher.turned()
            return
        self._orders.append((time.monotonic(), order))
        for socket in list(self.sockets):
            if socket.ready and _is_ended(socket, order):
                socket.close(SIGNED_OUT)

    def _signal(self, message: dict[str, Any]) -> None:
        name = message["topic"]
        if name in self.followers:
            who = {each.principal for each in self.followers[name] if each.ready and each.principal}
            known = self._members.get(name)
            if known and time.monotonic() - known[0] < MEMBERS_KNOWN_FOR and who <= known[1]:
                self._spread(message, known[1])
            else:
                asked = self.loop.run_in_executor(self.keeper.pool, topics.members_now, name, who)
                asked.add_done_callback(lambda done: self._spread_asked(message, done))

    def _spread_asked(self, message: dict[str, Any], asked: asyncio.Future[set[Principal]]) -> None:
        if not asked.cancelled() and asked.exception() is None:
            if len(self._members) > 1000:
                self._members.clear()
            self._members[message["topic"]] = (time.monotonic(), asked.result())
            self._spread(message, asked.result())

    def _spread(self, message: dict[str, Any], members: set[Principal]) -> None:
        for socket in list(self.followers.get(message["topic"], ())):
            if (
                socket.ready
                and socket.principal in members
                and kept.sender_of(socket.principal) != message.get("except")
            ):
                socket.say({"t": "signal", **{key: message[key] for key in ("topic", "name", "data")}})

    # --- Delivering -------------------------------------------------------------------------------

    async def _work(self) -> None:
        pause = RETRY_AFTER
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(COLLECT_AFTER)
            while self.dirty or self.waiting:
                job = self._job = self._collect()
                try:
                    await self.loop.run_in_executor(self._renderer, job.run)
                    pause = RETRY_AFTER
                except Exception:  # nothing was delivered: keep it all and try again
                    log.exception("A batch could not be rendered; trying again in %.1f s.", pause)
                    self.dirty = job.dirty | self.dirty
                    self.waiting = job.questions + self.waiting
                    self.pacer.undone(job.changed_at)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 2)
                else:
                    try:
                        await self._deliver(job)
                    finally:
                        self.pacer.done(job.changed_at)
                finally:
                    self._job = None

    def _collect(self) -> Job:
        dirty, self.dirty = self.dirty, {}
        questions, self.waiting = self.waiting[:QUESTIONS_AT_ONCE], self.waiting[QUESTIONS_AT_ONCE:]
        audience = {}
        for name in {touch.topic for touch in dirty}:
            sockets = self.followers.get(name, ())
            audience[name] = {each.principal for each in sockets if each.ready and each.principal}
        open_ones = [question for question in questions if question.socket.open]
        self.pacer.begin(audience)
        # Now, not when it is delivered: what is held back at this moment may be on its way by then.
        reaches = self.pacer.floor(self.ears.cursor)
        return Job(dirty, audience, open_ones, reaches, self.ears.looked_at, time.monotonic())

    async def _deliver(self, job: Job) -> None:
        """Frames carry the cursor up to which everything was delivered before this batch: never the tail's
        newest, whose rows may still be waiting."""
        cursor, frames = self.cursor_text(), Frames()
        counters.batches.inc()
        for count, (socket, names) in enumerate(by_socket(job, self.followers).items(), 1):
            self._attempt(socket, self._push, socket, names, job, cursor, frames)
            if count % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        for count, answer in enumerate(job.answers, 1):
            self._attempt(answer.question.socket, self._give, job, answer)
            if count % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        self._observe(job)
        self._mend_later(job)
        if not self._failing:
            self.safe_cursor, self.asof = job.reaches, job.looked_at

    def _attempt(self, socket: LiveSocket, step: Callable[..., None], *args: Any) -> None:
        try:
            step(*args)
        except Exception:  # one socket's trouble is not the others'; it returns and resumes
            log.exception("A socket could not be served and is sent back.")
            socket.close(TOO_SLOW)

    def _push(self, socket: LiveSocket, names: list[str], job: Job, cursor: str, frames: Frames) -> None:
        if not socket.ready:
            return
        members = job.rendering.members
        mine = tuple(name for name in names if socket.principal in members[name])
        # Asked about and refused; a topic followed only since then waits for its own answer.
        lost = tuple(n for n in names if socket.principal not in members[n] and socket.principal in job.audience[n])
        if lost and socket.backlog:  # what waits there may be of a topic just lost
            socket.close(TOO_SLOW)
        if not socket.open or not (mine or lost):
            return
        text = frames.get((mine, lost))
        if text is None:
            at = min(job.changed_at[name] for name in (*mine, *lost))
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
            if not question.signed_in or self._was_ended(socket, job.started):
                socket.close(SIGNED_OUT)
            elif socket.link and not question.topics - answer.gone:
                socket.close(NOT_YOURS)
            elif not (question.asks or socket.ready):
                counters.connected.inc()
        if question.asks:
            socket.close(ASK_INSTEAD)
        if answer.gone and socket.backlog and question.kind != "hello":
            socket.close(TOO_SLOW)
        if not socket.open:
            return
        self.unfollow(socket, list(answer.gone))
        # A follow reads the new topics only: for the others the cursor stays where it was.
        cursor = "" if question.kind == "follow" else str(job.here)
        socket.answer(question.kind, answer_frames(answer, job.rendering, cursor), cursor)

    def _was_ended(self, socket: LiveSocket, since: float) -> bool:
        """An order that came while the hello was being answered, or one that ended this very session."""
        return any(_is_ended(socket, order) for when, order in self._orders if when >= since or _is_for_good(order))

    def _mend_later(self, job: Job) -> None:
        """Render again, a little later, what failed; until it succeeds or is given up no cursor moves past it."""
        failed = job.rendering.failed
        tried = job.dirty.keys() | job.rendering.pieces.keys()
        for touch in [touch for touch in self._failing if touch in tried and touch not in failed]:
            del self._failing[touch]
        for touch in failed:
            tries = self._failing.get(touch, 0)
            if tries >= MEND_TRIES or touch.topic not in self.followers:
                self._failing.pop(touch, None)
                log.error("The fragment %s of %s is given up: pages keep what they show.", touch.fragment, touch.key)
            else:
                self._failing[touch] = tries + 1
                at = job.dirty.get(touch, journal.milliseconds())
                self.loop.call_later(MEND_AFTER * 2**tries, self._mark_again, touch, at)

    def _mark_again(self, touch: Touch, at: float) -> None:
        if touch.topic in self.followers:
            self._mark(touch, at)
        else:
            self._failing.pop(touch, None)

    def _observe(self, job: Job) -> None:
        now = journal.milliseconds()
        for touch, at in job.dirty.items():
            if touch.topic in self.followers:
                counters.commit_to_send.observe(max(now - at, 0) / 1000)


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
