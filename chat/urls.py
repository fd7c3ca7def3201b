"""The addresses of messages, in the namespace `chat`."""

from __future__ import annotations

from django.urls import path

from chat import views

app_name = "chat"

urlpatterns = [
    path("", views.conversations, name="list"),
    path("desk/", views.desk, name="desk"),
    path("about/<int:bid_pk>/", views.about, name="about"),
    path("replies/", views.replies, name="replies"),
    path("<int:pk>/", views.conversation, name="conversation"),
    path("<int:pk>/send/", views.send, name="send"),
    path("<int:pk>/older/", views.older, name="older"),
    path("message/<uuid:pk>/delete/", views.delete, name="delete"),
    path("files/<uuid:pk>/", views.file, name="file"),
    path("files/<uuid:pk>/thumb/", views.thumb, name="thumb"),
]
