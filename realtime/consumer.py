"""The one consumer: it speaks the protocol with a page and leaves everything else to the hub."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlsplit

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from realtime import counters, hub, inbound, journal
from realtime.principals import session_cookie
from realtime.sockets import MALFORMED, TOO_FAST, TOO_LARGE, LiveSocket

MOST_TOPICS = 500
MESSAGES_A_SECOND = 20  # sustained
BURST = 10  # seconds' worth of messages that pass at once
TOPICS_A_TOKEN = 20  # what following costs: each topic may ask the database who belongs
LONGEST_TRIP = 600_000  # milliseconds
KNOWN_CODES = {1000, 1001, 1005, 1006}
DEFAULT_PORTS = {"http": 80, "https": 443}


class MalformedError(Exception):
    """The page sent what is not the protocol."""


class TooFastError(Exception):
    """The page speaks faster than it may."""


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One page's socket. See docs/protocol.md."""

    # No channel of its own: the hub has one for the whole process.
    channel_layer_alias = None
    scope: dict[str, Any]
    socket: LiveSocket | None = None
    tokens = float(BURST * MESSAGES_A_SECOND)
    counted_at = 0.0

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Call the handler directly; Channels' own would hop to a shared thread for every event."""
        await getattr(self, message["type"].replace(".", "_"))(message)

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        """Refuse foreign origins and, when sockets are switched off, everybody; accept all others.

        Who it is is asked with the hello: a socket closed before it was accepted reads as a network
        failure in the browser, which would try again for ever.
        """
        refused = refusal(self.scope)
        if refused or hub.ensure().going:
            counters.sockets_refused.labels(refused or "going").inc()
            await self.close()
            return
        await self.accept()
        self.socket = hub.ensure().enter(self.base_send, session_cookie(self.scope["headers"]))
        # Kept for the life of the socket otherwise, some kilobytes each.
        self.scope = {}

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        """Take one message from the page."""
        socket, text = self.socket, message.get("text") or ""
        if socket is None or not socket.open:
            return
        socket.heard_at = time.time()
        if len(text.encode()) > settings.LIVE["MESSAGE_BYTES"] or message.get("bytes"):
            socket.close(TOO_LARGE)
            return
        try:
            self.take(socket, text)
        except MalformedError:
            socket.close(MALFORMED)
        except TooFastError:
            socket.close(TOO_FAST)

    def pay(self, price: float = 1) -> None:
        """Keep the page to the rate it may speak at (a token bucket). Raises `TooFastError` beyond it."""
        now = time.monotonic()
        earned = (now - self.counted_at) * MESSAGES_A_SECOND if self.counted_at else 0
        self.tokens = min(self.tokens + earned, BURST * MESSAGES_A_SECOND) - price
        self.counted_at = now
        if self.tokens <= 0:
            raise TooFastError

    def take(self, socket: LiveSocket, text: str) -> None:
        """Read a message and act on it. Raises `MalformedError` for what is not the protocol."""
        self.pay()
        try:
            data = json.loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise MalformedError from None
        kind = data.get("t") if isinstance(data, dict) else None
        if not isinstance(kind, str) or kind not in KINDS:
            raise MalformedError
        getattr(self, f"on_{kind}")(socket, data)

    def on_hello(self, socket: LiveSocket, data: dict[str, Any]) -> None:
        """The page says where it stands and what it follows."""
        cursor, names, number = _text(data, "c", 40_000), _topics(data), _number(data, "i", 0)
        self.pay(len(names) / TOPICS_A_TOKEN)
        socket.page, socket.link = _text(data, "page", 200, ""), _text(data, "link", 64, "")
        counters.hellos.inc()
        if data.get("back") and not socket.ready:
            counters.reconnected.inc()
        socket.hub.unfollow(socket, list(socket.topics - names))  # a page that says hello again starts anew
        socket.hub.follow(socket, "hello", cursor, names, number)

    def on_follow(self, socket: LiveSocket, data: dict[str, Any]) -> None:
        """A fragment brought new topics to the page."""
        cursor, names, number = _text(data, "c", 40_000), _topics(data), _number(data, "i", 0)
        self.pay(len(names) / TOPICS_A_TOKEN)
        if not socket.ready or len(socket.topics | names) > MOST_TOPICS:
            raise MalformedError
        socket.hub.follow(socket, "follow", cursor, names, number)

    def on_unfollow(self, socket: LiveSocket, data: dict[str, Any]) -> None:
        """The page no longer holds these topics."""
        socket.hub.unfollow(socket, list(_topics(data)))

    def on_beat(self, socket: LiveSocket, data: dict[str, Any]) -> None:
        """The page is alive; tell it how fresh the truth is here."""
        socket.away = bool(data.get("away"))
        if data.get("rtt") is not None:
            socket.round_trip = min(_number(data, "rtt"), LONGEST_TRIP)
        if socket.ready:
            mine = socket.hub
            cursor = None if socket.behind or mine.is_asking(socket) else mine.cursor_text() or None
            socket.say({"t": "beat", "c": cursor, "asof": int(mine.asof), "now": int(journal.milliseconds())})

    def on_ack(self, socket: LiveSocket, data: dict[str, Any]) -> None:
        """The page has received this many frames; some with how late they were, in milliseconds."""
        lags = data.get("lag", [])
        if not isinstance(lags, list) or not socket.acknowledge(_number(data, "n")):
            raise MalformedError
        for lag in lags[:64]:
            if isinstance(lag, int | float):
                counters.commit_to_browser.observe(min(max(lag, 0), 600_000) / 1000)

    def on_say(self, socket: LiveSocket, data: dict[str, Any]) -> None:
        """A message for an app; one at a time for each page, in order."""
        kind, content = _text(data, "kind", 80), data.get("data") or {}
        if socket.ready and socket.principal and inbound.knows(kind) and isinstance(content, dict):
            inbound.queue(socket, kind, content)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        """The connection is over, by whichever side."""
        if self.socket is not None:
            if self.socket.open:
                code = message.get("code") or 1006
                counters.closes.labels(str(code) if code in KNOWN_CODES else "other").inc()
            self.socket.forget()
            self.socket = None
        raise StopConsumer


