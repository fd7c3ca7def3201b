"""Confirm pages: what a button of a fragment leads to. With JavaScript they open as a dialog over the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from common.http import done
from common.refusals import Refusal


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
    template: str = "bookings/confirm.html"
    context: dict[str, Any] = field(default_factory=dict)  # what else the template shows

    @property
    def lead(self) -> str:
        """The text as one paragraph."""
        return " ".join(self.text)

    @property
    def tone(self) -> str:
        """The button's."""
        return "danger" if self.danger else "primary"


def ask(
    request: HttpRequest,
    question: Question,
    act: Callable[[], object],
    form: BaseForm | None = None,
) -> HttpResponse:
    """Show `question`; on a POST whose form is in order, `act` and go back.

    A refusal that names a way on, or of a question without a form, is a page of its own. One that can be
    corrected here stands above the form, with all that was typed still in it.
    """
    refusal: Refusal | None = None
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            act()
        except Refusal as error:
            if form is None or error.next_url:
                raise
            refusal = error
            form.add_error(None, refusal.sentence)
        else:
            return done(request, question.back)
    status = refusal.status if refusal else 422 if form is not None and form.errors else 200
    context = {"question": question, "ask": question, "back": question.back, "form": form, **question.context}
    return render(request, question.template, context, status=status)
