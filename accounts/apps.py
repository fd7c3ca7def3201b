from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        """Connect what follows from sign-ins, sign-outs and saved accounts."""
        from accounts import signals  # noqa: F401
