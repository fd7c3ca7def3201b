"""A message's file as an answer: never from a guessable path, never kept beyond the right to see it."""

from __future__ import annotations

from typing import Any

from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import content_disposition_header

from chat.models import Attachment, AttachmentKind
from chat.rules.masking import mask
from chat.seen import is_masked

# What a file is was read from its content when it came; photos were re-encoded as JPEG.
TYPES: dict[Any, str] = {AttachmentKind.IMAGE: "image/jpeg", AttachmentKind.PDF: "application/pdf"}


def served(request: HttpRequest, attachment: Attachment, kept: FieldFile) -> HttpResponse:
    """The file, for somebody whose access has been asked. Raises `Http404` when it is gone from the disk.

    A browser keeps it but asks each time, so that access is asked each time too: what is unchanged costs no bytes.
    """
    etag = f'"{str(kept.name).rpartition("/")[2]}"'  # a random name, a file never changes
    if etag in [each.strip() for each in request.headers.get("If-None-Match", "").split(",")]:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(content_of(kept), content_type=TYPES[attachment.kind])
        # A PDF may hold scripts: it is saved, and opens outside this site.
        as_download = attachment.kind == AttachmentKind.PDF
        name = mask(attachment.name) if is_masked(attachment.message) else attachment.name
        response["Content-Disposition"] = content_disposition_header(as_download, name) or "inline"
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def content_of(kept: FieldFile) -> bytes:
    """The bytes on the disk."""
    try:
        with kept.open("rb") as file:
            return bytes(file.read())
    except FileNotFoundError:
        raise Http404 from None
