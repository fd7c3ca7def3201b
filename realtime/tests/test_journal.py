"""What is written when a live row changes: in its transaction, for where it was and where it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db.models import F

from realtime import bell, journal
from realtime.bulk import bulk_create, bulk_delete, bulk_save, bulk_update
from realtime.fragments import touch
from realtime.models import JournalRow, JournalState, UnjournaledWriteError
from realtime.tests.board.live import board_topic, note, pulse
from realtime.tests.board.models import Board, Note, Pulse
from realtime.tests.harness import in_thread

Rows = set[tuple[str, str, str]]


class Written:
    """The journal rows since this was made or last asked."""

    def __init__(self) -> None:
        self._cursor = journal.now()

    def __call__(self) -> list[journal.Touch]:
        reading = journal.since(self._cursor)
        self._cursor = reading.cursor
        return [change.touch for change in reading.changes]

    def about(self, fragment: str) -> set[tuple[str, str]]:
        """(topic, key) of one fragment's rows."""
        return {(each.topic, each.key) for each in self() if each.fragment == fragment}


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> list[bell.Items]:
    """Every bell that rang, as the list of its items."""
    heard: list[bell.Items] = []
    monkeypatch.setattr(bell, "ring", lambda items, at: heard.append(list(items)))
    return heard


@pytest.fixture
def here(board: Board) -> Board:
    """The board, under a second name for tests that move something away from it."""
    return board


@pytest.fixture
def there(transactional_db: None) -> Board:
    """Another board."""
    return Board.objects.create(name="Attic")


@pytest.fixture
def written(here: Board, there: Board, rings: list[bell.Items]) -> Iterator[Written]:
    """What is written from here on."""
    rings.clear()
    return Written()


def at(board: Board, key: object) -> tuple[str, str]:
    """A place: the board's topic and a key."""
    return (board_topic(board.pk), str(key))


# --- One transaction


def test_a_saved_row_is_journalled_for_every_fragment_that_watches_it(here: Board, written: Written) -> None:
    made = Note.objects.create(board=here, text="Milk")
    topic = board_topic(here.pk)
    assert set(written()) == {
        (topic, "board.note", str(made.pk)),
        (topic, "board.count", str(here.pk)),
        (topic, "board.pins", str(here.pk)),
    }


def test_the_row_is_written_in_the_transaction_of_the_change(here: Board, written: Written) -> None:
    with transaction.atomic():
        Note.objects.create(board=here, text="Milk")
        assert JournalRow.objects.count() >= 3
        seen: list[int] = []
        in_thread(lambda: seen.append(Note.objects.count())).join()
        in_thread(lambda: seen.append(len(journal.since(written._cursor).changes))).join()
        assert seen == [0, 0]
    assert written()


def test_a_rollback_writes_nothing_and_rings_nothing(here: Board, written: Written, rings: list[bell.Items]) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        Note.objects.create(board=here, text="Milk")
        raise ZeroDivisionError
    assert written() == [] and rings == []


