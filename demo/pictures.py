"""Drawn photos for the demo's talks: a boiler's gauge, and a laptop at work."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from math import cos, pi, sin

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 960, 720
INK, PAPER, STEEL, DARK, RED, GREEN, BLUE = "#22282e", "#f4f2ec", "#c4cbd1", "#3b434b", "#c0392b", "#3f8f5b", "#2f6f9e"


def photo(name: str, paint: Callable[[ImageDraw.ImageDraw], None], ground: str) -> SimpleUploadedFile:
    """A picture as a phone would send it: drawn twice as large and scaled down, which smooths the edges."""
    image = Image.new("RGB", (2 * WIDTH, 2 * HEIGHT), ground)
    paint(ImageDraw.Draw(image))
    out = BytesIO()
    image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).save(out, "JPEG", quality=82)
    return SimpleUploadedFile(name, out.getvalue(), content_type="image/jpeg")


def gauge() -> SimpleUploadedFile:
    """A pressure gauge that stands too low."""
    return photo("gauge.jpg", draw_gauge, "#e8e4da")


def laptop() -> SimpleUploadedFile:
    """A laptop that checks its disk."""
    return photo("laptop.jpg", draw_laptop, "#d9c4a5")


def draw_gauge(draw: ImageDraw.ImageDraw) -> None:
    """The lower edge of a boiler with its gauge; the needle stands at half a bar."""
    draw.rectangle((160, -20, 1760, 1300), fill=PAPER, outline=STEEL, width=12)
    for left in (400, 1380):
        draw.rectangle((left, 1300, left + 90, 1440), fill="#b87333")
    x, y, radius = 960, 700, 430
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill="white", outline=DARK, width=36)
    for start, end, colour in ((135, 180, RED), (180, 270, GREEN), (270, 405, STEEL)):
        draw.arc((x - 350, y - 350, x + 350, y + 350), start, end, fill=colour, width=46)
    for step in range(9):
        turn = pi * (0.75 + 1.5 * step / 8)
        points = [(x + reach * cos(turn), y + reach * sin(turn)) for reach in (250, 300)]
        draw.line(points, fill=INK, width=12)
    turn = pi * (0.75 + 1.5 * 0.5 / 4)
    draw.line((x, y, x + 290 * cos(turn), y + 290 * sin(turn)), fill=INK, width=22)
    draw.ellipse((x - 40, y - 40, x + 40, y + 40), fill=INK)


def draw_laptop(draw: ImageDraw.ImageDraw) -> None:
    """Its screen with a bar that is three quarters full, on a table."""
    draw.rounded_rectangle((340, 160, 1580, 980), 40, fill=DARK)
    draw.rectangle((390, 210, 1530, 920), fill=BLUE)
    draw.rounded_rectangle((600, 380, 1320, 760), 24, fill=PAPER)
    for row, width in enumerate((420, 520, 300)):
        draw.rounded_rectangle((660, 440 + 60 * row, 660 + width, 462 + 60 * row), 11, fill=STEEL if row else DARK)
    draw.rounded_rectangle((660, 650, 1260, 700), 25, fill=STEEL)
    draw.rounded_rectangle((660, 650, 1110, 700), 25, fill=GREEN)
    draw.polygon(((240, 1160), (340, 980), (1580, 980), (1680, 1160)), fill=STEEL)
    for row in range(4):
        draw.line((380 - 22 * row, 1010 + 34 * row, 1540 + 22 * row, 1010 + 34 * row), fill=DARK, width=18)
