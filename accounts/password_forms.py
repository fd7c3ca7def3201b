"""allauth's forms around passwords, in our words: a label above, no placeholder, one sentence of help."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account import forms as allauth_forms

PASSWORD_HELP = "At least 8 characters; nothing as common as “password1”, nothing like your name."  # noqa: S105 (help)


class InOurWords:
    """Relabels the fields of the form it is mixed into."""

    LABELS: ClassVar = {
        "login": "E-mail address",
        "email": "E-mail address",
        "password": "Password",
        "oldpassword": "Current password",
        "password1": "New password",
        "password2": "New password again",
    }
    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.LABELS.get(name, field.label)
        if "password1" in self.fields:
            self.fields["password1"].help_text = PASSWORD_HELP


class LoginForm(InOurWords, allauth_forms.LoginForm):  # type: ignore[misc]
    """Sign in."""


class ResetPasswordForm(InOurWords, allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    """Ask for a reset mail."""


class ResetPasswordKeyForm(InOurWords, allauth_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    """Choose a password after a reset mail."""


class ChangePasswordForm(InOurWords, allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    """Change one's password."""


class SetPasswordForm(InOurWords, allauth_forms.SetPasswordForm):  # type: ignore[misc]
    """Set a first password."""


class ReauthenticateForm(InOurWords, allauth_forms.ReauthenticateForm):  # type: ignore[misc]
    """Confirm who one is."""
