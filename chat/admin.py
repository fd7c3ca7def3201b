"""Conversations in Django's admin: to look at. What was said is not shown: the desk reads it on its own pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from accounts.raw import ReadOnly
from chat.models import Conversation, Participant, QuickReply


class ParticipantInline(ReadOnly, admin.TabularInline[Any, Any]):
    """The sides and how far they have read."""

    model = Participant
    fields = ("side", "user", "delivered", "read", "marked_at")
    extra = 0


@admin.register(Conversation)
class ConversationAdmin(ReadOnly, admin.ModelAdmin[Conversation]):
    """All conversations."""

    list_display = ("id", "kind", "bid", "person", "subject", "last_seq", "last_at", "unmasked_at")
    list_filter = ("kind",)
    list_select_related = ("bid", "person")
    search_fields = ("person__email", "subject", "bid__booking__title")
    inlines = (ParticipantInline,)


@admin.register(QuickReply)
class QuickReplyAdmin(ReadOnly, admin.ModelAdmin[QuickReply]):
    """Quick replies; edited on the desk's own page."""

    list_display = ("text", "role", "position")
    list_filter = ("role",)
