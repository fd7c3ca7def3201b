"""The desk's queue of reviews: which are shown, and all that is known about one. Sealed ones are in none of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Max, Prefetch, Q
from django.http import QueryDict
from django.urls import reverse

from bookings.models import Booking, Review, ReviewFlag, ReviewHistory
from bookings.querysets import ReviewQuerySet
from bookings.rating import Rating, ratings
from bookings.states import ReviewStatus

PAGE = 30
MOST = 10 * PAGE  # of those that are decided or were never flagged: the latest; the rest stands with their jobs
TABS = {"flagged": "To decide", "published": "Published", "hidden": "Hidden"}


def ids(keys: Sequence[str]) -> list[int]:
    """Keys as numbers."""
    return [int(key) for key in keys]


# --- The list -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tab:
    """One of the lists, as a link."""

    slug: str
    label: str
    is_chosen: bool

    @property
    def url(self) -> str:
        """Where it is."""
        return reverse("desk:reviews") + ("" if self.slug == "flagged" else f"?show={self.slug}")


class Queue:
    """What the query string `asked` asks of the list: `show` (one of TABS) and `page`. `usual`: without it."""

    def __init__(self, asked: QueryDict, usual: str = "flagged") -> None:
        self.show = asked.get("show", usual)
        if self.show not in TABS:
            self.show = "flagged"
        self._page = asked.get("page")

    @cached_property
    def page(self) -> Page[Any]:
        """The ids of a page."""
        rows = listed(self.show).values_list("pk", flat=True)
        return Paginator(rows if self.show == "flagged" else rows[:MOST], PAGE).get_page(self._page)

    @property
    def new(self) -> str:
        """What becomes of one that is not on the page yet: the latest belongs to one end of the list only."""
        if self.show == "flagged":
            return "pill" if self.page.has_next() else "insert"
        return "pill" if self.page.has_previous() or self.show == "published" else "insert"

    @property
    def query(self) -> str:
        """The query string without the page."""
        return "" if self.show == "flagged" else f"show={self.show}"

    @property
    def tabs(self) -> list[Tab]:
        """Every list."""
        return [Tab(slug, label, slug == self.show) for slug, label in TABS.items()]


def listed(show: str) -> ReviewQuerySet:
    """Those of a list: what waits in the order in which it was flagged, the others the latest first."""
    rows = Review.objects.filter(status=show)
    return with_flag(rows).order_by("flagged_at", "pk") if show == "flagged" else rows.order_by("-published_at", "-pk")


def with_flag(rows: ReviewQuerySet) -> ReviewQuerySet:
    """Annotates `flagged_at`: when somebody flagged it last."""
    return rows.annotate(flagged_at=Max("flags__at"))


def next_after(review: Review) -> Review | None:
    """The next that waits: what was flagged after `review`, else the oldest."""
    last = review.flags.aggregate(at=Max("at"))["at"]
    rows = listed("flagged").exclude(pk=review.pk)
    later = rows.filter(Q(flagged_at__gt=last) | Q(flagged_at=last, pk__gt=review.pk)) if last else rows.none()
    return later.first() or rows.first()


def load_rows(keys: Sequence[str]) -> Mapping[str, Review]:
    """Open reviews with their job and both sides; one query."""
    rows = with_flag(Review.objects.opened().with_people()).filter(pk__in=ids(keys))
    return {str(row.pk): row for row in rows}


def order_of(row: Any) -> str:
    """Where a row stands in its list, as text."""
    if row.status == ReviewStatus.FLAGGED:
        return f"{seconds(row.flagged_at):018.6f}"
    return f"{10**11 - seconds(row.published_at):018.6f}"


def seconds(moment: datetime | None) -> float:
    """An instant as a number."""
    return moment.timestamp() if moment else 0.0


# --- One ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReviewCase:
    """An open review with who flagged it and why, what the other side said, and what hiding it would do."""

    review: Review
    rating: Rating  # of whom it is about
    other: Review | None = None  # what the other side of the job says

    @property
    def pk(self) -> int:
        """The review's."""
        return self.review.pk

    @property
    def booking(self) -> Booking:
        """The job."""
        return self.review.booking

    @property
    def flags(self) -> list[ReviewFlag]:
        """Who found what wrong with it, the latest first."""
        return list(reversed(self.review.flags.all()))

    @property
    def history(self) -> list[ReviewHistory]:
        """The latest step first."""
        return list(reversed(self.review.history.all()))

    @property
    def waits(self) -> bool:
        """Whether it is to be decided."""
        return self.review.status == ReviewStatus.FLAGGED

    @property
    def may_be_flagged(self) -> bool:
        """Whether the desk may take it up by itself."""
        return self.review.status == ReviewStatus.PUBLISHED

    @property
    def counts(self) -> bool:
        """Whether it is part of the rating."""
        return self.review.status in (ReviewStatus.PUBLISHED, ReviewStatus.FLAGGED)

    @property
    def without(self) -> Rating:
        """The rating as it would be without this review."""
        left = self.rating.count - 1
        if self.rating.average is None or left < 1:
            return Rating()
        return Rating((self.rating.average * self.rating.count - self.review.stars) / left, left)


def load_cases(keys: Sequence[str]) -> Mapping[str, ReviewCase]:
    """Open reviews by key; five queries for any number. A sealed one of the other side stays out."""
    people = ReviewFlag.objects.select_related("by")
    steps = ReviewHistory.objects.select_related("actor")
    rows = Review.objects.opened().with_people().filter(pk__in=ids(keys))
    found = list(rows.prefetch_related(Prefetch("flags", people), Prefetch("history", steps)))
    rated = ratings(row.about_id for row in found)
    beside = Review.objects.opened().filter(booking__in=[row.booking_id for row in found])
    written = {(row.booking_id, row.author_id): row for row in beside}
    return {
        str(row.pk): ReviewCase(row, rated[row.about_id], written.get((row.booking_id, row.about_id))) for row in found
    }
