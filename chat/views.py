"""The pages of messages: thin; what may be read is `access`, what is done `actions`, what a page shows `talk`."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import signed_in
from accounts.models import Role, User
from bookings.access import bid_for
from chat import access, actions, links, live
from chat.forms import typed, words
from chat.models import Conversation, Message
from chat.serving import served
from chat.talk import First, about_bid, context_of, existing_about, talk_of, to_desk
from common.http import SeeOther, done
from common.idempotency import idempotent
from common.refusals import Refusal, TooFast
from common.uploads import files_undone
from realtime.pages import begin, live_page

PAGE = 20
View = Callable[..., HttpResponse]

conversation_context = context_of  # for the desk's page, which shows the same conversation beside its list


# --- Reading --------------------------------------------------------------------------------------


@require_safe
@login_required
@live_page(pace="close")
def conversations(request: HttpRequest) -> HttpResponse:
    """Everything a person talks about, what was said last first. The desk has a page of its own."""
    user = signed_in(request)
    if user.role == Role.ADMIN:
        return redirect(links.desk_messages_url())
    found = access.visible_conversations(user).order_by("-last_at", "-pk").values_list("pk", flat=True)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "rows": [f"{pk}-{user.pk}" for pk in page.object_list],
        "topic": live.talks_topic(user.pk),
        "page": page,
        "new": "insert" if page.number == 1 and not page.has_next() else "pill",
    }
    return render(request, "chat/list.html", context)


@require_safe
@login_required
@live_page(pace="close")
def conversation(request: HttpRequest, pk: int) -> HttpResponse:
    """One conversation: its newest messages, and the box to write in."""
    user = signed_in(request)
    thread, sides = access.conversation_and_sides(user, pk)
    if user.role == Role.ADMIN:
        return redirect(links.desk_url(pk))
    return render(request, "chat/conversation.html", context_of(request, thread, sides=sides))


@require_safe
@login_required
@live_page
def older(request: HttpRequest, pk: int) -> HttpResponse:
    """What was said before the message number `before`: a piece for the page, or without JavaScript a page."""
    thread = access.conversation_for(signed_in(request), pk)
    before = number_of(request.GET["before"]) if "before" in request.GET else None
    talk = talk_of(request, thread, before=before)
    page = request.live  # type: ignore[attr-defined]
    painted = [live.message.render(key, thing, talk.topic, page.version) for key, thing in talk.messages.items()]
    template = "chat/_older.html" if request.headers.get("HX-Request") else "chat/older.html"
    response = render(request, template, {"talk": talk, "painted": painted})
    response["Live-Cursor"] = page.cursor
    return response


def number_of(text: str) -> int:
    """A message's number from an address; 404 for what is none."""
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Http404
    return int(text)


@require_safe
@login_required
def replies(request: HttpRequest) -> HttpResponse:
    """The quick replies of one's role, for a page that has been painted already."""
    page = begin(request)
    context = {"role": signed_in(request).role, "topic": live.replies_topic(signed_in(request).role)}
    response = render(request, "chat/replies.html", context)
    response["Live-Cursor"] = page.cursor
    patch_cache_control(response, private=True, no_store=True)
    return response


# --- Writing --------------------------------------------------------------------------------------


@require_POST
@login_required
def send(request: HttpRequest, pk: int) -> HttpResponse:
    """Say something. The page's own script gets the message as a push would bring it; a plain form the page again."""
    user = signed_in(request)
    thread = access.conversation_for(user, pk)  # before any file of a stranger's is looked at
    message = words(request)
    try:
        message = typed(request)
        said = actions.send_message(thread, by=user, id=message.id, text=message.text, files=message.files)
    except Refusal as refusal:
        if request.headers.get("HX-Request"):
            raise
        begin(request)
        thread = access.conversation_for(user, pk)  # as it is at the page's cursor
        return refused(request, context_of(request, thread, typed=message, refusal=refusal), refusal)
    return taken(request, said)


