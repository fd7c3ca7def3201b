"""The people: the list, the page of one, and what the desk does about them."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_safe

from accounts import actions
from accounts import people as verbs
from accounts.access import role_required, signed_in
from accounts.models import AccountNote, Role, User
from accounts.stepping import steps_up
from adminpanel.audit.lines import Wanted, lines
from adminpanel.forms.people import AskedForm, CorrectionForm, NoteForm, RoleForm, SureForm, WhyForm
from adminpanel.live.people import ABOUT_KINDS, people_topic, person_topic
from adminpanel.people import Found, jobs_of, person_of, whole
from adminpanel.views.replies import deed
from bookings.views.confirming import Question, ask
from common.refusals import Conflict
from common.streaming import Streamed
from realtime.pages import live_page

CHANGES = 12  # of the history, on a person's page


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="dashboard")
def people(request: HttpRequest) -> HttpResponse:
    """Everybody, the newest first."""
    return render(request, "adminpanel/people.html", {"found": Found(request.GET), "topic": people_topic()})


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="dashboard")
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: who they are, what they have in hand, where they are signed in, what was done about them."""
    found = get_object_or_404(whole(), pk=pk)
    notes = AccountNote.objects.filter(user=pk).select_related("author").order_by("-pk")
    changes = lines(Wanted(kinds=ABOUT_KINDS, person=pk), limit=CHANGES)
    context = {
        "person": found,
        "card": person_of(found),
        "jobs": jobs_of([found])[str(pk)],
        "notes": {str(note.pk): note for note in notes},
        "changes": {line.key: line for line in changes},
        "topic": person_topic(pk),
    }
    return render(request, "adminpanel/person.html", context)


def page_of(pk: int) -> str:
    """The address of a person's page."""
    return reverse("desk:person", args=[pk])


def user_at(pk: int) -> User:
    """A person whose details are still there; 404 for nobody, a refusal for an erased one."""
    found = get_object_or_404(User, pk=pk)
    if found.erased_at is not None:
        raise Conflict(
            "This account was erased. Its books are all that is left.", next_url=page_of(pk), next_label="See them"
        )
    return found


# --- The account ----------------------------------------------------------------------------------


@deed
def person_suspend(request: HttpRequest, pk: int) -> HttpResponse:
    """Close the account; every page of theirs stops at once."""
    by, user = signed_in(request), user_at(pk)
    form = WhyForm(request.POST or None)
    question = Question(
        title=f"Suspend {user}?",
        button="Suspend",
        back=page_of(pk),
        text=["They are signed out everywhere within two seconds and cannot sign in again until you lift it."],
        rule=["What is booked stays booked: see to their open jobs."],
        danger=True,
    )
    return ask(request, question, lambda: actions.deactivate(user, by=by, reason=form.cleaned_data["reason"]), form)


@deed
def person_lift(request: HttpRequest, pk: int) -> HttpResponse:
    """Open it again."""
    by, user = signed_in(request), user_at(pk)
    form = WhyForm(request.POST or None)
    question = Question(
        title=f"Let {user} in again?",
        button="Lift the suspension",
        back=page_of(pk),
        text=["They can sign in with the password they had."],
    )
    return ask(request, question, lambda: actions.reactivate(user, by=by, reason=form.cleaned_data["reason"]), form)


@steps_up
@deed
def person_role(request: HttpRequest, pk: int) -> HttpResponse:
    """Give them another role."""
    by, user = signed_in(request), user_at(pk)
    form = RoleForm(request.POST or None, person=user)
    question = Question(
        title=f"Another role for {user}",
        button="Change the role",
        back=page_of(pk),
        text=[f"They are {a(user.get_role_display().lower())} now. The role says which pages are theirs."],
        rule=["An admin sees and does everything here: give that role to few."],
    )

    def act() -> object:
        return actions.change_role(user, by=by, role=form.cleaned_data["role"], reason=form.cleaned_data["reason"])

    return ask(request, question, act, form)


