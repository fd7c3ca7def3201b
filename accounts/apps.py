from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        """Connect what follows from sign-ins, sign-outs and saved accounts; find every app's `personal.py`, which
        says what it holds about a person.
        """
        from accounts import flags, guards, second_factor, signals, turning  # noqa: F401 (receivers, rules)
        from realtime import transport

        transport.decided_by(flags.off_for, flags.forget)

        autodiscover_modules("personal")
