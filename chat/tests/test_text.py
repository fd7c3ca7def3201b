"""What of a typed text is kept."""

from __future__ import annotations

import unicodedata

import pytest

from chat.rules.text import clean_text
from common.refusals import Invalid


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Hello", "Hello"),
        ("  Hello \n", "Hello"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("a\n \n\t\n \nb", "a\n\nb"),
        ("a\n\nb", "a\n\nb"),
        ("a\x00b\x07c\x1bd\x7fe\x9bf", "abcdef"),
        ("a\tb", "a\tb"),
        ("\u202eolleh\u202c", "olleh"),
        ("a\u2066b\u2067c\u2068d\u2069e", "abcde"),
        ("a\ud800b", "ab"),
        ("a\ufeffb\u2028c\u2029d", "abcd"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("e\u0301 a\u0323\u0302", "e\u0301 a\u0323\u0302"),
        ("👩🏽‍🔧 ❤️", "👩🏽‍🔧 ❤️"),
        ("שלום عَرَبِيّ ไม่เป็นไร", "שלום عَرَبِيّ ไม่เป็นไร"),
        ("<b>1 < 2 & 3</b>", "<b>1 < 2 & 3</b>"),
    ],
)
def test_words_are_kept_and_tricks_are_not(typed, kept):
    assert clean_text(typed) == kept


def test_ten_thousand_combining_marks_are_a_handful():
    kept = clean_text("a" + "\u0301\u0489" * 5000 + "b")
    assert kept[0] == "a" and kept[-1] == "b"
    assert sum(unicodedata.combining(letter) > 0 or unicodedata.category(letter) == "Me" for letter in kept) == 5


def test_no_control_or_direction_is_left_of_any_letter():
    everything = "".join(map(chr, (*range(0xD7FF), *range(0xE000, 0x30000))))
    with pytest.raises(Invalid):
        clean_text(everything)  # far too long
    for start in range(0, len(everything), 3000):
        kept = clean_text("x" + everything[start : start + 3000])
        assert not [letter for letter in kept if unicodedata.category(letter) == "Cc" and letter not in "\n\t"]
        assert not set(kept) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@pytest.mark.parametrize(
    "typed", ["", " ", "\n\n", "\u200b", "\u200b \u2060", "\u0301", "\x00", "\u202e\u2066", "\ufe0f"]
)
def test_nothing_to_see_is_refused_unless_a_file_goes_with_it(typed):
    with pytest.raises(Invalid, match="nothing in that message"):
        clean_text(typed)
    assert clean_text(typed, empty_allowed=True) == ""


def test_four_thousand_characters_and_no_more(settings):
    assert len(clean_text("x" * 4000)) == 4000
    assert clean_text(" " * 9000 + "x") == "x"
    with pytest.raises(Invalid, match="4,001 characters"):
        clean_text("x" * 4001)
    settings.CHAT = {"TEXT_MOST": 3}
    with pytest.raises(Invalid, match="3 is the most"):
        clean_text("four")
