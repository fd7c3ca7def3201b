"""allauth's forms around second factors, in our words."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.mfa.base import forms as base
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms


class Code:
    """The one field of most of them: digits, typed on whatever keyboard a phone has for them."""

    LABEL: ClassVar = "Code from your app, or a recovery code"
    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = self.fields["code"]
        code.label = self.LABEL
        code.widget.attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}


class AuthenticateForm(Code, base.AuthenticateForm):  # type: ignore[misc]
    """The second half of a sign-in."""


class ReauthenticateForm(Code, base.ReauthenticateForm):  # type: ignore[misc]
    """Show it again."""


class ActivateAppForm(Code, totp.ActivateTOTPForm):  # type: ignore[misc]
    """The first code of a new app."""

    LABEL: ClassVar = "The six digits"


class AddPasskeyForm(webauthn.AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey, and its name."""

    name = forms.CharField(
        label="Its name", max_length=60, required=False, help_text="So that you know later which one it is."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        alone = self.fields["passwordless"]
        alone.label = "Sign in with it alone, without my password"
        alone.initial = True
        alone.help_text = "For a phone, a computer, or a key with a PIN. Not for a key that only wants a touch."
