"""The sessions list, and ending sessions from it, by closing an account and by saving one anywhere."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import actions, sessions
from accounts.models import User
from accounts.tests.conftest import sign_in
from accounts.tests.test_signin import alive, live_id, orders

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18 like Mac OS X) Version/18 Mobile Safari/604.1"


def test_the_list_shows_each_browser_and_marks_this_one(carol: User, dan: User) -> None:
    here = sign_in(carol, HTTP_USER_AGENT=FIREFOX)
    sign_in(carol, HTTP_USER_AGENT=PHONE)
    sign_in(dan, HTTP_USER_AGENT="Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537.36")
    page = here.get("/accounts/profile/sessions/").content.decode()
    assert "Firefox on Linux" in page and "Safari on iPhone" in page and "Windows" not in page
    assert page.count("This browser") == 1 and page.count("/end/") == 1


def test_with_one_session_there_is_nothing_to_end(carol: User) -> None:
    page = sign_in(carol).get("/accounts/profile/sessions/").content.decode()
    assert "everywhere else" not in page and "/end/" not in page


def test_revoking_a_session_signs_that_browser_out_and_ends_its_sockets(carol: User) -> None:
    here, there, third = sign_in(carol), sign_in(carol), sign_in(carol)
    theirs = live_id(there)
    row = UserSession.objects.get(session_key=there.session.session_key)
    response = here.post(f"/accounts/profile/sessions/{row.pk}/end/")
    assert response.status_code == 303 and response["Location"] == "/accounts/profile/sessions/"
    assert orders() == [f"session.{theirs}"]
    assert alive(here) and not alive(there) and alive(third)
    assert here.post(f"/accounts/profile/sessions/{row.pk}/end/").status_code == 404


def test_a_double_tap_on_revoke_gets_the_same_answer(carol: User) -> None:
    here, there = sign_in(carol), sign_in(carol)
    row = UserSession.objects.get(session_key=there.session.session_key)
    answers = [here.post(f"/accounts/profile/sessions/{row.pk}/end/", {"idempotency_key": "k1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert len(orders()) == 1


def test_revoking_the_session_in_use_is_signing_out(carol: User) -> None:
    here = sign_in(carol)
    row = UserSession.objects.get(session_key=here.session.session_key)
    assert here.post(f"/accounts/profile/sessions/{row.pk}/end/")["Location"] == "/accounts/logout/"
    assert alive(here)


def test_signing_out_everywhere_else_keeps_this_browser(carol: User, dan: User) -> None:
    here, there, stranger = sign_in(carol), sign_in(carol), sign_in(dan)
    ours = live_id(here)
    assert here.post("/accounts/profile/sessions/end-others/").status_code == 303
    assert orders() == [f"user.{carol.pk}.{ours}"]
    assert alive(here) and not alive(there) and alive(stranger)


def test_a_session_that_ran_out_is_not_listed(carol: User) -> None:
    here, there = sign_in(carol), sign_in(carol)
    past = timezone.now() - timedelta(seconds=1)
    Session.objects.filter(session_key=there.session.session_key).update(expire_date=past)
    assert [line.row.session_key for line in sessions.open_sessions(carol)] == [here.session.session_key]


def test_the_list_takes_as_many_queries_for_nine_sessions_as_for_one(carol: User) -> None:
    here = sign_in(carol)
    here.get("/accounts/profile/sessions/")
    with CaptureQueriesContext(connection) as one:
        here.get("/accounts/profile/sessions/")
    for _ in range(8):
        sign_in(carol)
    with CaptureQueriesContext(connection) as nine:
        page = here.get("/accounts/profile/sessions/")
    assert page.content.decode().count("/end/") == 8
    assert len(nine) == len(one)


def test_closing_an_account_ends_every_session_and_socket(carol: User, olga: User, dan: User) -> None:
    here, there, stranger = sign_in(carol), sign_in(carol), sign_in(dan)
    actions.deactivate(carol, by=olga)
    assert orders() == [f"user.{carol.pk}."]
    assert not alive(here) and not alive(there) and alive(stranger)
    assert not UserSession.objects.filter(user=carol).exists()


@pytest.mark.parametrize("how", ["save", "update_fields", "shell password"])
def test_saving_an_account_anywhere_ends_what_it_must(carol: User, how: str) -> None:
    here = sign_in(carol)
    user = User.objects.get(pk=carol.pk)
    if how == "shell password":
        user.set_password("a new one from a shell")
        user.save()
    else:
        user.is_active = False
        user.save(**({"update_fields": ["is_active"]} if how == "update_fields" else {}))
    assert orders() == [f"user.{carol.pk}."] and not alive(here)


def test_saving_anything_else_ends_nothing(carol: User) -> None:
    here = sign_in(carol)
    user = User.objects.get(pk=carol.pk)
    user.name = "Carol Anne"
    user.save()
    assert orders() == [] and alive(here)


def test_deleting_an_account_ends_its_sockets(dan: User) -> None:
    pk = dan.pk
    here = sign_in(dan)
    dan.delete()
    assert orders() == [f"user.{pk}."] and not alive(here)


def test_a_session_without_an_address_is_not_listed_and_works(carol: User) -> None:
    client = Client()
    client.force_login(carol)
    assert not UserSession.objects.filter(user=carol).exists() and alive(client)


def test_a_session_that_is_gone_already_is_ended_without_an_order(carol: User) -> None:
    row = UserSession.objects.create(user=carol, ip="127.0.0.1", session_key="g" * 32, user_agent="")
    sessions.end([row])
    assert orders() == [] and not UserSession.objects.filter(user=carol).exists()


def test_loading_a_backup_ends_nothing(carol: User) -> None:
    here = sign_in(carol)
    carol.is_active = False
    carol.save_base(raw=True)
    assert orders() == []
    carol.is_active = True
    carol.save_base(raw=True)
    assert alive(here)


def test_a_sign_in_of_another_person_in_the_same_browser_starts_a_new_session(carol: User, dan: User) -> None:
    client = sign_in(carol)
    first = live_id(client)
    client.force_login(dan)
    assert live_id(client) != first
