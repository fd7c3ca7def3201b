"""Taking the second factor of somebody who lost theirs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from accounts import second_factor
from accounts.access import signed_in
from accounts.models import User
from accounts.stepping import steps_up
from adminpanel.forms.people import WhyForm
from adminpanel.views.people import page_of
from adminpanel.views.replies import deed
from bookings.views.confirming import Question, ask


@deed
@steps_up
def person_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """They set up another at their next sign-in."""
    by, user = signed_in(request), get_object_or_404(User, pk=pk)
    form = WhyForm(request.POST or None)
    question = Question(
        title=f"Reset the second factor of {user}?",
        button="Reset it",
        back=page_of(pk),
        text=["They are signed out everywhere. Their app, passkeys and recovery codes stop working here."],
        rule=["Whoever asks for this may be somebody else: call them back on a number you know."],
        danger=True,
    )
    return ask(request, question, lambda: second_factor.reset(user, by=by, reason=form.cleaned_data["reason"]), form)
