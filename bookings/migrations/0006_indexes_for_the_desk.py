"""When a job waits too long for a technician is a saved fact; the desk's list is found by state, category and day."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_history_by_time"),
        ("bookings", "0005_proposal_history"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="booking",
            name="target_passed_at",
            field=models.DateTimeField(help_text="When it had waited too long for a technician.", null=True),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("status", "open"), ("target_passed_at__isnull", True)),
                fields=["placed_at"],
                name="booking_on_target",
            ),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(fields=["status", "id"], name="booking_of_status"),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(fields=["category", "id"], name="booking_of_category"),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(fields=["window_start", "id"], name="booking_of_day"),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["starts_at"], name="session_of_day"),
        ),
    ]
