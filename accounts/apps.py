from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        """Connect what follows from sign-ins, sign-outs and saved accounts."""
        from accounts import flags, signals, turning  # noqa: F401 (receivers)
        from realtime import transport

        transport.decided_by(flags.off_for, flags.forget)
