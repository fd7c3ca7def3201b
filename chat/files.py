"""The files of a message: what they are is read from their content; what cannot be shown safely is refused by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile

from chat.models import Attachment, AttachmentKind, Message
from chat.rules.numbers import number
from common.documents import clean_document
from common.refusals import Invalid
from common.uploads import delete_later, dimensions, is_pdf, smaller, stored
from realtime.bulk import bulk_create

THUMB_SIDE = 480


@dataclass(frozen=True)
class Ready:
    """A file that was looked at and may be kept."""

    name: str
    kind: str
    content: ContentFile[bytes]
    thumb: ContentFile[bytes] | None = None
    width: int | None = None
    height: int | None = None

    @property
    def print(self) -> tuple[str, int]:
        """What a repeated message is known by."""
        return self.name, self.content.size


def ready(files: Sequence[UploadedFile[Any]]) -> list[Ready]:
    """All of them, decoded. Before any transaction: it takes its time. Raises `Invalid` or `TooLarge`."""
    most = number("FILES_MOST")
    if len(files) > most:
        raise Invalid(f"At most {most} files at once. Send the others with another message.")
    return [prepare(file) for file in files]


def prepare(file: UploadedFile[Any]) -> Ready:
    """One file; its refusal names it."""
    name, content = clean_document(file)
    if is_pdf(content):
        return Ready(name, AttachmentKind.PDF, content)
    width, height = dimensions(content)
    return Ready(name, AttachmentKind.IMAGE, content, smaller(content, THUMB_SIDE), width, height)


def keep(message: Message, files: Iterable[Ready]) -> list[Attachment]:
    """Store the files and their rows, in order; inside `files_undone` and the transaction."""
    rows = []
    for position, file in enumerate(files):
        row = Attachment(message=message, kind=file.kind, name=file.name, size=file.content.size, position=position)
        row.width, row.height = file.width, file.height
        for field, content in ((row.file, file.content), (row.thumb, file.thumb)):
            if content is not None:
                field.save(str(content.name), content, save=False)
                stored(field)
        rows.append(row)
    return bulk_create(Attachment, rows) if rows else []


def forget(message: Message) -> None:
    """Delete the files of a message with their rows."""
    for row in message.attachments.all():
        for field in (row.file, row.thumb):
            delete_later(field)
        row.delete()
