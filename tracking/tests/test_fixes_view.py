"""Fixes by POST: who may, what is answered, and how much at once."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from common.geo import Point
from tracking import intake
from tracking.actions import go_on_duty
from tracking.models import Fix, Position
from tracking.rules.fixes import to_ms
from tracking.tests.send import fix
from tracking.views import fixes as view

URL = "/drive/fixes/"


@pytest.fixture(autouse=True)
def nobody_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests sent is forgotten."""
    monkeypatch.setattr(intake, "_sent", {})


@pytest.fixture
def sam(ed: User) -> User:
    """A driver on duty for an hour."""
    go_on_duty(ed, by=ed, now=timezone.now() - timedelta(hours=1))
    return ed


def post(user: User | None, content: object, **headers: str) -> HttpResponse:
    """The answer to somebody's POST."""
    client = Client()
    if user is not None:
        client.force_login(user)
    body = content if isinstance(content, str) else json.dumps(content)
    return client.post(URL, body, content_type="application/json", headers=headers)


def some(count: int = 1, **changes: object) -> dict:
    """Fixes of the last moments, a second apart, the newest now."""
    now = timezone.now()
    steps = range(count)
    listed = [fix(now - timedelta(seconds=n), Point(51.5 + n / 5000, -0.1)) for n in steps]
    return {"fixes": listed, "rtt": 90, **changes}


def test_the_address() -> None:
    assert reverse("tracking:fixes") == URL


def test_a_fix_is_taken_in(sam: User) -> None:
    content = some()
    answer = post(sam, content)
    assert (answer.status_code, answer.json()) == (
        200,
        {"taken": 1, "late": 0, "refused": {}, "upto": content["fixes"][0]["at"]},
    )
    assert Position.objects.get().round_trip_ms == 90 and "no-store" in answer["Cache-Control"]


def test_everything_is_accounted_for(sam: User) -> None:
    now = timezone.now()
    listed = [
        fix(now),
        fix(now - timedelta(minutes=5), Point(51.54, -0.14)),
        fix(now, None),
        fix(now + timedelta(hours=1)),
        {"at": "noon"},
    ]
    answer = post(sam, {"fixes": listed}).json()
    assert answer == {
        "taken": 1,
        "late": 1,
        "refused": {"future": 1, "malformed": 1, "no_place": 1},
        "upto": to_ms(now + timedelta(hours=1)),
    }


def test_a_queue_of_a_hundred(sam: User) -> None:
    answer = post(sam, some(100)).json()
    assert answer["taken"] + answer["late"] == 100 and answer["refused"] == {}
    assert Fix.objects.count() == 100


@pytest.mark.parametrize("who", ["alice", "frank"])
def test_other_roles_are_refused(request, who: str) -> None:
    assert post(request.getfixturevalue(who), some()).status_code == 403


def test_who_is_signed_out_is_sent_to_sign_in(db: None) -> None:
    answer = post(None, some())
    assert answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")


def test_it_is_a_post(sam: User) -> None:
    client = Client()
    client.force_login(sam)
    assert client.get(URL).status_code == 405


def test_a_form_of_another_site_cannot_send_one(sam: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(sam)
    assert client.post(URL, json.dumps(some()), content_type="application/json").status_code == 403
    assert not Position.objects.exists()


@pytest.mark.parametrize("who", ["ed", "bob"])
def test_off_duty_nothing_is_collected(request, who: str) -> None:
    answer = post(request.getfixturevalue(who), some(2))
    assert answer.status_code == 409
    assert answer.json()["refused"] == {"not_collected": 2} and "off duty" in answer.json()["error"]
    assert not Position.objects.exists() and not Fix.objects.exists()


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "7", '"fixes"', "{}", '{"fixes": []}', '{"fixes": {}}', '{"fixes": "all"}', "[" * 100_000]
)
def test_what_is_not_readable(sam: User, body: str) -> None:
    assert post(sam, body[:60_000]).status_code == 422


def test_more_than_a_hundred_at_once(sam: User) -> None:
    assert post(sam, some(101)).status_code == 413
    assert not Fix.objects.exists()


def test_more_bytes_than_are_read(sam: User) -> None:
    assert post(sam, some(1, filling="x" * view.MOST_BYTES)).status_code == 413


def test_too_many_in_too_short_a_time(sam: User, settings) -> None:
    """Two full posts at once, then twenty fixes a second."""
    assert [post(sam, some(100)).status_code for _ in range(2)] == [200, 200]
    answer = post(sam, some(100))
    assert answer.status_code == 429 and 4 <= int(answer["Retry-After"]) <= 5


def test_one_device_does_not_use_up_anothers(sam: User, ed: User, bob: User) -> None:
    assert intake.must_wait(1, 200) == 0 and intake.must_wait(1, 1) == 1
    assert intake.must_wait(2, 200) == 0


def test_people_are_forgotten_who_have_not_sent_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST_REMEMBERED", 3)
    for user_id in range(10):
        intake.must_wait(user_id, 1)
    assert list(intake._sent) == [7, 8, 9]
