"""The dashboard: what happens now, what needs a decision, how it went."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import role_required
from accounts.models import Role
from adminpanel.audit.lines import SOURCES, lines
from adminpanel.dashboard.figures import charts_topic, figures_lately, figures_topic
from adminpanel.dashboard.glance import glance_of
from adminpanel.dashboard.series import PERIODS, series_of
from adminpanel.dashboard.tiles import strip_of
from adminpanel.live.audit import activity_topic
from adminpanel.queues.waiting import Queue, queues
from realtime.pages import go_on_from, live_page

FEED = 40  # lines of what happened last
DEFAULT = "day"


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="dashboard")
def dashboard(request: HttpRequest) -> HttpResponse:
    """The page; `period` is how far back the charts go."""
    period = PERIODS.get(request.GET.get("period", DEFAULT), PERIODS[DEFAULT])
    counted = figures_lately()
    go_on_from(request, counted.cursor)
    seen = counted.value
    context: dict[str, Any] = {
        "strip": strip_of(seen),
        "waits": {name: Queue(name, seen.count(name)) for name in queues()},
        "figures_topic": figures_topic(),
        "glance": glance_of(seen),
        "period": period,
        "series": series_of(period, seen),
        "periods": PERIODS.values(),
        "charts_topic": charts_topic(),
        "lines": {line.key: line for line in lines(limit=FEED)},
        "activity_topic": activity_topic(),
        "kinds": SOURCES,
    }
    return render(request, "adminpanel/dashboard.html", context)
