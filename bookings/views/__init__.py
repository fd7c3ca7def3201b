"""The pages of bookings: one module a side, and the one address that both sides share."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from accounts.access import signed_in
from accounts.models import Role
from bookings import access
from bookings.links import desk_url
from bookings.telling import group_of
from bookings.views.reading import read_on_page


@require_safe
@login_required
def job(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The job page: the customer's, the technician's, or for admins the desk's. 404 for everybody else."""
    from bookings.views import customer, technician

    user = signed_in(request)
    read_on_page(request, group_of(pk))
    if user.role == Role.CUSTOMER:
        return customer.job(request, pk)
    if user.role == Role.TECHNICIAN:
        return technician.job(request, pk)
    return redirect(desk_url("booking", access.booking_for(user, pk).pk))