KINDS = frozenset({"hello", "follow", "unfollow", "beat", "ack", "say"})


def _text(data: dict[str, Any], name: str, longest: int, otherwise: str | None = None) -> str:
    value = data.get(name, otherwise)
    # Printable: the database refuses NUL, and a lone surrogate cannot even be sent to it.
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise MalformedError
    return value


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _number(data: dict[str, Any], name: str, otherwise: int | None = None) -> int:
    value = data.get(name, otherwise)
    if not isinstance(value, int) or not 0 <= value < 2**53:
        raise MalformedError
    return value


def _topics(data: dict[str, Any]) -> set[str]:
    names = data.get("topics")
    if not isinstance(names, list) or len(names) > MOST_TOPICS:
        raise MalformedError
    if not all(isinstance(name, str) and len(name) <= 100 and name.isprintable() for name in names):
        raise MalformedError
    return set(names)


def refusal(scope: dict[str, Any]) -> str:
    """Why a handshake is refused (`poll`: sockets are switched off; `host`, `origin`), or nothing."""
    if settings.LIVE["TRANSPORT"] == "poll":
        return "poll"
    headers = {name.decode("latin1"): value.decode("latin1") for name, value in scope["headers"]}
    host = headers.get("host", "")
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return "host"
    origin = headers.get("origin", "")
    if origin in settings.CSRF_TRUSTED_ORIGINS or _same_place(origin, f"{_scheme(scope, headers)}://{host}"):
        return ""
    return "origin"


def _scheme(scope: dict[str, Any], headers: dict[str, str]) -> str:
    trusted = getattr(settings, "SECURE_PROXY_SSL_HEADER", None)
    if trusted:
        name, secure = trusted
        return "https" if headers.get(name.removeprefix("HTTP_").replace("_", "-").lower()) == secure else "http"
    return "https" if scope.get("scheme") in {"wss", "https"} else "http"


def _same_place(one: str, other: str) -> bool:
    """Whether two origins agree in scheme, host and port (default ports written or not)."""
    try:
        a, b = urlsplit(one), urlsplit(other)
        ports = [each.port or DEFAULT_PORTS.get(each.scheme) for each in (a, b)]
    except ValueError:
        return False
    return bool(a.hostname) and (a.scheme, a.hostname) == (b.scheme, b.hostname) and ports[0] == ports[1]
