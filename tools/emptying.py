"""After a test with real commits, the database is as the migrations left it, and only what it filled is touched.

Django would truncate every table and fill in permissions again, which takes PostgreSQL a good second; and it would
take the rows that migrations have made with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase


class Emptying:
    """The tables as they were when this was made, and the way back to that."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            self.tables = connection.introspection.table_names(cursor)
            filled = self._filled(cursor, dict.fromkeys(self.tables, ""))
            self.added = {name: self._beyond(cursor, name) if name in filled else "" for name in self.tables}

    def empty(self) -> None:
        """Delete what was added. Foreign keys are checked at commit, so the order does not matter.

        Deleting takes no lock that a thread which is still reading would wait for, and ids never come again.
        """
        with transaction.atomic(), connection.cursor() as cursor:
            for name in self._filled(cursor, self.added):
                cursor.execute(f'DELETE FROM "{name}"{self.added[name]}')

    def _filled(self, cursor: Any, added: dict[str, str]) -> list[str]:
        """The tables with such rows. One query."""
        asked = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\"{where})" for name, where in added.items())
        cursor.execute(" UNION ALL ".join(asked))
        return [name for (name,) in cursor.fetchall()]

    def _beyond(self, cursor: Any, name: str) -> str:
        """The condition of rows that came after those which are there."""
        cursor.execute(f'SELECT max(id) FROM "{name}"')
        return f" WHERE id > {cursor.fetchone()[0]}"


@contextmanager
def emptied_between_tests() -> Iterator[Emptying]:
    """Have tests with real commits cleaned up so. To be entered before the first of them."""
    emptying = Emptying()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: emptying.empty())
        yield emptying
