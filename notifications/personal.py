"""What notifications holds about a person, and how it forgets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from accounts.holdings import Holding, Section, hold, values_of
from accounts.models import User
from notifications.models import Mail, Notification, Preference, Quiet
from realtime.bulk import bulk_delete


def sections(user: User) -> Iterable[Section]:
    """What they were told, on the page and by mail, and how they want to be."""
    told = Notification.objects.filter(user=user.pk)
    yield Section("notices", values_of(told, "kind", "priority", "text", "url", "count", "at", "read_at"))
    mails = Mail.objects.filter(user=user.pk)
    yield Section("mails", values_of(mails, "kind", "text", "status", "created_at", "sent_at"))
    yield Section("preferences", values_of(Preference.objects.filter(user=user.pk), "kind", "channel", "wanted"))
    yield Section("quiet_hours", values_of(Quiet.objects.filter(user=user.pk), "starts", "ends", "paused_until"))


def forget(user: User, now: datetime) -> None:
    """All of their own, and what others were told of them: its words name them."""
    told = Notification.objects.filter(Q(user=user.pk) | Q(actor=user.pk))
    list(told.select_for_update().order_by("pk").values_list("pk", flat=True))  # as telling locks them
    Mail.objects.filter(Q(user=user.pk) | Q(notification__actor=user.pk)).delete()
    bulk_delete(told)
    Preference.objects.filter(user=user.pk).delete()
    bulk_delete(Quiet.objects.filter(user=user.pk))


hold(Holding("notifications", sections=sections, forget=forget))
