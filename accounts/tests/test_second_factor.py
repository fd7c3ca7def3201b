"""The second factor of the desk: who must have one, what is open without, and how one gets and loses it."""

from __future__ import annotations

import json
import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import actions, second_factor
from accounts.models import DeskAction, Role, User
from accounts.tests import factors
from accounts.tests.conftest import PASSWORD, sign_in
from accounts.tests.factors import code, give_app, recovery_codes, sign_in_fully
from accounts.tests.test_signin import alive, orders
from common.refusals import Conflict
from realtime import principals

INDEX = "/accounts/profile/second-factor/"
APP = f"{INDEX}app/"
CODES = f"{INDEX}codes/"


@pytest.fixture(autouse=True)
def required(settings) -> None:
    """As a real site has it."""
    settings.SECOND_FACTOR = True
    settings.STEP_UP_MINUTES = 15


def key_in(page: str) -> str:
    """The key that the page of a new app shows."""
    found = re.search(r"<code>([A-Z2-7]{32})</code>", page)
    assert found, page[:3000]
    return found[1]


def set_up(client: Client) -> str:
    """Set an app up by the pages, as a person does; the page that follows."""
    key = key_in(client.get(APP).content.decode())
    return client.post(APP, {"code": code(key)}, follow=True).content.decode()


# --- Without one ----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["/", "/desk/fleet/", "/accounts/profile/", "/notifications/", "/admin/", CODES])
def test_an_admin_without_one_gets_the_page_that_sets_it_up(olga: User, page: str) -> None:
    client = sign_in(olga)
    response = client.get(page)
    assert response.status_code == 302 and response["Location"].startswith(f"{INDEX}?next=")


def test_that_page_offers_both_ways_and_nothing_else(olga: User) -> None:
    page = sign_in(olga).get(INDEX).content.decode()
    assert "One more thing" in page and f'href="{APP}"' in page and f'href="{INDEX}passkey/"' in page
    assert 'name="live"' not in page and "main-nav" not in page, "no socket that would be refused, no links either"
    assert "/accounts/logout/" in page


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_what_changes_something_is_turned_back_too(olga: User, method: str) -> None:
    response = getattr(sign_in(olga), method)("/accounts/profile/edit/", {})
    assert (response.status_code, response["Location"]) == (302, INDEX)


def test_htmx_is_told_to_leave_the_page(olga: User) -> None:
    response = sign_in(olga).get("/desk/fleet/", headers={"HX-Request": "true"})
    assert response.status_code == 200 and response["HX-Redirect"].startswith(INDEX) and not response.content


@pytest.mark.parametrize("address", ["/live/poll?c=&topic=desk.fleet", "/live/say"])
def test_a_poll_is_refused(olga: User, address: str) -> None:
    client = sign_in(olga)
    assert (client.post if "say" in address else client.get)(address).status_code == 403


def test_a_socket_hears_nothing_until_it_was_shown(olga: User, carol: User) -> None:
    half, customer = sign_in(olga).session.session_key, sign_in(carol).session.session_key
    assert set(principals.of_sessions([half, customer])) == {customer}
    give_app(olga)
    full = sign_in_fully(olga).session.session_key
    assert set(principals.of_sessions([half, full])) == {full}


def test_health_checks_and_signing_out_ask_for_nothing(olga: User) -> None:
    client = sign_in(olga)
    assert client.get("/healthz").status_code == 200
    assert client.post("/accounts/logout/")["Location"] == "/accounts/login/"


@pytest.mark.parametrize("who", ["carol", "tess", "driver"])
def test_nobody_else_must_have_one(who: str, request: pytest.FixtureRequest) -> None:
    assert alive(sign_in(request.getfixturevalue(who)))


def test_a_site_may_do_without(olga: User, settings) -> None:
    settings.SECOND_FACTOR = False
    assert alive(sign_in(olga))


# --- Setting up -----------------------------------------------------------------------------------


def test_an_app_is_set_up_in_one_go_and_the_session_is_in(olga: User) -> None:
    client = sign_in(olga)
    page = set_up(client)
    assert page.count("<code>") == 10 and "I have kept them" in page
    assert alive(client)


@pytest.mark.django_db(transaction=True)
def test_a_new_one_is_told_by_mail(olga: User) -> None:
    set_up(sign_in(olga))
    assert mail.outbox[-1].subject == "Callout: An authenticator app was added"


def test_the_key_is_not_readable_in_the_database(olga: User) -> None:
    client = sign_in(olga)
    key = key_in(client.get(APP).content.decode())
    client.post(APP, {"code": code(key)})
    stored = json.dumps([row.data for row in Authenticator.objects.all()])
    assert key not in stored and not any(each in stored for each in recovery_codes(olga))


