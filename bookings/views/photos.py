"""Pictures of jobs: they have no address of their own, so that every look asks who is looking."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.access import signed_in
from bookings import access
from common.http import picture


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
