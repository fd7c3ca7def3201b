"""Signing in as somebody of the demo: one click, in demo mode only, and never as a real person."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.http import Http404
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.actions import sign_up_customer
from common.views import nothing_here
from demo.cast import PASSWORD, PLAYABLE
from demo.tests.conftest import person


@pytest.fixture
def demo_mode(people: None, settings: Any) -> None:
    settings.DEMO = True


def who_is(client: Client) -> int | None:
    """The id of whoever is signed in."""
    return int(client.session["_auth_user_id"]) if "_auth_user_id" in client.session else None


def sign_in_as(client: Client, slug: str) -> Any:
    return client.post(reverse("demo:sign_in", args=[slug]))


@pytest.mark.parametrize("slug", list(PLAYABLE))
def test_one_click_signs_in_and_goes_home(demo_mode: None, client: Client, slug: str) -> None:
    response = sign_in_as(client, slug)
    assert response.status_code == 303 and response["Location"] == reverse("home")
    assert who_is(client) == person(slug).pk


def test_the_sign_in_page_lists_everybody_by_role_with_a_button(demo_mode: None, client: Client) -> None:
    page = client.get(reverse("account_login")).content.decode()
    for slug, each in PLAYABLE.items():
        assert each.name in page and each.invites.replace("'", "&#x27;") in page
        assert f'action="{reverse("demo:sign_in", args=[slug])}"' in page
        assert f'src="{reverse("demo:photo", args=[slug])}"' in page
    assert page.index(">Customer<") < page.index(">Technician<") < page.index(">Driver<") < page.index(">Admin<")
    assert PASSWORD in page and "anna.novak" not in page


def test_the_list_costs_one_query(demo_mode: None, client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1) as asked:
        client.get(reverse("demo:people"))
    assert "LIMIT" not in asked.captured_queries[0]["sql"]


def test_the_list_can_be_seen_while_signed_in(demo_mode: None, client: Client) -> None:
    sign_in_as(client, "emma")
    home = client.get(reverse("home")).content.decode()
    assert f'href="{reverse("demo:people")}"' in home  # in the menu
    page = client.get(reverse("demo:people")).content.decode()
    assert page.count("<h1") == 1 and "Tariq Aziz" in page


def test_switching_ends_the_session_of_whoever_was_signed_in_before(demo_mode: None, client: Client) -> None:
    sign_in_as(client, "emma")
    first = client.session.session_key
    sign_in_as(client, "tariq")
    assert who_is(client) == person("tariq").pk
    assert client.session.session_key != first
    assert not UserSession.objects.filter(user=person("emma")).exists()


def test_the_password_that_is_told_works(demo_mode: None, client: Client) -> None:
    client.post(reverse("account_login"), {"login": person("emma").email, "password": PASSWORD})
    assert who_is(client) == person("emma").pk


@pytest.mark.parametrize("slug", ["anna.novak", "nobody", "carol"])
def test_nobody_else_can_be_entered(demo_mode: None, client: Client, slug: str) -> None:
    sign_up_customer(email="carol@callout.example", password=None, name="Carol Reed", time_zone="Europe/London")
    assert client.post(f"/demo/sign-in/{slug}/").status_code == 404
    assert client.get(f"/demo/photo/{slug}/").status_code == 404
    assert who_is(client) is None


def test_a_closed_account_cannot_be_entered(demo_mode: None, client: Client) -> None:
    emma = person("emma")
    emma.is_active = False
    emma.save()
    assert sign_in_as(client, "emma").status_code == 404
    assert "Emma Clarke" not in client.get(reverse("account_login")).content.decode()


def test_signing_in_takes_a_post_with_a_token(demo_mode: None, client: Client) -> None:
    assert client.get(reverse("demo:sign_in", args=["emma"])).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    assert sign_in_as(strict, "emma").status_code == 403
    assert who_is(strict) is None


def test_a_face_is_a_picture(demo_mode: None, client: Client) -> None:
    response = client.get(reverse("demo:photo", args=["emma"]))
    assert response["Content-Type"] == "image/jpeg" and response.content.startswith(b"\xff\xd8")


def test_outside_demo_mode_nothing_of_it_exists(people: None, client: Client, settings: Any) -> None:
    settings.DEMO = False
    assert sign_in_as(client, "emma").status_code == 404
    assert client.get(reverse("demo:people")).status_code == 404
    assert client.get(reverse("demo:photo", args=["emma"])).status_code == 404
    page = client.get(reverse("account_login")).content.decode()
    assert "Emma" not in page and PASSWORD not in page
    assert who_is(client) is None


def test_a_trial_shows_the_ordinary_page_for_what_is_not_there(demo_mode: None, client: Client, settings: Any) -> None:
    settings.DEBUG = True
    sign_in_as(client, "emma")
    answer = client.get("/jobs/999999/")
    assert answer.status_code == 404 and "not yours to see" in answer.content.decode()
    with pytest.raises(Http404):  # config/urls.py has it last, in a trial
        nothing_here(RequestFactory().get("/nowhere/"))
