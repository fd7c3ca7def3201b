"""The references: plain Channels at its best, and bare ASGI."""

import asyncio
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import URLRouter
from django.template.loader import render_to_string
from django.urls import path


class PlainConsumer(AsyncWebsocketConsumer):
    """Joins the group on connect and sends the ready HTML it receives."""

    async def connect(self) -> None:
        if not self.scope["user"].is_authenticated:
            await self.close(4401)
            return
        await self.channel_layer.group_add("wall.1", self.channel_name)
        await self.accept()
        if b"state" in self.scope["query_string"]:
            await self.send(await database_sync_to_async(newest)())

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard("wall.1", self.channel_name)

    async def wall_change(self, event: dict[str, Any]) -> None:
        await self.send(event["html"])


class PlainChat(AsyncWebsocketConsumer):
    """The chat as tutorials have it: joins the conversation's group and sends the ready HTML it receives."""

    async def connect(self) -> None:
        if not self.scope["user"].is_authenticated:
            await self.close(4401)
            return
        await self.channel_layer.group_add("chat.1", self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard("chat.1", self.channel_name)

    async def chat_message(self, event: dict[str, Any]) -> None:
        await self.send(event["html"])


class PlainRoad(AsyncWebsocketConsumer):
    """Joins the groups of the drivers it is to show and sends the ready HTML it receives."""

    async def connect(self) -> None:
        if not self.scope["user"].is_authenticated:
            await self.close(4401)
            return
        self.drivers = self.scope["query_string"].decode().split(",")
        for driver in self.drivers:
            await self.channel_layer.group_add(f"road.{driver}", self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        for driver in self.drivers:
            await self.channel_layer.group_discard(f"road.{driver}", self.channel_name)

    async def road_fix(self, event: dict[str, Any]) -> None:
        await self.send(event["html"])


def newest() -> str:
    """What a page that comes back has to be told: the newest row, rendered."""
    from bench.models import PlainRow

    return render_to_string("bench/_plain.html", {"row": PlainRow.objects.latest("pk")})


open_sockets: dict[Any, None] = {}
loop: asyncio.AbstractEventLoop | None = None


async def bare(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """A socket with nothing around it."""
    global loop
    loop = asyncio.get_running_loop()
    await receive()
    await send({"type": "websocket.accept"})
    open_sockets[send] = None
    try:
        while (await receive())["type"] != "websocket.disconnect":
            pass
    finally:
        open_sockets.pop(send, None)


def send_to_all(text: str) -> None:
    """From a request's thread: the same bytes to every socket, one after another."""

    async def run() -> None:
        for send in list(open_sockets):
            await send({"type": "websocket.send", "text": text})

    assert loop is not None
    asyncio.run_coroutine_threadsafe(run(), loop)


plain = AuthMiddlewareStack(
    URLRouter(
        [
            path("bench/plain-socket", PlainConsumer.as_asgi()),
            path("bench/plain-chat", PlainChat.as_asgi()),
            path("bench/plain-road", PlainRoad.as_asgi()),
        ]
    )
)
