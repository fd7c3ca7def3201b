"""Pictures that people send: what they are is read from their content, and only their pixels are kept."""

from __future__ import annotations

import uuid
import warnings
from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models.fields.files import FieldFile
from PIL import Image, ImageOps, UnidentifiedImageError

from common.refusals import Invalid, TooLarge

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 40_000_000  # a file of some kilobytes can unfold to gigabytes: refused from its header
KEPT_SIDE = 2000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


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
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError):
        raise Invalid("That file is not a photo we can read. Send a JPEG, PNG, WebP or GIF.") from None


def reencoded(upload: UploadedFile[Any], side: int) -> bytes:
    """The pixels of `upload`, upright, on white, as JPEG."""
    upload.seek(0)
    with Image.open(upload, formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise too_many_pixels()
        image.draft("RGB", (side * 2, side * 2))
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail((side, side))
        return jpeg(upright)


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


def delete_later(file: FieldFile) -> None:
    """Delete a stored file once the transaction that drops its row has committed."""
    name, storage = file.name, file.storage

    def delete() -> None:
        if name:
            storage.delete(name)

    transaction.on_commit(delete, robust=True)
