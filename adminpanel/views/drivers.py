"""A driver's page: now, the day, the track; their vehicle and skills; a request for their position."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import role_required, signed_in
from accounts.models import Role, User
from adminpanel.fleet.days import Day, day_asked, fill, key_of, track_of, within
from adminpanel.fleet.drivers import DriverRow, rows_of, with_facts
from adminpanel.forms.fleet import DriverForm
from adminpanel.live.fleet import driver_topic
from adminpanel.views.replies import deed
from bookings.views.confirming import Question, ask
from realtime.pages import live_page
from realtime.presence import online
from tracking import access, actions
from tracking.links import fleet_url
from tracking.models import Dispatch, Driver
from tracking.states import HOLDING_DISPATCH
from tracking.topics import fleet_topic


def driver_at(pk: int) -> Driver:
    """A driver by the id of their user, closed accounts included; 404 for everybody else's."""
    return access.driver_of(get_object_or_404(with_facts(User.objects.filter(role=Role.DRIVER)), pk=pk))


def asked_day(request: HttpRequest, pk: int) -> Day:
    """The day that the address asks for, still without its bars."""
    now = timezone.now()
    return Day(pk, day_asked(request.GET.get("day", ""), now), now)


def row_and_bars(user: User, day: Day) -> DriverRow:
    """How a driver stands now; `day` is filled by the way. What they have in hand is in both: one query for it."""
    held = Q(driver=user.pk, status__in=HOLDING_DISPATCH)
    rows = Dispatch.objects.filter(within([day]) | held).select_related("leg__booking").order_by("offered_at")
    dispatches = list(rows)
    fill([day], dispatches)
    nearest = sorted(dispatches, key=lambda each: each.deadline)
    return rows_of([user], nearest, online([user.pk], day.now), day.now)[str(user.pk)]


@require_safe
@role_required(Role.ADMIN)
@live_page
def driver(request: HttpRequest, pk: int) -> HttpResponse:
    """The page."""
    found = driver_at(pk)
    day = asked_day(request, pk)
    row = row_and_bars(found.user, day)
    track = track_of(pk, day)
    context = {
        "driver": found,
        "row": row if found.user.is_active else None,  # its place stays empty, as for a push
        "topic": driver_topic(pk),
        "fleet_topic": fleet_topic(),
        "day": day,
        "day_key": key_of(pk, day.day),
        "before": day.day - timedelta(days=1),
        "after": None if day.is_today else day.day + timedelta(days=1),
        "track": track,
    }
    return render(request, "adminpanel/driver.html", context)


@require_safe
@role_required(Role.ADMIN)
@never_cache
def driver_track(request: HttpRequest, pk: int) -> HttpResponse:
    """The way of a day, for the map: [[ms since 1970, latitude, longitude], …]."""
    driver_at(pk)
    return JsonResponse({"points": track_of(pk, asked_day(request, pk)).drawn})


@deed
def driver_ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the driver's open page for a position now."""
    user, found = signed_in(request), driver_at(pk)
    if not found.user.is_active:
        raise Http404
    question = Question(
        title=f"Ask for {found.user.first_name}'s position?",
        button="Ask now",
        back=fleet_url(pk),
        text=["Their open page measures and sends it at once. It shows here by itself, with its age."],
        rule=["A page that is asleep in a pocket may not hear it; nothing is collected off duty or on a break."],
    )
    return ask(request, question, lambda: actions.request_position(found, by=user))


@deed
def driver_change(request: HttpRequest, pk: int) -> HttpResponse:
    """The vehicle and the skills, which dispatch asks about."""
    user, found = signed_in(request), driver_at(pk)
    form = DriverForm(request.POST or None, instance=found)
    question = Question(title=f"Vehicle and skills of {found}", button="Save", back=fleet_url(pk))
    return ask(request, question, lambda: actions.change_driver(found, by=user, **form.cleaned_data), form)
