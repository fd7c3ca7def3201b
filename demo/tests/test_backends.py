"""A site that was a demo once: its people, whose password everybody can read, get in no more."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from allauth.core.context import request_context
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.actions import sign_up_customer
from demo.cast import PASSWORD
from demo.tests.conftest import person


@pytest.mark.parametrize("page", ["/accounts/login/", "/admin/login/"])
@pytest.mark.parametrize("typed", ["olivia@callout.example", " Olivia@Callout.Example "])
def test_outside_demo_mode_the_told_password_opens_nothing(
    people: None, client: Client, settings: Any, typed: str, page: str
) -> None:
    settings.DEMO = False
    client.post(page, {"login": typed, "password": PASSWORD}, follow=True)
    assert "_auth_user_id" not in client.session
    assert client.login(email=typed.strip(), password=PASSWORD) is False


def test_other_people_sign_in_as_ever(people: None, client: Client, settings: Any) -> None:
    settings.DEMO = False
    sign_up_customer(email="carol@example.org", password=PASSWORD, name="Carol Reed", time_zone="Europe/London")
    client.post(reverse("account_login"), {"login": "carol@example.org", "password": PASSWORD})
    assert client.session["_auth_user_id"]


def test_in_demo_mode_the_demo_signs_in(people: None, client: Client, settings: Any) -> None:
    settings.DEMO = True
    client.post(reverse("account_login"), {"login": person("olivia").email, "password": PASSWORD})
    assert client.session["_auth_user_id"] == str(person("olivia").pk)


@pytest.mark.parametrize(("demo", "page"), [(True, "/"), (False, "/accounts/inactive/")])
def test_a_passkey_that_was_added_in_a_demo_opens_nothing_after_it(
    people: None, client: Client, rf: RequestFactory, settings: Any, demo: bool, page: str
) -> None:
    """Where allauth arrives when a passkey was right: no password is asked, hence no backend."""
    settings.DEMO = demo
    request = rf.post("/")
    request.session, request.user = client.session, AnonymousUser()
    with request_context(request):
        answer = perform_login(request, Login(user=person("olivia"), redirect_url="/"))
    assert answer["Location"] == page
    assert ("_auth_user_id" in request.session) is demo