def taken(request: HttpRequest, said: Message) -> HttpResponse:
    """The answer to words that were sent: for the page's own script, or for a plain form."""
    if request.headers.get("Live-Socket"):
        return HttpResponse(status=204)  # the page has it by its socket
    if request.headers.get("HX-Request"):
        return JsonResponse(echo(request, said))
    return SeeOther(url_for(signed_in(request), said.conversation_id))


def echo(request: HttpRequest, said: Message) -> dict[str, str]:
    """The message as a push brings it, as the database has it now."""
    page, key, topic = begin(request), str(said.pk), live.chat_topic(said.conversation_id)
    html = live.message.render(key, live.message.load([key])[key], topic, page.version)
    return {"topic": topic, "live": live.message.name, "id": live.message.dom_id(key), "v": page.version, "html": html}


def url_for(user: User, pk: int) -> str:
    """Where a person reads a conversation."""
    return links.desk_url(pk) if user.role == Role.ADMIN else links.conversation_url(pk)


def refused(
    request: HttpRequest, context: dict[str, object], refusal: Refusal, template: str = "chat/conversation.html"
) -> HttpResponse:
    """The page again, with the sentence and all that was typed."""
    response = render(request, template, context, status=refusal.status)
    if isinstance(refusal, TooFast):
        response["Retry-After"] = str(refusal.retry_after)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@live_page
def about(request: HttpRequest, bid_pk: int) -> HttpResponse:
    """The conversation about an offer; its first message makes it."""
    user = signed_in(request)
    bid = bid_for(user, bid_pk)
    thread = existing_about(user, bid)
    return begun(request, thread, about_bid(user, bid), lambda: actions.ask_about(bid, by=user))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@live_page
def desk(request: HttpRequest) -> HttpResponse:
    """A person's own conversation with the desk; its first message makes it."""
    user = signed_in(request)
    if user.role == Role.ADMIN:
        return redirect(links.desk_messages_url())
    thread = Conversation.objects.filter(person=user).first()
    return begun(request, thread, to_desk(user), lambda: actions.desk_conversation(user, by=user))


def begun(
    request: HttpRequest, thread: Conversation | None, first: First, make: Callable[[], Conversation]
) -> HttpResponse:
    """Go to the conversation; or ask for its first message, make it with that, and go there."""
    user = signed_in(request)
    if request.method != "POST":
        if thread is not None:
            return redirect(url_for(user, thread.pk))
        return render(request, "chat/first.html", {"talk": first})
    message, said = words(request), None
    try:
        message = typed(request) if "id" in request.POST else message
        with files_undone(), transaction.atomic():
            thread = make()
            if "id" in request.POST:
                said = actions.send_message(thread, by=user, id=message.id, text=message.text, files=message.files)
    except Refusal as refusal:
        if request.headers.get("HX-Request"):
            raise
        first.take(message, refusal)
        return refused(request, {"talk": first}, refusal, "chat/first.html")
    return taken(request, said) if said is not None else SeeOther(url_for(user, thread.pk))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@idempotent
@live_page
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take back what one has said; a tombstone stays."""
    user = signed_in(request)
    message = access.message_of(user, pk)
    back = url_for(user, message.conversation_id)
    if request.method == "POST":
        actions.delete_message(message, by=user)
        return done(request, back)
    return render(request, "chat/delete.html", {"message": message, "back": back})


# --- Files ----------------------------------------------------------------------------------------


@require_safe
@login_required
def file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A file of a message, for those who may read it now."""
    attachment = access.attachment_for(signed_in(request), pk)
    return served(request, attachment, attachment.file)


@require_safe
@login_required
def thumb(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The small picture of a photo."""
    attachment = access.attachment_for(signed_in(request), pk)
    if not attachment.thumb:
        raise Http404
    return served(request, attachment, attachment.thumb)
