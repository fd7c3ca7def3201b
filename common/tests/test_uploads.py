"""Pictures: what is kept of them, and what is refused."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.fields.files import FieldFile, FileField
from PIL import Image

from common import uploads
from common.refusals import Invalid, TooLarge
from common.uploads import clean_image

RED, BLUE = (220, 20, 20), (20, 20, 220)


def sent(image: Image.Image, form: str = "JPEG", name: str = "holiday.jpg", **options) -> SimpleUploadedFile:
    """The image as a browser sends it."""
    out = BytesIO()
    image.save(out, form, **options)
    return SimpleUploadedFile(name, out.getvalue(), content_type="image/jpeg")


def kept(upload: SimpleUploadedFile) -> Image.Image:
    """What we keep of it."""
    image = Image.open(BytesIO(clean_image(upload).read()))
    image.load()
    return image


def located() -> Image.Exif:
    """EXIF with a place, a camera and an orientation."""
    exif = Image.Exif()
    exif[0x010F] = "CameraMaker"
    exif[0x0112] = 6  # rotated by a quarter
    exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 32.0, 20.0), 3: "W", 4: (0.0, 8.0, 33.0)})
    return exif


class TestKept:
    def test_exif_goes_and_the_picture_stands_upright(self):
        upload = sent(Image.new("RGB", (80, 40), RED), exif=located())
        image = kept(upload)
        assert image.size == (40, 80)
        assert not image.getexif()
        assert b"CameraMaker" not in clean_image(upload).read()

    def test_comments_profiles_and_xmp_go(self):
        upload = sent(
            Image.new("RGB", (10, 10), RED), comment=b"12 Inverness Street", icc_profile=b"profile-of-alice" * 20
        )
        data = clean_image(upload).read()
        assert b"Inverness" not in data
        assert b"profile-of-alice" not in data

    def test_what_hangs_behind_the_end_goes(self):
        upload = sent(Image.new("RGB", (10, 10), RED))
        trailing = SimpleUploadedFile("a.jpg", upload.read() + b"<script>alert(1)</script>")
        assert b"script" not in clean_image(trailing).read()

    @pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
    def test_everything_becomes_a_jpeg(self, form):
        assert kept(sent(Image.new("RGB", (30, 20), RED), form)).format == "JPEG"

    @pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "I;16"])
    def test_other_colour_modes(self, mode):
        form = "JPEG" if mode in ("L", "CMYK") else "PNG"
        assert kept(sent(Image.new(mode, (20, 20)), form)).mode == "RGB"

    def test_what_is_transparent_becomes_white(self):
        image = kept(sent(Image.new("RGBA", (20, 20), (0, 0, 0, 0)), "PNG"))
        assert min(image.getpixel((10, 10))) > 250

    def test_a_palette_with_transparency_too(self):
        flat = Image.new("P", (20, 20), 0)
        flat.putpalette([0, 0, 0] * 256)
        image = kept(sent(flat, "PNG", transparency=0))
        assert min(image.getpixel((10, 10))) > 250

    def test_the_colours_stay(self):
        red, green, blue = kept(sent(Image.new("RGB", (50, 50), RED))).getpixel((25, 25))
        assert red > 180
        assert max(green, blue) < 80

    def test_large_ones_shrink_in_proportion_and_small_ones_do_not_grow(self):
        assert kept(sent(Image.new("RGB", (4000, 1000), RED))).size == (2000, 500)
        assert kept(sent(Image.new("RGB", (40, 10), RED))).size == (40, 10)

    def test_the_side_can_be_smaller(self):
        data = clean_image(sent(Image.new("RGB", (800, 800), RED)), side=100).read()
        assert Image.open(BytesIO(data)).size == (100, 100)

    def test_of_an_animation_the_first_frame(self):
        frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, BLUE)]
        image = kept(sent(frames[0], "GIF", save_all=True, append_images=frames[1:]))
        assert image.getpixel((10, 10))[0] > 180

    def test_the_name_is_random_and_tells_nothing(self):
        names = {clean_image(sent(Image.new("RGB", (5, 5)), name="../../Alice.php")).name for _ in range(3)}
        assert len(names) == 3
        assert all(len(name) == 36 and name.endswith(".jpg") for name in names)


class TestRefused:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"not a picture at all",
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            b"%PDF-1.4",
            b"\xff\xd8\xff\xe0 cut",
            b"GIF89a",
        ],
    )
    def test_what_is_no_picture_whatever_its_name_says(self, content):
        with pytest.raises(Invalid, match="not a photo we can read"):
            clean_image(SimpleUploadedFile("photo.jpg", content, content_type="image/jpeg"))

    @pytest.mark.parametrize("form", ["BMP", "TIFF", "ICO", "EPS"])
    def test_formats_that_we_do_not_take(self, form):
        with pytest.raises(Invalid):
            clean_image(sent(Image.new("RGB", (16, 16), RED), form))

    def test_one_that_ends_in_the_middle(self):
        data = sent(Image.effect_noise((200, 200), 80).convert("RGB")).read()
        with pytest.raises(Invalid):
            clean_image(SimpleUploadedFile("a.jpg", data[: len(data) // 2]))

    def test_too_many_bytes(self):
        upload = sent(Image.new("RGB", (10, 10)))
        with pytest.raises(TooLarge, match="over 0 MB"):
            clean_image(upload, most_bytes=upload.size - 1)
        clean_image(upload, most_bytes=upload.size)

    def test_a_bomb_is_refused_from_its_header(self, monkeypatch):
        """Some hundred bytes that claim 50,000 by 50,000 pixels: nothing is unpacked."""
        monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("unpacked"))
        with pytest.raises(TooLarge, match="megapixels"):
            clean_image(SimpleUploadedFile("bomb.png", bomb(50_000, 50_000)))

    def test_one_that_is_large_but_below_pillows_own_limit(self, monkeypatch):
        monkeypatch.setattr(uploads, "MOST_PIXELS", 100)
        with pytest.raises(TooLarge, match="megapixels"):
            clean_image(sent(Image.new("RGB", (11, 10))))


def bomb(width: int, height: int) -> bytes:
    """A PNG that claims that size and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("error", [struct.error, TypeError, KeyError, IndexError, OverflowError])
