"""What every queue of the desk does once something is decided: it says so, and shows the next that waits."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse

from bookings.views.confirming import Question, ask
from common.http import SeeOther


def decide(
    request: HttpRequest,
    question: Question,
    act: Callable[[], object],
    form: BaseForm | None,
    *,
    said: str,
    onward: Callable[[], str],
) -> HttpResponse:
    """As `ask`; once decided, say `said` on the page `onward()`: the next one that waits, or the list.

    From a dialog the browser is sent there too: what was open is done with.
    """
    response = ask(request, question, act, form)
    if request.method != "POST" or response.status_code not in (204, 303):
        return response
    messages.success(request, said)
    if getattr(request, "htmx", False):
        return HttpResponse(headers={"HX-Redirect": onward()})
    return SeeOther(onward())
