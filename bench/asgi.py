"""The site with the reference sockets beside its own, so that all are measured on the same server."""

from config.asgi import application as site  # noqa: I001 (sets Django up before the rest is imported)

from typing import Any

from bench.plain import bare, plain


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Route the references' paths; everything else is the site's."""
    if scope["type"] == "websocket" and scope["path"].startswith("/bench/plain-"):
        await plain(scope, receive, send)
    elif scope["type"] == "websocket" and scope["path"] == "/bench/bare-socket":
        await bare(scope, receive, send)
    else:
        await site(scope, receive, send)
