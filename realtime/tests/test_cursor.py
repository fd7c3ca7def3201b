"""Reading the journal from a cursor: nothing skipped, nothing twice, whatever the writers do."""

from __future__ import annotations

import random
import threading
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from realtime import journal
from realtime.journal import BadCursorError, Cursor, Touch, parse_cursor
from realtime.models import JournalRow, JournalState
from realtime.tests.harness import in_thread, until

ROWS_A_WRITER = 25


def write(key: object, topic: str = "test.1") -> None:
    """One journal row in a transaction of its own."""
    journal.write([Touch(topic, "test.thing", str(key))])


def keys(reading: journal.Reading) -> list[str]:
    """What a reading found, by key."""
    return [change.touch.key for change in reading.changes]


# --- Concurrent writers


class Writers:
    """Writers that pause at random inside their transactions, and some that roll back."""

    def __init__(self, number: int) -> None:
        self.committed: list[str] = []
        self.threads = [in_thread(lambda n=n: self._write(n)) for n in range(number)]

    def _write(self, number: int) -> None:
        dice, pause = random.Random(number), threading.Event()
        for count in range(ROWS_A_WRITER):
            key, rolls_back = f"{number}.{count}", dice.random() < 0.1
            with transaction.atomic():
                write(key)
                if connection.vendor == "postgresql":
                    pause.wait(dice.random() * 0.012)
                transaction.set_rollback(rolls_back)
            if not rolls_back:
                self.committed.append(key)
            pause.wait(dice.random() * 0.002)
            pause.wait(dice.random() * 0.002)

    def are_at_it(self) -> bool:
        return any(thread.is_alive() for thread in self.threads)


def read_all(cursor: Cursor, writers: Writers) -> list[str]:
    """Everything that a looping reader got while `writers` wrote, and in one last look."""
    found: list[str] = []
    more = True
    while more:
        more = writers.are_at_it()
        reading = journal.since(cursor)
        assert not reading.reset
        found += keys(reading)
        cursor = reading.cursor
    return found


def test_sixteen_writers_are_read_whole_and_once(transactional_db: None) -> None:
    start = journal.now()
    writers = Writers(16 if connection.vendor == "postgresql" else 4)
    found = read_all(start, writers)
    assert sorted(found) == sorted(writers.committed) and len(found) > ROWS_A_WRITER * 3


@pytest.mark.postgresql
def test_a_long_writer_is_read_when_it_commits_and_hides_nobody_else(transactional_db: None) -> None:
    start, may_commit, has_written = journal.now(), threading.Event(), threading.Event()

    def take_long() -> None:
        with transaction.atomic():
            write("long")
            has_written.set()
            may_commit.wait(60)

    long = in_thread(take_long)
    has_written.wait(10)
    for number in range(30):
        write(number)
    middle = journal.since(start)
    assert keys(middle) == [str(n) for n in range(30)]
    write("later")
    late = journal.since(middle.cursor)
    assert keys(late) == ["later"]
    may_commit.set()
    long.join()
    end = journal.since(late.cursor)
    assert keys(end) == ["long"] and keys(journal.since(end.cursor)) == []


@pytest.mark.postgresql
def test_ids_alone_would_have_skipped_it(transactional_db: None) -> None:
    """The reason for snapshots: the lower id commits last."""
    first_written, may_commit = threading.Event(), threading.Event()

    def take_long() -> None:
        with transaction.atomic():
            write("lower")
            first_written.set()
            may_commit.wait(60)

    thread = in_thread(take_long)
    first_written.wait(10)
    write("higher")
    newest = JournalRow.objects.order_by("-id").first()
    assert newest is not None and newest.key == "higher"
    cursor = journal.now()
    may_commit.set()
    thread.join()
    late = JournalRow.objects.get(key="lower")
    assert late.pk < newest.pk and keys(journal.since(cursor)) == ["lower"]


# --- One reader


