"""Addresses of the measured app, under /bench/."""

from django.urls import path

from bench import views

app_name = "bench"
urlpatterns = [
    path("live", views.change_live),
    path("plain", views.change_plain),
    path("bare", views.change_bare),
    path("chat", views.plain_chat),
    path("plain-fix", views.plain_fix),
    path("tell", views.tell),
    path("tell-plain", views.tell_plain),
    path("whoami", views.whoami),
    path("memory", views.memory),
]
