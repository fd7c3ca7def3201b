"""What the desk did is found among the histories without reading them whole."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0002_history_by_time"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="dispatchhistory",
            index=models.Index(
                condition=models.Q(("actor_role", "admin")), fields=["-at", "-id"], name="dispatchhistory_by_desk"
            ),
        ),
        migrations.AddIndex(
            model_name="shifthistory",
            index=models.Index(
                condition=models.Q(("actor_role", "admin")), fields=["-at", "-id"], name="shifthistory_by_desk"
            ),
        ),
    ]
