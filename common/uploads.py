"""Pictures that people send: what they are is read from their content, and only their pixels are kept."""

from __future__ import annotations

import re
import struct
import unicodedata
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models.fields.files import FieldFile
from PIL import Image, ImageOps, UnidentifiedImageError

from common.refusals import Invalid, TooLarge

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 40_000_000  # a file of some kilobytes can unfold to gigabytes: refused from its header
KEPT_SIDE = 2000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
ZIP_TAIL = 65_557  # bytes: where the directory of an archive may begin, its comment included
ZIP_SIGNS = (b"PK\x05\x06", b"PK\x06\x06")
PAGE_SIGNS = (b"<html", b"<script", b"<!doctype", b"<svg", b"<body")
# What Pillow raises for broken files; the last four for broken EXIF, found by feeding it damaged pictures.
UNREADABLE = (
    UnidentifiedImageError,
    OSError,
    ValueError,
    SyntaxError,
    struct.error,
    TypeError,
    LookupError,
    ArithmeticError,
)


def clean_image(
    upload: UploadedFile[Any], *, most_bytes: int = MOST_BYTES, side: int = KEPT_SIDE
) -> ContentFile[bytes]:
    """The picture as a fresh JPEG under a random name: no EXIF, no place, no comment, nothing behind its end.

    Its longer side is `side` pixels at most. Raises `TooLarge` (bytes or pixels), `Invalid` (no picture).
    """
    if (upload.size or 0) > most_bytes:
        raise TooLarge(f"That photo is over {most_bytes // 1024 // 1024} MB. Choose a smaller one.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is lower
            return ContentFile(reencoded(upload, side), name=f"{uuid.uuid4().hex}.jpg")
    except Image.DecompressionBombError:
        raise too_many_pixels() from None
    except UNREADABLE:
        raise Invalid("That file is not a photo we can read. Send a JPEG, PNG, WebP or GIF.") from None


def reencoded(upload: UploadedFile[Any], side: int) -> bytes:
    """The pixels of `upload`, upright, on white, as JPEG."""
    upload.seek(0)
    with Image.open(upload, formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise too_many_pixels()
        image.draft("RGB", (side * 2, side * 2))
        image.thumbnail((side, side))  # before it is turned, which makes a copy
        return jpeg(ImageOps.exif_transpose(image))


def jpeg(image: Image.Image) -> bytes:
    """`image` pasted onto a new one: what hangs on it besides pixels (a comment, a profile) stays behind."""
    plain = Image.new("RGB", image.size, "white")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        plain.paste(image, mask=image.getchannel("A"))
    else:
        plain.paste(image.convert("RGB"))
    out = BytesIO()
    plain.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()


def too_many_pixels() -> TooLarge:
    """The refusal for a picture that would not fit into memory."""
    return TooLarge(f"That photo has more than {MOST_PIXELS // 1_000_000} megapixels. Choose a smaller one.")


def smaller(image: ContentFile[bytes], side: int) -> ContentFile[bytes]:
    """A thumbnail of a picture that `clean_image` gave: its longer side is `side` pixels at most."""
    image.seek(0)
    with Image.open(image, formats=("JPEG",)) as whole:
        whole.draft("RGB", (side, side))
        whole.thumbnail((side, side))
        made = ContentFile(jpeg(whole), name=f"{uuid.uuid4().hex}.jpg")
    image.seek(0)
    return made


def dimensions(image: ContentFile[bytes]) -> tuple[int, int]:
    """Width and height of a picture that `clean_image` gave, from its header."""
    image.seek(0)
    with Image.open(image, formats=("JPEG",)) as whole:
        size = whole.size
    image.seek(0)
    return size


def is_pdf(upload: File[Any]) -> bool:
    """Whether the content begins as a PDF does, whatever it is called."""
    upload.seek(0)
    begins: bytes = upload.read(5)
    upload.seek(0)
    return begins == b"%PDF-"


def clean_pdf(upload: UploadedFile[Any], *, most_bytes: int = MOST_BYTES) -> ContentFile[bytes]:
    """The PDF as it is, under a random name. Raises `TooLarge`, or `Invalid` where it is broken or something else too.

    A file can be a PDF for one program and an archive or a page for another: what a reader of those would open is
    refused. The bytes are kept as they are, so they are only ever served as a download.
    """
    if (upload.size or 0) > most_bytes:
        raise TooLarge(f"That PDF is over {most_bytes // 1024 // 1024} MB. Choose a smaller one.")
    upload.seek(0)
    data: bytes = upload.read()
    if not data.startswith(b"%PDF-") or b"%%EOF" not in data[-1024:]:
        raise Invalid("That PDF is broken or cut short. Save it again and send that.")
    if any(sign in data[-ZIP_TAIL:] for sign in ZIP_SIGNS) or any(sign in data[:1024].lower() for sign in PAGE_SIGNS):
        raise Invalid("That PDF has another file hidden in it. Save it again as a plain PDF.")
    return ContentFile(data, name=f"{uuid.uuid4().hex}.pdf")


def clean_name(name: str, *, longest: int = 100) -> str:
    """What a sender called a file, for showing: no path, no control letters, nothing that turns the direction."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(letter for letter in last if unicodedata.category(letter)[0] != "C")
    plain = re.sub(r"\s+", " ", unicodedata.normalize("NFC", plain)).strip(". ")
    stem, dot, ending = plain.rpartition(".")
    if dot and len(ending) <= 8 and len(plain) > longest:
        return f"{stem[: longest - len(ending) - 1]}.{ending}"
    return plain[:longest] or "file"


_stored: ContextVar[list[FieldFile] | None] = ContextVar("stored", default=None)


@contextmanager
def files_undone() -> Iterator[None]:
    """What `stored` named inside is deleted again when the block fails: a rollback undoes rows, never files.

    Put it around the transaction. Within another such block the outer one decides in the end.
    """
    outer, own = _stored.get(), list[FieldFile]()
    token = _stored.set(own)
    try:
        yield
    except BaseException:
        for file in own:
            file.storage.delete(str(file.name))
        raise
    finally:
        _stored.reset(token)
    if outer is not None:
        outer.extend(own)


def stored(file: FieldFile) -> None:
    """Name a file that was just written, for `files_undone`."""
    if (files := _stored.get()) is not None:
        files.append(file)


def delete_later(file: FieldFile) -> None:
    """Delete a stored file once the transaction that drops its row has committed."""
    name, storage = file.name, file.storage

    def delete() -> None:
        if name:
            storage.delete(name)

    transaction.on_commit(delete, robust=True)
