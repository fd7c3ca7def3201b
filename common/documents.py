"""Documents that people send, a photo or a PDF: what one is is read from its content; a view asks who is looking."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import content_disposition_header

from common.refusals import Invalid, TooLarge
from common.uploads import clean_image, clean_name, clean_pdf, is_pdf

ACCEPT = "image/jpeg,image/png,image/webp,image/gif,application/pdf"  # what a file input offers


class Document(NamedTuple):
    """A file that was looked at and may be kept; `name` is what its sender called it."""

    name: str
    content: ContentFile[bytes]


def clean_document(upload: UploadedFile[Any]) -> Document:
    """A photo as a fresh JPEG, a PDF as it is; before any transaction: it takes its time.

    Raises `TooLarge` or `Invalid`, with a sentence that names the file.
    """
    name = clean_name(upload.name or "")
    pdf = is_pdf(upload)
    try:
        return Document(name, clean_pdf(upload) if pdf else clean_image(upload))
    except TooLarge as refusal:
        raise TooLarge(f"{name}: {refusal.sentence}") from None
    except Invalid as refusal:
        sentence = refusal.sentence if pdf else "Only photos (JPEG, PNG, WebP, GIF) and PDF can be sent."
        raise Invalid(f"{name}: {sentence}") from None


def is_picture(kept: FieldFile) -> bool:
    """Whether a stored document is a photo: those were written anew as JPEG when they came."""
    return str(kept.name).endswith(".jpg")


def served(request: HttpRequest, kept: FieldFile, name: str) -> HttpResponse:
    """The file under `name`, for somebody whose access has been asked. Raises `Http404` when it is gone from the disk.

    A browser keeps it but asks each time, so that access is asked each time too: what is unchanged costs no bytes.
    """
    etag = f'"{str(kept.name).rpartition("/")[2]}"'  # a random name, a file never changes
    if etag in [each.strip() for each in request.headers.get("If-None-Match", "").split(",")]:
        response: HttpResponse = HttpResponseNotModified()
    else:
        photo = is_picture(kept)
        response = HttpResponse(content_of(kept), content_type="image/jpeg" if photo else "application/pdf")
        # A PDF may hold scripts: it is saved, and opens outside this site.
        response["Content-Disposition"] = content_disposition_header(not photo, name) or "inline"
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
