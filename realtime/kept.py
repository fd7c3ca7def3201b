"""Signals kept for as long as they hold: a page that polls hears of them with its next question, and sockets that the
channel layer did not reach (another process, and the layer in memory or away) by the hub's look at them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from realtime import topics
from realtime.models import KeptSignal
from realtime.topics import Principal

Message = dict[str, Any]
RECENT = timedelta(seconds=2)


def keep(message: Message, *, seconds: float) -> None:
    """Keep a signal for `seconds`; of one sender, name and topic the latest stands. One statement."""
    at = datetime.fromtimestamp(message["at"], UTC)
    row = KeptSignal(
        topic=message["topic"],
        name=message["name"],
        sender=message["except"],
        data=message["data"],
        at=at,
        until=at + timedelta(seconds=seconds),
    )
    KeptSignal.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["topic", "name", "sender"],
        update_fields=["data", "at", "until"],
    )


def message_of(topic: str, name: str, data: dict[str, Any], *, sender: Principal | None) -> Message:
    """A signal as it goes over the channel layer; `at` (seconds since 1970) tells it from the next one."""
    return {
        "type": "live.signal",
        "topic": topic,
        "name": name,
        "data": data,
        "except": sender_of(sender),
        "at": timezone.now().timestamp(),
    }


def sender_of(principal: Principal | None) -> str:
    """How a signal's row names who caused it."""
    return f"{principal.kind}.{principal.id}" if principal else ""


def heard(names: Iterable[str], listener: Principal) -> list[dict[str, Any]]:
    """The signals that hold now on those of `names` that keep any, as the protocol has them, `listener`'s own left out.

    One query, and none where no topic keeps signals. Who belongs is not asked here.
    """
    keeping = keeping_among(names)
    if not keeping:
        return []
    now = timezone.now()
    rows = KeptSignal.objects.filter(topic__in=keeping, until__gt=now).exclude(sender=sender_of(listener))
    return [
        {
            "topic": row.topic,
            "name": row.name,
            "data": row.data,
            "age": max(int((now - row.at).total_seconds() * 1000), 0),
        }
        for row in rows.order_by("at")
    ]


def keeping_among(names: Iterable[str]) -> list[str]:
    """Those of the topics that keep signals."""
    return [name for name in names if (found := topics.resolve(name)) and found[0].keeps_signals]


def newest(names: Iterable[str]) -> list[Message]:
    """The signals of the last seconds on these topics, as the layer would have brought them. One query."""
    rows = KeptSignal.objects.filter(topic__in=list(names), at__gt=timezone.now() - RECENT)
    return [
        {
            "type": "live.signal",
            "topic": row.topic,
            "name": row.name,
            "data": row.data,
            "except": row.sender,
            "at": row.at.timestamp(),
        }
        for row in rows
    ]


def forget(as_of: datetime) -> int:
    """Delete the signals that no longer hold; returns how many."""
    return KeptSignal.objects.filter(until__lt=as_of).delete()[0]
