"""Let somebody in again who lost their second factor and has no recovery code left."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import second_factor
from accounts.models import User
from common.refusals import Refusal


class Command(BaseCommand):
    """`manage.py reset_second_factor olga@example.org`: whoever can run commands here is trusted already."""

    help = "Take the second factor of the person with this e-mail address; they set up another at their next sign-in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose."""
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raise `CommandError` where there is nobody, or nothing to take."""
        user: User | None = User.objects.filter(email__iexact=options["email"]).first()
        if user is None:
            raise CommandError(f"Nobody signs in with {options['email']}.")
        try:
            second_factor.reset(user, by=None)
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from None
        self.stdout.write(f"{user} signs in with the password and then sets up a second factor. All sessions ended.")