def test_a_wrong_first_code_is_refused_with_a_sentence_and_the_same_key(olga: User) -> None:
    client = sign_in(olga)
    key = key_in(client.get(APP).content.decode())
    page = client.post(APP, {"code": "000000"}).content.decode()
    assert "That code is not right" in page and key_in(page) == key
    assert not second_factor.has_one(olga)


def test_a_sign_in_of_long_ago_is_not_enough_to_add_one(olga: User) -> None:
    client = Client()
    client.force_login(olga)  # a session without any proof
    response = client.get(APP)
    assert response["Location"].startswith("/accounts/reauthenticate/?")
    page = client.get(response["Location"]).content.decode()
    assert "Is it you?" in page and 'name="live"' not in page
    response = client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": APP})
    assert response["Location"] == APP and client.get(APP).status_code == 200


def test_a_password_alone_adds_no_second_one(olga: User) -> None:
    give_app(olga)
    client = Client()
    client.force_login(olga)
    for page in (INDEX, APP, f"{INDEX}passkey/", CODES, f"{CODES}new/", "/accounts/reauthenticate/"):
        assert client.get(page)["Location"].startswith("/accounts/reauthenticate/code/"), page


def test_a_customer_may_have_one_once_their_address_is_theirs(carol: User) -> None:
    EmailAddress.objects.filter(user=carol).update(verified=False)
    client = sign_in(carol)
    response = client.get(APP)
    assert response.status_code == 409 and "Confirm your e-mail address first" in response.content.decode()
    EmailAddress.objects.filter(user=carol).update(verified=True)
    assert "I have kept them" in set_up(client)
    response = Client().post("/accounts/login/", {"login": carol.email, "password": PASSWORD})
    assert response["Location"] == "/accounts/login/code/"


# --- Signing in -----------------------------------------------------------------------------------


def test_signing_in_asks_for_the_code_and_then_opens_the_desk(olga: User) -> None:
    give_app(olga)
    client = sign_in(olga)
    assert client.get("/accounts/profile/")["Location"].startswith("/accounts/login/"), "not in yet"
    page = client.get("/accounts/login/code/").content.decode()
    assert "And your second factor" in page and "data-passkey" not in page, "they have no passkey"
    assert "That code is not right" in client.post("/accounts/login/code/", {"code": "000000"}).content.decode()
    assert client.post("/accounts/login/code/", {"code": code()}).status_code == 302
    assert alive(client) and client.get("/desk/fleet/").status_code == 200


def test_a_code_works_once(olga: User) -> None:
    give_app(olga)
    now = code()
    assert sign_in(olga).post("/accounts/login/code/", {"code": now}).status_code == 302
    assert "was used already" in sign_in(olga).post("/accounts/login/code/", {"code": now}).content.decode()


def test_codes_cannot_be_tried_for_ever(olga: User) -> None:
    give_app(olga)
    client = sign_in(olga)
    for _ in range(5):
        client.post("/accounts/login/code/", {"code": "000000"})
    assert "Wait five minutes" in client.post("/accounts/login/code/", {"code": code()}).content.decode()


def test_a_recovery_code_opens_once(olga: User) -> None:
    give_app(olga)
    first = recovery_codes(olga)[0]
    client = sign_in(olga)
    assert client.post("/accounts/login/code/", {"code": f"{first[:4]} {first[4:]}"}).status_code == 302
    assert alive(client) and len(recovery_codes(olga)) == 9
    assert "That code is not right" in sign_in(olga).post("/accounts/login/code/", {"code": first}).content.decode()


def test_a_session_made_another_way_shows_it_first_and_then_gets_where_it_wanted(olga: User) -> None:
    give_app(olga)
    client = Client()
    client.force_login(olga)
    response = client.get("/desk/fleet/")
    assert response["Location"] == "/accounts/reauthenticate/code/?next=%2Fdesk%2Ffleet%2F"
    assert "Show your second factor to go on" in client.get(response["Location"]).content.decode()
    response = client.post("/accounts/reauthenticate/code/", {"code": code(), "next": "/desk/fleet/"})
    assert response["Location"] == "/desk/fleet/" and alive(client)


def test_a_key_that_can_no_longer_be_read_says_who_helps(olga: User, settings) -> None:
    give_app(olga)
    client = sign_in(olga)
    settings.SECRET_KEY = "another-key-" * 8
    cache.clear()
    client.cookies.clear()
    give = sign_in(olga).post("/accounts/login/code/", {"code": code()})
    assert give.status_code == 422 and "Ask another admin" in give.content.decode()


# --- Codes, taking away, losing -------------------------------------------------------------------


