"""What the desk did is found among the histories without reading them whole."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_indexes_for_the_figures"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="accounthistory",
            index=models.Index(
                condition=models.Q(("actor_role", "admin")), fields=["-at", "-id"], name="accounthistory_by_desk"
            ),
        ),
        migrations.AddIndex(
            model_name="credentialhistory",
            index=models.Index(
                condition=models.Q(("actor_role", "admin")), fields=["-at", "-id"], name="credentialhistory_by_desk"
            ),
        ),
    ]
