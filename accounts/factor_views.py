"""Pages of the second factor, on allauth's views: what one has, setting up, taking away, showing it again."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from allauth.mfa.base.views import ReauthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, ReauthenticateWebAuthnView, RemoveWebAuthnView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_GET

from accounts import second_factor
from accounts.access import signed_in
from accounts.models import User
from common.refusals import Conflict
from realtime.pages import live_page


@require_GET
@login_required
@live_page
def overview(request: HttpRequest) -> HttpResponse:
    """What a person has set up; the only page of an admin who has nothing yet."""
    user = signed_in(request)
    found = list(Authenticator.objects.filter(user_id=user.pk).order_by("created_at", "pk"))
    codes = next((one for one in found if one.type == Authenticator.Type.RECOVERY_CODES), None)
    context = {
        "app": next((one for one in found if one.type == Authenticator.Type.TOTP), None),
        "passkeys": [one.wrap() for one in found if one.type == Authenticator.Type.WEBAUTHN],
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else None,
        "must_have_one": second_factor.must_have_one(user),
    }
    return render(request, "mfa/index.html", context)


class Add:
    """What comes before a factor is added: whoever signed up with an address must have shown that it is theirs.

    Or one could sign up with somebody else's, add a factor, and the owner would never get in. The desk's are known.
    """

    KIND: ClassVar[str]
    request: HttpRequest

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Called for every request. Raises `Conflict` with the way to confirm the address."""
        if isinstance(request.user, User) and not second_factor.may_add(request.user):
            raise Conflict(
                "Confirm your e-mail address first: it is how you get in again if you lose your second factor.",
                next_url=reverse("account_email"),
                next_label="Confirm my address",
            )
        return cast("HttpResponseBase", super().dispatch(request, *args, **kwargs))  # type: ignore[misc]

    def form_valid(self, form: Any) -> HttpResponse:
        """It is set up, and therefore shown."""
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        second_factor.note_it_was_shown(self.request, self.KIND)
        return response


class AddApp(Add, ActivateTOTPView):  # type: ignore[misc]
    """Set an authenticator app up."""

    KIND = Authenticator.Type.TOTP


class AddPasskey(Add, AddWebAuthnView):  # type: ignore[misc]
    """Set a passkey up."""

    KIND = Authenticator.Type.WEBAUTHN


@method_decorator(login_required, name="dispatch")
class RemovePasskey(RemoveWebAuthnView):  # type: ignore[misc]
    """Take a passkey away; not the last factor of somebody who must have one."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Called for every request. Raises `Conflict` for the last one."""
        passkey = get_object_or_404(Authenticator, pk=kwargs["pk"], user_id=signed_in(request).pk)
        if not second_factor.may_remove(passkey):
            raise Conflict(
                "The desk needs a second factor. Add another one first, then remove this.",
                next_url=reverse("mfa_index"),
                next_label="To my second factor",
            )
        return cast("HttpResponseBase", super().dispatch(request, *args, **kwargs))

    def get_success_url(self) -> str:
        """Back to all of them."""
        return reverse("mfa_index")


class Again(ReauthenticateView):  # type: ignore[misc]
    """Show a code again."""


class AgainPasskey(ReauthenticateWebAuthnView):  # type: ignore[misc]
    """Show a passkey again. One that is not right leaves one on this page, with what one was about to do."""

    WRONG: ClassVar = "That passkey is not one of yours here. Try again, or prove it another way."

    def form_invalid(self, form: Any) -> HttpResponse:
        """Ask once more."""
        codes = {error.code for error in form.errors.as_data().get("credential", [])}
        locked = "too_many_login_attempts" in codes
        messages.error(self.request, form.errors["credential"][0] if locked else self.WRONG)
        return HttpResponseRedirect(self.request.get_full_path())
