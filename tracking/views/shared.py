"""The page of a share link: one trip for whoever has the link, without sign-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from realtime.pages import live_page
from tracking import access
from tracking.trips import trip_behind

V = TypeVar("V", bound=Callable[..., HttpResponse])


def for_strangers(view: V) -> V:
    """Mark a view as live for those who are signed out too."""
    view.live_for_strangers = True  # type: ignore[attr-defined]
    return view


@require_safe
@live_page(pace="close")
@for_strangers
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """Who comes, where they are, and when they will be there; 410 once it is over or the link was taken back.

    Whoever looks is nobody here, also when they are signed in: the page follows as the bearer of the link.
    """
    link = access.link_for(token)
    trip = trip_behind(link)
    request.live_link = token  # type: ignore[attr-defined]
    context = {"trip": trip, "link": link, "user": AnonymousUser()}
    response = render(request, "tracking/shared.html", context, status=200 if trip else 410)
    # The address is the key: it goes to no other site and into no index.
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
