"""Bulk writes on live models: the only ones that pages hear of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import models, transaction

from realtime import fragments, journal
from realtime.models import LiveModel

M = TypeVar("M", bound=models.Model)
L = TypeVar("L", bound=LiveModel)


def bulk_update(queryset: models.QuerySet[M], **values: Any) -> int:
    """Update the rows of `queryset`, journal what they touched before and touch now; returns their number.

    Costs two reads more than a plain update: the rows as they were (locked, in the order of their ids) and as they are.
    """
    with transaction.atomic(savepoint=False):
        # In one order, or two writers of the same rows could wait for each other; the weaker lock, so that nobody waits
        # who only points at a row.
        before = {row.pk: row for row in queryset.order_by("pk").select_for_update(no_key=True)}
        rows = queryset.model._base_manager.filter(pk__in=list(before))
        count = models.QuerySet.update(rows, **values)
        journal.write_touches((before[row.pk], row) for row in rows.all())
        return count


def bulk_save(rows: Sequence[L], fields: Sequence[str]) -> None:
    """Write `fields` of `rows`, which were loaded and locked before, in one statement, and journal what they touched
    as they were loaded and touch now. Costs no read, unlike `bulk_update`.
    """
    if not rows:
        return
    with transaction.atomic(savepoint=False):
        models.QuerySet.bulk_update(type(rows[0])._base_manager.all(), rows, fields)
        journal.write_touches((fragments.as_it_was(row, row._remembered), row) for row in rows)
    for row in rows:
        row.remember(fields)


def bulk_create(model: type[M], objects: Sequence[M], **options: Any) -> list[M]:
    """Insert `objects` in one statement and journal what they touch. `options` go to Django's bulk_create."""
    with transaction.atomic(savepoint=False):
        made: list[M] = models.QuerySet.bulk_create(model._base_manager.all(), objects, **options)
        journal.write_touches((None, row) for row in made)
        return made


def bulk_delete(queryset: models.QuerySet[M]) -> int:
    """Delete the rows of `queryset` (with what hangs on them) and journal what they touched; returns their number."""
    with transaction.atomic(savepoint=False):
        # Live models have post_delete listeners, so Django deletes row by row in memory and tells each.
        return queryset.delete()[0]
