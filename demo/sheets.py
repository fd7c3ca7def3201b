"""Papers as people send them to the desk, drawn and typed: an identity card, a certificate, a damp floor."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw, ImageFont

from accounts.models import User
from common.documents import Document
from demo.pictures import BLUE, DARK, INK, PAPER, RED, STEEL, photo

CARD = (640, 404)
FACE = 190
LEFT, TOP, LINE = 72, 760, 26  # of a typed page, in points


def identity_card(user: User, number: str, until: str) -> Document:
    """A card with its holder's face, and a word across it that says that it is none."""
    image = Image.new("RGB", CARD, "#e6edf2")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, CARD[0], 66), fill=BLUE)
    draw.text((28, 18), "IDENTITY CARD", font=ImageFont.load_default(28), fill=PAPER)
    if user.photo:
        with user.photo.open("rb") as file, Image.open(file) as face:
            image.paste(face.convert("RGB").resize((FACE, FACE)), (28, 104))
    for row, (label, said) in enumerate((("Name", user.name), ("Number", number), ("Valid until", until))):
        top = 104 + 66 * row
        draw.text((246, top), label, font=ImageFont.load_default(15), fill=DARK)
        draw.text((246, top + 20), said, font=ImageFont.load_default(24), fill=INK)
    draw.text((28, 340), "SPECIMEN  SPECIMEN  SPECIMEN", font=ImageFont.load_default(32), fill=RED)
    out = BytesIO()
    image.save(out, "JPEG", quality=82)
    return Document("identity-card.jpg", ContentFile(out.getvalue(), name="card.jpg"))


def certificate(name: str, title: str, lines: Sequence[str]) -> Document:
    """One typed page, as a PDF that asks for no program to write it."""
    return Document(name, ContentFile(pdf(title, lines), name="page.pdf"))


def pdf(title: str, lines: Sequence[str]) -> bytes:
    """A page of A4 with a heading and lines below it, after ISO 32000-1, 7.5: objects, their places, a trailer."""
    typed = [f"BT /F2 22 Tf {LEFT} {TOP} Td {quoted(title)} Tj ET"]
    typed += [
        f"BT /F1 13 Tf {LEFT} {TOP - 28 - LINE * (row + 1)} Td {quoted(line)} Tj ET" for row, line in enumerate(lines)
    ]
    stream = "\n".join(typed)
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /{} /Encoding /WinAnsiEncoding >>"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>",
        f"<< /Length {len(stream.encode('cp1252'))} >>\nstream\n{stream}\nendstream",
        font.format("Helvetica"),
        font.format("Helvetica-Bold"),
    )
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n".encode("cp1252")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    count = len(objects) + 1
    end = f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<< /Size {count} /Root 1 0 R >>\n"
    return out + f"{end}startxref\n{len(out)}\n%%EOF\n".encode()


def quoted(line: str) -> str:
    """A line as a PDF's string."""
    return "(" + line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") + ")"


def damp_floor() -> SimpleUploadedFile:
    """A radiator's valve, and the floor below it wet."""
    return photo("radiator.jpg", draw_radiator, "#e9e3d6")


def draw_radiator(draw: ImageDraw.ImageDraw) -> None:
    """Its ribs, the pipe into the floor, a drop and a puddle."""
    draw.rectangle((0, 1120, 1920, 1440), fill="#b08a5e")
    for rib in range(9):
        draw.rounded_rectangle((500 + 150 * rib, 260, 630 + 150 * rib, 960), 50, fill=PAPER, outline=STEEL, width=10)
    draw.rectangle((330, 860, 500, 900), fill=STEEL)
    draw.rectangle((310, 820, 370, 1140), fill="#b87333")
    draw.rounded_rectangle((270, 800, 410, 930), 26, fill=DARK)
    draw.ellipse((318, 980, 362, 1050), fill=BLUE)
    draw.ellipse((90, 1160, 900, 1330), fill="#7d94a3")
    draw.ellipse((170, 1180, 700, 1290), fill="#9db1bd")
