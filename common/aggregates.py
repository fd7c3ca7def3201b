"""Aggregates that both databases have, each by another name."""

from __future__ import annotations

from typing import Any

from django.db.models import Aggregate, TextField


class Lines(Aggregate):
    """The values of a text column as one text, a line each, in no order; none for no rows."""

    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """SQLite's."""
        return self.as_sql(compiler, connection, template="GROUP_CONCAT(%(expressions)s, CHAR(10))", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """PostgreSQL's."""
        return self.as_sql(compiler, connection, template="STRING_AGG(%(expressions)s, CHR(10))", **context)
