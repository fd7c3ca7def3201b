"""Live pages: a view that takes its cursor and version before it loads anything."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast, overload

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import add_never_cache_headers

from realtime import journal

Pace = Literal["close", "usual", "dashboard"]
V = TypeVar("V", bound=Callable[..., HttpResponseBase])


@dataclass(frozen=True)
class LivePage:
    """The instant a page shows: where its socket goes on from, and the version of what it painted."""

    cursor: str
    version: str
    pace: Pace

    @property
    def poll_every(self) -> float:
        """Seconds between polls at first, when the socket is down."""
        name = {"close": "POLL_EVERY_CLOSE", "usual": "POLL_EVERY", "dashboard": "POLL_EVERY_DASHBOARD"}[self.pace]
        return cast(float, settings.LIVE[name])


def begin(request: HttpRequest, pace: Pace = "usual") -> LivePage:
    """Take cursor and version for `request`; from here on the live template tags work."""
    cursor = journal.now()
    page = LivePage(str(cursor), cursor.version, pace)
    request.live = page  # type: ignore[attr-defined]
    return page


def go_on_from(request: HttpRequest, cursor: journal.Cursor) -> None:
    """For a page that paints something as old as `cursor`: its socket goes on from there, and brings what is newer.

    A cursor that is not older changes nothing.
    """
    page: LivePage = request.live  # type: ignore[attr-defined]
    if int(cursor.version) < int(page.version):
        request.live = LivePage(str(cursor), cursor.version, page.pace)  # type: ignore[attr-defined]


@overload
def live_page(view: V) -> V: ...


@overload
def live_page(*, pace: Pace = "usual") -> Callable[[V], V]: ...


def live_page(view: Any = None, *, pace: Pace = "usual") -> Any:
    """Decorate a view whose page follows by itself: `@live_page` or `@live_page(pace="close")`.

    The cursor is taken before the view runs, access checks included, so that a change in between is
    delivered afterwards rather than lost. The answer is never cached.
    """

    def decorate(inner: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @functools.wraps(inner)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated or getattr(inner, "live_for_strangers", False):
                begin(request, pace)
            response = inner(request, *args, **kwargs)
            add_never_cache_headers(response)
            return response

        return wrapped

    return decorate(view) if view is not None else decorate