def test_a_row_that_cannot_be_journalled_is_not_saved(
    here: Board, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(journal, "_insert", broken)
    with pytest.raises(DatabaseError):
        Note.objects.create(board=here, text="Milk")
    assert not Note.objects.exists()


def test_a_savepoint_that_rolls_back_takes_its_rows_and_nothing_else(
    here: Board, written: Written, rings: list[bell.Items]
) -> None:
    with transaction.atomic():
        first = Note.objects.create(board=here, text="Kept")
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Note.objects.create(board=here, text="Lost")
            raise ZeroDivisionError
        last = Note.objects.create(board=here, text="Kept too")
    keys = {key for _, key in written.about("board.note")}
    assert keys == {str(first.pk), str(last.pk)}
    rung = {item[1].key for ring in rings for item in ring if item[1].fragment == "board.note"}
    assert rung == keys


def test_the_same_change_after_a_lost_savepoint_is_still_written(here: Board, written: Written) -> None:
    made = Note.objects.create(board=here, text="Milk")
    written()
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            made.save()
            raise ZeroDivisionError
        made.save()
    assert written.about("board.note") == {at(here, made.pk)}


def test_one_bell_a_transaction(here: Board, written: Written, rings: list[bell.Items]) -> None:
    with transaction.atomic():
        for text in ("One", "Two", "Three"):
            Note.objects.create(board=here, text=text)
        with transaction.atomic():
            Note.objects.create(board=here, text="Four")
    assert sorted(len(ring) for ring in rings) in ([12], [3, 9])
    assert sum(len(ring) for ring in rings) == len(written())


def test_bells_name_the_rows_as_they_were_numbered(here: Board, written: Written, rings: list[bell.Items]) -> None:
    with transaction.atomic():
        bulk_create(Note, [Note(board=here, text=str(n)) for n in range(200)])
    rung = {number: touch for ring in rings for number, touch in ring}
    kept = {row.pk: (row.topic, row.fragment, row.key) for row in JournalRow.objects.filter(pk__in=rung)}
    assert len(rung) == 202 and rung == kept


def test_a_failing_bell_does_not_fail_the_request(
    here: Board, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(items: bell.Items, at: float) -> None:
        raise ConnectionError("Redis is away")

    monkeypatch.setattr(bell, "ring", broken)
    Note.objects.create(board=here, text="Milk")
    assert Note.objects.count() == 1 and "Redis is away" in caplog.text


# --- Before and after


def test_a_row_that_moves_is_told_where_it_was_and_where_it_is(here: Board, there: Board, written: Written) -> None:
    made = Note.objects.create(board=here, text="Milk")
    written()
    made.board = there
    made.save()
    touches = set(written())
    assert {(t, k) for t, f, k in touches if f == "board.note"} == {at(here, made.pk), at(there, made.pk)}
    assert {(t, k) for t, f, k in touches if f == "board.count"} == {at(here, here.pk), at(there, there.pk)}


def test_what_was_is_remembered_over_several_saves(here: Board, there: Board, written: Written) -> None:
    made = Note.objects.create(board=here, text="Milk")
    for home in (there, here, there):
        made.board = home
        made.save()
        written()
    made.text = "Oat milk"
    made.save()
    assert written.about("board.note") == {at(there, made.pk)}


def test_a_deferred_column_is_fetched_before_it_is_overwritten(here: Board, there: Board, written: Written) -> None:
    pk = Note.objects.create(board=here, text="Milk").pk
    written()
    for found in (Note.objects.only("text").get(pk=pk), Note.objects.defer("board").get(pk=pk)):
        found.board_id = there.pk
        found.save()
        assert at(here, pk) in written.about("board.note")
        Note.objects.get(pk=pk)
        bulk_update(Note.objects.filter(pk=pk), board=here)
        written()


def test_loaded_rows_are_saved_together_and_tell_where_they_were_and_are(
    here: Board, there: Board, written: Written, django_assert_num_queries: Any
) -> None:
    made = [Note.objects.create(board=here, text=str(n)) for n in range(3)]
    written()
    for number, row in enumerate(made):
        row.board, row.text = there, f"Moved {number}"
    with django_assert_num_queries(4):  # the transaction's two, one update, one for the journal
        bulk_save(made, ["board", "text"])
    touches = set(written())
    assert {(t, k) for t, f, k in touches if f == "board.note"} == {
        at(board, row.pk) for board in (here, there) for row in made
    }
    assert list(Note.objects.values_list("text", flat=True)) == ["Moved 0", "Moved 1", "Moved 2"]
    made[0].text = "Again"
    made[0].save()
    assert written.about("board.note") == {at(there, made[0].pk)}
    bulk_save([], ["text"])


def test_a_deferred_row_can_be_deleted(here: Board, written: Written) -> None:
    pk = Note.objects.create(board=here, text="Milk").pk
    written()
    Note.objects.only("text").get(pk=pk).delete()
    assert written.about("board.note") == {at(here, pk)}


def test_saving_other_fields_does_not_forget_where_the_row_stands(here: Board, there: Board, written: Written) -> None:
    """In memory the note has moved, in the database it has not: the next whole save still says where it was."""
    made = Note.objects.create(board=here, text="Milk")
    made.board = there
    made.save(update_fields=["text"])
    written()
    made.save()
    assert written.about("board.note") == {at(here, made.pk), at(there, made.pk)}


def test_reading_other_fields_again_does_not_forget_where_the_row_stands(
    here: Board, there: Board, written: Written
) -> None:
    pk = Note.objects.create(board=here, text="Milk").pk
    refreshed = Note.objects.get(pk=pk)
    refreshed.board = there
    refreshed.refresh_from_db(fields=["text"])
    written()
    refreshed.save()
    assert at(here, pk) in written.about("board.note")
    bulk_update(Note.objects.filter(pk=pk), board=here)
    lazy = Note.objects.defer("text").get(pk=pk)
    lazy.board = there
    assert lazy.text == "Milk"  # fetches the deferred column
    written()
    lazy.save()
    assert at(here, pk) in written.about("board.note")


def test_refresh_from_db_remembers_what_was_read(here: Board, there: Board, written: Written) -> None:
    made = Note.objects.create(board=here, text="Milk")
    bulk_update(Note.objects.filter(pk=made.pk), board=there)
    made.refresh_from_db()
    written()
    made.board = here
    made.save()
    assert written.about("board.note") == {at(here, made.pk), at(there, made.pk)}


def test_a_new_row_under_an_old_object_is_no_change_of_the_old_one(here: Board, there: Board, written: Written) -> None:
    made = Note.objects.create(board=here, text="Milk")
    first = made.pk
    made.pk, made._state.adding, made.board = None, True, there
    written()
    made.save()
    assert made.pk != first and written.about("board.note") == {at(there, made.pk)}


def test_a_save_through_a_stale_relation_counts_the_column(here: Board, there: Board, written: Written) -> None:
    made = Note.objects.select_related("board").get(pk=Note.objects.create(board=here, text="Milk").pk)
    written()
    made.board_id = there.pk
    made.save()
    assert written.about("board.note") == {at(here, made.pk), at(there, made.pk)}


# --- Deleting


def test_a_deleted_row_is_told_where_it_was(here: Board, written: Written) -> None:
    made = Note.objects.create(board=here, text="Milk")
    pk = made.pk
    written()
    made.delete()
    assert set(written()) >= {(board_topic(here.pk), "board.note", str(pk))}


def test_a_delete_is_told_where_the_database_had_it(here: Board, there: Board, written: Written) -> None:
    made = Note.objects.create(board=here, text="Milk")
    pk, made.board = made.pk, there
    written()
    made.delete()
    assert at(here, pk) in written.about("board.note")


def test_a_cascade_is_told_row_by_row(here: Board, written: Written) -> None:
    notes = [Note.objects.create(board=here, text=str(n)) for n in range(3)]
    beat = Pulse.objects.create(board=here)
    topic, keys, board_pk = board_topic(here.pk), {str(each.pk) for each in notes}, here.pk
    written()
    here.delete()
    found = written()
    assert {each.key for each in found if each.fragment == "board.note"} == keys
    assert (topic, "board.count", str(board_pk)) in found
    assert (topic, "board.pulse", str(beat.pk)) in found


def test_a_queryset_delete_is_told_row_by_row(here: Board, written: Written) -> None:
    keys = {str(Note.objects.create(board=here, text=str(n)).pk) for n in range(3)}
    written()
    Note.objects.filter(board=here).delete()
    assert {key for _, key in written.about("board.note")} == keys


# --- Many at once


def test_bulk_create_is_journalled(here: Board, written: Written) -> None:
    made = bulk_create(Note, [Note(board=here, text=str(n)) for n in range(3)])
    assert written.about("board.note") == {at(here, each.pk) for each in made}


def test_bulk_update_is_told_before_and_after(here: Board, there: Board, written: Written) -> None:
    made = bulk_create(Note, [Note(board=here, text=str(n)) for n in range(3)])
    written()
    assert bulk_update(Note.objects.filter(board=here), board=there, text="Moved") == 3
    assert written.about("board.note") == {at(home, each.pk) for each in made for home in (here, there)}
    assert set(Note.objects.values_list("board_id", "text")) == {(there.pk, "Moved")}


def test_bulk_update_takes_expressions_and_the_empty_set(here: Board, written: Written) -> None:
    beat = Pulse.objects.create(board=here, value=4)
    written()
    assert bulk_update(Pulse.objects.all(), value=F("value") + 1) == 1
    assert written.about("board.pulse") == {at(here, beat.pk)}
    beat.refresh_from_db()
    assert beat.value == 5
    assert bulk_update(Pulse.objects.none(), value=1) == 0 and written() == []


def test_bulk_delete_is_journalled(here: Board, written: Written) -> None:
    made = bulk_create(Note, [Note(board=here, text=str(n)) for n in range(3)])
    places = {at(here, each.pk) for each in made}
    written()
    assert bulk_delete(Note.objects.filter(board=here)) == 3
    assert written.about("board.note") == places


def test_bulk_helpers_roll_back_whole(here: Board, written: Written, rings: list[bell.Items]) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        bulk_create(Note, [Note(board=here, text="Milk")])
        raise ZeroDivisionError
    assert written() == [] and rings == [] and not Note.objects.exists()


@pytest.mark.parametrize(
    "write",
    [
        lambda board: Note.objects.update(text="x"),
        lambda board: Note.objects.filter(board=board).update(text="x"),
        lambda board: board.notes.update(text="x"),
        lambda board: Note.objects.bulk_create([Note(board=board, text="x")]),
        lambda board: board.notes.bulk_create([Note(board=board, text="x")]),
        lambda board: Note.objects.bulk_update([Note(pk=1, board=board, text="x")], ["text"]),
        lambda board: Note.objects.all()._raw_delete("default"),
    ],
)
def test_writes_that_send_no_signal_are_refused(here: Board, written: Written, write: Callable[[Board], Any]) -> None:
    Note.objects.create(board=here, text="Milk")
    written()
    with pytest.raises(UnjournaledWriteError, match=r"use realtime\.bulk"):
        write(here)
    assert set(Note.objects.values_list("text", flat=True)) == {"Milk"} and written() == []


async def test_their_async_forms_are_refused_too() -> None:
    for write in (Note.objects.aupdate(text="x"), Note.objects.abulk_create([]), Note.objects.abulk_update([], ["x"])):
        with pytest.raises(UnjournaledWriteError):
            await write


def test_writes_that_do_send_signals_pass(here: Board, written: Written) -> None:
    Note.objects.get_or_create(board=here, text="Milk")
    Note.objects.update_or_create(board=here, defaults={"text": "Oat milk"})
    assert len(written()) >= 3 and Note.objects.get().text == "Oat milk"


# --- Limited and latest-only watches


def test_a_watch_of_some_fields_stays_silent_about_others(here: Board, written: Written) -> None:
    made = Note.objects.create(board=here, text="Milk")
    assert written.about("board.pins") == {at(here, here.pk)}
    made.text = "Oat milk"
    made.save()
    assert written.about("board.pins") == set()
    made.pinned = True
    made.save(update_fields=["pinned"])
    assert written.about("board.pins") == {at(here, here.pk)}
    made.save()
    assert written.about("board.pins") == set()
    made.delete()
    assert written.about("board.pins") == {at(here, here.pk)}


def test_a_latest_only_row_is_one_row_overwritten(here: Board, written: Written) -> None:
    beat = Pulse.objects.create(board=here)
    for value in range(5):
        beat.value = value
        beat.save()
    kept = JournalRow.objects.filter(fragment="board.pulse")
    assert kept.count() == 1 and kept.get().latest


def test_a_latest_only_row_is_read_again_after_each_overwriting(here: Board, written: Written) -> None:
    beat = Pulse.objects.create(board=here)
    for value in range(3):
        assert written.about("board.pulse") == {at(here, beat.pk)}
        beat.value = value
        beat.save()
    assert written.about("board.pulse") == {at(here, beat.pk)}
    assert written.about("board.pulse") == set()


def test_a_latest_only_row_of_a_rolled_back_change_is_not_read(here: Board, written: Written) -> None:
    beat = Pulse.objects.create(board=here)
    written()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        beat.save()
        raise ZeroDivisionError
    assert written() == [] and JournalRow.objects.filter(fragment="board.pulse").count() == 1


@pytest.mark.postgresql
def test_two_writers_of_the_same_latest_rows_do_not_deadlock(here: Board, there: Board) -> None:
    beats = [Pulse.objects.create(board=home).pk for home in (here, there)]
    failed: list[Exception] = []
    together = threading.Barrier(2)

    def write(order: list[int]) -> None:
        together.wait()
        for _ in range(20):
            try:
                bulk_update(Pulse.objects.filter(pk__in=order).order_by("pk"), value=F("value") + 1)
            except DatabaseError as error:
                failed.append(error)

    threads = [in_thread(lambda order=order: write(order)) for order in (beats, beats[::-1])]
    for thread in threads:
        thread.join()
    assert failed == [] and set(Pulse.objects.values_list("value", flat=True)) == {40}


# --- Touch


def test_touch_says_look_again_without_a_save(here: Board, written: Written, rings: list[bell.Items]) -> None:
    made = Note.objects.create(board=here, text="Milk")
    written()
    rings.clear()
    touch(note, [made.pk, 987654])
    assert set(written()) == {(board_topic(here.pk), "board.note", str(made.pk))} and len(rings) == 1


def test_touch_of_a_latest_only_fragment_overwrites(here: Board, written: Written) -> None:
    beat = Pulse.objects.create(board=here)
    touch(pulse, [beat.pk])
    touch(pulse, [beat.pk])
    assert JournalRow.objects.filter(fragment="board.pulse").count() == 1


def test_touching_nothing_writes_nothing(here: Board, written: Written, rings: list[bell.Items]) -> None:
    touch(note, [])
    journal.write([])
    assert written() == [] and rings == []


# --- The cost of a save


def test_a_save_costs_one_statement_more(here: Board, django_assert_num_queries: Any) -> None:
    made = Note.objects.create(board=here, text="Milk")
    made.text = "Oat milk"
    with django_assert_num_queries(4):  # BEGIN, UPDATE, INSERT into the journal, COMMIT
        made.save()


def test_loaded_fixtures_are_not_journalled(here: Board, written: Written) -> None:
    Note(pk=77, board=here, text="Milk").save_base(raw=True)
    assert written() == [] and JournalState.objects.count() == 1


# --- Beginning anew


def test_a_database_that_is_filled_begins_a_new_epoch_instead_of_a_row_for_each(here: Board, rings: Any) -> None:
    before = journal.now()
    with journal.anew():
        made = Note.objects.create(board=here, text="Milk")
    assert not JournalRow.objects.filter(fragment="board.note", key=str(made.pk)).exists()
    assert journal.since(before).reset
    later = journal.now()
    Note.objects.create(board=here, text="Bread")
    assert not journal.since(later).reset and journal.since(later).changes


def test_a_filling_that_fails_leaves_the_epoch_and_the_journal_as_they_were(here: Board, written: Written) -> None:
    before = journal.now()
    with pytest.raises(ValueError, match="broken"), journal.anew():
        Note.objects.create(board=here, text="Milk")
        raise ValueError("broken")
    assert not journal.since(before).reset and not Note.objects.exists()
    Note.objects.create(board=here, text="Bread")
    assert written()
