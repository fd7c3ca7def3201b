"""Drawn portraits for the people of the demo: flat shapes, small files, no real face."""

from __future__ import annotations

from io import BytesIO
from typing import NamedTuple

from django.core.files.base import ContentFile
from PIL import Image, ImageDraw

SIDE = 160  # pixels of the finished picture
DRAWN = 640  # drawn larger and scaled down, which smooths the edges

GROUNDS = ("#d7e8ec", "#e9e0d2", "#dfe7d6", "#e8dbe4", "#dbe0f0", "#f0dcd4")
SHIRTS = ("#2f6f7e", "#8a5a2b", "#51733a", "#7d4a6d", "#43539a", "#a8563f")
SKINS = {"a": "#f3d3bd", "b": "#e4b48f", "c": "#c98f64", "d": "#9a6641", "e": "#6b4429"}
HAIRS = {"k": "#211a17", "n": "#4b3021", "m": "#7a4f2c", "g": "#c79a52", "r": "#a4502a", "w": "#b9b7b3"}


class Look(NamedTuple):
    """How somebody looks: `skin` and `hair` are keys of the tables above, `cut` names a function below."""

    skin: str
    hair: str
    cut: str
    beard: bool = False


LOOKS = {
    "Emma Clarke": Look("a", "m", "long"),
    "Omar Haddad": Look("c", "k", "short", beard=True),
    "Priya Nair": Look("c", "k", "long"),
    "Joanna Kowalska": Look("a", "g", "bun"),
    "Daniel Osei": Look("e", "k", "short"),
    "Hannah Whitfield": Look("a", "r", "long"),
    "Mehmet Yilmaz": Look("b", "k", "short", beard=True),
    "Chloe Bennett": Look("d", "n", "curls"),
    "Kwame Boateng": Look("e", "k", "bald", beard=True),
    "Siobhan Murphy": Look("a", "r", "curls"),
    "Rafael Costa": Look("b", "n", "short"),
    "Li Wei Tan": Look("b", "k", "short"),
    "Tariq Aziz": Look("c", "k", "short", beard=True),
    "Lucy Adeyemi": Look("e", "k", "bun"),
    "Anna Novak": Look("a", "g", "long"),
    "Marcus Reid": Look("d", "k", "short", beard=True),
    "Giulia Ferrari": Look("b", "n", "bun"),
    "Tomasz Zielinski": Look("a", "m", "short"),
    "Grace Mensah": Look("e", "k", "curls"),
    "Ben Carter": Look("a", "w", "short", beard=True),
    "Yusuf Demir": Look("b", "n", "short"),
    "Nkechi Okafor": Look("e", "k", "long"),
    "Callum Fraser": Look("a", "r", "short", beard=True),
    "Ines Duarte": Look("b", "n", "long"),
    "Arjun Patel": Look("c", "k", "short"),
    "Sofia Lindqvist": Look("a", "g", "bun"),
    "Delroy Campbell": Look("e", "w", "bald", beard=True),
    "Fatima Rahman": Look("c", "k", "scarf"),
    "Sam Bailey": Look("a", "n", "short"),
    "Dev Malhotra": Look("c", "k", "short", beard=True),
    "Ruth Owusu": Look("e", "k", "curls"),
    "Pavel Hruska": Look("a", "g", "short", beard=True),
    "Maya Thompson": Look("d", "n", "long"),
    "Kenji Sato": Look("b", "k", "short"),
    "Zofia Wrona": Look("a", "m", "bun"),
    "Leon Baptiste": Look("e", "w", "bald", beard=True),
    "Olivia Hart": Look("a", "m", "bun"),
    "Nadia Hughes": Look("d", "n", "long"),
}
ANYBODY = Look("b", "n", "short")


