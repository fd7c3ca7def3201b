"""Many counts and sums in one query, whatever tables they are of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Count, DecimalField, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

Total = DecimalField(max_digits=20, decimal_places=3)


@dataclass(frozen=True)
class Branch:
    """What is counted of some rows: how many they are, or `measure` of them, apart by `part` where it is given."""

    rows: QuerySet[Any]
    measure: Combinable = Count("pk")  # noqa: RUF009 (an expression is never changed)
    part: Combinable = Value("")  # noqa: RUF009


class Place(NamedTuple):
    """Where a total belongs: the name of its branch and the part, a currency for instance."""

    name: str
    part: str


def tally(branches: Mapping[str, Branch]) -> dict[Place, Decimal]:
    """The totals by (name, part), in one query for any number of branches. What there is none of is left out."""
    parts = [columns(name, branch) for name, branch in branches.items()]
    rows = parts[0].union(*parts[1:], all=True) if parts else []
    return {Place(name, part): total for name, part, total in rows if total is not None}


def columns(name: str, branch: Branch) -> QuerySet[Any, Any]:
    """One branch, in the columns and types that all have in common."""
    rows = branch.rows.order_by().values(_name=Cast(Value(name), TextField()), _part=Cast(branch.part, TextField()))
    found: QuerySet[Any, Any] = rows.annotate(_total=Cast(branch.measure, Total))
    return found.values_list("_name", "_part", "_total")
