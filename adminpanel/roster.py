"""Who drives, remembered for a moment: after a restart thousands of people come in one transaction."""

from __future__ import annotations

import time

from django.db import transaction
from django.db.models.signals import post_save

from accounts.models import Role, User

KNOWN_FOR = 30.0  # seconds; by then a role that another process gave is known here too


class Roster:
    """The ids of all drivers: one query, asked again after KNOWN_FOR and whenever this process saves a person."""

    def __init__(self) -> None:
        self._ids: frozenset[int] = frozenset()
        self._until = 0.0

    def __contains__(self, user_id: int) -> bool:
        """Whether somebody drives."""
        if time.monotonic() >= self._until:
            # Marked first: what is saved meanwhile has the next one ask again.
            self._until = time.monotonic() + KNOWN_FOR
            self._ids = frozenset(User.objects.filter(role=Role.DRIVER).values_list("pk", flat=True))
        return user_id in self._ids

    def forget(self) -> None:
        """Ask again at the next question."""
        self._until = 0.0


roster = Roster()


def somebody_saved(**_: object) -> None:
    """They may drive from now on, or no more; others see it when it is committed."""
    roster.forget()
    transaction.on_commit(forget_later, robust=True)


def forget_later() -> None:
    """After the commit; a function of its own, because Django logs its name."""
    roster.forget()


post_save.connect(somebody_saved, sender=User, dispatch_uid="adminpanel.roster")
