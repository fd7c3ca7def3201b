from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class NotificationsConfig(AppConfig):
    """Telling people what matters, once, in the right place."""

    name = "notifications"

    def ready(self) -> None:
        """Find every app's `notices.py`, which declares the kinds of notices it gives, and listen to accounts."""
        from notifications import about_accounts

        autodiscover_modules("notices")
        about_accounts.connect()
