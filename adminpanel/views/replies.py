"""Quick replies: sentences at hand for each role, kept by the desk."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import role_required, signed_in
from accounts.models import Role, User
from adminpanel.live.messages import shelves_topic
from adminpanel.talk.shelf import shelf_of
from bookings.views.confirming import Question, ask
from chat import actions
from chat.models import QuickReply
from common.idempotency import idempotent
from realtime.pages import live_page


class ReplyForm(forms.Form):
    """The sentence."""

    text = forms.CharField(
        label="Words", max_length=200, help_text="Who taps it can still change it before it is sent."
    )


@require_safe
@role_required(Role.ADMIN)
@live_page
def replies(request: HttpRequest) -> HttpResponse:
    """Every role's, each in its order."""
    return render(request, "adminpanel/replies.html", {"roles": Role.values, "topic": shelves_topic()})


def deed(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A confirm page of the desk's: GET asks, POST does it once."""
    return require_http_methods(["GET", "HEAD", "POST"])(role_required(Role.ADMIN)(idempotent(live_page(view))))


def reply_of(pk: int) -> QuickReply:
    """One of them, or 404."""
    return get_object_or_404(QuickReply, pk=pk)


def back_to(role: str) -> str:
    """The page, at that role."""
    return f"{reverse('desk:replies')}#adminpanel-shelf-{role}"


@deed
def add(request: HttpRequest, role: str) -> HttpResponse:
    """One more, at the end of the role's."""
    if role not in Role.values:
        raise Http404
    user, form = signed_in(request), ReplyForm(request.POST or None)
    question = Question(title=f"New quick reply: {shelf_of(role).label}", button="Add", back=back_to(role))
    return ask(request, question, lambda: actions.add_quick_reply(role, form.cleaned_data["text"], by=user), form)


@deed
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Its words."""
    user, reply = signed_in(request), reply_of(pk)
    form = ReplyForm(request.POST or None, initial={"text": reply.text})
    question = Question(title="Change the quick reply", button="Save", back=back_to(reply.role))
    return ask(request, question, lambda: actions.change_quick_reply(reply, form.cleaned_data["text"], by=user), form)


@deed
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it away."""
    user, reply = signed_in(request), reply_of(pk)
    question = Question(
        title="Remove the quick reply?",
        button="Remove",
        back=back_to(reply.role),
        text=[f"“{reply.text}” goes from every open page."],
        danger=True,
    )
    return ask(request, question, lambda: actions.remove_quick_reply(reply, by=user))


@deed
def move_up(request: HttpRequest, pk: int) -> HttpResponse:
    """One place towards the first."""
    return move(request, reply_of(pk), -1, "up")


@deed
def move_down(request: HttpRequest, pk: int) -> HttpResponse:
    """One place towards the last."""
    return move(request, reply_of(pk), 1, "down")


def move(request: HttpRequest, reply: QuickReply, by: int, word: str) -> HttpResponse:
    """With JavaScript a tap; without it a page that asks."""
    user: User = signed_in(request)
    question = Question(
        title=f"Move the quick reply {word}?",
        button=f"Move {word}",
        back=back_to(reply.role),
        text=[f"“{reply.text}”"],
    )
    order = shelf_of(reply.role).moved(reply.pk, by)
    return ask(request, question, lambda: actions.order_quick_replies(reply.role, order, by=user))
