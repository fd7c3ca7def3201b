"""Writing to one person or to many."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.access import role_required, signed_in
from accounts.models import Role, User
from adminpanel.talk.recipients import Recipients, uuid_of
from chat import actions
from chat.models import Conversation
from common.http import SeeOther
from common.refusals import Conflict, Invalid, Refusal, TooFast
from common.uploads import files_undone
from realtime.pages import live_page

SUBJECT_LONGEST = 120


class Draft:
    """A message to people, as it was typed. `told` is the number of people that the form last said."""

    def __init__(self, request: HttpRequest) -> None:
        asked = request.POST if request.method == "POST" else request.GET
        self.recipients = Recipients(asked)
        self.id = uuid_of(asked.get("id", "")) or uuid4()
        self.subject = asked.get("subject", "").strip()
        self.text = asked.get("text", "")
        self.told = asked.get("told", "")
        self.files: list[UploadedFile[Any]] = request.FILES.getlist("file")

    def check(self) -> None:
        """Raise `Invalid` for what only a message to people must have; the rest is checked as it is sent."""
        to = self.recipients
        if not to.count:
            raise Invalid("Choose somebody to write to.")
        if self.told != str(to.count):
            raise Invalid(f"{to.sentence} Send it again if that is right.")
        if to.are_several and not self.subject:
            raise Invalid("Give a message to several people a subject.")
        if len(self.subject) > SUBJECT_LONGEST:
            raise Invalid(f"A subject has {SUBJECT_LONGEST} characters at most; yours has {len(self.subject)}.")

    def send(self, by: User) -> Conversation:
        """Send it: to one in their own conversation with the desk, to several as a broadcast. Raises `Refusal`."""
        self.check()
        people = list(self.recipients.people())
        if len(people) > 1:
            subject = self.subject
            return actions.broadcast(people, by=by, subject=subject, id=self.id, text=self.text, files=self.files)
        with files_undone(), transaction.atomic():
            conversation = actions.desk_conversation(people[0], by=by)
            actions.send_message(conversation, by=by, id=self.id, text=self.text, files=self.files)
        return conversation


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.ADMIN)
@live_page
def compose(request: HttpRequest) -> HttpResponseBase:
    """The form; a search on it, and every error, bring it back with all that was typed and chosen."""
    draft = Draft(request)
    if request.method != "POST" or request.POST.get("step") == "find":
        return page(request, draft)
    try:
        conversation = draft.send(signed_in(request))
    except Refusal as refusal:
        if isinstance(refusal, Conflict):
            draft.id = uuid4()  # it was sent before with other words: this is another message
        return page(request, draft, refusal)
    return SeeOther(reverse("desk:conversation", args=[conversation.pk]))


def page(request: HttpRequest, draft: Draft, refusal: Refusal | None = None) -> HttpResponse:
    """The form, and why it was not sent."""
    context = {"draft": draft, "to": draft.recipients, "refusal": refusal}
    response = render(request, "adminpanel/compose.html", context, status=refusal.status if refusal else 200)
    if isinstance(refusal, TooFast):
        response["Retry-After"] = str(refusal.retry_after)
    return response
