"""The desk's queue of reviews: which are shown, and all that is known about one. Sealed ones are in none of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db.models import Avg, Count, F, Max, OuterRef, Prefetch, Subquery

from adminpanel.queues.piles import Listed, Pile, ids, next_among, seconds
from bookings.models import Booking, Review, ReviewFlag, ReviewHistory
from bookings.querysets import ReviewQuerySet
from bookings.rating import Rating
from bookings.states import ReviewStatus

# --- The list -------------------------------------------------------------------------------------


def listed(show: str) -> ReviewQuerySet:
    """Those of a list: what waits in the order in which it was flagged, the others the latest first."""
    rows = for_rows().filter(status=show)
    return rows.order_by(F("flagged_at"), "pk") if show == "flagged" else rows.order_by("-published_at", "-pk")


PILES: dict[str, Pile[Review]] = {
    "flagged": Pile("To decide", partial(listed, "flagged"), "last"),
    "published": Pile("Published", partial(listed, "published")),  # many at once, when the seals break
    "hidden": Pile("Hidden", partial(listed, "hidden"), "first"),
}
reviews_listed = partial(Listed, "desk:reviews", PILES)


def for_rows() -> ReviewQuerySet:
    """Open reviews with all that a row shows; `flagged_at` is when somebody flagged it last."""
    last = ReviewFlag.objects.filter(review=OuterRef("pk")).order_by("-at").values("at")[:1]
    return Review.objects.opened().with_people().annotate(flagged_at=Subquery(last))


def next_after(review: Review) -> Review | None:
    """The next that waits: what was flagged after `review`, else the oldest."""
    last = review.flags.aggregate(at=Max("at"))["at"]
    return next_among(listed("flagged"), "flagged_at", last, review.pk)


def load_rows(keys: Sequence[str]) -> Mapping[str, Review]:
    """Open reviews with their job and both sides; one query."""
    return {str(row.pk): row for row in for_rows().filter(pk__in=ids(keys))}


def order_of(row: Any) -> str:
    """Where a row stands in its list, as text."""
    if row.status == ReviewStatus.FLAGGED:
        return f"{seconds(row.flagged_at):018.6f}"
    return f"{10**11 - seconds(row.published_at):018.6f}"


# --- One ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReviewCase:
    """An open review with who flagged it and why, what the other side said, and what hiding it would do."""

    review: Review
    rating: Rating  # of whom it is about
    answer_pk: int | None = None  # of what the other side of the job says
    answer_stars: int | None = None

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
    """Open reviews by key; three queries for any number. A sealed one of the other side stays out."""
    rows = Review.objects.opened().with_people().filter(pk__in=ids(keys)).annotate(**rated(), **answered())
    people = rows.prefetch_related(Prefetch("flags", ReviewFlag.objects.select_related("by")))
    whole = people.prefetch_related(Prefetch("history", ReviewHistory.objects.select_related("actor")))
    return {str(row.pk): case_of(row) for row in whole}


def rated() -> dict[str, Subquery]:
    """The rating of whom a review is about, in the query that loads it."""
    shown = Review.objects.shown().filter(about=OuterRef("about")).order_by().values("about")
    return {
        "rated_average": Subquery(shown.annotate(value=Avg("stars")).values("value")),
        "rated_count": Subquery(shown.annotate(value=Count("pk")).values("value")),
    }


def answered() -> dict[str, Subquery]:
    """What the other side of the job says, if that is open."""
    other = Review.objects.opened().filter(booking=OuterRef("booking"), author=OuterRef("about"))
    return {"answer_pk": Subquery(other.values("pk")[:1]), "answer_stars": Subquery(other.values("stars")[:1])}


def case_of(row: Any) -> ReviewCase:
    """The case out of a row of `load_cases`."""
    average = float(row.rated_average) if row.rated_average is not None else None
    return ReviewCase(row, Rating(average, row.rated_count or 0), row.answer_pk, row.answer_stars)
