"""A technician's documents: what holds, what is being checked, sending one, taking it back, and the files."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import access, credentials
from accounts.access import role_required, signed_in
from accounts.credential_form import CredentialForm
from accounts.models import Credential, CredentialKind, CredentialStatus, Role, Technician
from accounts.papers import standings
from common.documents import served
from common.http import SeeOther, done
from common.idempotency import idempotent
from common.refusals import Conflict, Refusal
from realtime.pages import live_page
from realtime.topics import user_topic


@require_safe
@role_required(Role.TECHNICIAN)
@live_page
def documents(request: HttpRequest) -> HttpResponse:
    """Every kind of document, and where it stands."""
    user = signed_in(request)
    standing = standings([user.pk]).get(str(user.pk))
    if standing is None:
        raise Http404
    context = {"standing": standing, "topic": user_topic(user.pk)}
    return render(request, "accounts/credentials.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.TECHNICIAN)
@idempotent
@live_page
def send(request: HttpRequest, kind: str) -> HttpResponse:
    """Send a document of one kind to be checked."""
    if kind not in CredentialKind.values:
        raise Http404
    technician = access.technician_of(signed_in(request))
    form = CredentialForm(request.POST or None, request.FILES or None, kind=kind)
    if request.method == "POST" and form.is_valid() and submitted(technician, kind, form):
        messages.success(request, "Thank you. Our desk looks at it, and this page says how it went.")
        return SeeOther(reverse("credentials"))
    if request.method != "POST":
        require_none_waits(technician, kind)
    standing = standings([technician.pk])[str(technician.pk)]
    paper = next(paper for paper in standing.papers if paper.kind == kind)
    context = {"form": form, "paper": paper}
    return render(request, "accounts/credential_send.html", context, status=422 if form.errors else 200)


def require_none_waits(technician: Technician, kind: str) -> None:
    """Raise `Conflict` where one of the kind is being checked already."""
    if technician.credentials.filter(kind=kind, status=CredentialStatus.PENDING).exists():
        raise Conflict(
            f"Your {credentials.word(kind)} is being checked already. Take that one back first, then send another.",
            next_url=reverse("credentials"),
            next_label="See my documents",
        )


def submitted(technician: Technician, kind: str, form: CredentialForm) -> bool:
    """Send what the form holds; what can be corrected here becomes an error on it."""
    try:
        credentials.submit_credential(
            technician,
            by=technician.user,
            kind=kind,
            document=form.document,
            number=form.cleaned_data["number"],
            valid_until=form.last_day,
        )
    except Refusal as refusal:
        if refusal.next_url:
            raise
        form.add_error("valid_until", refusal.sentence)
        return False
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.TECHNICIAN)
@idempotent
@live_page
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a document back while it is being checked."""
    user = signed_in(request)
    credential = access.own_credential(user, pk)
    if request.method == "POST":
        credentials.withdraw_credential(credential, by=user)
        return done(request, reverse("credentials"))
    if credential.status != CredentialStatus.PENDING:
        raise decided(credential)
    return render(request, "accounts/credential_withdraw.html", {"credential": credential})


def decided(credential: Credential) -> Conflict:
    """The refusal for one that is no longer being checked."""
    return Conflict(
        f"Our desk decided about it a moment ago: {str(credential.get_status_display()).lower()}.",
        next_url=reverse("credentials"),
        next_label="See my documents",
    )


@require_safe
@login_required
def file(request: HttpRequest, pk: int) -> HttpResponse:
    """The document itself, for its technician and the desk."""
    credential = access.credential_for(signed_in(request), pk)
    if not credential.file:
        raise Http404
    return served(request, credential.file, credential.name)
