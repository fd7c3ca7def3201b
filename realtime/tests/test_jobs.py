"""What the rendering thread does with several pages that come back at once."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, transaction

from realtime import journal
from realtime.jobs import Job
from realtime.tests.board.models import Board, Note

pytestmark = pytest.mark.django_db(transaction=True)


def readings(*cursors: str) -> dict[str, Any]:
    """What one job reads for pages that stand at `cursors`."""
    job = Job({}, {}, [], None, 0, 0)
    with journal.snapshot():
        job.here = journal.now()
        return job._readings(set(cursors), [f"board.{board.pk}" for board in Board.objects.all()])


@pytest.mark.postgresql
def test_of_two_cursors_with_one_xmin_each_page_is_told_what_it_misses() -> None:
    """A writer that stays open gives all cursors the same xmin: it does not say which is the older."""
    board = Board.objects.create(name="Kitchen")
    begun, done = threading.Event(), threading.Event()

    def stay_open() -> None:
        try:
            with transaction.atomic():
                Note.objects.create(board=board, text="late")
                begun.set()
                done.wait(30)
        finally:
            connection.close()

    writer = threading.Thread(target=stay_open)
    writer.start()
    assert begun.wait(30)
    early = journal.now()
    Note.objects.create(board=board, text="one")
    later = journal.now()
    Note.objects.create(board=board, text="two")
    assert early.xmin == later.xmin
    told = readings(str(early), str(later))
    done.set()
    writer.join()
    notes = {
        text: [change for change in changes if change.touch.fragment == "board.note"] for text, changes in told.items()
    }
    assert [len(notes[str(early)]), len(notes[str(later)])] == [2, 1]


def test_a_cursor_from_the_future_is_refused_and_blinds_nobody() -> None:
    board = Board.objects.create(name="Kitchen")
    before = journal.now()
    Note.objects.create(board=board, text="one")
    forged = f"{before.epoch}.{before.xmin}:{2**62}:"
    told = readings(str(before), forged)
    assert told[forged] is None and len(told[str(before)]) >= 1
