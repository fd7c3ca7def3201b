"""What the clock looks for each second stays small: finished jobs on the banner, visits not begun, old drafts."""

import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_usual_skills"),
        ("bookings", "0002_visits_never_overlap"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="booking",
            name="created_at",
            field=models.DateTimeField(default=django.utils.timezone.now, help_text="When its draft was written last."),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("put_away_at__isnull", True), ("status", "completed")),
                fields=["id"],
                name="booking_to_put_away",
            ),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("status", "draft")), fields=["created_at"], name="booking_old_drafts"
            ),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                condition=models.Q(("status__in", ("pending", "waiting"))),
                fields=["starts_at"],
                name="session_not_begun",
            ),
        ),
    ]