def test_a_cursor_of_now_has_seen_everything_committed(transactional_db: None) -> None:
    write(1)
    cursor = journal.now()
    assert keys(journal.since(cursor)) == []
    write(2)
    assert keys(journal.since(cursor)) == ["2"] == keys(journal.since(parse_cursor(str(cursor))))


def test_only_the_topics_asked_for_are_read(transactional_db: None) -> None:
    cursor = journal.now()
    for topic in ("test.1", "test.2", "test.3"):
        write(topic, topic)
    assert keys(journal.since(cursor, ["test.1", "test.3"])) == ["test.1", "test.3"]
    assert keys(journal.since(cursor, [])) == []
    assert keys(journal.since(cursor, ["test.%", "test.4"])) == []


def test_a_look_is_one_query(transactional_db: None, django_assert_num_queries: Any) -> None:
    cursor = journal.now()
    with django_assert_num_queries(1):
        journal.since(cursor, ["test.1"])


def test_a_change_knows_when_it_happened(transactional_db: None) -> None:
    cursor, before = journal.now(), journal.milliseconds()
    write(1)
    assert before - 5 <= journal.since(cursor).changes[0].at <= journal.milliseconds() + 5


def test_a_cursor_has_seen_what_the_database_says_it_has(transactional_db: None) -> None:
    """`has_seen` decides in Python what the query decides in SQL: they must agree."""
    oldest = journal.now()
    cursors = []
    for number in range(6):
        write(number)
        cursors.append(journal.now())
    everything = journal.since(oldest).changes
    for cursor in cursors:
        unseen = [change for change in everything if not cursor.has_seen(change)]
        assert unseen == journal.since(cursor).changes


def test_the_text_of_a_cursor_is_read_back(transactional_db: None) -> None:
    for cursor in (journal.now(), Cursor("abcd1234", 7, 12, frozenset({7, 9, 11})), Cursor("abcd1234", 5, 5)):
        assert parse_cursor(str(cursor)) == cursor


# --- Hostile text

EPOCH = "abcd1234"
HOSTILE = [
    "",
    ".",
    f"{EPOCH}.",
    f"{EPOCH}.0",
    f"{EPOCH}.-1",
    f"{EPOCH}.1.1",
    f"{EPOCH}. 1",
    f"{EPOCH}.1 ",
    f"{EPOCH}.1\n",
    f"{EPOCH}.٣",
    f"{EPOCH}.9223372036854775808",
    f"{EPOCH}.99999999999999999999999",
    f"{EPOCH}.5:3:",
    f"{EPOCH}.0:3:",
    f"{EPOCH}.1:9:9",
    f"{EPOCH}.5:9:4",
    f"{EPOCH}.5:9:6,",
    f"{EPOCH}.5:9:6,,7",
    f"{EPOCH}.5:9",
    f"{EPOCH}.1:1:'; DROP TABLE realtime_journal; --",
    "'.1",
    "\x00.1",
    "ABCD.1",
    "\ud800.1",
    f"{EPOCH}.1:2:" + "1," * 30_000 + "1",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursorError):
        parse_cursor(text)


@pytest.fixture(scope="module")
def epoch(django_db_setup: None, django_db_blocker: Any) -> str:
    """The epoch that a hostile page knows from its own cursor."""
    with django_db_blocker.unblock():
        return journal.now().epoch


NUMBERS = st.one_of(st.integers(-2, 2**65), st.integers(0, 30)).map(str)


@examples(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.one_of(
        st.text(max_size=60),
        st.from_regex(r"[a-z0-9]{4,16}\.[0-9]{1,20}(:[0-9]{1,20}:([0-9]{1,20},?)*)?"),
    ),
    low=NUMBERS,
    high=NUMBERS,
    running=st.lists(NUMBERS, max_size=4),
    separator=st.sampled_from([":", ",", ".", ""]),
)
@example(text="", low="0", high="0", running=[], separator=":")
@example(text="", low="4294967296", high="4294967297", running=[], separator=":")
@example(text="", low="1", high="9223372036854775807", running=["1", "1", "2"], separator=":")
def test_hostile_text_raises_nothing_else_and_never_breaks_the_query(
    transactional_db: None, epoch: str, text: str, low: str, high: str, running: list[str], separator: str
) -> None:
    for each in (text, f"{epoch}.{low}", f"{epoch}.{low}{separator}{high}{separator}{','.join(running)}"):
        try:
            cursor = parse_cursor(each)
        except BadCursorError:
            continue
        journal.since(cursor, ["test.1"])  # whatever it gives, the database understands it


