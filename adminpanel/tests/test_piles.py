"""A queue's lists, whatever they hold: which page, what comes after it, and where a new one comes in."""

from __future__ import annotations

from functools import partial

import pytest
from django.db.models import QuerySet
from django.http import QueryDict
from pytest_django import DjangoAssertNumQueries

from accounts.models import AccountNote, User
from adminpanel.queues.piles import Listed, Pile, next_among

pytestmark = pytest.mark.django_db


def notes(text: str) -> QuerySet[AccountNote]:
    return AccountNote.objects.filter(text=text).order_by("at", "pk")


PILES = {
    "waits": Pile("Waits", partial(notes, "waits"), "last"),
    "over": Pile("Over", partial(notes, "over"), "first"),
    "still": Pile("Still", partial(notes, "still")),
}
listed = partial(Listed, "desk:reviews", PILES)


@pytest.fixture
def three(alice: User, frank: User, monkeypatch: pytest.MonkeyPatch) -> list[AccountNote]:
    """Three of each kind, in pages of two; those of one kind, by their age."""
    monkeypatch.setattr("adminpanel.queues.piles.PAGE", 2)
    made = [
        AccountNote.objects.create(user=alice, author=frank, text=text, at=f"2026-11-0{day}T10:00Z")
        for text in PILES
        for day in (1, 2, 3)
    ]
    return made[:3]


def test_without_a_word_it_is_the_first_list_from_its_beginning(three: list[AccountNote]) -> None:
    page = listed(QueryDict(""))
    assert (page.show, list(page.rows), page.before, page.after) == ("waits", [str(n.pk) for n in three[:2]], 0, 2)


def test_the_last_page_ends_it(three: list[AccountNote]) -> None:
    page = listed(QueryDict("page=2"))
    assert (list(page.rows), page.before, page.after) == ([str(three[2].pk)], 1, 0)


def test_beyond_the_end_it_begins_anew(three: list[AccountNote]) -> None:
    page = listed(QueryDict("page=7"))
    assert (page.number, list(page.rows)) == (1, [str(n.pk) for n in three[:2]])


@pytest.mark.parametrize("page", ["0", "-1", "x", "²", "9" * 40, "1.5", "\0"])
def test_a_page_that_cannot_be_is_the_first(three: list[AccountNote], page: str) -> None:
    asked = QueryDict(mutable=True)
    asked["page"] = page
    assert listed(asked).number == 1


@pytest.mark.parametrize(
    ("asked", "becomes"),
    [
        ("", "pill"),
        ("page=2", "insert"),
        ("show=over", "insert"),
        ("show=over&page=2", "pill"),
        ("show=still", "pill"),
        ("show=still&page=2", "pill"),
    ],
)
def test_a_new_one_comes_in_where_its_list_grows(three: list[AccountNote], asked: str, becomes: str) -> None:
    assert listed(QueryDict(asked)).new == becomes


def test_a_page_costs_one_query(three: list[AccountNote], django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        page = listed(QueryDict("show=over"))
        assert page.rows and page.after and page.new and page.tabs and page.query == "show=over"


def test_the_tabs_lead_to_every_list_and_say_which_is_chosen(db: None) -> None:
    tabs = listed(QueryDict("show=nonsense"), "over").tabs
    assert [(tab.label, tab.url, tab.is_chosen) for tab in tabs] == [
        ("Waits", "/desk/reviews/", True),
        ("Over", "/desk/reviews/?show=over", False),
        ("Still", "/desk/reviews/?show=still", False),
    ]
    assert listed(QueryDict(""), "over").show == "over"


def test_the_next_is_what_came_later_else_the_oldest(three: list[AccountNote]) -> None:
    first, second, last = three
    rows = notes("waits")
    assert next_among(rows, "at", first.at, first.pk) == second
    assert next_among(rows, "at", last.at, last.pk) == first
    assert next_among(rows, "at", None, first.pk) == second
    assert next_among(rows.filter(pk=first.pk), "at", first.at, first.pk) is None
