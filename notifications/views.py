"""The list behind the bell, what people choose about being told, and the links in mails."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from common.http import SeeOther, done
from common.idempotency import idempotent
from common.refusals import Invalid
from notifications import actions
from notifications.forms import ChoicesForm, QuietForm
from notifications.live import notices_topic
from notifications.models import Notification, Priority, Quiet
from notifications.unsubscribing import leaving_by
from realtime.pages import live_page
from realtime.topics import user_topic

ON_A_PAGE = 20
FILTERS = (("all", "All"), ("unread", "Unread"), ("important", "Important"))
asks = require_http_methods(["GET", "HEAD", "POST"])


def viewer(request: HttpRequest) -> User:
    """Who is signed in."""
    return cast(User, request.user)


def own(request: HttpRequest, pk: int) -> Notification:
    """A notice of the viewer's; 404 for those of others."""
    return get_object_or_404(Notification, pk=pk, user=viewer(request))


def all_own(request: HttpRequest) -> QuerySet[Notification]:
    """Every notice of the viewer's."""
    return Notification.objects.filter(user=viewer(request))


@login_required
@live_page
@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """All notices, the unread or the important ones, newest first, in pages."""
    show = request.GET.get("show", "all")
    show = show if show in dict(FILTERS) else "all"
    rows = all_own(request)
    if show == "unread":
        rows = rows.filter(read_at=None)
    elif show == "important":
        rows = rows.filter(priority__in=(Priority.HIGH, Priority.URGENT))
    pages = Paginator(rows.values_list("pk", flat=True), ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "show": show,
        "filters": FILTERS,
        "keys": list(pages.object_list),
        "topic": notices_topic(viewer(request).pk),
        "pages": pages,
        "query": f"show={show}&" if show != "all" else "",
    }
    return render(request, "notifications/list.html", context)


@login_required
@never_cache
@require_safe
def go(request: HttpRequest, pk: int) -> HttpResponse:
    """Where a notice leads; it is read then."""
    notice = own(request, pk)
    actions.mark_read(all_own(request).filter(pk=pk), now=timezone.now())
    return HttpResponseRedirect(notice.url)


# --- Reading, clearing ----------------------------------------------------------------------------


def ask(
    request: HttpRequest,
    act: Callable[[], object],
    title: str,
    text: str,
    button: str,
    *,
    back: str = "notifications:list",
    danger: bool = False,
) -> HttpResponse:
    """The page that asks; on POST, `act` and back. A page's script posts without asking what loses nothing."""
    url = reverse(back)
    if request.method == "POST":
        act()
        return done(request, url)
    context = {"title": title, "text": text, "button": button, "back": url, "danger": danger}
    return render(request, "notifications/confirm.html", context)


@login_required
@asks
@live_page
@idempotent
def read_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark one notice read."""
    notice, rows = own(request, pk), all_own(request).filter(pk=pk)
    act = lambda: actions.mark_read(rows, now=timezone.now())  # noqa: E731
    return ask(request, act, "Mark as read?", notice.text, "Mark as read")


@login_required
@asks
@live_page
@idempotent
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark all read."""
    act = lambda: actions.mark_read(all_own(request), now=timezone.now())  # noqa: E731
    return ask(request, act, "Mark all as read?", "They stay in the list.", "Mark all as read")


@login_required
@asks
@live_page
@idempotent
def clear_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one notice out of the list for good."""
    notice, rows = own(request, pk), all_own(request).filter(pk=pk)
    return ask(request, lambda: actions.clear(rows), "Clear this notification?", notice.text, "Clear", danger=True)


@login_required
@asks
@live_page
@idempotent
def clear_all(request: HttpRequest) -> HttpResponse:
    """Empty the list."""
    unread = all_own(request).filter(read_at=None).count()
    text = f"The list will be empty; {unread} of them you have not read." if unread else "The list will be empty."
    act = lambda: actions.clear(all_own(request))  # noqa: E731
    return ask(request, act, "Clear all notifications?", text, "Clear all", danger=True)


# --- Choices --------------------------------------------------------------------------------------


@login_required
@asks
@live_page
@idempotent
def settings_page(request: HttpRequest) -> HttpResponse:
    """Quiet hours, a pause, and what is told on which channel."""
    user = viewer(request)
    form = ChoicesForm(user, data=request.POST) if request.method == "POST" else ChoicesForm(user)
    if request.method == "POST" and form.is_valid():
        actions.choose(user, form.choices())
        messages.success(request, "Saved.")
        return SeeOther(reverse("notifications:settings"))
    return settings_answer(request, form, QuietForm(instance=Quiet.objects.filter(user=user).first()))


def settings_answer(request: HttpRequest, choices: ChoicesForm, quiet: QuietForm, status: int = 200) -> HttpResponse:
    """The settings page with these forms."""
    context = {"choices_form": choices, "quiet_form": quiet, "topic": user_topic(viewer(request).pk)}
    return render(request, "notifications/settings.html", context, status=status)


@login_required
@require_http_methods(["POST"])
@live_page
@idempotent
def quiet_hours(request: HttpRequest) -> HttpResponse:
    """Save quiet hours."""
    user, form = viewer(request), QuietForm(data=request.POST)
    if form.is_valid():
        try:
            actions.set_quiet_hours(user, starts=form.cleaned_data["starts"], ends=form.cleaned_data["ends"])
        except Invalid as refusal:
            form.add_error(None, refusal.sentence)
        else:
            messages.success(request, "Saved.")
            return SeeOther(reverse("notifications:settings"))
    return settings_answer(request, ChoicesForm(user), form, status=422)


@login_required
@asks
@live_page
@idempotent
def pause_now(request: HttpRequest) -> HttpResponse:
    """No toasts and no mails for an hour."""
    act = lambda: actions.pause(viewer(request), now=timezone.now())  # noqa: E731
    text = "Nothing pops up and no mail goes out for an hour, unless it is urgent."
    return ask(request, act, "Pause for an hour?", text, "Pause", back="notifications:settings")


@login_required
@asks
@live_page
@idempotent
def resume_now(request: HttpRequest) -> HttpResponse:
    """End a pause."""
    act = lambda: actions.resume(viewer(request))  # noqa: E731
    return ask(request, act, "Resume?", "Notices pop up again.", "Resume", back="notifications:settings")


@csrf_exempt  # the signature is the leave to do it; mail programs post here by themselves (RFC 8058)
@never_cache
@asks
@idempotent
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """What a mail's link turns off, with a button; no sign-in needed. A look alone turns nothing off."""
    leaving = leaving_by(token)
    if request.method == "POST":
        actions.turn_off_mail(leaving.user, leaving.kinds)
        if request.POST.get("List-Unsubscribe") == "One-Click":
            return HttpResponse("Turned off.\n", content_type="text/plain")  # RFC 8058: no redirect
        return SeeOther(request.path)
    return render(request, "notifications/unsubscribe.html", {"leaving": leaving})
