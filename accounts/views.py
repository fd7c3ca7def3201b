"""Pages of accounts: profile, trade, photo, sessions. Signing up and in is in `accounts.entrance`."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import access, actions, sessions
from accounts.access import role_required, signed_in
from accounts.forms import PHOTO_BYTES, PHOTO_SIDE, ProfileForm, TechnicianProfileForm
from accounts.models import Role, User
from accounts.trade_form import initial_trade
from accounts.words import hours_in_words
from common.http import SeeOther, picture
from common.idempotency import idempotent
from common.refusals import Refusal
from common.uploads import clean_image
from realtime.pages import live_page
from realtime.topics import user_topic


@require_GET
@login_required
@live_page
def profile(request: HttpRequest) -> HttpResponse:
    """What a person says about themselves, and the ways to change it."""
    user = signed_in(request)
    technician = access.technician_of(user) if user.role == Role.TECHNICIAN else None
    hours = hours_in_words(technician.hours.all()) if technician else []
    context = {"technician": technician, "hours": hours, "topic": user_topic(user.pk)}
    return render(request, "accounts/profile.html", context)


@require_http_methods(["GET", "POST"])
@login_required
@idempotent
@live_page
def edit_profile(request: HttpRequest) -> HttpResponse:
    """Change name, phone, time zone and photo."""
    user = signed_in(request)
    # A copy of the row: a form that fails must not change the name in the page's own header.
    person = User.objects.get(pk=user.pk)
    form = ProfileForm(request.POST or None, request.FILES or None, instance=person)
    if request.method == "POST" and form.is_valid() and _save_profile(request, form):
        messages.success(request, "Your profile is saved.")
        return SeeOther(reverse("profile"))
    status = 422 if form.errors else 200
    return render(request, "accounts/profile_edit.html", {"form": form}, status=status)


def _save_profile(request: HttpRequest, form: ProfileForm) -> bool:
    """Save what the form holds; a photo that cannot be used becomes an error beside its field."""
    user, data = signed_in(request), form.cleaned_data
    try:
        photo = clean_image(data["photo"], most_bytes=PHOTO_BYTES, side=PHOTO_SIDE) if data["photo"] else None
    except Refusal as refusal:
        form.add_error("photo", refusal.sentence)
        return False
    actions.update_profile(
        user,
        by=user,
        name=data["name"],
        phone=data["phone"],
        time_zone=data["time_zone"],
        photo=photo,
        remove_photo=data.get("remove_photo", False),
    )
    return True


@require_http_methods(["GET", "POST"])
@login_required
@role_required(Role.TECHNICIAN)
@idempotent
@live_page
def edit_trade(request: HttpRequest) -> HttpResponse:
    """Change a technician's skills, area, hours and words about themselves."""
    user = signed_in(request)
    technician = access.technician_of(user)
    form = TechnicianProfileForm(request.POST or None, initial=initial_trade(technician))
    if request.method == "POST" and form.is_valid():
        actions.update_trade(technician, by=user, trade=form.trade())
        messages.success(request, "Your skills, area and hours are saved.")
        return SeeOther(reverse("profile"))
    status = 422 if form.errors else 200
    return render(request, "accounts/trade_edit.html", {"form": form}, status=status)


@require_GET
@login_required
def photo(request: HttpRequest, user_id: int) -> HttpResponse:
    """A technician's photo for anybody signed in, other people's for themselves and the desk."""
    return picture(access.photo_of(signed_in(request), user_id), seconds=300)


@require_GET
@login_required
@live_page
def session_list(request: HttpRequest) -> HttpResponse:
    """Where the person is signed in."""
    found = sessions.open_sessions(signed_in(request))
    context = {"sessions": found, "current": request.session.session_key}
    return render(request, "usersessions/usersession_list.html", context)


@require_POST
@login_required
@idempotent
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign one other browser out; the session in use signs out instead."""
    row = access.session_of(signed_in(request), session_id)
    if row.session_key == request.session.session_key:
        return redirect("account_logout")
    sessions.end([row])
    messages.success(request, "That browser is signed out.")
    return SeeOther(reverse("usersessions_list"))


@require_POST
@login_required
@idempotent
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    sessions.end_all_of(signed_in(request), keep=sessions.kept(request.session))
    messages.success(request, "Every other browser is signed out.")
    return SeeOther(reverse("usersessions_list"))
