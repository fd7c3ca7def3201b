"""PostgreSQL: a technician's active visits never overlap, travel included, unless an admin allowed it (rule 4).

SQLite has no exclusion constraints; there the accepting action looks again inside its immediate transaction.
The constraint is therefore not part of the model's state.
"""

from django.db import migrations


def add(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    schema_editor.execute(
        """
        ALTER TABLE bookings_session ADD CONSTRAINT session_no_overlap
        EXCLUDE USING gist (technician_id WITH =, tstzrange(starts_at, blocked_until, '[)') WITH &&)
        WHERE (status IN ('pending', 'waiting', 'live', 'paused') AND NOT overlap_allowed)
        """
    )


def remove(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE bookings_session DROP CONSTRAINT session_no_overlap")


class Migration(migrations.Migration):
    dependencies = [("bookings", "0001_bookings_bids_visits")]

    operations = [migrations.RunPython(add, remove)]
