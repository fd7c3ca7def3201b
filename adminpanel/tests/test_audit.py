"""The audit: every history in one list, its pages, its search, its export, and nothing missing."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from io import StringIO

import pytest
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from accounts import actions as accounts
from accounts.audit import record
from accounts.models import DeskAction
from adminpanel.audit.lines import KIND_OF, Wanted, lines, load_lines
from adminpanel.audit.search import Asked
from bookings import actions
from bookings.models import Bid
from bookings.tests import make
from common.history import HistoryRow
from tests.crawl import browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(alice, bob, frank):
    """A job that Bob offered on, that Alice accepted and then called off; the desk took Bob's right away."""
    now = timezone.now()
    session = make.visit(alice, bob, now=now)
    actions.cancel_booking(session.booking, by=alice, reason="plans_changed", now=now)
    accounts.unverify_technician(bob.technician, by=frank, reason="Papers ran out.")
    return session.booking


def concrete(model):
    """The tables below a base."""
    return {each for each in model.__subclasses__() if not each._meta.abstract}


def test_every_history_is_in_it():
    assert concrete(HistoryRow) | {DeskAction} == set(KIND_OF)


def test_newest_first_in_one_query(story, django_assert_num_queries):
    with django_assert_num_queries(1):
        found = lines()
    assert found[0].kind == "account"
    assert (found[0].before, found[0].after, found[0].reason) == ("verified", "unverified", "Papers ran out.")
    assert [line.at for line in found] == sorted((line.at for line in found), reverse=True)
    assert len(found) == sum(model.objects.count() for model in KIND_OF)


def test_pages_hold_each_line_once_even_where_many_happened_at_the_same_instant(story):
    whole = [line.key for line in lines(limit=1000)]
    paged, before = [], ""
    while found := lines(before=before, limit=2):
        paged += [line.key for line in found]
        before = found[-1].cursor
    assert paged == whole


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "2026-01-01~booking~1",
        "2026-01-01T00:00:00+00:00~nothing~1",
        "0001-01-01T00:00:00+14:00~booking~1",
        f"2026-01-01T00:00:00+00:00~booking~{10**30}",
        "~~",
    ],
)
def test_a_broken_cursor_shows_the_newest(story, frank, cursor):
    page = browser(frank).get(reverse("desk:audit"), {"before": cursor})
    assert page.status_code == 200
    assert "Papers ran out." in page.content.decode()


@pytest.mark.parametrize("days", [{"until": "9999-12-31"}, {"since": "0001-01-01", "until": "2027-99-99"}])
def test_days_beyond_the_calendar_ask_for_nothing(story, frank, days):
    page = browser(frank).get(reverse("desk:audit"), days)
    assert page.status_code == 200 and "Papers ran out." in page.content.decode()


def test_what_is_asked_for(story, alice, bob, frank):
    assert {line.kind for line in lines(Wanted(kinds=("bid",)))} == {"bid"}
    assert {line.actor[0] for line in lines(Wanted(roles=("admin",)))} == {frank.pk}
    assert {line.person[0] for line in lines(Wanted(person=alice.pk))} == {alice.pk}
    assert {line.actor[0] for line in lines(Wanted(actor=alice.pk))} == {alice.pk}
    assert [line.reason for line in lines(Wanted(search="papers out"))] == ["Papers ran out."]
    assert {line.kind for line in lines(Wanted(subject=("booking", story.pk)))} == {"booking"}
    assert lines(Wanted(since=timezone.now() + timedelta(days=1))) == []
    assert lines(Wanted(kinds=("nothing",))) == []
    assert bob.pk in {line.person[0] for line in lines(Wanted(kinds=("account",)))}


def test_lines_by_key(story, django_assert_num_queries):
    keys = [line.key for line in lines()]
    with django_assert_num_queries(1):
        found = load_lines([*keys, "nothing-1", "booking-x", ""])
    assert list(found) and set(found) == set(keys)


