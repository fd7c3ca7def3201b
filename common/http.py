"""Answers that several views give."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect


class SeeOther(HttpResponseRedirect):
    """303: the answer to a POST that worked; the browser goes there with GET."""

    status_code = 303


def done(request: HttpRequest, url: str) -> HttpResponse:
    """The end of a successful POST.

    From a dialog: 204 and the event `dialog-done`, so that the page stays and the live push moves it.
    From a plain form: a redirect to `url`.
    """
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Trigger": "dialog-done"})
    return SeeOther(url)