# --- Resets


def test_a_foreign_epoch_resets(transactional_db: None) -> None:
    here = journal.now()
    write(1)
    reading = journal.since(Cursor("0ther0ne", here.xmin, here.xmax, here.running))
    assert reading.reset and reading.changes == [] and reading.cursor.epoch == here.epoch


def test_a_cursor_of_the_future_resets(transactional_db: None) -> None:
    """A database restored from a backup has gone back in time."""
    here = journal.now()
    assert journal.since(Cursor(here.epoch, here.xmax + 1000, here.xmax + 1000)).reset


def grow_old(seconds: int = 7200) -> None:
    """Make all rows so far old."""
    JournalRow.objects.update(at=timezone.now() - timedelta(seconds=seconds))


def an_hour_ago() -> Any:
    return timezone.now() - timedelta(hours=1)


def test_pruning_deletes_what_is_old_and_keeps_the_horizon(transactional_db: None) -> None:
    ancient = journal.now()
    write("old")
    between = journal.now()
    grow_old()
    write("new")
    assert journal.prune(an_hour_ago()) == 1
    assert [row.key for row in JournalRow.objects.all()] == ["new"]
    assert journal.since(ancient).reset
    kept = journal.since(between)
    assert not kept.reset and keys(kept) == ["new"]
    assert not journal.since(journal.now()).reset


def test_pruning_nothing_moves_nothing(transactional_db: None) -> None:
    write("new")
    horizon = JournalState.objects.get().horizon
    assert journal.prune(an_hour_ago()) == 0
    assert JournalState.objects.get().horizon == horizon


def test_the_horizon_never_goes_back(transactional_db: None) -> None:
    write("old")
    grow_old()
    journal.prune(an_hour_ago())
    horizon = JournalState.objects.get().horizon
    write("old too")
    grow_old()
    journal.prune(an_hour_ago())
    assert JournalState.objects.get().horizon > horizon


def test_a_journal_pruned_empty_still_gives_cursors(transactional_db: None) -> None:
    write("old")
    cursor = journal.now()
    grow_old()
    journal.prune(an_hour_ago())
    assert JournalRow.objects.count() == 0
    write("new")
    assert keys(journal.since(cursor)) == ["new"]


@pytest.mark.postgresql
def test_a_writer_that_stays_open_for_hours_does_not_reset_every_page(transactional_db: None) -> None:
    """Its id holds every new cursor's xmin down, and a horizon above that would reset the pages for ever."""
    may_commit, has_written = threading.Event(), threading.Event()

    def take_long() -> None:
        with transaction.atomic():
            write("long")
            has_written.set()
            may_commit.wait(60)

    thread = in_thread(take_long)
    has_written.wait(10)
    write("old")
    grow_old()
    cursor = journal.now()
    journal.prune(an_hour_ago())
    try:
        assert not journal.since(journal.now()).reset and not journal.since(cursor).reset
    finally:
        may_commit.set()
        thread.join()
    assert keys(journal.since(cursor)) == ["long"]
    grow_old()
    assert journal.prune(an_hour_ago()) == 2 and journal.since(cursor).reset


@pytest.mark.postgresql
def test_of_two_that_prune_at_once_one_leaves(transactional_db: None) -> None:
    write("old")
    grow_old()
    with transaction.atomic():
        assert journal.prune(an_hour_ago()) == 1
        other: list[int] = []
        in_thread(lambda: other.append(journal.prune(an_hour_ago()))).join()
        assert other == [0]
    assert JournalRow.objects.count() == 0


