"""What the apps hold about a person: for the copy they may ask for, and for what goes when they are erased.

Each app says it in its `personal.py`, which is found by itself:

    hold(Holding("bookings", sections=sections, files=files, running=running, forget=forget))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Model, Q, QuerySet
from django.db.models.fields.files import FieldFile

from accounts.models import User

PAGE = 500  # rows that are read at once


class Section(NamedTuple):
    """One file of the copy: rows of one kind, read while they are sent."""

    name: str
    rows: Iterable[Mapping[str, Any]]


class Held(NamedTuple):
    """A stored file, and what it is called in the copy."""

    path: str
    file: FieldFile


def nothing(user: User) -> tuple[()]:
    """For apps that keep none."""
    return ()


@dataclass(frozen=True)
class Holding:
    """What one app holds.

    `running` are sentences about what must end before the person can be erased. `forget` takes their details out
    of it, inside the transaction of the erasure: names, addresses, words and files go, the books stay. `claim` comes
    before both: it locks what `forget` will write and others write too, in the order in which the app's actions do.
    """

    app: str
    sections: Callable[[User], Iterable[Section]]
    forget: Callable[[User, datetime], None]
    files: Callable[[User], Iterable[Held]] = nothing
    running: Callable[[User], Iterable[str]] = nothing
    claim: Callable[[User], object] = nothing


_holdings: dict[str, Holding] = {}


def hold(holding: Holding) -> None:
    """Say what an app holds."""
    if holding.app in _holdings:
        raise ValueError(f"{holding.app} says twice what it holds.")
    _holdings[holding.app] = holding


def holdings() -> list[Holding]:
    """Of every app, in the order in which they are installed."""
    return list(_holdings.values())


def values_of(rows: QuerySet[Any], *columns: str, **named: Any) -> Iterable[Mapping[str, Any]]:
    """The `columns` of `rows` and its key, in pages by the key: no cursor stays open while somebody downloads."""
    after = Q()
    while True:
        page = list(rows.filter(after).order_by("pk").values("pk", *columns, **named)[:PAGE])
        yield from page
        if len(page) < PAGE:
            return
        after = Q(pk__gt=page[-1]["pk"])


def claim_rows(*several: QuerySet[Any]) -> None:
    """Lock rows of one table after the other, each by the order of its ids. The queries join no other table."""
    for rows in several:
        list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))


def file_of(row: Model, field: str, folder: str, name: str = "") -> list[Held]:
    """The file of a row, if it has one: in `folder`, under the row's key and `name` or the ending it is kept with."""
    kept: FieldFile = getattr(row, field)
    if not kept:
        return []
    called = name or f"{field}.{str(kept.name).rpartition('.')[2]}"
    return [Held(f"files/{folder}/{row.pk}-{called}", kept)]
