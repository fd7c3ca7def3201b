"""A message's file as an answer: never from a guessable path, never kept beyond the right to see it."""

from __future__ import annotations

from django.db.models.fields.files import FieldFile
from django.http import HttpRequest, HttpResponse

from chat.models import Attachment
from chat.rules.masking import mask
from chat.seen import is_masked
from common import documents


def served(request: HttpRequest, attachment: Attachment, kept: FieldFile) -> HttpResponse:
    """The file, for somebody whose access has been asked; its name hides what the conversation hides."""
    name = mask(attachment.name) if is_masked(attachment.message) else attachment.name
    return documents.served(request, kept, name)
