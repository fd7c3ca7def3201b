"""What was changed about somebody, on their own page of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from accounts.changes import SOURCES, load_changes
from realtime.fragments import Fragment, watch
from realtime.topics import Topic

# A topic of its own: only that page follows it.
changes_topic = Topic("user.{user_id}.changes", users=lambda user_ids, user_id: user_ids & {user_id})

KINDS = {source.model: kind for kind, source in SOURCES.items()}


def touched(row: Any) -> Iterable[tuple[str, str]]:
    """The page of the person whom a line concerns."""
    kind = KINDS[type(row)]
    whom = SOURCES[kind].whom(row)
    if whom is not None:
        yield changes_topic(whom), f"{kind}-{row.pk}"


change = Fragment(
    "accounts.change",
    template="accounts/_change.html",
    load=load_changes,
    topics=lambda change: [changes_topic(change.user_id)],
    watches=[watch(model, touches=touched) for model in KINDS],
    order=lambda change: change.order,
)
