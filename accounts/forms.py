"""The forms of accounts. They check what was typed; `accounts.actions` does the rest."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.forms import AddEmailForm, SignupForm
from allauth.account.internal.userkit import filter_users_by_email
from django import forms
from django.conf import settings
from django.http import HttpRequest

from accounts import actions
from accounts.fields import PhoneField, ZoneField
from accounts.models import User
from accounts.password_forms import InOurWords
from accounts.trade_form import TradeForm

PHOTO_BYTES = 5 * 1024 * 1024
PHOTO_SIDE = 512


class PersonSignUpForm(InOurWords, SignupForm):  # type: ignore[misc]
    """What everybody says when signing up: name, e-mail, password, time zone."""

    name = forms.CharField(
        label="Your name",
        max_length=80,
        help_text="As other people see you.",
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    time_zone = ZoneField(label="Time zone", initial=settings.DEFAULT_ZONE)
    field_order: tuple[str, ...] | None = ("name", "email", "password1", "time_zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = "Password"
        if not self.is_bound:
            self.fields["time_zone"].widget.attrs["data-guess-zone"] = ""

    def person(self) -> dict[str, Any]:
        """The arguments every sign-up action takes."""
        data = self.cleaned_data
        return {
            "email": data["email"],
            "password": data["password1"],
            "name": data["name"],
            "time_zone": data["time_zone"],
        }

    def sign_up(self) -> User:
        """Make the account."""
        raise NotImplementedError

    def save(self, request: HttpRequest) -> User:
        """Make the account (called by allauth, which then signs the person in)."""
        return self.sign_up()


class CustomerSignUpForm(PersonSignUpForm):
    """A customer signs up."""

    def sign_up(self) -> User:
        """Make the customer's account."""
        return actions.sign_up_customer(**self.person())


class TechnicianSignUpForm(TradeForm, PersonSignUpForm):
    """A technician signs up, with skills, area and working hours."""

    field_order = None

    def sign_up(self) -> User:
        """Make the technician's account, unverified."""
        return actions.sign_up_technician(**self.person(), trade=self.trade())


class ProfileForm(forms.ModelForm[User]):
    """Name, phone, time zone and photo of the person themselves."""

    phone = PhoneField(required=False)
    time_zone = ZoneField(label="Time zone")
    photo = forms.FileField(
        required=False,
        label="New photo",
        widget=forms.FileInput({"accept": "image/jpeg,image/png,image/webp"}),
        help_text="JPEG, PNG or WebP, up to 5 MB. Where and when it was taken is removed.",
    )
    remove_photo = forms.BooleanField(required=False, label="Remove my photo")

    class Meta:
        model = User
        fields = ("name", "phone", "time_zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["autocomplete"] = "name"
        if not self.instance.photo:
            del self.fields["remove_photo"]


class TechnicianProfileForm(TradeForm):
    """Skills, area, hours and a few words, as the technician changes them later."""

    about = forms.CharField(
        required=False,
        max_length=600,
        widget=forms.Textarea({"rows": 4}),
        help_text="What customers read beside your offers: experience, qualifications, languages.",
    )


class ChangeEmailForm(InOurWords, AddEmailForm):  # type: ignore[misc]
    """A new e-mail address, refused at once where somebody else signs in with it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "New e-mail address"

    def clean_email(self) -> str:
        """The address in lower case.

        allauth would wait with the refusal until the mail is confirmed, to tell strangers nothing; our
        sign-up page tells as much already, and the late refusal would be an error page.
        """
        value = cast("str", super().clean_email())
        if any(user.pk != self.user.pk for user in filter_users_by_email(value)):
            raise get_adapter().validation_error("email_taken")
        return value
