"""Which conversations the desk's list shows: a filter, a search, a page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict

from adminpanel.talk.recipients import numbers
from chat.models import Conversation, ConversationKind, Participant
from chat.seen import Row, desk_rows, spoken_in, unread_count

PAGE = 30
MOST_PAGES = 10_000
LONGEST = 100  # characters of a search
WORDS = 6  # of a search that are looked for
FILTERS = {
    "all": "All",
    "unread": "Unread",
    "jobs": "Jobs",
    "people": "People",
    "broadcasts": "Broadcasts",
}
KINDS = {
    "jobs": ConversationKind.JOB,
    "people": ConversationKind.DESK,
    "broadcasts": ConversationKind.BROADCAST,
}


@dataclass(frozen=True)
class Tab:
    """A filter as a link that keeps the search."""

    slug: str
    label: str
    query: str
    is_chosen: bool


@dataclass(frozen=True)
class Page:
    """A page of the list, by the keys of its rows. How many there are in all nobody counts."""

    rows: dict[str, Row]
    number: int
    has_next: bool

    @property
    def has_other_pages(self) -> bool:
        """Whether there is anything to turn to."""
        return self.number > 1 or self.has_next


class Found:
    """What the query string `asked` asks of the list: `show` (a filter), `q` (a search) and `page`."""

    def __init__(self, asked: QueryDict) -> None:
        self.show = asked.get("show", "")
        if self.show not in FILTERS:
            self.show = "all"
        self.search = asked.get("q", "").replace("\0", "").strip()[:LONGEST]
        self._page = asked.get("page", "")

    @cached_property
    def page(self) -> Page:
        """The page that is asked for; the first where there is none. The one where something was last said first."""
        wanted = numbers([self._page])[:1] or [1]
        return self.at(min(max(wanted[0], 1), MOST_PAGES)) or self.at(1) or Page({}, 1, False)

    def at(self, number: int) -> Page | None:
        """The page of that number, None where nothing stands on it. One row more says whether another follows."""
        rows = searched(shown(Conversation.objects.filter(spoken_in()), self.show), self.search)
        found = desk_rows(rows, PAGE * (number - 1), PAGE + 1)
        here = {str(row.conversation.pk): row for row in found[:PAGE]}
        return Page(here, number, len(found) > PAGE) if here else None

    @property
    def new(self) -> str:
        """What becomes of a conversation that is not on the page yet: see `live_list`."""
        return "insert" if self.show == "all" and not self.search and self.page.number == 1 else "pill"

    @property
    def is_narrowed(self) -> bool:
        """Whether there may be more than the list shows."""
        return bool(self.search) or self.show != "all"

    @property
    def query(self) -> str:
        """The query string without the page."""
        return self._query(self.show)

    @property
    def tabs(self) -> list[Tab]:
        """Every filter."""
        return [Tab(slug, label, self._query(slug), slug == self.show) for slug, label in FILTERS.items()]

    def _query(self, show: str) -> str:
        wanted = {"show": "" if show == "all" else show, "q": self.search}
        return urlencode({name: value for name, value in wanted.items() if value})


def shown(rows: QuerySet[Conversation], show: str) -> QuerySet[Conversation]:
    """Those of a filter."""
    if show == "unread":
        behind = Participant.objects.filter(conversation=OuterRef("pk"), user=None, read__lt=OuterRef("last_seq"))
        return rows.filter(Exists(behind.annotate(unread=unread_count()).filter(unread__gt=0)))
    return rows.filter(kind=KINDS[show]) if show in KINDS else rows


def searched(rows: QuerySet[Conversation], search: str) -> QuerySet[Conversation]:
    """Those that each word of `search` is found in: names and e-mail addresses of people, a job, a subject."""
    for word in search.split()[:WORDS]:
        rows = rows.filter(holds("person", word) | job_holds(word) | Q(subject__icontains=word) | told(word))
    return rows


def holds(person: str, word: str) -> Q:
    """Whether the user at the end of the path `person` is called so."""
    return Q(**{f"{person}__name__icontains": word}) | Q(**{f"{person}__email__icontains": word})


def job_holds(word: str) -> Q:
    """Whether the job of a conversation, or one of its two sides, is called so."""
    sides = holds("bid__technician__user", word) | holds("bid__booking__customer", word)
    return sides | Q(bid__booking__title__icontains=word)


def told(word: str) -> Q:
    """Whether somebody whom a broadcast went to is called so."""
    people = Participant.objects.filter(holds("user", word), conversation=OuterRef("pk"))
    return Q(Exists(people), kind=ConversationKind.BROADCAST)
