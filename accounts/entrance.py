"""Signing up by role and confirming an address, on allauth's views."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.views import SignupView
from allauth.account.views import confirm_email as allauth_confirm_email
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from accounts import limits
from accounts.forms import CustomerSignUpForm, TechnicianSignUpForm
from common.refusals import Conflict, TooFast, refusal_response


class CustomerSignUp(SignupView):  # type: ignore[misc]
    """A customer signs up."""

    template_name = "account/signup.html"
    sign_up_form = CustomerSignUpForm

    def get_form_class(self) -> Any:
        """The form of the role, whatever allauth's settings say."""
        return self.sign_up_form


class TechnicianSignUp(CustomerSignUp):
    """A technician signs up."""

    template_name = "account/signup_technician.html"
    sign_up_form = TechnicianSignUpForm


def confirm_email(request: HttpRequest, key: str) -> HttpResponseBase:
    """Confirm an address by the link of the mail; all of the change or nothing.

    Raises `Conflict` where somebody else got the address between the request and the click.
    """
    try:
        with transaction.atomic():
            return cast("HttpResponseBase", allauth_confirm_email(request, key=key))
    except IntegrityError:
        raise Conflict(
            "Somebody else signs in with that address by now. Choose another one.",
            next_url=reverse("account_email"),
            next_label="Choose another address",
        ) from None


def too_fast(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The 429 page of allauth's rate limits, with the time to wait (`config.urls.handler429`)."""
    seconds = limits.seconds_to_wait(request)
    sentence = f"That was tried too often from here. Try again in {limits.in_words(seconds)}."
    return refusal_response(request, TooFast(sentence, retry_after=seconds))
