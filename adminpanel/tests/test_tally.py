"""Many counts in one query, and what was counted a moment ago."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Count, F, Sum
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role, User
from adminpanel.dashboard import kept
from adminpanel.dashboard.kept import Kept
from adminpanel.dashboard.tally import Branch, Place, tally
from bookings.models import Bid, Booking
from bookings.tests import make
from realtime import journal
from realtime.journal import Cursor, Reading
from realtime.pages import LivePage, go_on_from

TOPIC = "desk.figures"


def test_counts_and_sums_of_several_tables_are_one_query(alice, bob, dora):
    job = make.job(alice)
    make.offer(job, bob, "60.50")
    make.offer(job, dora, "40")
    with CaptureQueriesContext(connection) as seen:
        found = tally(
            {
                "jobs": Branch(Booking.objects.all()),
                "roles": Branch(User.objects.all(), part=F("role")),
                "asked": Branch(Bid.objects.all(), Sum("amount"), F("currency")),
                "customers": Branch(Bid.objects.all(), Count("booking__customer", distinct=True)),
            }
        )
    assert len(seen) == 1
    assert found == {
        Place("jobs", ""): 1,
        Place("roles", Role.CUSTOMER): 1,
        Place("roles", Role.TECHNICIAN): 2,
        Place("asked", "GBP"): Decimal("100.500"),
        Place("customers", ""): 1,
    }


def test_what_there_is_none_of_is_nothing_or_naught(db):
    rows = {"none": Branch(Bid.objects.none()), "sum": Branch(Bid.objects.all(), Sum("amount"), F("currency"))}
    assert tally(rows | {"all": Branch(Bid.objects.all())}) in ({}, {Place("all", ""): 0})
    assert tally({}) == {}


# --- What was counted a moment ago ----------------------------------------------------------------


class Counter:
    """Counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, now: datetime) -> int:
        self.asked += 1
        return self.asked


@pytest.fixture
def quiet(db, monkeypatch) -> list[str]:
    """A journal with nothing new, unless the test puts something into the list. (Within one transaction PostgreSQL
    takes all rows for new.)
    """
    changes: list[str] = []
    here = Cursor("epoch", 1, 1)
    monkeypatch.setattr(journal, "since", lambda cursor, topics: Reading(here, list(changes)))
    return changes


def test_however_many_look_one_counts(quiet):
    counter = Counter()
    assert [kept.kept("x", [TOPIC], counter) for _ in range(50)] == [1] * 50


def test_after_a_second_it_is_counted_again(quiet, monkeypatch):
    counter, now = Counter(), timezone.now()
    for later, expected in ((0, 1), (0.9, 1), (1, 2), (1.9, 2), (2.1, 3)):
        monkeypatch.setattr(timezone, "now", lambda later=later: now + timedelta(seconds=later))
        assert kept.kept("x", [TOPIC], counter) == expected


def test_a_change_in_between_is_never_left_out(quiet):
    counter = Counter()
    kept.kept("x", [TOPIC], counter)
    quiet.append("something on the topic")
    assert kept.kept("x", [TOPIC], counter) == 2


def test_a_change_is_asked_of_the_journal_itself(db):
    cursor = journal.now()
    found = Kept(1, timezone.now(), cursor)
    journal.write([journal.Touch("desk.charts", "adminpanel.glance", "all")])
    if connection.vendor == "sqlite":  # on PostgreSQL a transaction's own rows are new to every cursor
        assert kept.look(found, [TOPIC])[1]
    journal.write([journal.Touch(TOPIC, "adminpanel.kpis", "all")])
    assert not kept.look(found, [TOPIC])[1]


def test_what_was_counted_before_another_epoch_is_not_trusted(db):
    assert not kept.look(Kept(1, timezone.now(), Cursor("elsewhere", 5, 5)), [TOPIC])[1]


def test_several_things_are_kept_apart(quiet):
    one, other = Counter(), Counter()
    kept.kept("one", [TOPIC], one)
    other.asked = 10
    assert kept.kept("other", [TOPIC], other) == 11 and kept.kept("one", [TOPIC], one) == 1


# --- For pages, which go on from a cursor ---------------------------------------------------------


def test_however_many_look_and_write_a_page_counts_once_a_second(quiet, monkeypatch):
    counter, now = Counter(), timezone.now()
    quiet.append("something is written all the time")
    for later, expected in ((0, 1), (0.1, 1), (0.9, 1), (1, 2), (1.9, 2), (2.1, 3)):
        monkeypatch.setattr(timezone, "now", lambda later=later: now + timedelta(seconds=later))
        assert kept.kept_lately("x", counter).value == expected


def test_it_comes_with_a_cursor_from_before_it_was_counted(db):
    seen: list[Cursor] = []

    def count(now: datetime) -> int:
        journal.write([journal.Touch(TOPIC, "adminpanel.kpis", "all")])
        seen.append(journal.now())
        return 1

    for _ in range(3):
        cursor = kept.kept_lately("x", count).cursor
        assert [change.touch.fragment for change in journal.since(cursor, [TOPIC]).changes] == ["adminpanel.kpis"]
    assert len(seen) == 1


def test_what_must_be_true_now_counts_anew_and_pages_take_it_over(quiet):
    counter = Counter()
    assert kept.kept_lately("x", counter).value == 1
    quiet.append("something on the topic")
    assert kept.kept("x", [TOPIC], counter) == 2
    assert kept.kept_lately("x", counter).value == 2


def test_in_many_threads_that_look_at_once_one_counts(quiet):
    counter = Counter()
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda _: kept.kept_lately("x", counter).value, range(64)))
    assert (set(found), counter.asked) == ({1}, 1)


@pytest.mark.parametrize(("of", "goes_on"), [(5, "old.5"), (7, "mine.7"), (9, "mine.7")])
def test_a_page_goes_on_from_the_older_cursor(of, goes_on):
    request = RequestFactory().get("/")
    mine = Cursor("mine", 7, 7)
    request.live = LivePage(str(mine), mine.version, "usual")
    go_on_from(request, Cursor("old", of, of))
    assert (request.live.cursor, request.live.pace) == (goes_on, "usual")
