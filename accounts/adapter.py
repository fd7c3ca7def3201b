"""What allauth asks us: how a password is set, which session it keeps, and what its errors say."""

from __future__ import annotations

from typing import ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.base_user import AbstractBaseUser

from accounts import sessions


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's defaults, with sentences that say what to do next."""

    error_messages: ClassVar = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "That e-mail address and password do not belong together. Check both, "
        "or use “Forgot your password?”.",
        "too_many_login_attempts": "Too many wrong tries for this address. Wait five minutes, or set a new password "
        "with “Forgot your password?”.",
        "email_taken": "Somebody already signs in with this e-mail address. If it is you, sign in instead.",
        "duplicate_email": "That is already your e-mail address. Type another one, or leave it as it is.",
        "enter_current_password": "That is not your current password. Type the one you signed in with.",
        "incorrect_password": "That is not your password. Check it and try again.",
    }

    def set_password(self, user: AbstractBaseUser, password: str) -> None:
        """Save the new password; the session it was typed in stays, all others end (see `accounts.signals`)."""
        if self.request is not None and self.request.user == user:
            user.kept_session = sessions.kept(self.request.session)  # type: ignore[attr-defined]
        user.set_password(password)
        user.save(update_fields=["password"])
