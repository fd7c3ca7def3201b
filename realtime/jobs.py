"""What the hub's rendering thread does: one batch of changes and waiting questions, in one snapshot."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from django.db import close_old_connections

from realtime import counters, journal, principals, transport
from realtime.journal import BadCursorError, Change, Cursor, Touch
from realtime.render import Rendering, render
from realtime.topics import Principal

if TYPE_CHECKING:
    from realtime.sockets import LiveSocket

CHUNK_BYTES = 128 * 1024


@dataclass(eq=False)
class Question:
    """A socket waiting to be told what changed: a hello, a follow of more topics, or a resume after falling behind."""

    socket: LiveSocket
    kind: str
    cursor: str
    topics: set[str]
    strange: set[str] = field(default_factory=set)  # names that no app declares; never asked of the database
    number: int = 0  # the page's own, echoed in the answer
    principal: Principal | None = None
    live_id: str = ""
    signed_in: bool = True
    switches: frozenset[str] = frozenset()  # what the page needs, with all that it follows
    asks: bool = False  # it is to have no socket


@dataclass(eq=False)
class Answer:
    """What to tell it."""

    question: Question
    touches: list[Touch] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    reset: bool = False


@dataclass(eq=False)
class Job:
    """A batch: changes to render for their followers, and questions to answer."""

    dirty: dict[Touch, float]
    audience: dict[str, set[Principal]]
    questions: list[Question]
    reaches: Cursor | None  # what pages have seen everything up to, once this is delivered
    looked_at: float
    started: float
    here: Cursor = field(init=False)
    rendering: Rendering = field(default_factory=Rendering)
    answers: list[Answer] = field(default_factory=list)

    @cached_property
    def changed_at(self) -> dict[str, float]:
        """The first commit on each topic of the batch, in milliseconds since 1970."""
        found: dict[str, float] = {}
        for touch, at in self.dirty.items():
            found[touch.topic] = min(at, found.get(touch.topic, at))
        return found

    def run(self) -> None:
        """Do it, in a thread. Raises what the database raises; nothing is delivered then and the hub tries again."""
        close_old_connections()
        try:
            with journal.snapshot():
                self.here = journal.now()
                if self.questions:
                    self._answer()
                self._render()
        finally:
            close_old_connections()

    def _answer(self) -> None:
        self._identify()
        self._judge()
        names = sorted(set().union(*(question.topics for question in self.questions)))
        readings = self._readings({question.cursor for question in self.questions}, names)
        self.answers = [self._answer_to(question, readings[question.cursor]) for question in self.questions]

    def _readings(self, texts: set[str], names: list[str]) -> dict[str, list[Change] | None]:
        """For each cursor what it has not seen (None: unusable), out of one read from the oldest."""
        cursors = {text: _parsed(text, self.here) for text in texts}
        usable = [cursor for cursor in cursors.values() if cursor is not None]
        found: dict[str, list[Change] | None] = dict.fromkeys(texts)
        if not usable:
            return found
        # From a floor below them all: of two cursors with one xmin (a writer stays open) either may be the older.
        floor = min(cursor.xmin for cursor in usable)
        everything = journal.since(Cursor(self.here.epoch, floor, floor), names)
        for text, cursor in cursors.items():
            if cursor is None:
                continue
            if everything.reset:  # the floor is older than the journal; the others may not be
                own = journal.since(cursor, names)
                found[text] = None if own.reset else own.changes
            else:
                found[text] = [change for change in everything.changes if not cursor.has_seen(change)]
        return found

    def _answer_to(self, question: Question, changes: list[Change] | None) -> Answer:
        if question.principal is not None:
            for name in question.topics:
                self.audience.setdefault(name, set()).add(question.principal)
        if changes is None:
            return Answer(question, reset=True)
        touches = {change.touch: None for change in changes if change.touch.topic in question.topics}
        return Answer(question, list(touches))

    def _identify(self) -> None:
        hellos = [question for question in self.questions if question.kind == "hello"]
        keys = {question.socket.session_key for question in hellos if question.socket.session_key}
        found = principals.of_sessions(keys) if keys else {}
        for question in hellos:
            socket = question.socket
            if socket.link:
                question.principal = Principal("link", socket.link)
            elif socket.session_key in found:
                question.principal, question.live_id = found[socket.session_key]
            else:
                question.signed_in = False

    def _judge(self) -> None:
        people = {question.principal: None for question in self.questions if question.principal is not None}
        off = transport.off_for(people) if people else {}
        for question in self.questions:
            if question.principal is not None and question.principal in off:
                question.asks = not question.switches.isdisjoint(off[question.principal])

    def _render(self) -> None:
        wanted = dict.fromkeys(self.dirty)
        for answer in self.answers:
            wanted.update(dict.fromkeys(answer.touches))
        self.rendering = render(list(wanted), self.audience, self.here.version)
        for answer in self.answers:
            who, members = answer.question.principal, self.rendering.members
            lost = {name for name in answer.question.topics if who not in members.get(name, ())}
            answer.gone = lost | answer.question.strange


def _parsed(text: str, here: Cursor) -> Cursor | None:
    try:
        cursor = journal.parse_cursor(text)
    except BadCursorError:
        return None
    return cursor if cursor.epoch == here.epoch and cursor.xmax <= here.xmax else None


KIND_OF_ANSWER = {"hello": "welcome", "follow": "followed", "resume": "f"}


def answer_frames(answer: Answer, rendering: Rendering, cursor: str) -> list[str]:
    """The frames that answer a question, none larger than about 128 KiB; only the last carries the cursor."""
    pieces = [rendering.pieces[t] for t in answer.touches if t in rendering.pieces and t.topic not in answer.gone]
    chunks = list(_chunks(pieces)) or [[]]
    frames = []
    for place, chunk in enumerate(chunks):
        last = place == len(chunks) - 1
        head = {
            "t": KIND_OF_ANSWER[answer.question.kind],
            "i": answer.question.number,
            "c": cursor if last and cursor else None,
            "now": int(journal.milliseconds()),
            "gone": sorted(answer.gone) if last else [],
            "reset": answer.reset,
            "more": not last,
        }
        frames.append(frame(head, chunk))
    if answer.reset:
        counters.resets.inc()
    elif pieces:
        counters.resumes.inc()
    return frames


def frame(head: Mapping[str, object], pieces: Iterable[str]) -> str:
    """A frame's JSON text from its head and ready pieces."""
    return f'{json.dumps(head, separators=(",", ":"))[:-1]},"f":[{",".join(pieces)}]}}'


def _chunks(pieces: list[str]) -> Iterable[list[str]]:
    chunk: list[str] = []
    size = 0
    for piece in pieces:
        if chunk and size + len(piece) > CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(piece)
        size += len(piece)
    if chunk:
        yield chunk


def by_socket(job: Job, followers: dict[str, dict[LiveSocket, None]]) -> dict[LiveSocket, list[str]]:
    """Which of the batch's topics each socket follows."""
    found: dict[LiveSocket, list[str]] = defaultdict(list)
    for name in job.changed_at:
        for socket in followers.get(name, ()):
            found[socket].append(name)
    return found
