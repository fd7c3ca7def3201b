"""What allauth asks us: how a password is set, which session it keeps, and what its errors say."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, ClassVar, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.contrib.auth import get_backends
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from accounts import limits, second_factor, sessions, stepping
from accounts.models import User
from common.refusals import Invalid

FRESH_MINUTES = 15  # what concerns the ways to sign in asks again after these, whatever the site asks for elsewhere


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's defaults, with sentences that say what to do next."""

    error_messages: ClassVar = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "That e-mail address and password do not belong together. Check both, "
        "or use “Forgot your password?”.",
        "too_many_login_attempts": "Too many wrong tries. Wait five minutes and try again.",
        "rate_limited": "Too many wrong tries. Wait five minutes and try again.",
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

    def pre_login(self, request: HttpRequest, user: AbstractBaseUser, **options: Any) -> HttpResponse | None:
        """Stop whom a backend keeps out: Django asks backends about passwords only, and there are passkeys."""
        if any(backend.keeps_out(user) for backend in get_backends() if hasattr(backend, "keeps_out")):
            clear_login(request)
            return cast("HttpResponse", self.respond_user_inactive(request, user))
        return cast("HttpResponse | None", super().pre_login(request, user, **options))

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Raise `ValidationError` where the account is locked, with the time that is left."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as error:
            key = self._get_login_attempts_cache_key(request, **credentials)
            if seconds := limits.seconds_locked(request, key):
                raise ValidationError(
                    f"Too many wrong tries for this address. Wait {limits.in_words(seconds)}, or set a new password "
                    "with “Forgot your password?”.",
                    code="too_many_login_attempts",
                ) from error
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """The wrong password that locks an account is told to its owner: it may be somebody else who tries."""
        key = self._get_login_attempts_cache_key(request, **credentials)
        if not (seconds := limits.seconds_locked(request, key)):
            return
        owner = User.objects.filter(email__iexact=credentials.get("email", ""), is_active=True).first()
        if owner is not None:
            wait = limits.in_words(seconds)
            self.send_notification_mail("account/email/sign_in_locked", owner, {"wait": wait}, email=owner.email)

    def is_reauthentication_required(self, *, app: str, **options: Any) -> bool:
        """The ways to sign in ask again, unless it was asked a moment ago: at the sign-in itself, for instance."""
        if app == "allauth.mfa":
            return not stepping.proved_lately(self.request, FRESH_MINUTES)
        return bool(super().is_reauthentication_required(app=app, **options))

    def get_reauthentication_methods(self, user: AbstractBaseUser | AnonymousUser) -> list[dict[str, Any]]:
        """Whoever has a second factor proves themselves with that: a password alone can be watched being typed."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        theirs = [each for each in methods if each["id"].startswith("mfa_")]
        if theirs and isinstance(user, User):
            has_app = second_factor.factors_of(user).filter(type=Authenticator.Type.TOTP).exists()
            words = {
                "mfa_reauthenticate": "Use a code from your app" if has_app else "Use a recovery code",
                "mfa_reauthenticate:webauthn": "Use a passkey",
            }
            theirs = [{**each, "description": words[each["id"]]} for each in theirs]
            theirs.sort(key=lambda each: (each["id"] == "mfa_reauthenticate") is not has_app)
        return theirs or methods


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """The same for second factors. Their secrets are kept encrypted: a copy of the database opens no account."""

    error_messages: ClassVar = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "That code is not right, or was used already. Wait for the next one, and check your "
        "phone's clock.",
        "cannot_delete_authenticator": "The desk needs a second factor. Add another one first, then remove this.",
        "cannot_generate_recovery_codes": "Recovery codes stand in for a second factor. Set one up first.",
    }

    def get_totp_issuer(self) -> str:
        """What the app on the phone calls us."""
        return "Callout"

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Not the last one of somebody who must have one."""
        return second_factor.may_remove(authenticator)

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:
        """A passkey's name, until its owner gives it another."""
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return "My passkey" if count == 0 else f"Passkey {count + 1}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The site, as the browser shows it."""
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return {**entity, "name": "Callout"}

    def encrypt(self, text: str) -> str:
        """For the database."""
        return box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Back again. Raises `Invalid` where the site's key has changed since."""
        try:
            return box().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            raise Invalid(
                "Your second factor cannot be read any more, because this site's key was changed. Ask another admin, "
                "or whoever runs the site, to reset it."
            ) from None


def box() -> Fernet:
    """What secrets are kept in; its key is made of the site's, for this use alone."""
    digest = hashlib.sha256(b"accounts.second_factor:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