def test_recovery_codes_are_shown_again_and_made_anew_and_come_as_a_file(olga: User) -> None:
    give_app(olga)
    client, before = sign_in_fully(olga), recovery_codes(olga)
    assert all(f"{each[:4]} {each[4:]}" in client.get(CODES).content.decode() for each in before)
    file = client.get(f"{CODES}file/")
    assert file["Content-Disposition"].startswith("attachment") and before[0] in file.content.decode()
    assert "The 10 you have left stop working" in client.get(f"{CODES}new/").content.decode()
    client.post(f"{CODES}new/")
    assert not set(before) & set(recovery_codes(olga))


def test_the_desk_keeps_its_last_one(olga: User) -> None:
    give_app(olga)
    client = sign_in_fully(olga)
    assert "Add another one first" in client.get(f"{APP}remove/").content.decode()
    client.post(f"{APP}remove/")
    assert second_factor.has_one(olga)
    passkey = Authenticator.objects.create(user=olga, type="webauthn", data={"name": "Key", "credential": {}})
    assert "no longer open your account" in client.get(f"{APP}remove/").content.decode()
    client.post(f"{APP}remove/")
    assert [one.pk for one in second_factor.factors_of(olga)] == [passkey.pk]
    assert client.post(f"{INDEX}passkey/{passkey.pk}/remove/").status_code == 409
    assert alive(client) and second_factor.has_one(olga)


def test_a_customer_takes_theirs_away(carol: User) -> None:
    give_app(carol)
    client = sign_in_fully(carol)
    assert client.post(f"{APP}remove/")["Location"] == INDEX
    assert not Authenticator.objects.filter(user=carol).exists() and alive(client)


def test_nobody_removes_anothers_passkey(olga: User, carol: User) -> None:
    theirs = Authenticator.objects.create(user=olga, type="webauthn", data={"name": "Key", "credential": {}})
    assert sign_in(carol).post(f"{INDEX}passkey/{theirs.pk}/remove/").status_code == 404


def test_an_admin_resets_anothers_and_it_is_written_down(olga: User, frank: User) -> None:
    give_app(olga)
    client = sign_in_fully(olga)
    second_factor.reset(olga, by=frank, reason="Phone stolen")
    assert not Authenticator.objects.filter(user=olga).exists() and not alive(client)
    assert orders()[-1] == f"user.{olga.pk}."
    line = DeskAction.objects.get()
    assert (line.verb, line.actor, line.person, line.reason) == ("reset_second_factor", frank, olga, "Phone stolen")
    with pytest.raises(Conflict):
        second_factor.reset(olga, by=frank)


def test_nobody_resets_their_own_and_no_customer_anybodys(olga: User, carol: User) -> None:
    give_app(olga)
    with pytest.raises(Conflict):
        second_factor.reset(olga, by=olga)
    with pytest.raises(PermissionDenied):
        second_factor.reset(olga, by=carol)
    assert second_factor.has_one(olga)


def test_the_command_lets_the_last_admin_in_again(olga: User, capsys: pytest.CaptureFixture[str]) -> None:
    give_app(olga)
    call_command("reset_second_factor", "OLGA@example.org")
    assert "Olga Desk" in capsys.readouterr().out and not second_factor.has_one(olga)
    with pytest.raises(CommandError, match="no second factor"):
        call_command("reset_second_factor", olga.email)
    with pytest.raises(CommandError, match="Nobody signs in"):
        call_command("reset_second_factor", "who@example.org")


def test_one_that_is_deleted_elsewhere_ends_the_sessions_it_opened(olga: User) -> None:
    app = give_app(olga)
    client = sign_in_fully(olga)
    app.delete()
    assert not alive(client)


def test_factors_are_not_in_djangos_admin(olga: User) -> None:
    give_app(olga)
    assert sign_in_fully(olga).get("/admin/mfa/authenticator/").status_code == 404


def test_a_session_of_an_admin_costs_no_query_more(olga: User, settings) -> None:
    give_app(olga)
    client = sign_in_fully(olga)
    counts = []
    for required in (False, True):
        settings.SECOND_FACTOR = required
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/accounts/people/{olga.pk}/photo/")
        counts.append(len(queries))
    assert counts[0] == counts[1] > 0


def test_the_codes_of_the_test_are_those_of_a_real_app() -> None:
    """RFC 6238, appendix B, SHA-1, at 59 seconds: 94287082; its last six digits."""
    assert factors.format_hotp_value(factors.hotp_value("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 1)) == "287082"


def test_a_new_admin_hears_nothing_on_open_pages_until_it_was_shown(olga: User, carol: User) -> None:
    client = sign_in(carol)
    actions.change_role(carol, by=olga, role=Role.DRIVER)
    assert orders() == [], "for other roles the topics themselves say who belongs"
    actions.change_role(carol, by=olga, role=Role.ADMIN)
    assert orders() == [f"user.{carol.pk}."]
    assert principals.of_sessions([str(client.session.session_key)]) == {}
    assert client.get("/accounts/profile/")["Location"].startswith(INDEX), "signed in still, and half in"
