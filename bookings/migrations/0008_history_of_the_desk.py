"""What the desk did is found among the histories without reading them whole."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0007_indexes_for_the_figures"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="bidhistory",
            index=models.Index(
                condition=models.Q(("actor_role", "admin")), fields=["-at", "-id"], name="bidhistory_by_desk"
            ),
        ),
        migrations.AddIndex(
            model_name="bookinghistory",
            index=models.Index(
                condition=models.Q(("actor_role", "admin")), fields=["-at", "-id"], name="bookinghistory_by_desk"
            ),
        ),
        migrations.AddIndex(
            model_name="disputehistory",
            index=models.Index(
                condition=models.Q(("actor_role", "admin")), fields=["-at", "-id"], name="disputehistory_by_desk"
            ),
        ),
        migrations.AddIndex(
            model_name="proposalhistory",
            index=models.Index(
                condition=models.Q(("actor_role", "admin")), fields=["-at", "-id"], name="proposalhistory_by_desk"
            ),
        ),
        migrations.AddIndex(
            model_name="reviewhistory",
            index=models.Index(
                condition=models.Q(("actor_role", "admin")), fields=["-at", "-id"], name="reviewhistory_by_desk"
            ),
        ),
        migrations.AddIndex(
            model_name="sessionhistory",
            index=models.Index(
                condition=models.Q(("actor_role", "admin")), fields=["-at", "-id"], name="sessionhistory_by_desk"
            ),
        ),
    ]
