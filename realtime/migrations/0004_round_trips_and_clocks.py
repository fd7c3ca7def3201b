from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("realtime", "0003_last_seen_and_kept_signals"),
    ]

    operations = [
        migrations.AddField(
            model_name="presence",
            name="round_trip_ms",
            field=models.PositiveIntegerField(help_text="Of its last heartbeat.", null=True),
        ),
        migrations.AlterField(
            model_name="presence",
            name="transport",
            field=models.CharField(
                help_text="socket, poll, or switched: it asks because a flag says so.", max_length=8
            ),
        ),
        migrations.AddField(
            model_name="serverprocess",
            name="kind",
            field=models.CharField(db_default="web", default="web", help_text="web or clock", max_length=8),
        ),
    ]
