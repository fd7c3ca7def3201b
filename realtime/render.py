"""Rendering for delivery: membership, loading and templates for a batch of changes, once each.

Used by the hub (push, hello, resume) and by the poll view, always in a thread and always inside one
snapshot of the database, whose version every rendered fragment carries.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from realtime import counters, fragments, journal, topics
from realtime.journal import Touch
from realtime.topics import Principal

log = logging.getLogger(__name__)

Audience = Mapping[str, set[Principal]]


@dataclass
class Rendering:
    """What to deliver: for each topic its ready JSON pieces and those who belong to it now; and what failed."""

    pieces: dict[Touch, str] = field(default_factory=dict)
    members: dict[str, set[Principal]] = field(default_factory=dict)
    failed: set[Touch] = field(default_factory=set)

    @cached_property
    def by_topic(self) -> dict[str, list[str]]:
        """The pieces of each topic."""
        found: dict[str, list[str]] = defaultdict(list)
        for touch, piece in self.pieces.items():
            found[touch.topic].append(piece)
        return found

    def for_topics(self, names: Iterable[str]) -> list[str]:
        """The pieces on `names`."""
        return [piece for name in names for piece in self.by_topic.get(name, ())]


def render(touches: Collection[Touch], audience: Audience, version: str) -> Rendering:
    """Render `touches` for the followers in `audience` (topic: principals). Call it inside the
    `journal.snapshot()` that `version` was taken in.

    A topic whose followers have all lost it is not rendered. A fragment that fails is logged and named in
    `failed`; the others go on.
    """
    done = Rendering()
    done.members = _members_of_all(audience)
    by_fragment: dict[str, list[Touch]] = defaultdict(list)
    for touch in touches:
        if done.members.get(touch.topic):
            by_fragment[touch.fragment].append(touch)
    for name, wanted in by_fragment.items():
        fragment = fragments.get(name)
        if fragment is None:
            log.warning("The journal names the fragment %s, which no app declares.", name)
            continue
        _render_fragment(fragment, wanted, version, done)
    return done


def _members_of_all(audience: Audience) -> dict[str, set[Principal]]:
    found: dict[str, set[Principal]] = {name: set() for name in audience}
    asked = [name for name, principals in audience.items() if principals]
    for kind, names in topics.kinds_of(asked).items():
        try:
            each = kind.members_of_each({params: audience[name] for params, name in names.items()})
        except Exception:  # one of them is in trouble: ask them one by one
            journal.mend()
            log.warning("Who belongs to the topics %s could not be found out together.", kind.pattern, exc_info=True)
            each = {params: _members(name, audience[name]) for params, name in names.items()}
        found |= {name: each[params] for params, name in names.items()}
    return found


def _members(name: str, principals: set[Principal]) -> set[Principal]:
    try:
        return topics.members(name, principals)
    except Exception:  # a rule that fails lets nobody in, and does not hold up the other topics
        journal.mend()
        log.exception("Who belongs to %s could not be found out.", name)
        return set()


def _render_fragment(fragment: fragments.Fragment, wanted: list[Touch], version: str, done: Rendering) -> None:
    try:
        found = fragment.load(list(dict.fromkeys(touch.key for touch in wanted)))
    except Exception:
        journal.mend()
        counters.render_errors.labels(fragment.name).inc()
        log.exception("The fragment %s could not be loaded.", fragment.name)
        done.failed.update(wanted)
        return
    for touch in wanted:
        try:
            done.pieces[touch] = _piece(fragment, touch, found, version)
        except Exception:
            journal.mend()
            counters.render_errors.labels(fragment.name).inc()
            log.exception("The fragment %s of %s could not be rendered.", fragment.name, touch.key)
            done.failed.add(touch)


def _piece(fragment: fragments.Fragment, touch: Touch, found: Mapping[str, object], version: str) -> str:
    thing = found.get(touch.key)
    html = None
    if thing is not None and touch.topic in fragment.topics(thing):
        html = fragment.render(touch.key, thing, touch.topic, version)
        counters.renders.labels(fragment.name).inc()
    return json.dumps(
        {"topic": touch.topic, "live": fragment.name, "id": fragment.dom_id(touch.key), "v": version, "html": html},
        ensure_ascii=False,
        separators=(",", ":"),
    )
