"""The desk's messages: every conversation in a list, one of them open beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import role_required, signed_in
from accounts.models import Role
from adminpanel.live.messages import receipts_topic
from adminpanel.talk.listing import Found
from chat import access
from chat.live import desk_talks_topic
from chat.models import Conversation, ConversationKind, Participant
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
    thread, sides = access.conversation_and_sides(signed_in(request), pk)
    context = {**listed(request), **conversation_context(request, thread, sides=sides), **about(request, thread, sides)}
    return render(request, "adminpanel/conversation.html", context)


def listed(request: HttpRequest) -> dict[str, Any]:
    """The list."""
    return {"found": Found(request.GET), "list_topic": desk_talks_topic()}


def about(request: HttpRequest, thread: Conversation, sides: Sequence[Participant]) -> dict[str, Any]:
    """What only the desk sees beside a conversation: who talks, the job's record, who has read a broadcast."""
    context: dict[str, Any] = {"conversation": thread}
    if thread.bid is not None:
        booking = thread.bid.booking
        context["under"] = f"{booking.customer} and {thread.bid.technician}"
        context["record"] = reverse("desk:booking", args=[booking.pk])
        if booking.is_active:
            context["new_leg"] = f"{reverse('desk:leg_new')}?booking={booking.pk}"
    if thread.kind == ConversationKind.BROADCAST:
        people = sorted((each for each in sides if each.user is not None), key=lambda each: (str(each.user), each.pk))
        page = Paginator(people, RECEIPTS).get_page(request.GET.get("receipts"))
        number = len(people)
        context |= {
            "under": "To one person" if number == 1 else f"To {number} people",
            "receipts": page,
            "receipt_rows": {str(each.pk): each for each in page},
            "receipts_topic": receipts_topic(thread.pk),
        }
    return context
