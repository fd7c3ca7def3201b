from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CommonConfig(AppConfig):
    """Small tools that know no model of ours."""

    name = "common"

    def ready(self) -> None:
        """Find every app's `slots.py`, which says what it puts into the pages of the apps below."""
        autodiscover_modules("slots")
