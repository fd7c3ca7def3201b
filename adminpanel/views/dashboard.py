"""The dashboard: what happens now, what needs a decision, how it went."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import role_required
from accounts.models import Role
from realtime.pages import live_page


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="dashboard")
def dashboard(request: HttpRequest) -> HttpResponse:
    """The page."""
    return render(request, "adminpanel/dashboard.html", {})
