"""The addresses of disputes, within the namespace `bookings`. Both sides share them."""

from __future__ import annotations

from django.urls import URLPattern, path

from bookings.views import disputes

urlpatterns: list[URLPattern] = [
    path("jobs/<int:pk>/dispute/", disputes.open_dispute, name="dispute_open"),
    path("disputes/<int:pk>/", disputes.dispute, name="dispute"),
    path("disputes/<int:pk>/answer/", disputes.answer, name="dispute_answer"),
    path("disputes/<int:pk>/evidence/", disputes.add_evidence, name="dispute_add"),
    path("disputes/<int:pk>/withdraw/", disputes.withdraw, name="dispute_withdraw"),
    path("evidence/<int:pk>/", disputes.evidence, name="evidence"),
]
