"""The marketplace's filters: skill, distance, day, and what comes first."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet

from accounts.models import Skill, Technician
from bookings.models import Booking
from bookings.states import REVIVABLE_BID

DISTANCES = [("2", "Within 2 km"), ("5", "Within 5 km"), ("10", "Within 10 km")]
DAYS = [("today", "Today"), ("tomorrow", "Tomorrow"), ("week", "Next 7 days")]
SORTS = [("near", "Nearest"), ("soon", "Soonest"), ("new", "Newest")]
ORDERS = {
    "near": ("distance_km", "window_start", "pk"),
    "soon": ("window_start", "distance_km", "pk"),
    "new": ("-placed_at", "-pk"),
}


class MarketFilter(filters.FilterSet):  # type: ignore[misc]
    """Narrows what `BookingQuerySet.near` found for one technician."""

    skill = filters.ModelChoiceFilter(
        field_name="category__skill", label="Skill", queryset=Skill.objects.none(), empty_label="All of mine"
    )
    km = filters.ChoiceFilter(label="Distance", choices=DISTANCES, method="within", empty_label="Whole area")
    day = filters.ChoiceFilter(label="When", choices=DAYS, method="on_day", empty_label="Any day")
    sort = filters.ChoiceFilter(label="Sort by", choices=SORTS, method="in_order", empty_label=None, null_label=None)

    class Meta:
        model = Booking
        fields: tuple[str, ...] = ()

    def __init__(self, data: Any, *, queryset: QuerySet[Booking], technician: Technician, now: datetime) -> None:
        self.zone, self.now = ZoneInfo(technician.user.time_zone), now
        super().__init__(data, queryset=queryset)
        self.filters["skill"].queryset = technician.skills.all()
        for name in self.form.fields:
            self.form.fields[name].widget.attrs["id"] = f"filter-{name}"

    @property
    def chosen(self) -> dict[str, str]:
        """What narrows the list, the order aside."""
        return {name: self.data[name] for name in ("skill", "km", "day") if self.data.get(name)}

    @property
    def sorting(self) -> str:
        """What comes first."""
        form: forms.Form = self.form
        return (form.cleaned_data.get("sort") if form.is_valid() else "") or "near"

    def filter_queryset(self, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        """The filtered jobs, in order."""
        found: QuerySet[Booking] = super().filter_queryset(queryset)
        return found.order_by(*ORDERS[self.sorting])

    def within(self, rows: QuerySet[Any], name: str, km: str) -> QuerySet[Any]:
        """Those not farther than `km` from the technician's base, counted from the rounded point."""
        return rows.filter(distance_km__lte=float(km))

    def on_day(self, rows: QuerySet[Booking], name: str, day: str) -> QuerySet[Booking]:
        """Those whose window touches the day, or the days, in the technician's zone."""
        first = self.now.astimezone(self.zone).date() + timedelta(days=day == "tomorrow")
        starts, ends = (
            datetime.combine(first + timedelta(days=days), time(), self.zone) for days in (0, 7 if day == "week" else 1)
        )
        return rows.filter(window_start__lt=ends, window_end__gt=starts)

    def in_order(self, rows: QuerySet[Booking], name: str, sort: str) -> QuerySet[Booking]:
        """Ordering is done once, at the end."""
        return rows


def unanswered(rows: QuerySet[Booking]) -> QuerySet[Booking]:
    """Jobs annotated by `with_own_bid` on which the technician may still make an offer."""
    return rows.filter(Q(own_bid_status__isnull=True) | Q(own_bid_status__in=REVIVABLE_BID))
