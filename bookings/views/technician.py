"""The technician's pages: today, the marketplace, the job."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from accounts.access import role_required, signed_in, technician_of
from accounts.models import Role, Technician
from bookings import access
from bookings.forms.market import MarketFilter, unanswered
from bookings.live import technician as live
from bookings.models import Bid, Booking
from bookings.states import BookingStatus
from bookings.telling import NEAR
from bookings.views.reading import read_on_page
from common.geo import Point, distance_km
from realtime.pages import live_page
from realtime.topics import user_topic

PAGE = 20
# The public point is rounded to about a kilometre: whole kilometres are all that a distance can truly say.
BANDS = (
    (1, "Less than 1 km away"),
    (2, "1 to 2 km away"),
    (3, "2 to 3 km away"),
    (5, "3 to 5 km away"),
    (10, "5 to 10 km away"),
)


@require_GET
@login_required
@role_required(Role.TECHNICIAN)
@live_page
def today(request: HttpRequest) -> HttpResponse:
    """The day: the visit it is about now with its one button, the others in order, offers that wait."""
    technician = technician_of(signed_in(request))
    context = {"technician": technician, "topic": user_topic(technician.pk)}
    return render(request, "bookings/technician_today.html", context)


# --- The marketplace ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """Rows under one heading. The heading is the viewer's; the rows are everybody's (see `bookings.live`)."""

    heading: str
    rows: list[SafeString]


@require_GET
@login_required
@role_required(Role.TECHNICIAN)
@live_page
def marketplace(request: HttpRequest) -> HttpResponse:
    """Open jobs of one's skills within one's area."""
    technician, now = technician_of(signed_in(request)), timezone.now()
    read_on_page(request, NEAR)
    near = Booking.objects.near(technician, now=now).with_own_bid(technician)
    found = MarketFilter(request.GET, queryset=unanswered(near), technician=technician, now=now)
    page = Paginator(in_order(found), PAGE).get_page(request.GET.get("page"))
    context = {
        "technician": technician,
        "filter": found,
        "page": page,
        "groups": groups(request, page, found),
        "empty": which_empty(technician, found, near, page),
        "topic": live.marketplace_topic(),
        "own_topic": user_topic(technician.pk),
        "query": urlencode({key: value for key, value in request.GET.items() if key != "page" and value}),
        "waiting": Bid.objects.standing().filter(technician=technician).count(),
    }
    return render(request, "bookings/technician_market.html", context)


def in_order(found: MarketFilter) -> QuerySet[Booking]:
    """The jobs that the filter leaves; a filter that makes no sense leaves none."""
    rows: QuerySet[Booking] = found.qs if found.form.is_valid() else found.queryset.none()
    return rows


def groups(request: HttpRequest, page: Page[Booking], found: MarketFilter) -> list[Group]:
    """The page's rows under their headings, each row painted as its push would paint it."""
    jobs = live.load_market_rows([str(job.pk) for job in page])
    version = request.live.version  # type: ignore[attr-defined]
    topic = live.marketplace_topic()

    def painted(rows: Iterable[Booking]) -> list[SafeString]:
        keys = [str(row.pk) for row in rows]
        return [live.market_row.render(key, jobs[key], topic, version) for key in keys if key in jobs]

    return [Group(words, painted(rows)) for words, rows in groupby(page, lambda job: heading(job, found))]


def heading(job: Any, found: MarketFilter) -> str:
    """What a row stands under: its distance in whole kilometres, or its day, in the viewer's zone."""
    if found.sorting == "new":
        return ""
    if found.sorting == "near":
        return how_far(job.distance_km)
    day = max(job.window_start, found.now).astimezone(found.zone).date()
    away = (day - found.now.astimezone(found.zone).date()).days
    return {0: "Today", 1: "Tomorrow"}.get(away, f"{day:%A} {day.day} {day:%B}")


def how_far(km: float) -> str:
    """A distance in whole kilometres."""
    return next((label for limit, label in BANDS if km < limit), "More than 10 km away")


def which_empty(technician: Technician, found: MarketFilter, near: QuerySet[Booking], page: Page[Booking]) -> str:
    """Why there is nothing, or will be once the last row has gone: no skills yet, nothing that matches, all
    answered, nothing near."""
    if not technician.skills.all():
        return "first"
    if found.chosen:
        return "no_match"
    return "cleared" if not page.object_list and near.exists() else "none"


# --- The job --------------------------------------------------------------------------------------


@require_GET
@login_required
@role_required(Role.TECHNICIAN)
@live_page(pace="close")
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """A job as a technician sees it: what is asked while it is open, their own offer, and the visit it won."""
    user = signed_in(request)
    booking, technician = access.booking_for(user, pk), technician_of(user)
    bid = booking.bids.filter(technician=technician).first()
    on_market = booking.status == BookingStatus.OPEN
    context = {
        "booking": booking,
        "technician": technician,
        "bid": bid,
        "keys": [bid.pk] if bid else [],
        "dispute_key": f"{booking.pk}-{user.pk}",
        "area_keys": [booking.pk] if on_market else [],
        "topic": live.work_topic(booking.pk, user.pk),
        "market_topic": live.market_job_topic(booking.pk),
        "own_topic": user_topic(user.pk),
        "far": distance(booking, technician) if on_market else "",
        "lacks": lacking(booking, technician) if on_market and bid is None else "",
    }
    return render(request, "bookings/technician_job.html", context)


def distance(booking: Booking, technician: Technician) -> str:
    """How far an open job is, counted from its rounded point: this differs by viewer and is in no fragment."""
    there = booking.public_point
    here = Point(technician.base_latitude, technician.base_longitude)
    return f"{how_far(distance_km(here, there))} from {technician.base_label}." if there else ""


def lacking(booking: Booking, technician: Technician) -> str:
    """The skill that the job needs and the technician does not have, or nothing."""
    skill = booking.category.skill if booking.category else None
    return skill.name if skill and skill not in technician.skills.all() else ""