# --- Healing


def test_an_emptied_state_table_heals_with_a_new_epoch(transactional_db: None) -> None:
    before = journal.now()
    write(1)
    JournalState.objects.all().delete()
    reading = journal.since(before)
    assert reading.reset and reading.cursor.epoch != before.epoch
    write(2)
    assert keys(journal.since(reading.cursor)) == ["2"]


def test_many_that_find_it_empty_agree_on_one_epoch(transactional_db: None) -> None:
    JournalState.objects.all().delete()
    found: list[str] = []
    threads = [in_thread(lambda: found.append(journal.now().epoch)) for _ in range(6)]
    for thread in threads:
        thread.join()
    assert len(found) == 6 and len(set(found)) == 1 and JournalState.objects.count() == 1


# --- Versions


def version() -> int:
    """The version a rendering at this moment would carry."""
    with journal.snapshot():
        return int(journal.now().version)


def test_a_later_snapshot_has_an_equal_or_higher_version(transactional_db: None) -> None:
    seen = []
    for number in range(5):
        seen.append(version())
        write(number)
    seen.append(version())
    assert seen == sorted(seen) and len(set(seen)) == 6
    assert version() == version()


def test_a_rolled_back_change_never_outranks_a_committed_one(transactional_db: None) -> None:
    before = version()
    with transaction.atomic():
        write("lost")
        transaction.set_rollback(True)
    after = version()
    write("kept")
    assert before <= after < version()


def test_nothing_can_be_written_inside_a_snapshot_and_it_sees_one_instant(transactional_db: None) -> None:
    with journal.snapshot():
        before = keys(journal.since(Cursor(journal.now().epoch, *[journal.now().xmax] * 2)))
        in_thread(lambda: write("meanwhile")).join()
        assert before == [] and not JournalRow.objects.filter(key="meanwhile").exists()
    assert JournalRow.objects.filter(key="meanwhile").exists()


@pytest.mark.postgresql
def test_a_snapshot_is_read_only(transactional_db: None) -> None:
    with pytest.raises(DatabaseError), journal.snapshot():
        write("never")
    assert not JournalRow.objects.exists()


class Renderings:
    """What renderers saw, as (version, the keys committed then), while writers overlap."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, frozenset[str]]] = []

    def look(self) -> None:
        with journal.snapshot():
            here = int(journal.now().version)
            self.seen.append((here, frozenset(JournalRow.objects.values_list("key", flat=True))))


def test_a_version_that_is_higher_shows_at_least_as_much(transactional_db: None) -> None:
    """The ordering property: in the browser equal or newer wins, so it must never hide what another has shown."""
    writers = Writers(8 if connection.vendor == "postgresql" else 3)
    looks = Renderings()

    def keep_looking() -> None:
        while writers.are_at_it():
            looks.look()

    readers = [in_thread(keep_looking) for _ in range(3)]
    for thread in [*writers.threads, *readers]:
        thread.join()
    looks.look()
    by_version = sorted(looks.seen, key=lambda look: look[0])
    for (low, less), (high, more) in pairwise(by_version):
        assert less <= more if low < high else less == more, (low, high, less - more)
    assert len(Counter(look[0] for look in looks.seen)) > 3


@pytest.mark.postgresql
def test_of_two_overlapping_changes_the_rendering_with_both_wins(transactional_db: None) -> None:
    """Of two bids the lower id commits last: the rendering after it shows both, and must not be dropped."""
    may_commit, has_written = threading.Event(), threading.Event()
    looks = Renderings()

    def take_long() -> None:
        with transaction.atomic():
            write("lower id")
            has_written.set()
            may_commit.wait(60)

    thread = in_thread(take_long)
    until(has_written.is_set)
    write("higher id")
    looks.look()
    may_commit.set()
    thread.join()
    looks.look()
    (first, one), (second, both) = looks.seen
    assert one == {"higher id"} and both == {"lower id", "higher id"} and second > first
