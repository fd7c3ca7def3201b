"""The bell on every page, a notice in the list, and the pause on the settings page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from accounts.models import User
from notifications.models import Notification, Quiet
from realtime.fragments import Fragment, site_wide, watch
from realtime.topics import Topic, user_topic

NEWEST = 6  # in the bell's menu


@dataclass(frozen=True)
class Bell:
    """One person's newest notices, and how many they have not read."""

    user_id: int
    unread: int
    newest: Sequence[Notification]

    @property
    def figure(self) -> str:
        """The count as the badge shows it."""
        return "99+" if self.unread > 99 else str(self.unread)


def load_bells(keys: Sequence[str]) -> Mapping[str, Bell]:
    """The bells of many people, in one query: it is on every page. Everybody has one; a closed account's is empty."""
    rows = Notification.objects.filter(user__in=[int(key) for key in keys], user__is_active=True)
    counted: QuerySet[Any] = rows.annotate(
        place=Window(RowNumber(), partition_by=F("user"), order_by=("-at", "-pk")),
        unread=Window(Count("pk", filter=Q(read_at=None)), partition_by=F("user")),
    )
    newest: dict[int, list[Any]] = defaultdict(list)
    for row in counted.filter(place__lte=NEWEST).order_by("-at", "-pk"):
        newest[row.user_id].append(row)
    shown = {key: newest[int(key)] for key in keys}
    return {key: Bell(int(key), own[0].unread if own else 0, own) for key, own in shown.items()}


bell = Fragment(
    "notifications.bell",
    template="notifications/_bell.html",
    load=load_bells,
    topics=lambda bell: [user_topic(bell.user_id)],
    watches=[watch(Notification, touches=lambda row: [(user_topic(row.user_id), row.user_id)])],
)


def key_of(user: User) -> str:
    """Everybody has a bell."""
    return str(user.pk)


site_wide(bell, key=key_of, topic=lambda user: user_topic(user.pk), place="bell")

# A topic of its own: only the list follows it, and every other page pays nothing for its items.
notices_topic = Topic("user.{user_id}.notices", users=lambda user_ids, user_id: user_ids & {user_id})

item = Fragment(
    "notifications.item",
    template="notifications/_item.html",
    load=lambda keys: {str(row.pk): row for row in Notification.objects.filter(pk__in=keys)},
    topics=lambda row: [notices_topic(row.user_id)],
    watches=[watch(Notification)],
)


@dataclass(frozen=True)
class Pause:
    """Whether somebody wants no toasts and no mails just now."""

    user_id: int
    quiet: Quiet | None


def load_pauses(keys: Sequence[str]) -> Mapping[str, Pause]:
    """One for everybody, in one query."""
    rows = Quiet.objects.select_related("user").in_bulk([int(key) for key in keys])
    return {key: Pause(int(key), rows.get(int(key))) for key in keys}


pause = Fragment(
    "notifications.pause",
    template="notifications/_pause.html",
    load=load_pauses,
    topics=lambda pause: [user_topic(pause.user_id)],
    watches=[watch(Quiet, touches=lambda row: [(user_topic(row.user_id), row.user_id)])],
)
