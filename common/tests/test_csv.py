"""Lists as CSV: every cell harmless in a spreadsheet, every row there, and memory flat however many they are."""

from __future__ import annotations

import asyncio
import csv
import tracemalloc
from collections.abc import Iterator
from io import StringIO

import pytest

from common.csv import download, safe, text_of

HARMFUL = (
    "=1+1",
    '=HYPERLINK("http://evil","x")',
    "+44 7700 900321",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1+1",
    "\ufeff=1",
    "\u200b@x",
)


@pytest.mark.parametrize("text", HARMFUL)
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    assert safe(text) == f"'{text}"
    assert next(csv.reader(StringIO(text_of([[text]]), newline=""))) == [f"'{text}"]


@pytest.mark.parametrize("value", ["Kitchen tap", "12 Inverness Street", "a=b", "", None, -5, 4.5, "3-4 o'clock"])
def test_everything_else_stays_as_it_is(value: object) -> None:
    assert safe(value) == value


def test_commas_quotes_and_lines_come_back_as_they_were() -> None:
    row = ['She said "now"', "a, b", "two\nlines", "£45.00", "汉字"]
    assert next(csv.reader(StringIO(text_of([row]), newline=""))) == row


def batches(number: int, size: int = 1000) -> Iterator[list[list[object]]]:
    """So many rows, made when they are wanted."""
    for start in range(0, number, size):
        yield [[start + each, "Kitchen tap leaks", "=1+1"] for each in range(size)]


def test_the_answer_is_a_file_that_nobody_keeps() -> None:
    answer = download("jobs.csv", ["Number", "Job", "Why"], batches(1000))
    assert (
        answer["Content-Type"] == "text/csv; charset=utf-8" and 'filename="jobs.csv"' in answer["Content-Disposition"]
    )
    assert "no-store" in answer["Cache-Control"]
    lines = answer.getvalue().decode().split("\r\n")
    assert lines[0] == "\ufeffNumber,Job,Why" and lines[1] == "0,Kitchen tap leaks,'=1+1"
    assert len(lines) == 1002


def test_nothing_is_fetched_before_it_is_sent() -> None:
    taken = []

    def counted() -> Iterator[list[list[object]]]:
        for rows in batches(3000):
            taken.append(len(rows))
            yield rows

    parts = iter(download("jobs.csv", ["Number"], counted()))
    assert taken == []
    next(parts), next(parts)
    assert taken == [1000]


def test_a_hundred_thousand_rows_take_no_more_memory_than_a_few() -> None:
    """As the server reads it: piece by piece, asynchronously."""

    async def size(number: int) -> tuple[int, int]:
        tracemalloc.start()
        total = 0
        async for part in download("jobs.csv", ["Number"], batches(number)):
            total += len(part)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return total, peak

    few, many = asyncio.run(size(3000)), asyncio.run(size(100_000))
    assert many[0] > 2_500_000 and many[1] < few[1] + 500_000
