"""What people may attach: decided by content, named cleanly; what is hostile is refused by its name."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.fields.files import FieldFile
from PIL import Image

from bookings.tests import make
from bookings.tests.make import NOW
from chat.models import Attachment, Message
from chat.tests.say import agreed, say
from common.refusals import Conflict, Invalid, Refusal, TooLarge
from common.uploads import MOST_BYTES, clean_name

PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


def file(name: str, content: bytes, type_: str = "application/octet-stream") -> SimpleUploadedFile:
    """A file as a browser sends it, whatever it says of it."""
    return SimpleUploadedFile(name, content, content_type=type_)


def archive() -> bytes:
    """A zip with a page in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("index.html", "<script>alert(1)</script>")
    return out.getvalue()


def photo(form: str = "JPEG", size: tuple[int, int] = (64, 48)) -> bytes:
    """A picture's bytes."""
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, form)
    return out.getvalue()


def bomb() -> bytes:
    """A PNG of some hundred bytes that unfolds to gigabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def on_disk(kept: FieldFile) -> bytes:
    """What is stored."""
    return Path(kept.path).read_bytes()


@pytest.fixture
def thread(alice, bob, media):
    return agreed(alice, bob)


# --- Kept -----------------------------------------------------------------------------------------


def test_photos_are_re_encoded_with_a_thumbnail(thread, alice):
    exif = Image.Exif()
    exif[0x010F] = "CameraMaker"
    upload = make.picture("Tap.PNG", (2400, 1200), exif=exif)
    row = say(thread, alice, "", files=[upload]).attachments.get()
    assert (row.kind, row.name, row.width, row.height, row.position) == ("image", "Tap.PNG", 2000, 1000, 0)
    data, small = on_disk(row.file), Image.open(io.BytesIO(on_disk(row.thumb)))
    assert (b"CameraMaker" in data, row.size) == (False, len(data))
    assert small.size == (480, 240) and small.format == "JPEG" and not small.getexif()
    assert row.file.name != row.thumb.name and "Tap" not in row.file.name and row.file.name.startswith("messages/")


def test_a_small_photo_is_not_blown_up(thread, alice):
    row = say(thread, alice, "", files=[make.picture(size=(64, 48))]).attachments.get()
    assert Image.open(io.BytesIO(on_disk(row.thumb))).size == (64, 48)


def test_pdf_is_kept_as_it_is_whatever_it_is_called(thread, alice):
    row = say(thread, alice, "", files=[file("invoice.jpg", PDF, "image/jpeg")]).attachments.get()
    assert (row.kind, row.name, row.size, row.width, bool(row.thumb)) == ("pdf", "invoice.jpg", len(PDF), None, False)
    assert on_disk(row.file) == PDF and row.file.name.endswith(".pdf")


def test_several_keep_their_order(thread, alice):
    message = say(thread, alice, "", files=[make.picture("a.jpg"), file("b.pdf", PDF), make.picture("c.jpg")])
    assert list(message.attachments.values_list("name", flat=True)) == ["a.jpg", "b.pdf", "c.jpg"]


# --- Refused --------------------------------------------------------------------------------------

HOSTILE = {
    "page.jpg": b"<!doctype html><script>alert(1)</script>",
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "drawing.png": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "files.zip": archive(),
    "files.jpg": archive(),
    "archive.pdf": archive(),
    "tail.pdf": PDF + archive(),
    "tail-and-end.pdf": PDF + archive() + b"%%EOF",
    "page.pdf": b"%PDF-1.4\n<html><script>alert(1)</script></html>\n%%EOF",
    "cut.pdf": PDF[:-8],
    "late.pdf": b"\n" * 10 + PDF,
    "broken.jpg": photo()[:200],
    "noise.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 500,
    "empty.jpg": b"",
    "program.exe": b"MZ" + b"\0" * 500,
    "movie.mp4": b"\0\0\0\x18ftypmp42" + b"\0" * 500,
    "picture.bmp": photo("BMP"),
    "picture.tiff": photo("TIFF"),
    "words.txt": b"hello",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_photo_and_no_pdf_is_refused_by_name(thread, alice, media, name):
    with pytest.raises(Invalid, match=f"^{name}: "):
        say(thread, alice, "Look", files=[make.picture(), file(name, HOSTILE[name], "image/jpeg")])
    assert not Attachment.objects.exists()
    assert not Message.objects.filter(author=alice).exists()
    assert not (media / "messages").exists()


def test_a_photo_with_an_archive_behind_it_loses_the_archive(thread, alice):
    row = say(thread, alice, "", files=[file("photo.jpg", photo() + archive())]).attachments.get()
    assert not zipfile.is_zipfile(io.BytesIO(on_disk(row.file)))


def test_ten_megabytes_and_no_more(thread, alice):
    fits = PDF + b" " * (MOST_BYTES - 2 * len(PDF)) + PDF
    assert say(thread, alice, "", files=[file("fits.pdf", fits)]).attachments.get().size == MOST_BYTES
    with pytest.raises(TooLarge, match=r"^big\.pdf: .*over 10 MB"):
        say(thread, alice, "", files=[file("big.pdf", fits + b"\n")])
    with pytest.raises(TooLarge, match=r"^big\.jpg: .*over 10 MB"):
        say(thread, alice, "", files=[file("big.jpg", photo() + b"\0" * MOST_BYTES)])


def test_a_decompression_bomb_is_refused_from_its_header(thread, alice):
    assert len(bomb()) < 400
    with pytest.raises(TooLarge, match=r"^bomb\.png: .*megapixels"):
        say(thread, alice, "", files=[file("bomb.png", bomb())])


def test_at_most_six_at_once(thread, alice, settings):
    with pytest.raises(Invalid, match="At most 6"):
        say(thread, alice, "", files=[make.picture() for _ in range(7)])
    assert say(thread, alice, "", files=[make.picture() for _ in range(6)]).attachments.count() == 6
    settings.CHAT = {"FILES_MOST": 1}
    with pytest.raises(Invalid, match="At most 1"):
        say(thread, alice, "", files=[make.picture(), make.picture()])


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\fake\\tap.jpg", "tap.jpg"),
        ("/etc/cron.d/x.jpg", "x.jpg"),
        ("..", "file"),
        ("", "file"),
        ("a/", "file"),
        (".htaccess", "htaccess"),
        ("tap\x00.jpg\r\nX-Evil: 1", "tap.jpgX-Evil: 1"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("a\u2028b\u200bc.jpg", "a bc.jpg"),
        ("x" * 300 + ".jpg", "x" * 96 + ".jpg"),
        ("x" * 300, "x" * 100),
        ("Küchenhahn 漢字 <b>.jpg", "Küchenhahn 漢字 <b>.jpg"),
    ],
)
def test_names_are_cleaned(sent, shown):
    assert clean_name(sent) == shown


# --- Nothing is left behind -----------------------------------------------------------------------


def test_files_of_a_refused_message_do_not_stay(thread, alice, media, monkeypatch):
    """The second file cannot be written: the first one goes again, with the message."""
    calls = []
    save = FileSystemStorage.save

    def fails(self, name, content, **more):
        calls.append(name)
        if len(calls) == 3:
            raise OSError("disk full")
        return save(self, name, content, **more)

    monkeypatch.setattr(FileSystemStorage, "save", fails)
    with pytest.raises(OSError, match="disk full"):
        say(thread, alice, "", files=[make.picture(), make.picture()])
    assert not list((media / "messages").iterdir())
    assert not Message.objects.filter(author=alice).exists()


def test_nothing_is_decoded_for_a_text_that_is_refused(thread, alice, media):
    with pytest.raises(Refusal, match="characters"):
        say(thread, alice, "x" * 4001, files=[make.picture()])
    assert not (media / "messages").exists()


def test_the_same_files_again_are_the_same_message(thread, alice, media):
    pk = uuid4()
    first = say(thread, alice, "", id=pk, files=[make.picture(), file("b.pdf", PDF)])
    assert say(thread, alice, "", id=pk, files=[make.picture(), file("b.pdf", PDF)]) == first
    assert len(list((media / "messages").iterdir())) == 3
    for other in ([make.picture()], [make.picture("other.jpg"), file("b.pdf", PDF)], [file("b.pdf", PDF)]):
        with pytest.raises(Conflict):
            say(thread, alice, "", id=pk, files=other, now=NOW)
