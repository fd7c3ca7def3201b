"""Demo data."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from demo.cast import PASSWORD
from demo.fill import fill, freshen
from demo.people import demo_is_here, playable_accounts, strangers_are_here


class Command(BaseCommand):
    """Fill an empty database with the demo. Run again, it only freshens what visitors should find."""

    help = "Fills an empty database with demo people, their history and open jobs. Only with DEMO=on."

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill or freshen. Raises `CommandError` outside demo mode and on a database of other people.

        Once the demo is there, the others are its visitors who signed up, and nothing of theirs is touched.
        """
        if not settings.DEMO:
            raise CommandError("This is not a demo site; set DEMO=on to fill it with demo people.")
        now = timezone.now()
        if demo_is_here():
            freshen(now)
        elif strangers_are_here():
            raise CommandError("People live in this database who are not the demo's; nothing was changed.")
        else:
            fill(now)
        self.stdout.write(f"Sign in with one click, or with the password {PASSWORD}:")
        for account in playable_accounts():
            self.stdout.write(f"  {account.role:<11}{account.user.email}")
