"""Lists as CSV: streamed, so that their length costs no memory, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from common.streaming import Streamed

# What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
Rows = Sequence[Sequence[object]]


def safe(value: object) -> object:
    """A cell that no spreadsheet runs: text that begins like a formula gets an apostrophe before it."""
    if isinstance(value, str) and value.lstrip(" \ufeff\u200b").startswith(FORMULA):
        return f"'{value}"
    return value


def text_of(rows: Iterable[Sequence[object]]) -> str:
    """Rows as lines of CSV (RFC 4180)."""
    out = StringIO()
    csv.writer(out).writerows([[safe(cell) for cell in row] for row in rows])
    return out.getvalue()


def download(filename: str, header: Sequence[str], batches: Iterable[Rows]) -> Streamed:
    """The answer that saves `batches` of rows as the file `filename`; one batch is in memory at a time.

    UTF-8 with a mark at its beginning, which spreadsheets need.
    """
    return Streamed(pieces(header, batches), filename=filename, content_type="text/csv; charset=utf-8")


def pieces(header: Sequence[str], batches: Iterable[Rows]) -> Iterator[bytes]:
    """The file, piece by piece."""
    yield ("\ufeff" + text_of([header])).encode()
    for rows in batches:
        yield text_of(rows).encode()
