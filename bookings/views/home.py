"""The root address: for each role the page they start from."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import Role, User
from bookings.live.customer import PAST
from bookings.models import Booking, ServiceCategory
from bookings.states import ACTIVE_BOOKING
from realtime.pages import live_page
from realtime.topics import user_topic

HISTORY_PAGE = 10
STARTS = {Role.TECHNICIAN: "bookings:today", Role.DRIVER: "tracking:drive", Role.ADMIN: "desk:dashboard"}


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponseBase:
    """Signed out: what this is. Customers: their jobs. Everybody else is sent to where they work."""
    user = request.user
    if not isinstance(user, User):
        return render(request, "bookings/landing.html", {"categories": ServiceCategory.objects.all()})
    if user.role != Role.CUSTOMER:
        return redirect(STARTS[Role(user.role)])
    return customer_home(request)


@live_page
def customer_home(request: HttpRequest) -> HttpResponse:
    """What is going on, then what was: the newest first, page by page."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 (`home` asked)
    own = Booking.objects.filter(customer=user)
    ended = own.filter(status__in=PAST).with_end().order_by("-ended_at", "-pk")  # type: ignore[misc]  # annotated there
    past = Paginator(ended.values_list("pk", flat=True), HISTORY_PAGE)
    page = past.get_page(request.GET.get("page"))
    context = {
        "topic": user_topic(user.pk),
        "active": own.filter(status__in=ACTIVE_BOOKING).values_list("pk", flat=True),
        "page": page,
        "new_rows": "insert" if page.number == 1 else "pill",
    }
    return render(request, "bookings/home.html", context)
