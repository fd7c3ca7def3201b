"""Refusals: a rule said no, and the person is told why and what to do next."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.defaults import page_not_found


class Refusal(Exception):
    """A rule said no. `sentence` is shown as it stands; `next_url` and `next_label` offer a way on."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = "That did not work"

    def __init__(self, sentence: str, *, next_url: str = "", next_label: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.next_url = next_url
        self.next_label = next_label


class Conflict(Refusal):
    """Somebody else was faster, or the state has moved on: 409."""

    status = 409
    title = "Things have moved on"


class Invalid(Refusal):
    """The request cannot be carried out as it is written: 422."""


class TooLarge(Refusal):
    """More bytes than we take: 413."""

    status = 413
    title = "Too large"


class TooFast(Refusal):
    """Too many in too short a time: 429, with the seconds to wait."""

    status = 429
    title = "A little slower, please"

    def __init__(self, sentence: str, *, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class RefusalMiddleware:
    """Turns a `Refusal` raised by a view into its page (or fragment, for htmx) with the right status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Called by Django when a view raises."""
        if isinstance(error, Refusal):
            return refusal_response(request, error)
        if isinstance(error, Http404) and settings.DEMO:
            return page_not_found(request, error)  # a trial runs with DEBUG, and its visitors are no developers
        return None


def refusal_response(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The answer that shows `refusal`: a fragment for htmx, a page for everyone else."""
    template = "common/_refusal.html" if getattr(request, "htmx", False) else "common/refusal.html"
    response = render(request, template, {"refusal": refusal}, status=refusal.status)
    if isinstance(refusal, TooFast):
        response["Retry-After"] = str(refusal.retry_after)
    return response
