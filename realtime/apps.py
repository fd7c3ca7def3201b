from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class RealtimeConfig(AppConfig):
    """The live mechanism. Its app comes first in INSTALLED_APPS and knows no other."""

    name = "realtime"

    def ready(self) -> None:
        """Find every app's `live.py` and listen to the models its fragments watch."""
        from realtime import checks, journal, orders, signals  # noqa: F401 (registers checks and receivers)

        autodiscover_modules("live")
        signals.connect()
        post_migrate.connect(journal.make_state, sender=self, dispatch_uid="realtime.state")
