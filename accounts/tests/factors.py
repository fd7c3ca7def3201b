"""Second factors for tests: an app whose codes are computed, and the session of an admin who has shown one."""

from __future__ import annotations

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from accounts.tests.conftest import sign_in

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code(secret: str = SECRET, steps: int = 0) -> str:
    """What an app that holds `secret` shows now, or `steps` half minutes from now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def give_app(user: User) -> Authenticator:
    """An authenticator app, set up with recovery codes."""
    made: Authenticator = TOTP.activate(user, SECRET).instance
    RecoveryCodes.activate(user)
    return made


def recovery_codes(user: User) -> list[str]:
    """The unused ones."""
    found: list[str] = Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()
    return found


def sign_in_fully(user: User) -> Client:
    """A browser in which `user`, who has an app, has typed the password and a code."""
    client = sign_in(user)
    cache.clear()  # a code works once, and tests type several in the same half minute
    response = client.post("/accounts/login/code/", {"code": code()})
    assert response.status_code == 302, response.content.decode()[:2000]
    return client
