"""The addresses that actions and notices name."""

from __future__ import annotations

from django.urls import reverse


def drive_url() -> str:
    """The driver's one screen."""
    return reverse("tracking:drive")


def leg_url(leg_id: int) -> str:
    """A leg on the desk's pages."""
    return reverse("desk:leg", args=[leg_id])


def fleet_url(driver_id: int | None = None) -> str:
    """The desk's live map, or one driver's page."""
    return reverse("desk:driver", args=[driver_id]) if driver_id else reverse("desk:fleet")
