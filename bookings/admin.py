"""Bookings in Django's admin, the raw rows: to look at. States are moved by actions, never typed in."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.raw import Audited, ReadOnly
from bookings.models import (
    Bid,
    BidHistory,
    Booking,
    BookingHistory,
    RescheduleProposal,
    ServiceCategory,
    Session,
    SessionHistory,
)
from bookings.states import BookingStatus


@admin.register(ServiceCategory)
class ServiceCategoryAdmin(Audited, admin.ModelAdmin[ServiceCategory]):
    """Categories are the desk's to edit."""

    list_display = ("name", "skill", "usual_minutes", "typical_low", "typical_high", "currency")
    list_select_related = ("skill",)
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012 (Django's own name and type)


class HistoryInline(ReadOnly, admin.TabularInline[Any, Any]):
    """The transitions, oldest first."""

    fields = ("at", "from_state", "to_state", "actor", "actor_role", "reason")
    extra = 0


class BookingHistoryInline(HistoryInline):
    """Of a booking."""

    model = BookingHistory


class BidHistoryInline(HistoryInline):
    """Of a bid."""

    model = BidHistory


class SessionHistoryInline(HistoryInline):
    """Of a visit."""

    model = SessionHistory


@admin.register(Booking)
class BookingAdmin(ReadOnly, admin.ModelAdmin[Booking]):
    """All bookings but drafts, which are their customers' alone."""

    list_display = ("id", "title", "customer", "category", "status", "area_label", "window_start", "placed_at")
    list_filter = ("status", "category")
    list_select_related = ("customer", "category")
    search_fields = ("title", "customer__email", "postcode")
    inlines = (BookingHistoryInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Booking]:
        """What the desk's own pages know of."""
        return super().get_queryset(request).exclude(status=BookingStatus.DRAFT)


@admin.register(Bid)
class BidAdmin(ReadOnly, admin.ModelAdmin[Bid]):
    """All offers."""

    list_display = ("id", "booking", "technician", "amount", "currency", "revision", "status", "valid_until")
    list_filter = ("status",)
    list_select_related = ("booking", "technician__user")
    inlines = (BidHistoryInline,)


@admin.register(Session)
class SessionAdmin(ReadOnly, admin.ModelAdmin[Session]):
    """All visits; the start code is between customer and technician."""

    list_display = ("id", "booking", "technician", "status", "starts_at", "ends_at", "overlap_allowed")
    list_filter = ("status", "overlap_allowed")
    list_select_related = ("booking", "technician__user")
    exclude = ("start_code",)
    inlines = (SessionHistoryInline,)


@admin.register(RescheduleProposal)
class RescheduleProposalAdmin(ReadOnly, admin.ModelAdmin[RescheduleProposal]):
    """All proposals to move a visit."""

    list_display = ("id", "session", "party", "starts_at", "status", "proposed_at")
    list_filter = ("status",)
