"""The desk counts jobs by when they were placed, and visits that are in hand or were made in a time."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_indexes_for_the_figures"),
        ("bookings", "0006_indexes_for_the_desk"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(fields=["placed_at"], name="booking_placed"),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                condition=models.Q(("status__in", ("pending", "waiting", "live", "paused"))),
                fields=["status"],
                name="session_in_hand",
            ),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["created_at"], name="session_made"),
        ),
    ]
