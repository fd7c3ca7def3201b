"""The live system's health, and who is here."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import role_required
from accounts.models import Role
from adminpanel.health.here import Found, load_here
from adminpanel.live.health import health_topic, last_alerts, load_alerts
from adminpanel.live.here import presence_topic
from realtime.pages import live_page


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="dashboard")
def health(request: HttpRequest) -> HttpResponse:
    """The page."""
    alerts = load_alerts([str(pk) for pk in last_alerts()])
    return render(request, "adminpanel/health.html", {"topic": health_topic(), "alerts": alerts})


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="dashboard")
def presence(request: HttpRequest) -> HttpResponse:
    """Who is here: a list that people come into and go from by themselves."""
    found = Found(request.GET)
    here = load_here(found.keys)
    people = {key: here[key] for key in found.keys if key in here}
    context = {"found": found, "people": people, "topic": presence_topic()}
    return render(request, "adminpanel/presence.html", context)
