"""What an act writes into the journal, and what each person's open pages are sent for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from django.db.models import Max

from accounts.models import User
from realtime.journal import Touch
from realtime.models import JournalRow
from realtime.render import render
from realtime.topics import Principal


def touched_by(act: Callable[[], object]) -> set[Touch]:
    """The touches that `act` journals.

    By row, not by cursor: on PostgreSQL no snapshot has seen the test's own transaction, set-up included.
    """
    before = JournalRow.objects.aggregate(newest=Max("id"))["newest"] or 0
    act()
    rows = JournalRow.objects.filter(pk__gt=before)
    return {Touch(row.topic, row.fragment, row.key) for row in rows}


def on(touches: Iterable[Touch], topic: str) -> set[tuple[str, str]]:
    """The (fragment, key) pairs among `touches` on one topic."""
    return {(touch.fragment, touch.key) for touch in touches if touch.topic == topic}


def keys_of(touches: Iterable[Touch], fragment: str) -> set[str]:
    """The keys of one fragment."""
    return {touch.key for touch in touches if touch.fragment == fragment}


def sent(touches: Iterable[Touch], *people: User) -> dict[str, str | None]:
    """What is delivered if all of `people` follow every topic: DOM id -> html, None for a removal."""
    everybody = {Principal("user", str(person.pk)) for person in people}
    wanted = set(touches)
    done = render(wanted, {touch.topic: set(everybody) for touch in wanted}, "1")
    pieces = [json.loads(piece) for piece in done.pieces.values()]
    return {piece["id"]: piece["html"] for piece in pieces}


def audience(touches: Iterable[Touch], fragment: str, *people: User) -> set[str]:
    """The first names of those among `people` to whom one fragment's changes are delivered."""
    named = {str(person.pk): person.first_name for person in people}
    topics = {touch.topic for touch in touches if touch.fragment == fragment}
    done = render(set(), {topic: {Principal("user", pk) for pk in named} for topic in topics}, "1")
    return {named[who.id] for members in done.members.values() for who in members}
