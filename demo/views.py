"""The demo's own pages: who one can be, their faces, and the one click that makes one them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.access import role_required
from accounts.models import Role, User
from common.http import SeeOther, picture
from common.refusals import Invalid
from demo import people
from demo.cast import MOST_DRIVERS
from demo.forms import SwitchesForm
from demo.models import switches
from realtime.pages import live_page
from tracking.links import fleet_url

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def demo_only(view: View[P]) -> View[P]:
    """A view that exists in demo mode only; anywhere else its address is unknown."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not settings.DEMO:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def playable_or_404(slug: str) -> User:
    """The demo account of that name. Nobody else's: a real person's account can never be entered here."""
    user = people.playable(slug)
    if user is None:
        raise Http404
    return user


@require_GET
@demo_only
@live_page
def people_list(request: HttpRequest) -> HttpResponse:
    """Everybody one can be, for those who are signed in as somebody already."""
    return render(request, "demo/people.html")


@require_POST
@demo_only
def sign_in(request: HttpRequest, slug: str) -> HttpResponse:
    """Become a demo account. Whoever was signed in here before is signed out first, open pages included."""
    user = playable_or_404(slug)
    if request.user.is_authenticated:
        logout(request)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    return SeeOther(reverse("home"))


@require_POST
@demo_only
@role_required(Role.ADMIN)
def switch(request: HttpRequest) -> HttpResponse:
    """Set how it goes on the demo's roads; the running simulator follows. Raises `Invalid` for what cannot be."""
    form = SwitchesForm(request.POST, instance=switches())
    if not form.is_valid():
        raise Invalid(
            f"There are 0 to {MOST_DRIVERS} simulated drivers.", next_url=fleet_url(), next_label="To the fleet"
        )
    form.save()
    return SeeOther(fleet_url())


@require_GET
@demo_only
def photo(request: HttpRequest, slug: str) -> HttpResponse:
    """The drawn portrait of a demo account, for the sign-in page, where nobody is signed in yet."""
    user = playable_or_404(slug)
    if not user.photo:
        raise Http404
    return picture(user.photo, seconds=300, shared=True)
