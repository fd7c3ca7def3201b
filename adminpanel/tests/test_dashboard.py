"""The dashboard's page: what stands on it, what it costs, and that it is where the desk begins."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from adminpanel.audit.lines import SOURCES
from adminpanel.dashboard import kept
from adminpanel.tests.test_rail import document
from bookings.tests import make
from bookings.tests.follow import touched_by
from tests.crawl import browser

URL = "/desk/"


@pytest.fixture
def desk(frank: User) -> Client:
    """Frank's browser."""
    return browser(frank)


def html(client: Client, query: str = "") -> str:
    """The page."""
    response = client.get(f"{URL}{query}")
    assert response.status_code == 200
    return response.content.decode()


def figure(page: str, name: str) -> str:
    """What a figure says."""
    found = re.search(rf'data-cell="{name}">([^<]*)<', page)
    assert found, name
    return found[1]


def happen(alice: User, bob: User, number: int) -> None:
    """A visit that was finished just now, and an open job."""
    now = timezone.now()
    window = {"window_start": now + number * make.DAY, "window_end": now + number * make.DAY + 4 * make.HOUR}
    make.finished(make.visit(alice, bob, now=now, **window), at=now)
    make.job(alice, now=now, **window)


def test_the_desk_begins_here(desk):
    assert desk.get("/")["Location"] == URL
    assert '<h1 class="board-title">' in html(desk)


@pytest.mark.parametrize("who", ["alice", "bob", "ed"])
def test_nobody_else_does(client, request, who):
    client.force_login(request.getfixturevalue(who))
    assert client.get(URL).status_code == 403


def test_it_says_how_things_stand(desk, alice, bob):
    happen(alice, bob, 1)
    document(bob)
    page = html(desk)
    names = ("open", "completed", "revenue", "verification", "placed_day", "visits", "people")
    assert [figure(page, name) for name in names] == ["1", "1", "£60.00", "1", "2", "0", "0"]
    assert "Kitchen tap leaks" in page and "Bob Test" in page
    assert 'class="kpi is-wait" data-kpi="verification"' in page
    assert re.search(r'id="adminpanel-waits-verification"[^>]*class="badge-x rail-waits">1<', page)


def test_who_is_new_stands_there_with_their_photo(desk, bob):
    assert "/photo/" not in html(desk)
    bob.photo = "photos/bob.jpg"
    assert "adminpanel.glance" in {touch.fragment for touch in touched_by(lambda: bob.save(update_fields=["photo"]))}
    assert f'src="{reverse("photo", args=[bob.pk])}"' in html(desk)


def test_an_empty_desk_says_what_will_come(desk):
    page = html(desk)
    assert figure(page, "open") == "0" and "Nobody signed up as a technician" in page


@pytest.mark.parametrize(("query", "rows"), [("", 24), ("?period=week", 7), ("?period=month", 30), ("?period=x", 24)])
def test_the_charts_stand_as_a_table_too(desk, query, rows):
    table = html(desk, query).split('<table id="adminpanel-charts-')[1].split("</table>")[0]
    assert table.count("<tr>") == rows + 1 and table.count('<th scope="col">') == 6


def test_every_kind_of_line_may_be_muted(desk):
    page = html(desk)
    with open("static/css/dashboard.css") as css:  # noqa: PTH123 (read once)
        rules = css.read()
    for source in SOURCES:
        assert f'<input type="checkbox" value="{source.kind}" checked' in page
        assert f'.feed[data-muted~="{source.kind}"] [data-kind="{source.kind}"]' in rules


def test_it_costs_less_than_twelve_queries_however_much_happened(desk, alice, bob):
    def queries() -> int:
        kept.forget()
        with CaptureQueriesContext(connection) as seen:
            html(desk)
        return len(seen)

    happen(alice, bob, 1)
    html(desk)
    few = queries()
    for number in range(2, 8):
        happen(alice, bob, number)
    assert queries() == few < 12


def cursor_of(page: str) -> str:
    """Where the page goes on from."""
    found = re.search(r'data-cursor="([^"]+)"', page)
    assert found
    return found[1]


@pytest.mark.django_db(transaction=True)
def test_a_page_that_shows_what_was_counted_a_moment_ago_hears_of_the_rest(desk, alice, bob, monkeypatch):
    """However many look and write, there is one count a second: what is newer comes by the older cursor."""
    monkeypatch.setattr(kept, "FOR", make.HOUR)
    first = html(desk)
    happen(alice, bob, 1)
    second = html(desk)
    assert (figure(first, "open"), figure(second, "open")) == ("0", "0")
    query = {"c": cursor_of(second), "topic": ["desk.figures", "desk.charts"], "page": URL}
    told = desk.get("/live/poll", query)
    assert told.status_code == 200
    assert figure(told.content.decode().replace('\\"', '"'), "open") == "1"
