"""What of a typed text is kept: words and line breaks, nothing that turns, hides or piles up."""

from __future__ import annotations

import re
import unicodedata

from chat.rules.numbers import number
from common.refusals import Invalid

# Overrides and isolates of the writing direction turn the words around them, other people's included.
BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Everything a terminal or a browser may take for an order, but for tab and line feed; lone surrogates, which
# no database takes; interlinear marks, tags and the byte order mark.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\ufeff\ufff9-\ufffb\U000e0001-\U000e007f]")
MARKS_MOST = 5  # combining marks on one letter; no script that people write needs more
EMPTY_LINES = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")


def clean_text(typed: str, *, empty_allowed: bool = False) -> str:
    """The text as it is kept. Raises `Invalid` where it is empty, unless a file goes with it, or too long."""
    text = typed.replace("\r\n", "\n").replace("\r", "\n")
    text = CONTROL.sub("", BIDI.sub("", text))
    text = EMPTY_LINES.sub("\n\n", few_marks(text)).strip()
    most = number("TEXT_MOST")
    if len(text) > most:
        raise Invalid(f"That is {len(text):,} characters long, and {most:,} is the most. Make two of it.")
    if not shows_something(text):
        if not empty_allowed:
            raise Invalid("There is nothing in that message yet. Write something, or add a file.")
        return ""
    return text


def few_marks(text: str) -> str:
    """`text` with at most a handful of combining marks on each letter: thousands of them cover half a page."""
    if text.isascii():
        return text
    kept, run = [], 0
    for letter in text:
        run = run + 1 if unicodedata.category(letter) in ("Mn", "Me") else 0
        if run <= MARKS_MOST:
            kept.append(letter)
    return "".join(kept)


def shows_something(text: str) -> bool:
    """Whether there is a letter in it that can be seen."""
    return any(not (letter.isspace() or unicodedata.category(letter) in ("Cf", "Mn", "Me")) for letter in text)
