from django.apps import AppConfig


class BenchConfig(AppConfig):
    """The measured app: one live model, and the same model plain."""

    name = "bench"
