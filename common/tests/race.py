"""Doing things at the same time, in real threads with real connections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Barrier, Thread
from typing import Any

from django.db import connection

PATIENCE = 60  # seconds; a deadlock shows as this running out, or as the database's own error


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Call all of `calls` at the same moment, each in its thread; returns their results or their exceptions."""
    barrier = Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        barrier.wait(PATIENCE)
        try:
            results[place] = call()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=each, daemon=True) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "stuck"
    return results


def split(results: Sequence[Any]) -> tuple[list[Any], list[Exception]]:
    """What went well, and what was refused."""
    bad = [result for result in results if isinstance(result, Exception)]
    return [result for result in results if not isinstance(result, Exception)], bad
