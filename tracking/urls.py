"""Addresses of the road."""

from __future__ import annotations

from django.urls import URLPattern, path

from tracking.views import drive, fixes, journeys, shared

app_name = "tracking"

drive_patterns: list[URLPattern] = [
    path("drive/", drive.drive, name="drive"),
    path("drive/gps/", drive.gps, name="gps"),
    path("drive/fixes/", fixes.fixes, name="fixes"),
    path("drive/on/", drive.go_on, name="on"),
    path("drive/break/", drive.take_break, name="break"),
    path("drive/back/", drive.end_break, name="back"),
    path("drive/off/", drive.go_off, name="off"),
    path("drive/legs/<int:pk>/seen/", drive.seen, name="seen"),
    path("drive/legs/<int:pk>/accept/", drive.accept, name="accept"),
    path("drive/legs/<int:pk>/decline/", drive.decline, name="decline"),
    path("drive/legs/<int:pk>/set-off/", drive.set_off, name="set_off"),
    path("drive/legs/<int:pk>/arrive/", drive.arrive, name="arrive"),
    path("drive/legs/<int:pk>/complete/", drive.complete, name="complete"),
    path("drive/legs/<int:pk>/fail/", drive.fail, name="fail"),
]

journey_patterns: list[URLPattern] = [
    path("visits/<int:pk>/on-my-way/", journeys.on_my_way, name="on_my_way"),
    path("journeys/<int:pk>/turn-back/", journeys.turn_back, name="turn_back"),
    path("journeys/<int:pk>/share/", journeys.share, name="share"),
    path("journeys/links/<int:pk>/revoke/", journeys.revoke_link, name="revoke_link"),
    path("track/<slug:token>/", shared.shared, name="shared"),
]

urlpatterns: list[URLPattern] = [*drive_patterns, *journey_patterns]
