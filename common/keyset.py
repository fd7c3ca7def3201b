"""Pages of lists that are read out of several tables together, newest first: where one ends and the next begins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

YEARS = range(1900, 9000)  # outside of these an instant cannot be shown in every zone
DIGITS = 18


class Mark(NamedTuple):
    """The last row of a page: its instant, the place of its table among the others, and its id."""

    at: datetime
    rank: int
    pk: int


def mark_of(text: str, kinds: Sequence[str]) -> Mark:
    """A cursor, "instant~kind~id", whose table is one of `kinds`. Raises `ValueError` for anything else."""
    at, kind, pk = text.split("~")
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None or moment.year not in YEARS or len(pk) > DIGITS:
        raise ValueError(text)
    return Mark(moment, list(kinds).index(kind), int(pk))


def cursor_of(at: datetime, kind: str, pk: int) -> str:
    """The cursor of a row."""
    return f"{at.isoformat()}~{kind}~{pk}"


def older_than(mark: Mark, rank: int) -> Q:
    """What comes after a row, of the table with that rank: of one instant, tables in their order, then ids down."""
    if rank < mark.rank:
        return Q(at__lt=mark.at)
    if rank > mark.rank:
        return Q(at__lte=mark.at)
    return Q(at__lt=mark.at) | Q(at=mark.at, pk__lt=mark.pk)