def portrait(name: str) -> ContentFile[bytes]:
    """The portrait of a person of the cast, as a JPEG; the same name is always the same picture."""
    look = LOOKS.get(name, ANYBODY)
    number = sum(map(ord, name))
    image = Image.new("RGB", (DRAWN, DRAWN), GROUNDS[number % len(GROUNDS)])
    draw = ImageDraw.Draw(image)
    shirt = SHIRTS[(number // 7) % len(SHIRTS)]
    hair_behind(draw, look, shirt)
    body(draw, look, shirt)
    face(draw, look)
    hair_before(draw, look, shirt)
    out = BytesIO()
    image.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(out, "JPEG", quality=85, optimize=True)
    return ContentFile(out.getvalue(), name="photo.jpg")


def shade(colour: str, by: float) -> str:
    """A darker tone of `colour`."""
    return "#" + "".join(f"{int(int(colour[i : i + 2], 16) * by):02x}" for i in (1, 3, 5))


def hair_behind(draw: ImageDraw.ImageDraw, look: Look, shirt: str) -> None:
    """What falls behind the head."""
    colour = HAIRS[look.hair]
    if look.cut == "long":
        draw.rounded_rectangle((176, 150, 464, 500), 130, fill=colour)
    elif look.cut == "bun":
        draw.ellipse((258, 50, 382, 174), fill=colour)
    elif look.cut == "curls":
        for x, y in (
            (170, 250),
            (176, 180),
            (235, 125),
            (320, 105),
            (405, 125),
            (464, 180),
            (470, 250),
            (450, 320),
            (190, 320),
        ):
            draw.ellipse((x - 66, y - 66, x + 66, y + 66), fill=colour)
    elif look.cut == "scarf":
        draw.ellipse((164, 96, 476, 480), fill=shade(shirt, 0.8))


def body(draw: ImageDraw.ImageDraw, look: Look, shirt: str) -> None:
    """Shoulders and neck."""
    skin = SKINS[look.skin]
    draw.rounded_rectangle((90, 480, 550, 800), 140, fill=shirt)
    draw.rounded_rectangle((268, 390, 372, 540), 52, fill=shade(skin, 0.88))
    draw.polygon(((244, 480), (320, 580), (396, 480)), fill=shade(skin, 0.88) if look.cut != "scarf" else shirt)


def face(draw: ImageDraw.ImageDraw, look: Look) -> None:
    """Head, ears, eyes and a smile."""
    skin, line = SKINS[look.skin], "#2a211d"
    for x in (196, 444):
        draw.ellipse((x - 28, 270, x + 28, 344), fill=shade(skin, 0.94))
    draw.ellipse((196, 140, 444, 456), fill=skin)
    if look.beard:
        draw.chord((200, 170, 440, 462), 12, 168, fill=HAIRS[look.hair])
        draw.rounded_rectangle((278, 352, 362, 396), 22, fill=skin)
    for x in (272, 368):
        draw.ellipse((x - 12, 282, x + 12, 308), fill=line)
        draw.arc((x - 30, 246, x + 30, 290), 200, 340, fill=shade(HAIRS[look.hair], 0.9), width=9)
    draw.line((320, 300, 314, 340), fill=shade(skin, 0.8), width=8)
    draw.arc((284, 336, 356, 388), 20, 160, fill=shade(skin, 0.45), width=9)


def hair_before(draw: ImageDraw.ImageDraw, look: Look, shirt: str) -> None:
    """What lies over the forehead."""
    colour = HAIRS[look.hair]
    if look.cut == "bald":
        return
    if look.cut == "scarf":
        draw.arc((172, 104, 468, 478), 0, 360, fill=shade(shirt, 0.8), width=46)
        draw.rounded_rectangle((210, 440, 430, 560), 60, fill=shade(shirt, 0.8))
        return
    draw.chord((188, 110, 452, 420), 196, 344, fill=colour)
    if look.cut == "short":
        draw.rounded_rectangle((188, 200, 214, 290), 13, fill=colour)
        draw.rounded_rectangle((426, 200, 452, 290), 13, fill=colour)
    elif look.cut == "long":
        draw.pieslice((180, 120, 330, 400), 150, 280, fill=colour)
        draw.pieslice((310, 120, 460, 400), 260, 30, fill=colour)
