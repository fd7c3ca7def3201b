"""Downloads made while they are sent: what arrives, and that nobody holds more than a piece of it."""

from __future__ import annotations

import asyncio
import io
import json
import random
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from common.streaming import PIECE, Streamed, json_rows, zipped

NOW = datetime(2027, 3, 2, 9, 0, tzinfo=UTC)


def archive(pieces: Iterator[bytes]) -> zipfile.ZipFile:
    """The archive that was sent."""
    return zipfile.ZipFile(io.BytesIO(b"".join(pieces)))


def test_an_archive_holds_what_was_put_into_it():
    made = archive(zipped([("a.txt", [b"one", b" two"]), ("files/b", []), ("c.txt", [b"x" * 200_000])], now=NOW))
    assert made.testzip() is None
    assert made.namelist() == ["a.txt", "files/b", "c.txt"]
    assert made.read("a.txt") == b"one two" and made.read("files/b") == b"" and len(made.read("c.txt")) == 200_000
    assert made.getinfo("a.txt").date_time == (2027, 3, 2, 9, 0, 0)


def test_an_empty_archive_is_one_too():
    assert archive(zipped([], now=NOW)).namelist() == []


def test_pieces_come_while_the_content_is_still_being_made():
    """The first piece is there long before the last part was asked for."""
    asked = []
    noise = random.Random(1)

    def parts() -> Iterator[bytes]:
        for number in range(40):
            asked.append(number)
            yield noise.randbytes(PIECE)

    pieces = zipped([("big", parts())], now=NOW)
    next(pieces)
    assert len(asked) < 4
    assert sum(1 for _ in pieces) > 30 and len(asked) == 40


def test_memory_stays_flat():
    """Thirty megabytes that do not compress go by in less than three."""
    noise = random.Random(2)
    tracemalloc.start()
    try:
        total = sum(len(piece) for piece in zipped([("big", (noise.randbytes(PIECE) for _ in range(480)))], now=NOW))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total > 30_000_000 and peak < 3_000_000


def test_rows_are_json():
    rows = [{"at": NOW, "amount": Decimal("45.00"), "name": "Zoë"}, {"at": None, "amount": None, "name": ""}]
    assert json.loads(b"".join(json_rows(rows)))[0] == {"at": "2027-03-02T09:00:00Z", "amount": "45.00", "name": "Zoë"}
    assert json.loads(b"".join(json_rows([]))) == []


def test_an_answer_is_the_same_with_and_without_a_loop():
    def answer() -> Streamed:
        return Streamed((str(number).encode() for number in range(5)), filename="ünï.csv", content_type="text/csv")

    async def read() -> bytes:
        return b"".join([piece async for piece in answer()])

    plain = answer()
    assert b"".join(plain) == asyncio.run(read()) == b"01234"
    assert plain["Content-Disposition"] == "attachment; filename*=utf-8''%C3%BCn%C3%AF.csv"
    assert plain["Cache-Control"] == "private, no-store"


def test_a_loop_takes_one_piece_at_a_time():
    """Under ASGI Django would take a plain generator whole, and warn of it, which fails here."""
    asked = []

    def pieces() -> Iterator[bytes]:
        for number in range(100):
            asked.append(number)
            yield b"x"

    async def first_three() -> None:
        taken = aiter(Streamed(pieces(), filename="a", content_type="text/plain"))
        for _ in range(3):
            await anext(taken)

    asyncio.run(first_three())
    assert len(asked) == 3
