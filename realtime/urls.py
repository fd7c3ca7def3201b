"""Addresses of the live mechanism."""

from django.urls import path

from realtime import views

app_name = "realtime"
urlpatterns = [
    path("poll", views.poll, name="poll"),
    path("say", views.say, name="say"),
]