def test_what_the_desk_did_without_moving_anything(alice, frank):
    record(frank, "changed_flag", label="live_sockets", person=alice, reason="Slow", details={"share": [10, 30]})
    record(alice, "nothing")
    (line,) = lines(Wanted(kinds=("desk",)))
    assert (line.look.word, line.label, line.person) == ("Changed flag", "live_sockets", (alice.pk, alice.name))
    assert line.changes == [("share", 10, 30)]


def test_the_page_costs_as_much_with_many_lines(story, alice, frank, django_assert_max_num_queries):
    client = browser(frank)
    for number in range(120):
        record(frank, "tried", label=f"{number}", person=alice)
    with django_assert_max_num_queries(11):
        page = client.get(reverse("desk:audit"))
    assert page.content.decode().count('class="line"') == 50
    older = client.get(reverse("desk:audit"), {"before": lines(limit=50)[-1].cursor})
    assert older.content.decode().count('class="line"') == 50


def test_the_page_says_what_and_why_and_keeps_the_search(story, frank):
    page = browser(frank).get(reverse("desk:audit"), {"q": "papers", "kind": "account"}).content.decode()
    assert "Papers ran out." in page
    assert 'value="papers"' in page
    assert '<option value="account" selected>' in page
    assert "Words are looked for in 30 days at a time" in page


def asked(query: str) -> Asked:
    return Asked(QueryDict(query))


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("q=tap&until=2026-03-31", date(2026, 3, 1), date(2026, 3, 31)),
        ("q=tap&since=2026-03-01", date(2026, 3, 1), date(2026, 3, 31)),
        ("q=tap&since=2024-01-01&until=2026-03-31", date(2026, 3, 1), date(2026, 3, 31)),
        ("q=tap&since=2026-03-20&until=2026-03-31", date(2026, 3, 20), date(2026, 3, 31)),
        ("q=tap&person=5&since=2024-01-01", date(2024, 1, 1), None),
        ("since=2024-01-01&until=2026-03-31", date(2024, 1, 1), date(2026, 3, 31)),
        ("", None, None),
    ],
)
def test_words_are_looked_for_in_thirty_days_at_a_time(query, first, last):
    """Line by line, over a million of them, took seconds; about one person or thing there are few."""
    assert asked(query).days == (first, last)


def test_without_a_day_the_words_of_the_last_thirty_days_are_found(story):
    assert [line.reason for line in asked("q=papers").found] == ["Papers ran out."]
    first, last = asked("q=papers").days
    assert last - first == timedelta(days=30)
    assert asked(f"q=papers&until={first}").found == []


def test_a_search_that_begins_in_days_to_come_finds_nothing(story):
    later = timezone.now().date() + timedelta(days=400)
    assert asked(f"q=papers&since={later}").found == []


def test_hostile_words_stay_words(alice, frank):
    record(frank, "tried", label="<script>alert(1)</script>", reason="</li><b>")
    page = browser(frank).get(reverse("desk:audit")).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_the_export_holds_all_of_the_search_and_leaves_a_line(story, frank):
    answer = browser(frank).post(f"{reverse('desk:audit_export')}?kind=account")
    rows = list(csv.reader(StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert len(rows) == 1 + len(lines(Wanted(kinds=("account",)), limit=1000))
    assert rows[1][9] == "Papers ran out."
    (left,) = lines(Wanted(kinds=("desk",)))
    assert (left.after, left.details) == ("exported_audit", {"filters": ["", "kind: account"], "rows": ["", 1]})


def test_replaying_a_history_gives_the_state(story):
    for kind, row in (("booking", story), ("bid", Bid.objects.get(booking=story))):
        moves = [line for line in reversed(lines(limit=1000)) if line.kind == kind]
        assert [line.before for line in moves[1:]] == [line.after for line in moves[:-1]]
        assert moves[-1].after == make.fresh(row).status
