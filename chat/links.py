"""Where a notice, a row or a sentence leads: the one place that names addresses of pages."""

from __future__ import annotations

from django.urls import reverse


def conversation_url(pk: int) -> str:
    """A conversation, for the people in it."""
    return reverse("chat:conversation", args=[pk])


def desk_url(pk: int) -> str:
    """The same, for the desk."""
    return reverse("desk:conversation", args=[pk])


def messages_url() -> str:
    """Everything a person talks about."""
    return reverse("chat:list")


def desk_messages_url() -> str:
    """The same, for the desk."""
    return reverse("desk:messages")