def a(noun: str) -> str:
    """With its article: an admin, a driver."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


@deed
def person_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct their name, phone number or time zone on their behalf."""
    by, user = signed_in(request), user_at(pk)
    form = CorrectionForm(request.POST or None, person=user)
    question = Question(title=f"Correct the details of {user}", button="Save", back=page_of(pk))
    return ask(request, question, lambda: verbs.correct_person(user, by=by, **form.cleaned_data), form)


# --- Sessions -------------------------------------------------------------------------------------


@deed
def person_sessions_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign them out everywhere."""
    by, user = signed_in(request), user_at(pk)
    form = WhyForm(request.POST or None)
    question = Question(
        title=f"Sign {user} out everywhere?",
        button="Sign them out",
        back=page_of(pk),
        text=["All their open pages stop at once. They can sign in again."],
        danger=True,
    )
    return ask(
        request, question, lambda: verbs.end_every_session(user, by=by, reason=form.cleaned_data["reason"]), form
    )


@deed
def person_session_end(request: HttpRequest, pk: int, session_id: int) -> HttpResponse:
    """Sign one browser of theirs out."""
    by, user = signed_in(request), user_at(pk)
    row = UserSession.objects.filter(pk=session_id, user_id=pk).first()
    if row is None:
        raise Conflict("That browser is signed out already.", next_url=page_of(pk), next_label=f"Back to {user}")
    form = WhyForm(request.POST or None)
    question = Question(
        title=f"Sign this browser of {user} out?",
        button="Sign it out",
        back=page_of(pk),
        text=["Its open pages stop at once. They can sign in again."],
    )
    return ask(request, question, lambda: verbs.end_one_session(row, by=by, reason=form.cleaned_data["reason"]), form)


# --- Notes ----------------------------------------------------------------------------------------


@deed
def note_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep something in mind about them."""
    by, user = signed_in(request), user_at(pk)
    form = NoteForm(request.POST or None)
    question = Question(title=f"A note about {user}", button="Keep it", back=page_of(pk))
    return ask(request, question, lambda: verbs.add_note(user, by=by, text=form.cleaned_data["text"]), form)


@deed
def note_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a note away."""
    by = signed_in(request)
    note = get_object_or_404(AccountNote.objects.select_related("user"), pk=pk)
    question = Question(
        title="Remove this note?",
        button="Remove",
        back=page_of(note.user_id),
        text=[f"“{note.text}”"],
        rule=["The audit keeps that there was one, not what it said."],
        danger=True,
    )
    return ask(request, question, lambda: verbs.remove_note(note, by=by))


# --- Their data -----------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.ADMIN)
@steps_up
@live_page
def person_export(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A copy of everything that is kept about them, as a file. It is sent while it is made, so nothing keeps it for a
    repeated request: asking twice leaves two lines in the audit.
    """
    by, user = signed_in(request), user_at(pk)
    form = AskedForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        pieces = verbs.export_person(user, by=by, reason=form.cleaned_data["reason"], now=now)
        name = f"{slugify(user.name) or 'person'}-{now:%Y%m%d}.zip"
        return Streamed(pieces, filename=name, content_type="application/zip")
    context = {"person": user, "form": form, "back": page_of(pk)}
    return render(request, "adminpanel/person_export.html", context, status=422 if form.errors else 200)


@steps_up
@deed
def person_erase(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove their details for good."""
    by, user = signed_in(request), user_at(pk)
    obstacles = verbs.why_not_erased(user)
    form = SureForm(request.POST or None)
    question = Question(
        title=f"Erase {user} for good?",
        button="Erase",
        back=page_of(pk),
        text=[
            "Their name, addresses, phone number, photos, documents, messages and every word they wrote are removed.",
            "The books stay: states, times, amounts and histories, without a name.",
        ],
        danger=True,
        template="adminpanel/person_erase.html",
        context={"obstacles": obstacles, "person": user},
    )
    return ask(request, question, lambda: verbs.erase_person(user, by=by, reason=form.cleaned_data["reason"]), form)
