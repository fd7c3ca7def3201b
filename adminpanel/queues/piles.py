"""The lists of a queue of the desk, which its page shows one at a time: what waits, and what became of the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.urls import reverse

PAGE = 30
DEEPEST = 1000  # pages back: the rest stands with what it is about
M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Pile(Generic[M]):
    """One of the lists: its rows in their order, and at which end of it a new one comes in, if it does."""

    label: str
    rows: Callable[[], QuerySet[M]]
    grows: Literal["first", "last", ""] = ""


@dataclass(frozen=True)
class Tab:
    """One of the lists, as a link."""

    label: str
    url: str
    is_chosen: bool


class Listed(Generic[M]):
    """A page of one of `piles`, of which the first is the usual one; `room` is the name of its address.

    Of the query string `asked` it takes `show` (a pile; `usual` without it) and `page`. It costs one query: nobody
    counts what is behind it.
    """

    def __init__(self, room: str, piles: Mapping[str, Pile[M]], asked: QueryDict, usual: str = "") -> None:
        self.room, self.piles, self.first = room, piles, next(iter(piles))
        self.show = asked.get("show", usual)
        if self.show not in piles:
            self.show = self.first
        page = asked.get("page", "")
        is_number = page.isascii() and page.isdecimal() and len(page) < 9
        self._asked = min(max(int(page), 1), DEEPEST) if is_number else 1

    @cached_property
    def _found(self) -> tuple[int, list[M]]:
        """(The number of the page, its rows and one more); the first page where the list has become shorter."""
        rows, start = self.piles[self.show].rows(), (self._asked - 1) * PAGE
        found = list(rows[start : start + PAGE + 1])
        return (1, list(rows[: PAGE + 1])) if start and not found else (self._asked, found)

    @property
    def number(self) -> int:
        """Which page it is."""
        return self._found[0]

    @property
    def rows(self) -> Mapping[str, M]:
        """The rows by key, as their fragment loads them."""
        return {str(row.pk): row for row in self._found[1][:PAGE]}

    @property
    def before(self) -> int:
        """The page before this one; 0 on the first."""
        return self.number - 1

    @property
    def after(self) -> int:
        """The page after this one; 0 on the last."""
        return self.number + 1 if len(self._found[1]) > PAGE and self.number < DEEPEST else 0

    @property
    def new(self) -> str:
        """What becomes of one that is not on the page yet: it stands at one end of the list only. See `live_list`."""
        ends = {"first": not self.before, "last": not self.after}
        return "insert" if ends.get(self.piles[self.show].grows) else "pill"

    @property
    def query(self) -> str:
        """The query string without the page."""
        return self._query(self.show)

    @property
    def tabs(self) -> list[Tab]:
        """Every list."""
        address = reverse(self.room)
        links = {slug: f"{address}?{self._query(slug)}".rstrip("?") for slug in self.piles}
        return [Tab(pile.label, links[slug], slug == self.show) for slug, pile in self.piles.items()]

    def _query(self, slug: str) -> str:
        return "" if slug == self.first else f"show={slug}"


def next_among(rows: QuerySet[M], name: str, after: Any, pk: int) -> M | None:
    """The next of `rows` once the one with `pk` is decided: the first whose `name` is later than `after`, else the
    first of all.
    """
    others = rows.exclude(pk=pk)
    if after is None:
        return others.first()
    later = others.filter(Q(**{f"{name}__gt": after}) | Q(**{name: after, "pk__gt": pk}))
    return later.first() or others.first()


def seconds(moment: datetime | None) -> float:
    """An instant as a number, for sorting; 0 for none."""
    return moment.timestamp() if moment else 0.0


def ids(keys: Any) -> list[int]:
    """Keys of fragments as numbers."""
    return [int(key) for key in keys]
