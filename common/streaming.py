"""Downloads that are made while they are sent: memory stays flat, however long they are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from asgiref.sync import sync_to_async
from django.core.serializers.json import DjangoJSONEncoder
from django.db import close_old_connections
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

PIECE = 64 * 1024  # bytes


class Streamed(StreamingHttpResponse):
    """The answer that saves `pieces` under `filename`.

    Django's own takes a plain generator whole before it sends anything under ASGI. This one asks it for one piece
    at a time, in the request's thread, and gives the connection back in between: a slow reader holds none.
    """

    def __init__(self, pieces: Iterable[bytes], *, filename: str, content_type: str) -> None:
        super().__init__(pieces, content_type=content_type)
        self["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
        self["Cache-Control"] = "private, no-store"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = iter(self)
        while (piece := await sync_to_async(next_piece)(pieces)) is not None:
            yield piece


def next_piece(pieces: Iterator[bytes]) -> bytes | None:
    """The next one, or None; keyset pages only behind it, for a cursor would not survive the connection."""
    try:
        return next(pieces, None)
    finally:
        close_old_connections()


class Pipe:
    """What a ZipFile writes to and a reader takes from."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> int:
        """Take more."""
        self._parts.append(bytes(data))
        self._size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def taken(self, least: int = 1) -> Iterator[bytes]:
        """What was written so far, once it is `least` bytes; it is forgotten."""
        if self._size >= least:
            yield b"".join(self._parts)
            self._parts, self._size = [], 0


def zipped(entries: Iterable[tuple[str, Iterable[bytes]]], *, now: datetime) -> Iterator[bytes]:
    """A ZIP archive of (path, content in parts), made while it is read."""
    pipe = Pipe()
    with ZipFile(pipe, "w", ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for path, parts in entries:
            about = ZipInfo(path, now.timetuple()[:6])
            about.compress_type = ZIP_DEFLATED
            with archive.open(about, "w") as entry:
                for part in parts:
                    entry.write(part)
                    yield from pipe.taken(PIECE)
    yield from pipe.taken()


def json_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Rows as a JSON array, a row a line."""
    begin = "[\n"
    for row in rows:
        yield (begin + json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False)).encode()
        begin = ",\n"
    yield b"[]\n" if begin == "[\n" else b"\n]\n"
