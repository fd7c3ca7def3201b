"""The desk's lists as files: asked for by a form, by somebody who proved who they are, and kept without names."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.audit import record
from accounts.models import DeskAction, User
from accounts.second_factor import RECORDS, WHOSE
from adminpanel.audit.lines import Wanted, lines
from bookings.tests import make
from tests.crawl import browser

pytestmark = pytest.mark.django_db
EXPORTS = ("desk:bookings_export", "desk:audit_export")


@pytest.fixture
def job(alice: User) -> Any:
    return make.job(alice, title="A tap")


@pytest.fixture
def desk(frank: User, job: Any) -> Client:
    return browser(frank)


def proved(client: Client, minutes: float) -> None:
    """As if the browser had signed in so long ago."""
    session = client.session
    session[RECORDS] = [{"method": "password", "at": time.time() - minutes * 60}]
    session[WHOSE] = session["_auth_user_id"]
    session.save()


@pytest.mark.parametrize("name", EXPORTS)
def test_a_look_is_a_form_and_leaves_no_line(desk: Client, name: str) -> None:
    html = desk.get(reverse(name)).content.decode()
    assert '<form method="post"' in html and "csrfmiddlewaretoken" in html and html.count("<h1") == 1
    assert not DeskAction.objects.exists()


@pytest.mark.parametrize("name", EXPORTS)
def test_without_its_token_nothing_is_sent(frank: User, job: Any, name: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(frank)
    assert client.post(reverse(name)).status_code == 403
    assert not DeskAction.objects.exists()


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_signed_in_long_ago_is_asked_again(desk: Client, settings: Any, name: str, method: str) -> None:
    settings.STEP_UP_MINUTES = 15
    proved(desk, 16)
    answer = getattr(desk, method)(reverse(name))
    assert answer.status_code == 302 and "/reauthenticate/" in answer["Location"]
    assert not DeskAction.objects.exists()
    proved(desk, 1)
    assert getattr(desk, method)(reverse(name)).status_code == 200


@pytest.mark.parametrize("name", EXPORTS)
def test_what_was_searched_for_is_on_the_page_and_not_in_the_line(desk: Client, name: str) -> None:
    url = f"{reverse(name)}?q=Alice%20Test&kind=booking&show=open"
    assert "Alice Test" in desk.get(url).content.decode()
    assert desk.post(url, {"reason": "For the\0 books " + "x" * 300}).status_code == 200
    line = DeskAction.objects.get()
    assert "Alice" not in f"{line.label} {line.details} {line.reason}"
    assert "words" in line.details["filters"][1] and line.reason.startswith("For the books") and len(line.reason) == 200


@pytest.mark.parametrize("name", EXPORTS)
def test_the_line_says_how_many_rows_left_the_house(desk: Client, alice: User, name: str) -> None:
    for _ in range(3):
        make.job(alice)
    sent = desk.post(reverse(name)).getvalue().decode("utf-8-sig")
    line = DeskAction.objects.get()
    assert line.details["filters"] == ["", "none"]
    # Its own line is in the audit's file: it was written before the first row was read.
    assert len(re.findall("\r\n", sent)) - 1 - (name == "desk:audit_export") == line.details["rows"][1] > 0


def test_the_page_of_the_audit_leads_to_the_form_with_its_search(desk: Client) -> None:
    html = desk.get(reverse("desk:audit"), {"kind": "booking"}).content.decode()
    assert f'href="{reverse("desk:audit_export")}?kind=booking"' in html
    assert (
        f'href="{reverse("desk:audit")}?kind=booking"'
        in desk.get(reverse("desk:audit_export"), {"kind": "booking"}).content.decode()
    )


def test_the_lines_show_what_was_taken(desk: Client, frank: User) -> None:
    record(frank, "exported_audit", details={"filters": ["", "kind: booking"], "rows": ["", 12]})
    (line,) = lines(Wanted(kinds=("desk",)))
    assert sorted(line.changes) == [("filters", "", "kind: booking"), ("rows", "", 12)]  # a store may order them anew
    assert "rows: nothing → 12" in desk.get(reverse("desk:audit")).content.decode()
