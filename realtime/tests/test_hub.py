"""From a commit to the pages: what arrives, at whom, once."""

from __future__ import annotations

from django.test import Client

from realtime.tests.board.models import Board, Note
from realtime.tests.harness import Live


def test_a_change_reaches_the_page_that_follows(live: Live, board: Board, alices: Client, topic: str) -> None:
    page = live.page(alices, [topic])
    Note.objects.create(board=board, text="Buy milk")
    page.sees("Buy milk").sees("1 notes on Kitchen")
    assert len(page.pushes) == 1
