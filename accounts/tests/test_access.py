"""Who may see which page: everybody's own, and nothing of anybody else's."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from accounts import access
from accounts.access import role_required
from accounts.models import Role, User

OWN_PAGES = [
    "/accounts/profile/",
    "/accounts/profile/edit/",
    "/accounts/profile/sessions/",
    "/accounts/profile/email/",
    "/accounts/profile/password/",
    "/accounts/reauthenticate/",
]
OPEN_PAGES = [
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/signup/technician/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/done/",
    "/accounts/password/reset/key/1-wrong-key/",
    "/accounts/confirm-email/",
    "/accounts/confirm-email/wrong/",
    "/accounts/inactive/",
]
POST_ONLY = ["/accounts/profile/sessions/1/end/", "/accounts/profile/sessions/end-others/"]


@pytest.fixture
def client_of(request: pytest.FixtureRequest) -> object:
    def sign(name: str) -> Client:
        client = Client()
        client.force_login(request.getfixturevalue(name))
        return client

    return sign


@pytest.mark.parametrize("page", [*OWN_PAGES, "/accounts/profile/trade/", "/accounts/people/1/photo/"])
def test_signed_out_people_get_the_login_page_and_come_back_after_it(client: Client, db: None, page: str) -> None:
    response = client.get(page)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=/accounts/")


@pytest.mark.parametrize("page", POST_ONLY)
def test_signed_out_people_change_nothing(client: Client, db: None, page: str) -> None:
    assert client.post(page)["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("who", ["carol", "tess", "driver", "olga"])
@pytest.mark.parametrize("page", OWN_PAGES)
def test_every_role_has_its_own_account_pages_with_one_heading(client_of: object, who: str, page: str) -> None:
    response = client_of(who).get(page)  # type: ignore[operator]
    assert response.status_code == 200
    assert response.content.decode().count("<h1") == 1


@pytest.mark.parametrize("page", OPEN_PAGES)
def test_every_open_page_has_one_heading_and_a_title(client: Client, db: None, page: str) -> None:
    text = client.get(page).content.decode()
    assert text.count("<h1") == 1
    title = text.split("<title>")[1].split("</title>")[0].strip()
    assert title and "block" not in title


@pytest.mark.parametrize(("who", "status"), [("tess", 200), ("carol", 403), ("driver", 403), ("olga", 403)])
def test_only_a_technician_has_a_trade_page(client_of: object, who: str, status: int) -> None:
    assert client_of(who).get("/accounts/profile/trade/").status_code == status  # type: ignore[operator]


@pytest.mark.parametrize("page", POST_ONLY)
def test_what_changes_something_is_never_a_link(client_of: object, carol: User, page: str) -> None:
    assert client_of("carol").get(page).status_code == 405  # type: ignore[operator]


@pytest.mark.parametrize("who", ["dan", "tess", "olga"])
def test_nobody_ends_somebody_elses_session(client_of: object, carol: User, who: str) -> None:
    from allauth.usersessions.models import UserSession

    row = UserSession.objects.create(user=carol, ip="127.0.0.1", session_key="k" * 32, user_agent="Firefox")
    assert client_of(who).post(f"/accounts/profile/sessions/{row.pk}/end/").status_code == 404  # type: ignore[operator]
    assert UserSession.objects.filter(pk=row.pk).exists()


def call(user: User | AnonymousUser, *roles: str) -> HttpResponse:
    request: HttpRequest = RequestFactory().get("/somewhere/?page=2")
    request.user = user
    return role_required(*roles)(lambda request: HttpResponse("in"))(request)  # type: ignore[return-value]


def test_a_role_opens_a_page_for_that_role_alone(carol: User, olga: User) -> None:
    assert call(carol, Role.CUSTOMER).content == b"in"
    assert call(carol, Role.TECHNICIAN, Role.CUSTOMER).content == b"in"
    with pytest.raises(PermissionDenied):
        call(olga, Role.CUSTOMER)


def test_a_role_page_sends_signed_out_people_to_the_login_page(db: None) -> None:
    assert call(AnonymousUser(), Role.CUSTOMER)["Location"] == "/accounts/login/?next=/somewhere/%3Fpage%3D2"


def test_helpers_refuse_whoever_is_not_who_they_say(carol: User, rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = AnonymousUser()
    with pytest.raises(PermissionDenied):
        access.signed_in(request)
    with pytest.raises(Http404):
        access.technician_of(carol)


@pytest.mark.parametrize(
    "page",
    [
        "/accounts/login/code/confirm/",
        "/accounts/phone/change/",
        "/accounts/signup/driver/",
        "/accounts/signup/admin/",
        "/accounts/people/x/photo/",
    ],
)
def test_what_we_do_not_offer_does_not_exist(client_of: object, carol: User, client: Client, page: str) -> None:
    assert client.get(page).status_code == 404
    assert client_of("carol").get(page).status_code == 404  # type: ignore[operator]


def test_the_folder_of_accounts_leads_to_a_page(client_of: object, carol: User, client: Client) -> None:
    assert client.get("/accounts/")["Location"] == "/accounts/login/"
    assert client_of("carol").get("/accounts/")["Location"] == "/accounts/profile/email/"  # type: ignore[operator]


@pytest.mark.parametrize("page", [*OWN_PAGES, "/accounts/login/"])
def test_no_page_of_an_account_is_cached(client_of: object, client: Client, carol: User, page: str) -> None:
    browser = client if page == "/accounts/login/" else client_of("carol")  # type: ignore[operator]
    assert "no-store" in browser.get(page)["Cache-Control"]


@pytest.mark.parametrize("page", OWN_PAGES)
def test_an_account_that_was_closed_sees_nothing_more(client_of: object, carol: User, page: str) -> None:
    client = client_of("carol")  # type: ignore[operator]
    carol.is_active = False
    carol.save(update_fields=["is_active"])
    assert client.get(page)["Location"].startswith("/accounts/login/")
