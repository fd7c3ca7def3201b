"""What others thought of people: averages over the reviews that everybody may read, sealed and hidden ones left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Avg, Count

from accounts.models import Technician
from bookings.models import Review


@dataclass(frozen=True)
class Rating:
    """The average number of stars, from 1 to 5, and how many gave them; no average where nobody did."""

    average: float | None = None
    count: int = 0


def ratings(user_ids: Iterable[int]) -> Mapping[int, Rating]:
    """What is thought of each of these people, in one query; an empty rating for those without a review."""
    wanted = set(user_ids)
    if not wanted:
        return {}
    rows = Review.objects.shown().filter(about__in=wanted).order_by().values_list("about")
    found = {pk: Rating(float(average), count) for pk, average, count in rows.annotate(Avg("stars"), Count("pk"))}
    return {pk: found.get(pk, Rating()) for pk in wanted}


def rate(technicians: Iterable[Technician]) -> None:
    """Lay each technician's rating beside it, as `rating`, for templates; one query."""
    people = list(technicians)
    found = ratings(person.pk for person in people)
    for person in people:
        person.rating = found[person.pk]  # type: ignore[attr-defined]
