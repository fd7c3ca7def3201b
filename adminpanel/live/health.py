"""The health page and who is here, moving by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.access import desk
from adminpanel.health.measures import LABELS, UNITS, in_unit
from adminpanel.health.overview import load_health
from adminpanel.models import Alert
from realtime.fragments import Fragment, watch
from realtime.models import ServerProcess
from realtime.topics import Topic

LAST = 20  # alerts on the page

health_topic = Topic("desk.health", users=desk, pace=2.0)


def the_page(row: Any) -> list[tuple[str, str]]:
    """The one page there is."""
    return [(health_topic(), "all")]


@dataclass(frozen=True)
class AlertRow:
    """An alert in words."""

    alert: Alert

    @property
    def pk(self) -> int:
        """The alert's."""
        return self.alert.pk

    @property
    def label(self) -> str:
        """Which limit."""
        return LABELS[self.alert.limit]

    @property
    def shown(self) -> str:
        """What was measured when it was crossed."""
        return in_unit(self.alert.value, UNITS[self.alert.limit])

    @property
    def order(self) -> str:
        """The newest first."""
        return f"{10**15 - round(self.alert.raised_at.timestamp() * 1000):015}"


def load_alerts(keys: Sequence[str]) -> Mapping[str, AlertRow]:
    """Alerts; one query."""
    return {str(alert.pk): AlertRow(alert) for alert in Alert.objects.filter(pk__in=[int(key) for key in keys])}


def last_alerts() -> list[int]:
    """The last ones."""
    return list(Alert.objects.order_by("-raised_at", "-pk").values_list("pk", flat=True)[:LAST])


health = Fragment(
    "adminpanel.health",
    template="adminpanel/_health.html",
    load=load_health,
    topics=lambda health: [health_topic()],
    watches=[watch(ServerProcess, touches=the_page), watch(Alert, touches=the_page)],
)

alert = Fragment(
    "adminpanel.alert",
    template="adminpanel/_alert.html",
    load=load_alerts,
    topics=lambda alert: [health_topic()],
    watches=[watch(Alert)],
    order=lambda alert: alert.order,
)
