"""What every template knows beside its own context."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """The map's settings and whether this is a demo; costs no query."""
    return {
        "MAP_TILES": settings.MAP_TILES,
        "MAP_ATTRIBUTION": settings.MAP_ATTRIBUTION,
        "GEOCODER": bool(settings.GEOCODER_URL),
        "DEMO": settings.DEMO,
    }
