"""Who may sign in when the demo is over."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from demo.cast import EMAILS


class DemoIsOver:
    """Lets nobody in, and refuses the demo's people outside demo mode.

    Everybody can read their password, and one of them is an admin: a site that was tried out in demo mode and
    then opened with the same database would stand open. It knows no users, hence no base class.
    """

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        """Raise `PermissionDenied`, upon which Django asks no further backend."""
        names = {str(credentials.get(name) or "").strip().lower() for name in ("email", "username", "login")}
        if not settings.DEMO and names & EMAILS:
            raise PermissionDenied("The demo is over.")

    def keeps_out(self, user: AbstractBaseUser) -> bool:
        """Whether `user` may not come in however they prove who they are: a passkey asks no `authenticate`."""
        return not settings.DEMO and user.get_username().lower() in EMAILS
