"""Watches that ask only who refers to a row miss nothing by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from realtime.fragments import Watching
from tests.conftest import settle


def test_who_refers_to_a_row_is_found_as_if_it_were_always_asked(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the whole site is filled, each such watch is asked the dear way too: of new rows, and of both states."""
    touched, asked, missed = Watching.touched, set[str](), set[str]()

    def both(self: Watching, before: Any, after: Any) -> set[tuple[str, str]]:
        found = touched(self, before, after)
        if self.watch.referring:
            asked.add(self.watch.model.__name__)
            always = touched(self._replace(watch=replace(self.watch, referring=False)), before, after)
            missed.update(f"{self.fragment.name} of a {self.watch.model.__name__}: {place}" for place in always - found)
        return found

    monkeypatch.setattr(Watching, "touched", both)
    settle(monkeypatch, tmp_path)
    assert asked == {"User", "Technician", "Booking", "Bid", "Conversation"}
    assert not missed, "\n".join(sorted(missed))
