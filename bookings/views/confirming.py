"""Confirm pages: what a button of a fragment leads to. With JavaScript they open as a dialog over the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from common.http import done
from common.refusals import Invalid


@dataclass(frozen=True)
class Question:
    """What is asked before the tap. `back` is the page it came from, and where it returns to."""

    title: str
    button: str
    back: str
    text: Sequence[str] = ()
    facts: Sequence[tuple[str, Any]] = ()
    rule: Sequence[str] = ()  # the small print below
    danger: bool = False
    hidden: dict[str, str] = field(default_factory=dict)  # what was shown, sent along with the answer


def ask(
    request: HttpRequest,
    question: Question,
    act: Callable[[], object],
    form: BaseForm | None = None,
) -> HttpResponse:
    """Show `question`; on a POST whose form is in order, `act` and go back.

    What the action finds impossible stands above the form, with all that was typed still in it.
    """
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            act()
        except Invalid as refusal:
            if form is None:
                raise
            form.add_error(None, refusal.sentence)
        else:
            return done(request, question.back)
    status = 422 if form is not None and form.errors else 200
    return render(request, "bookings/confirm.html", {"question": question, "form": form}, status=status)
