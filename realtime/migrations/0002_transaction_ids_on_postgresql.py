"""On PostgreSQL a journal row keeps its transaction's id, which cursors are compared with."""

from typing import Any

from django.db import migrations


def add(apps: Any, editor: Any) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute("ALTER TABLE realtime_journal ADD COLUMN txid xid8 NOT NULL DEFAULT pg_current_xact_id()")
        editor.execute("CREATE INDEX realtime_journal_txid ON realtime_journal (txid)")


def remove(apps: Any, editor: Any) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute("ALTER TABLE realtime_journal DROP COLUMN txid")


class Migration(migrations.Migration):
    dependencies = [("realtime", "0001_journal_and_presence")]
    operations = [migrations.RunPython(add, remove, elidable=False)]
