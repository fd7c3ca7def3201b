"""The socket's address."""

from django.urls import path

from realtime.consumer import LiveConsumer

sockets = [path("live/socket", LiveConsumer.as_asgi())]
