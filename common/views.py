"""Health: whether the process runs, and whether it can serve."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.templatetags.static import static
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from realtime import health


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing else, so that a sick database does not get every process killed."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Database, journal and hub: 200 when this process can serve, else 503; the body says which part cannot."""
    state = health.ready()
    return JsonResponse(state, status=200 if state["ok"] else 503)


def nothing_here(request: HttpRequest) -> HttpResponse:
    """Every address that nobody has, in a trial: the ordinary page instead of Django's list of addresses."""
    raise Http404


@cache_control(max_age=86400)
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look that read no <link rel="icon">, for admin pages and downloads too."""
    return HttpResponseRedirect(static("img/icon.svg"))


@cache_control(max_age=3600)
@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """What a phone needs to put Callout on its home screen."""
    icon = {"src": static("img/icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}
    return JsonResponse(
        {
            "name": "Callout",
            "short_name": "Callout",
            "start_url": "/",
            "display": "standalone",
            "background_color": "#f6f5f1",
            "theme_color": "#0d5c70",
            "icons": [icon],
        },
        content_type="application/manifest+json",
    )