def test_broken_exif_is_refused_in_words(error, monkeypatch):
    def broken(*_, **__):
        raise error("as Pillow does")

    monkeypatch.setattr(uploads.ImageOps, "exif_transpose", broken)
    with pytest.raises(Invalid, match="not a photo we can read"):
        clean_image(sent(Image.new("RGB", (10, 10))))


class TestFilesUndone:
    def kept(self, folder, name: str = "a.jpg") -> FieldFile:
        (folder / name).write_bytes(b"x")
        file = FieldFile(None, FileField(storage=FileSystemStorage(folder)), name)
        uploads.stored(file)
        return file

    def test_a_file_goes_when_its_block_fails(self, tmp_path):
        with pytest.raises(Invalid), uploads.files_undone():
            self.kept(tmp_path)
            raise Invalid("No.")
        assert not list(tmp_path.iterdir())

    def test_and_stays_when_it_does_not(self, tmp_path):
        with uploads.files_undone():
            self.kept(tmp_path)
        self.kept(tmp_path, "outside.jpg")
        assert len(list(tmp_path.iterdir())) == 2

    def test_the_outer_block_decides(self, tmp_path):
        with pytest.raises(Invalid), uploads.files_undone():
            with uploads.files_undone():
                self.kept(tmp_path)
            raise Invalid("No.")
        assert not list(tmp_path.iterdir())

    def test_a_file_of_a_failed_inner_block_is_no_trouble_to_the_outer(self, tmp_path):
        with uploads.files_undone():
            self.kept(tmp_path, "b.jpg")
            with pytest.raises(Invalid), uploads.files_undone():
                self.kept(tmp_path)
                raise Invalid("No.")
        assert [path.name for path in tmp_path.iterdir()] == ["b.jpg"]


class TestDeleteLater:
    def field_file(self, storage, name) -> FieldFile:
        return FieldFile(None, FileField(storage=storage), name)

    def test_the_file_goes_with_the_commit(self, tmp_path, db, django_capture_on_commit_callbacks):
        path = tmp_path / "a.jpg"
        path.write_bytes(b"x")
        with django_capture_on_commit_callbacks(execute=True):
            uploads.delete_later(self.field_file(FileSystemStorage(tmp_path), "a.jpg"))
            assert path.exists()
        assert not path.exists()

    def test_a_file_that_is_gone_already_is_no_trouble(self, tmp_path, db, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            uploads.delete_later(self.field_file(FileSystemStorage(tmp_path), "gone.jpg"))
            uploads.delete_later(self.field_file(FileSystemStorage(tmp_path), ""))
