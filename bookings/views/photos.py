"""Pictures of jobs: they have no address of their own, so that every look asks who is looking."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db.models.fields.files import ImageFieldFile
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.access import signed_in
from bookings import access


@require_safe
@login_required
def photo(request: HttpRequest, pk: int) -> HttpResponse:
    """A picture of what is to be done, for everybody who may see the job."""
    return picture(access.photo_for(signed_in(request), pk).image)


@require_safe
@login_required
def completion_photo(request: HttpRequest, pk: int) -> HttpResponse:
    """A picture of what was done, for the two sides of the visit and admins."""
    return picture(access.completion_photo_for(signed_in(request), pk).image)


def picture(image: ImageFieldFile) -> HttpResponse:
    """The file, kept by this person's own browser only. 404 when it is gone from the disk."""
    try:
        with image.open("rb") as file:
            response = HttpResponse(file.read(), content_type="image/jpeg")
    except FileNotFoundError:
        raise Http404 from None
    response["Cache-Control"] = "private, max-age=3600"
    return response
