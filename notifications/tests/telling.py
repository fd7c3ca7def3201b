"""Telling and looking, in one line each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from notifications.actions import notify
from notifications.kinds import Kind
from notifications.tests.kinds import ANSWER
from realtime.models import Presence, ServerProcess

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
WORDS = {"name": "Bob", "job": "Tap", "what": "Something"}


def tell(
    people: Iterable[User | int],
    *,
    kind: Kind = ANSWER,
    by: User | None = None,
    event: str = "answer.1",
    url: str = "/jobs/7/",
    now: datetime = NOW,
    group: str = "",
    words: Mapping[str, str] = WORDS,
) -> None:
    """Notify, with all that a test does not care about filled in."""
    with transaction.atomic():
        notify(people, kind, by=by, event=event, url=url, now=now, group=group, words=words)


def look_at(user: User, path: str, *, away: bool = False) -> None:
    """Have `user` look at a page of `path`."""
    now = timezone.now()
    process, _ = ServerProcess.objects.get_or_create(
        id=UUID(int=1), defaults={"name": "here:1", "started_at": now, "seen_at": now}
    )
    Presence(
        process=process,
        page_id=f"socket-{Presence.objects.count()}",
        kind="user",
        principal=str(user.pk),
        page=path,
        transport="socket",
        away=away,
        since=now,
        seen_at=now,
    ).save()
