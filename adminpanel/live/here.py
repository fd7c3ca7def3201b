"""Who is here, moving by itself."""

from __future__ import annotations

from datetime import datetime

from accounts.access import desk
from accounts.models import User
from adminpanel.health.here import load_counts, load_here
from realtime.fragments import Fragment, touch, watch
from realtime.models import LastSeen, Presence
from realtime.presence import gone_quiet
from realtime.topics import Topic

Place = tuple[str, str]

presence_topic = Topic("desk.presence", users=desk, pace=1.0)


def whose(row: Presence | LastSeen) -> list[Place]:
    """The person whose page came, went or changed."""
    return [(presence_topic(), row.principal)] if row.kind == "user" else []


def all_of_them(row: Presence | User) -> list[Place]:
    """The counts."""
    return [(presence_topic(), "all")]


here = Fragment(
    "adminpanel.here",
    template="adminpanel/_here.html",
    load=load_here,
    topics=lambda person: [presence_topic()],
    watches=[
        watch(Presence, touches=whose),
        watch(LastSeen, touches=whose),
        watch(User, fields=("name", "role", "is_active", "photo")),
    ],
    order=lambda person: person.order,
)

here_counts = Fragment(
    "adminpanel.here_counts",
    template="adminpanel/_here_counts.html",
    load=load_counts,
    topics=lambda counts: [presence_topic()],
    watches=[watch(Presence, touches=all_of_them), watch(User, fields=("role", "is_active"), touches=all_of_them)],
)


def look_at_gone(since: datetime, until: datetime) -> int:
    """Have the page let go of those who went and did not come back on another page; returns how many."""
    gone = gone_quiet(since, until)
    if gone:
        touch(here, gone, topics=[presence_topic()])
        touch(here_counts, ["all"])
    return len(gone)
