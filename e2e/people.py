"""People at their browsers: signed in without the sign-in page, watched for errors in the console."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect

# A rule that said no is shown in the page; Chromium also writes it to the console.
REFUSALS = r"Failed to load resource: the server responded with a status of (409|413|422|429)\b"


class Console:
    """What the browsers complained about. Anything not allowed fails the test at its end."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.allowed = [REFUSALS]

    def allow(self, pattern: str) -> None:
        """Complaints that match `pattern` are what this test is about (a server that is down, a 404)."""
        self.allowed.append(pattern)

    def allow_outage(self) -> None:
        """The test stops servers or cuts the line: failed requests and sockets are expected."""
        self.allow(r"net::ERR_|WebSocket connection to|status of 50[0234]|^5\d\d |Traceback")

    def unexpected(self) -> list[str]:
        """The complaints that nobody allowed."""
        return [text for text in self.complaints if not any(re.search(pattern, text) for pattern in self.allowed)]

    def watch(self, page: Page, name: str) -> None:
        """Listen to `page` from now on."""
        page.on("console", lambda message: self._heard(message, name))
        page.on("pageerror", lambda error: self.complaints.append(f"{name}: uncaught {error}"))
        page.on("response", self._answered)

    def _heard(self, message: ConsoleMessage, name: str) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.complaints.append(f"{name}: {message.text} ({message.location.get('url', '')})")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status} {response.request.method} {response.url}")


def session_cookie(user: Any) -> str:
    """A new session of `user`, made the way the sign-in page makes it, signals included."""
    request = RequestFactory().get("/", HTTP_USER_AGENT="Browser test")
    request.session = SessionStore()
    request.user = AnonymousUser()
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    request.session.save()
    return str(request.session.session_key)


class People:
    """Opens browsers for people and closes them all at the end of the test."""

    def __init__(self, browser: Browser, url: str, console: Console) -> None:
        self._browser = browser
        self._url = url
        self._console = console
        self.pages: list[Page] = []
        self.contexts: list[BrowserContext] = []

    def __call__(self, who: Any = None, *, url: str = "", **options: Any) -> Page:
        """A page of a fresh browser, signed in as `who` (a user or an e-mail address; None: a stranger).

        `url`: another server process or a proxy to use. `options` go to Playwright's `new_context`
        (viewport, color_scheme, java_script_enabled, timezone_id, ...).
        """
        base = url or self._url
        context = self._browser.new_context(base_url=base, **{"locale": "en-GB", **options})
        context.set_default_timeout(30_000)
        context.set_default_navigation_timeout(30_000)
        self.contexts.append(context)
        user = get_user_model().objects.get(email=who) if isinstance(who, str) else who
        name = str(user) if user is not None else "a stranger"
        if user is not None:
            cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session_cookie(user), "url": base}
            context.add_cookies([{**cookie, "httpOnly": True, "sameSite": "Lax"}])
        context.on("page", lambda page: self._opened(page, name))
        return context.new_page()

    def _opened(self, page: Page, name: str) -> None:
        self.pages.append(page)
        self._console.watch(page, name)

    def keep_evidence(self, folder: Path) -> None:
        """Screenshots and the HTML of every open page, for whoever reads the failure."""
        for number, page in enumerate(self.pages, 1):
            if not page.is_closed():
                page.screenshot(path=folder / f"page-{number}.png", full_page=True, timeout=5_000)
                (folder / f"page-{number}.html").write_text(f"<!-- {page.url} -->\n{page.content()}")

    def leave(self) -> None:
        """Close every browser."""
        for context in self.contexts:
            context.close()


def is_live(page: Page) -> None:
    """Wait until `page` has its socket and has caught up. Act elsewhere only after that."""
    expect(page.locator("html")).to_have_attribute("data-live", "live")


def is_troubled(page: Page, state: str) -> None:
    """Wait until the badge of `page` shows the trouble `state`: reconnecting, polling, offline or stopped."""
    expect(page.locator("#live-badge")).to_be_visible()
    expect(page.locator("#live-badge")).to_have_attribute("data-state", state)
