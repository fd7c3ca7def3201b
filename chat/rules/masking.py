"""Phone numbers, e-mail addresses and links are hidden until the job is agreed. Pure; knows no table.

It works on a shadow of the text, letter for letter as long: digits of any script, full-width letters and fancy
dots become plain ones there, so that a pattern finds them; what is found is replaced in the text itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

PHONE, EMAIL, LINK = "[phone number hidden]", "[e-mail address hidden]", "[link hidden]"
Span = tuple[int, int]

DOTS = "\u3002\uff61\u2024\uff0e"
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufe0e\ufe0f\u20e3]")
TOP = (
    "com|net|org|info|biz|co|uk|me|io|de|fr|eu|es|it|nl|pl|pt|ro|ie|ch|at|be|ru|us|ca|au|in|app|dev|online|site|shop|"
    "store|email|link|page|website|xyz|tv|ly|gg|cc|ai|london|plumbing|services|tech|chat|social|contact|edu|gov"
)
# Top domains that are no words of English: only these count where "dot" and the spaces are loose.
LOOSE_TOP = "com|net|org|info|biz|co|uk|io|de|fr|eu|ie|edu|gov|app|dev"
DOT = r"(?:\s?[.\u3002]\s?|\s*[(\[{<]\s*(?:dot|\.)\s*[)\]}>]\s*|\s+dot\s+)"
AT = r"(?:\s?@\s?|\s*[(\[{<]\s*(?:at|@)\s*[)\]}>]\s*)"
# Looked for at the beginning of a word only: from each letter on, a long word costs the square of its length.
NAME = r"(?<![\w+\-.\u00a1-\uffff])[\w+\-.\u00a1-\uffff]+"

EMAILS = re.compile(
    rf"{NAME}@[\w\-]+(?:\.[\w\-]+)+"
    rf"|{NAME}{AT}[\w\-]+(?:{DOT}[\w\-]+)*?{DOT}(?:{LOOSE_TOP})(?:{DOT}uk)?\b"
    rf"|{NAME}(?:\s+dot\s+[\w\-]+)*\s+at\s+[\w\-]+(?:\s+dot\s+[\w\-]+)*?\s+dot\s+(?:{LOOSE_TOP})(?:{DOT}uk)?\b"
    rf"|{NAME}\s*(?:@|\bat\b)\s*(?:gmail|googlemail|hotmail|outlook|yahoo|icloud|proton(?:mail)?|gmx|aol|web\.de)\b"
)
LINKS = re.compile(
    r"\b(?:h..ps?|ftp)\s?:\s?//\S+"
    r"|\bwww\s?\.\s?\S+"
    rf"|(?<![\w\-.])[\w\-.]+\.(?:{TOP})\b(?:[:/?#]\S*)?"
    rf"|(?<![\w\-])[\w\-]+(?:\s*[(\[{{<]\s*(?:dot|\.)\s*[)\]}}>]\s*|\s+dot\s+)(?:{LOOSE_TOP})\b[\w\-.]*(?:\s?/\S*)?"
    r"|\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?/\S*"
)
WORDS = "zero|oh|nought|one|two|three|four|five|six|seven|eight|nine|double|triple"
UNIT = rf"(?:\d|\b(?:{WORDS})\b)"
BETWEEN = r"[\s().\-\u2010-\u2015_/*,+\u2022\u00b7|~]{0,3}"
PHONES = re.compile(rf"\+?(?:\((?=\+?\d{{1,5}}\)))?{UNIT}(?:{BETWEEN}{UNIT}){{6,}}")

# What looks like a number to call and is none: dates, times, prices and sizes. Hidden before phones are looked for.
COIN = r"[\u00a3$\u20ac\u00a5]"
UNITS = r"(?:mm|cm|m|km|in|inch|inches|ft|kg|l|kw|w|v|bar)\b"
FIGURE = r"\d{1,5}(?:\.\d+)?"
HARMLESS = re.compile(
    r"(?<![\d.])(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))(?![-/.]?\d)(?! ?\d{3})"
    r"|(?<!\d)\d{1,2}[:h]\d{2}(?!\d)"
    rf"|{COIN}\s?\d{{1,3}}(?:[, ]\d{{3}}){{0,2}}(?:\.\d{{1,2}})?(?!\d)"
    rf"|{COIN}\s?\d{{1,6}}(?:[.,]\d{{1,2}})?(?!\d)"
    rf"|(?<![\d ])\d{{1,6}}(?:[.,]\d{{1,2}})?\s?(?:{COIN}|(?:gbp|eur|usd|pounds?|euros?|quid)\b)"
    rf"|(?<![\d+]){FIGURE}(?:\s?[x\u00d7*/ ]\s?{FIGURE}){{0,3}}\s?{UNITS}"
)


def mask(text: str) -> str:
    """`text` with everything by which people reach each other outside replaced."""
    text = INVISIBLE.sub("", text)
    shadow = plain(text)
    for pattern, label in ((EMAILS, EMAIL), (LINKS, LINK)):
        text, shadow = replaced(text, shadow, [match.span() for match in pattern.finditer(shadow)], label)
    return replaced(text, shadow, list(phones(shadow)), PHONE)[0]


def plain(text: str) -> str:
    """The shadow: as long as `text`, in lower case, with plain digits, letters and dots."""
    return text.lower() if text.isascii() else "".join(map(plain_letter, text))


def plain_letter(letter: str) -> str:
    """One letter of the shadow."""
    if letter in DOTS:
        return "."
    digit = unicodedata.digit(letter, None)
    if digit is not None:
        return str(digit)
    folded = unicodedata.normalize("NFKC", letter).lower()
    return folded if len(folded) == 1 else letter


def phones(shadow: str) -> Iterator[Span]:
    """Where numbers to call stand: 8 digits or more, or 7 that begin as numbers to call do."""
    looked_at = HARMLESS.sub(lambda match: "\0" * len(match[0]), shadow)
    for match in PHONES.finditer(looked_at):
        found = match[0]
        digits = len(re.findall(UNIT, found))
        begins = found.lstrip("(")[:1] in ("0", "+") or found.startswith(("zero", "oh"))
        if digits < 8 and not begins:
            continue
        if ", " in found and digits < 10 and not begins:  # a list of figures
            continue
        yield match.span()


def replaced(text: str, shadow: str, spans: list[Span], label: str) -> tuple[str, str]:
    """Both with `label` in the place of each span."""
    for start, end in reversed(spans):
        text = text[:start] + label + text[end:]
        shadow = shadow[:start] + label + shadow[end:]
    return text, shadow
