"""Notices, the mails that carry them, and how each person wants to be told."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from realtime.models import LiveModel


class Priority(models.TextChoices):
    """How much it matters; decides how soon a mail goes, and urgent ones pass quiet hours."""

    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"
    URGENT = "urgent", "Urgent"


class Channel(models.TextChoices):
    """A way to reach a person."""

    PAGE = "page", "On the page"
    EMAIL = "email", "By e-mail"


class MailStatus(models.TextChoices):
    """What became of a mail."""

    QUEUED = "queued", "Queued"
    SENT = "sent", "Sent"
    SKIPPED = "skipped", "Skipped"  # read on the page, or no longer wanted, before it went
    FAILED = "failed", "Failed"  # tried often enough


class Notification(LiveModel):
    """What one person is told on the page. While unread, those that grow share a row with others of their group."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=80)
    priority = models.CharField(max_length=8, choices=Priority)
    group = models.CharField(max_length=120, blank=True, help_text="What it is about; empty: it stands by itself.")
    grows = models.BooleanField(default=False, help_text="Whether further ones of its group join it while unread.")
    event = models.CharField(max_length=120, help_text="The newest event it tells.")
    count = models.PositiveIntegerField(default=1)
    text = models.CharField(max_length=300)
    url = models.CharField(max_length=200)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(help_text="When the newest event happened.")
    read_at = models.DateTimeField(null=True)
    toasts = models.BooleanField(default=True, help_text="Whether it may pop up: not in quiet hours.")

    class Meta:
        ordering = ("-at", "-id")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(priority__in=Priority.values), name="notification_priority_is_known"),
            models.CheckConstraint(condition=Q(count__gte=1), name="notification_counts_from_one"),
            models.UniqueConstraint(
                fields=["user", "kind", "group"],
                condition=Q(read_at__isnull=True, grows=True),
                name="notification_group_once_unread",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-at"], name="notification_of_user"),
            models.Index(fields=["user"], condition=Q(read_at__isnull=True), name="notification_unread"),
            models.Index(fields=["read_at"], condition=Q(read_at__isnull=False), name="notification_read"),
        ]

    def __str__(self) -> str:
        return self.text


class Mail(models.Model):
    """One event to be told to one person by e-mail: sent by the clock, retried, at most once an event."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mails")
    notification = models.ForeignKey(Notification, null=True, on_delete=models.SET_NULL, related_name="mails")
    kind = models.CharField(max_length=80)
    priority = models.CharField(max_length=8, choices=Priority)
    event = models.CharField(max_length=120)
    text = models.CharField(max_length=300)
    url = models.CharField(max_length=200)
    status = models.CharField(max_length=8, choices=MailStatus, default=MailStatus.QUEUED)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="Not before.")
    claimed_at = models.DateTimeField(null=True, help_text="When a clock last took it in hand.")
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "event"], name="mail_once_an_event"),
            models.CheckConstraint(condition=Q(status__in=MailStatus.values), name="mail_status_is_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(status=MailStatus.QUEUED), name="mail_due"),
            models.Index(fields=["created_at"], name="mail_created"),
        ]

    def __str__(self) -> str:
        return f"{self.text} ({self.get_status_display()})"


class Preference(models.Model):
    """One person's choice for one kind and channel; without a row the kind's own default holds."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences")
    kind = models.CharField(max_length=80)
    channel = models.CharField(max_length=8, choices=Channel)
    wanted = models.BooleanField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind", "channel"], name="preference_once"),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="preference_channel_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.channel}: {'on' if self.wanted else 'off'}"


class Quiet(LiveModel):
    """When a person wants no toasts and no mails: hours of their own day, or a pause until an instant."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="quiet"
    )
    starts = models.TimeField(null=True, help_text="In the person's own zone; may lie after `ends`: over midnight.")
    ends = models.TimeField(null=True)
    paused_until = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(starts__isnull=True, ends__isnull=True) | Q(starts__isnull=False, ends__isnull=False),
                name="quiet_hours_have_two_ends",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["paused_until"], condition=Q(paused_until__isnull=False), name="quiet_paused")
        ]

    def __str__(self) -> str:
        return f"Quiet hours of {self.user_id}"


class FanOut(models.Model):
    """A notice for many people, written by the action at once and told by the clock in portions."""

    kind = models.CharField(max_length=80)
    event = models.CharField(max_length=120)
    group = models.CharField(max_length=120, blank=True)
    words = models.JSONField(default=dict)
    url = models.CharField(max_length=200)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    people = models.JSONField(help_text="The ids of those still to be told.")

    def __str__(self) -> str:
        return f"{self.kind} to {len(self.people)} people"
