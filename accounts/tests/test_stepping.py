"""Stepping up: what moves money or roles asks again who sits there, and then does what was asked for."""

from __future__ import annotations

import time

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.views.decorators.http import require_http_methods

from accounts.access import role_required, signed_in
from accounts.models import Role, User
from accounts.second_factor import RECORDS
from accounts.stepping import steps_up
from accounts.tests.conftest import PASSWORD, sign_in
from accounts.tests.factors import code, give_app, recovery_codes, sign_in_fully
from common.http import SeeOther
from common.idempotency import idempotent
from config.urls import handler429, urlpatterns  # noqa: F401 (the site goes on around the tests' own page)

PAGE = "/tests/rename/"


def call(user: User, name: str) -> None:
    user.name = name
    user.save(update_fields=["name"])


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
@idempotent
@steps_up
def rename(request: HttpRequest) -> HttpResponse:
    """A page like those of roles and money; it stands inside `idempotent`, where it is hardest."""
    if request.method == "POST":
        call(signed_in(request), request.POST["name"])
        return SeeOther("/accounts/profile/")
    return HttpResponse("<form>")


urlpatterns = [path("tests/rename/", rename), *urlpatterns]


@pytest.fixture(autouse=True)
def asked(settings) -> None:
    """As a real site has it, and with a page of our own."""
    settings.STEP_UP_MINUTES = 15
    settings.SECOND_FACTOR = True
    settings.ROOT_URLCONF = __name__


def grow_old(client: Client, minutes: float) -> None:
    """As if everything this session has proved were `minutes` older."""
    session = client.session
    session[RECORDS] = [{**each, "at": each["at"] - minutes * 60} for each in session[RECORDS]]
    session.save()


def name_of(user: User) -> str:
    return User.objects.get(pk=user.pk).name


@pytest.fixture
def desk(olga: User) -> Client:
    """Olga's browser, in which she has just shown her app."""
    give_app(olga)
    return sign_in_fully(olga)


def test_a_fresh_sign_in_is_enough(desk: Client, olga: User) -> None:
    assert desk.get(PAGE).status_code == 200
    assert desk.post(PAGE, {"name": "Olga II"})["Location"] == "/accounts/profile/"
    assert name_of(olga) == "Olga II"


def test_an_older_one_is_asked_for_before_the_form_is_shown(desk: Client) -> None:
    grow_old(desk, 16)
    response = desk.get(PAGE)
    assert response["Location"] == "/accounts/reauthenticate/code/?next=%2Ftests%2Frename%2F"
    page = desk.get(response["Location"]).content.decode()
    assert "Is it you?" in page and "Back to my profile" in page
    assert desk.post("/accounts/reauthenticate/code/", {"code": "000000", "next": PAGE}).status_code == 200
    assert desk.get(PAGE).status_code == 302, "a wrong code proves nothing"
    assert desk.post("/accounts/reauthenticate/code/", {"code": code(steps=1), "next": PAGE})["Location"] == PAGE
    assert desk.get(PAGE).status_code == 200


def test_what_was_sent_meanwhile_is_done_afterwards_and_once(desk: Client, olga: User) -> None:
    grow_old(desk, 16)
    response = desk.post(PAGE, {"name": "Olga III", "idempotency_key": "a-key"})
    assert response["Location"].startswith("/accounts/reauthenticate/code/?next=") and name_of(olga) == "Olga Desk"
    recovery = recovery_codes(olga)[0]
    response = desk.post("/accounts/reauthenticate/code/", {"code": recovery, "next": PAGE})
    assert (response.status_code, response["Location"]) == (303, "/accounts/profile/")
    assert name_of(olga) == "Olga III"
    call(olga, "Somebody else since")
    again = desk.post(PAGE, {"name": "Olga III", "idempotency_key": "a-key"})
    assert again["Idempotency-Replayed"] == "true" and name_of(olga) == "Somebody else since"


def test_a_password_does_not_stand_in_for_a_second_factor(desk: Client, olga: User) -> None:
    grow_old(desk, 16)
    assert desk.get("/accounts/reauthenticate/")["Location"].startswith("/accounts/reauthenticate/code/")
    desk.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": PAGE})
    assert desk.get(PAGE).status_code == 302


def test_without_a_second_factor_the_password_is_asked_for(olga: User, settings) -> None:
    settings.SECOND_FACTOR = False
    client = sign_in(olga)
    assert client.get(PAGE).status_code == 200
    grow_old(client, 16)
    assert client.get(PAGE)["Location"].startswith("/accounts/reauthenticate/?next=")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": PAGE})
    assert client.get(PAGE).status_code == 200


def test_a_session_that_proved_nothing_is_asked(olga: User, settings) -> None:
    settings.SECOND_FACTOR = False
    client = Client()
    client.force_login(olga)
    assert client.get(PAGE)["Location"].startswith("/accounts/reauthenticate/?next=")


def test_who_can_prove_nothing_at_all_is_refused(frank: User, settings) -> None:
    settings.SECOND_FACTOR = False
    client = Client()
    client.force_login(frank)  # no password, no factor
    assert client.get(PAGE).status_code == 403


def test_htmx_leaves_the_page(desk: Client) -> None:
    grow_old(desk, 16)
    response = desk.post(PAGE, {"name": "x"}, headers={"HX-Request": "true"})
    assert response.status_code == 200 and response["HX-Redirect"].startswith("/accounts/reauthenticate/code/?next=")


def test_it_says_nothing_to_those_who_may_not_be_there(carol: User, client: Client) -> None:
    assert client.get(PAGE)["Location"].startswith("/accounts/login/")
    other = sign_in(carol)
    grow_old(other, 60)
    assert other.get(PAGE).status_code == 403


def test_a_site_may_ask_less_or_never(desk: Client, settings) -> None:
    grow_old(desk, 16)
    settings.STEP_UP_MINUTES = 20
    assert desk.get(PAGE).status_code == 200
    grow_old(desk, 10_000)
    settings.STEP_UP_MINUTES = 0
    assert desk.get(PAGE).status_code == 200


def test_djangos_admin_shows_itself_and_asks_before_it_changes_anything(desk: Client, carol: User) -> None:
    grow_old(desk, 16)
    page = "/admin/accounts/user/"
    assert desk.get(page).status_code == 200
    response = desk.post(page, {"action": "make_admin", "_selected_action": [carol.pk]})
    assert response["Location"].startswith("/accounts/reauthenticate/code/?next=")
    assert User.objects.get(pk=carol.pk).role == Role.CUSTOMER
    desk.post("/accounts/reauthenticate/code/", {"code": code(steps=1), "next": page})
    assert User.objects.get(pk=carol.pk).role == Role.ADMIN


def test_proofs_of_somebody_else_in_the_same_browser_count_for_nothing(desk: Client, olga: User) -> None:
    session = desk.session
    session[f"{RECORDS}_user"] = str(olga.pk + 1)
    session[RECORDS] = [{"method": "mfa", "at": time.time()}]
    session.save()
    assert desk.get(PAGE)["Location"].startswith("/accounts/reauthenticate/code/"), "not even let in"
