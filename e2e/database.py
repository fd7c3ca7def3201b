"""The site's database, emptied between tests while the site keeps running."""

from __future__ import annotations

from django.db import OperationalError, connection, connections, transaction

SEED = "e2e_seed_"
TRIES = 5
DEADLOCK = "40P01"  # PostgreSQL's SQLSTATE deadlock_detected
# The journal only grows and its ids never come again; processes and presence belong to the running site.
KEEP = ("django_migrations", "django_content_type", "auth_permission", "realtime_", SEED)


def is_kept(table: str) -> bool:
    """Whether `table` is left alone between tests."""
    return table.startswith(KEEP)


def tables() -> list[str]:
    """The tables that a test may fill."""
    with connection.cursor() as cursor:
        return [name for name in connection.introspection.table_names(cursor) if not is_kept(name)]


def remember_seeds() -> None:
    """Copy what the migrations have put into tables, to put it back after each emptying."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table in tables():
            cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{table}")')
            if cursor.fetchone()[0]:
                cursor.execute(f'CREATE TABLE "{SEED}{table}" AS SELECT * FROM "{table}"')


def empty() -> None:
    """Back to the state after the migrations. Foreign keys are checked at commit, so the order does not matter.

    Rows are deleted, not truncated: no lock that the running site would wait for, and ids never come again. The site
    may still finish what the last test began, in another order: of two that then wait for each other PostgreSQL ends
    one, and if that is this one it goes again.
    """
    forget_connections()
    for left in reversed(range(TRIES)):
        try:
            _empty()
            return
        except OperationalError as error:
            if not left or getattr(error.__cause__, "sqlstate", "") != DEADLOCK:
                raise


def _empty() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for table in tables():
            cursor.execute(f'DELETE FROM "{table}"')
        for seed in connection.introspection.table_names(cursor):
            if seed.startswith(SEED):
                cursor.execute(f'INSERT INTO "{seed.removeprefix(SEED)}" SELECT * FROM "{seed}"')


def forget_connections() -> None:
    """Drop this process's connections: a test may have restarted the server under them."""
    connections.close_all()
    if hasattr(connection, "close_pool"):
        connection.close_pool()
