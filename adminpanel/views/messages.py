"""The desk's messages: every conversation in a list, one of them open beside it."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import role_required, signed_in
from accounts.models import Role
from adminpanel.lists import Found
from adminpanel.live import receipts_topic
from chat import access
from chat.live import desk_talks_topic
from chat.models import Conversation, ConversationKind
from chat.views import conversation_context
from realtime.pages import live_page

RECEIPTS = 100


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="close")
def conversations(request: HttpRequest) -> HttpResponse:
    """All of them, filtered and searched."""
    return render(request, "adminpanel/messages.html", listed(request))


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="close")
def conversation(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them, beside the same list."""
    thread = access.conversation_for(signed_in(request), pk)
    context = {**listed(request), **conversation_context(request, thread), **about(request, thread)}
    return render(request, "adminpanel/conversation.html", context)


def listed(request: HttpRequest) -> dict[str, Any]:
    """The list."""
    return {"found": Found(request.GET), "list_topic": desk_talks_topic()}


def about(request: HttpRequest, thread: Conversation) -> dict[str, Any]:
    """What only the desk sees beside a conversation: who talks, the job's record, who has read a broadcast."""
    context: dict[str, Any] = {"conversation": thread}
    if thread.bid is not None:
        booking = thread.bid.booking
        context["under"] = f"{booking.customer} and {thread.bid.technician}"
        context["record"] = reverse("admin:bookings_booking_change", args=[booking.pk])
        if booking.is_active:
            context["new_leg"] = f"{reverse('desk:leg_new')}?booking={booking.pk}"
    if thread.kind == ConversationKind.BROADCAST:
        people = thread.participants.exclude(user=None).order_by("user__name", "pk")
        page = Paginator(people.values_list("pk", flat=True), RECEIPTS).get_page(request.GET.get("receipts"))
        number = page.paginator.count
        context |= {
            "under": "To one person" if number == 1 else f"To {number} people",
            "receipts": page,
            "receipts_topic": receipts_topic(thread.pk),
        }
    return context
