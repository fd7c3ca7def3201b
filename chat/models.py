"""Conversations, messages and how far each side has read them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Role
from bookings.models import Bid
from realtime.models import LiveModel


class ConversationKind(models.TextChoices):
    """Between whom."""

    JOB = "job", "About a job"  # customer, a technician with an offer or the visit, the desk
    DESK = "desk", "With the desk"  # one person and the desk
    BROADCAST = "broadcast", "From the desk to several"  # read only, but for the desk


class Side(models.TextChoices):
    """On whose behalf somebody speaks. The desk is one side, whoever of it writes."""

    CUSTOMER = "customer", "Customer"
    TECHNICIAN = "technician", "Technician"
    DRIVER = "driver", "Driver"
    DESK = "desk", "Desk"
    SYSTEM = "system", "Callout"


class AttachmentKind(models.TextChoices):
    """What a file is, by its content."""

    IMAGE = "image", "Photo"
    PDF = "pdf", "PDF"


def file_path(attachment: models.Model, name: str) -> str:
    """Where an attachment is kept: a random name, so that a path tells nothing and cannot be guessed."""
    return f"messages/{uuid.uuid4().hex}.{name.rpartition('.')[2]}"


class Conversation(LiveModel):
    """One thread. Its messages are numbered by `seq`, given under the lock of this row."""

    kind = models.CharField(max_length=10, choices=ConversationKind)
    bid = models.OneToOneField(Bid, null=True, on_delete=models.CASCADE, related_name="conversation")
    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="desk_conversation"
    )
    subject = models.CharField(max_length=120, blank=True, help_text="Of a broadcast.")
    unmasked_at = models.DateTimeField(null=True, help_text="When phone numbers and the like came into the open.")
    created_at = models.DateTimeField(default=timezone.now)
    last_seq = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(default=timezone.now, help_text="When something was last said.")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind=ConversationKind.JOB, bid__isnull=False, person__isnull=True)
                | Q(kind=ConversationKind.DESK, bid__isnull=True, person__isnull=False)
                | Q(kind=ConversationKind.BROADCAST, bid__isnull=True, person__isnull=True),
                name="conversation_is_about_one_thing",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["-last_at"], name="conversation_newest")]

    def __str__(self) -> str:
        return f"Conversation {self.pk} ({self.get_kind_display()})"


class Participant(LiveModel):
    """One side of a conversation and its two high-water marks. Without a user it is the desk."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="participants")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="talks")
    side = models.CharField(max_length=10, choices=Side)
    delivered = models.PositiveIntegerField(default=0, help_text="The last message that reached a page of theirs.")
    read = models.PositiveIntegerField(default=0, help_text="The last message that was on their screen.")
    marked_at = models.DateTimeField(null=True, help_text="When the marks were last written.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["conversation", "user"], name="participant_once"),
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(user__isnull=True), name="participant_one_desk"
            ),
            models.CheckConstraint(condition=Q(delivered__gte=models.F("read")), name="participant_read_was_delivered"),
        ]
        indexes: ClassVar = [models.Index(fields=["user", "conversation"], name="participant_of_user")]

    def __str__(self) -> str:
        return f"{self.get_side_display()} in conversation {self.conversation_id}"


class Message(LiveModel):
    """Something said, or a line of the system's about the job. Its id comes from the browser."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    seq = models.PositiveIntegerField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="messages")
    side = models.CharField(max_length=10, choices=Side)
    text = models.TextField(max_length=4000, blank=True)
    at = models.DateTimeField(help_text="When the server took it.")
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("seq",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="message_seq_once"),
            models.CheckConstraint(
                condition=Q(side=Side.SYSTEM, author__isnull=True) | (~Q(side=Side.SYSTEM) & Q(author__isnull=False)),
                name="message_has_an_author",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["author", "at"], name="message_of_author")]

    def __str__(self) -> str:
        return self.text[:60]


class Attachment(LiveModel):
    """A file of a message. It has no address of its own: a view that asks who is looking serves it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    kind = models.CharField(max_length=5, choices=AttachmentKind)
    file = models.FileField(upload_to=file_path)
    thumb = models.ImageField(upload_to=file_path, blank=True)
    name = models.CharField(max_length=100, help_text="As its sender called it, cleaned.")
    size = models.PositiveIntegerField(help_text="Bytes, as kept.")
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("position",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message", "position"], name="attachment_position_once")
        ]

    def __str__(self) -> str:
        return self.name


class QuickReply(LiveModel):
    """A sentence at hand for one role, kept by the desk."""

    role = models.CharField(max_length=12, choices=Role)
    text = models.CharField(max_length=200)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("role", "position", "id")
        verbose_name_plural = "quick replies"
        constraints: ClassVar = [models.UniqueConstraint(fields=["role", "text"], name="quick_reply_once")]

    def __str__(self) -> str:
        return self.text
