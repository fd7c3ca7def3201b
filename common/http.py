"""Answers that several views give."""

from __future__ import annotations

from django.db.models.fields.files import ImageFieldFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect


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


def picture(image: ImageFieldFile, *, seconds: int = 3600, shared: bool = False) -> HttpResponse:
    """A stored photo, kept for `seconds` by this person's own browser only unless `shared`. 404 when it is gone."""
    try:
        with image.open("rb") as file:
            response = HttpResponse(file.read(), content_type="image/jpeg")
    except FileNotFoundError:
        raise Http404 from None
    response["Cache-Control"] = f"{'' if shared else 'private, '}max-age={seconds}"
    return response
