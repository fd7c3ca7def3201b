"""The road in Django's admin: to look at. States are moved by actions, never typed in; the map shows positions."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from accounts.raw import Audited, ReadOnly
from bookings.admin import HistoryInline
from tracking.models import (
    Dispatch,
    DispatchHistory,
    Driver,
    DriverSkill,
    Journey,
    Leg,
    RefusedFixes,
    Shift,
    ShiftHistory,
)


@admin.register(DriverSkill)
class DriverSkillAdmin(Audited, admin.ModelAdmin[DriverSkill]):
    """Skills are the desk's to edit."""

    list_display = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012 (Django's own name and type)


@admin.register(Driver)
class DriverAdmin(ReadOnly, admin.ModelAdmin[Driver]):
    """Drivers and their vehicles; changed on the desk's page of the driver."""

    list_display = ("user", "vehicle", "plate", "capacity_kg")
    list_filter = ("vehicle", "skills")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name", "plate")


class ShiftHistoryInline(HistoryInline):
    """Of a shift."""

    model = ShiftHistory


@admin.register(Shift)
class ShiftAdmin(ReadOnly, admin.ModelAdmin[Shift]):
    """All shifts."""

    list_display = ("user", "duty", "started_at", "duty_since", "ended_at")
    list_filter = ("duty",)
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name")
    inlines = (ShiftHistoryInline,)


class DispatchInline(ReadOnly, admin.TabularInline[Any, Any]):
    """Who was asked, and what they said."""

    model = Dispatch
    fields = ("driver", "status", "offered_at", "deadline", "seen_at", "answered_at", "reason", "ended_at")
    extra = 0


@admin.register(Leg)
class LegAdmin(ReadOnly, admin.ModelAdmin[Leg]):
    """All legs."""

    list_display = ("id", "kind", "note", "booking", "created_at", "cancelled_at")
    list_filter = ("kind",)
    list_select_related = ("booking",)
    search_fields = ("note", "booking__title")
    inlines = (DispatchInline,)


class DispatchHistoryInline(HistoryInline):
    """Of a dispatch."""

    model = DispatchHistory


@admin.register(Dispatch)
class DispatchAdmin(ReadOnly, admin.ModelAdmin[Dispatch]):
    """All dispatches."""

    list_display = ("id", "leg", "driver", "status", "offered_at", "deadline", "seen_at", "ended_at")
    list_filter = ("status",)
    list_select_related = ("leg", "driver__user")
    search_fields = ("driver__user__email", "driver__user__name", "leg__note")
    inlines = (DispatchHistoryInline,)


@admin.register(Journey)
class JourneyAdmin(ReadOnly, admin.ModelAdmin[Journey]):
    """All journeys: when somebody was on the way. Share links are secrets, and not shown."""

    list_display = ("id", "booking", "traveller", "opened_at", "closed_at", "end")
    list_filter = ("end",)
    list_select_related = ("booking", "traveller")
    search_fields = ("traveller__email", "traveller__name", "booking__title")


@admin.register(RefusedFixes)
class RefusedFixesAdmin(ReadOnly, admin.ModelAdmin[RefusedFixes]):
    """How many fixes were refused, and why."""

    list_display = ("day", "user", "reason", "count")
    list_filter = ("reason", "day")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name")
