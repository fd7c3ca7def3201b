"""The desk's work in Django's admin."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import actions
from accounts.models import AccountHistory, Role, Skill, Technician, User
from accounts.tests.conftest import PASSWORD, sign_in, trade
from accounts.tests.test_signin import alive, orders

USERS = "/admin/accounts/user/"
TECHNICIANS = "/admin/accounts/technician/"


@pytest.fixture
def desk(olga: User) -> Client:
    return sign_in(olga)


def do(desk: Client, page: str, action: str, *people: User) -> str:
    chosen = {"action": action, "_selected_action": [person.pk for person in people]}
    return desk.post(page, chosen, follow=True).content.decode()


@pytest.mark.parametrize("page", [USERS, f"{USERS}add/", TECHNICIANS, f"{TECHNICIANS}add/", "/admin/accounts/skill/"])
@pytest.mark.parametrize(("who", "status"), [("olga", 200), ("carol", 302), ("tess", 302), ("driver", 302)])
def test_the_admin_is_the_desks_alone(who: str, status: int, page: str, request: pytest.FixtureRequest) -> None:
    client = Client()
    client.force_login(request.getfixturevalue(who))
    assert client.get(page).status_code == status


def test_the_admin_signs_in_on_our_own_page_with_its_limits(client: Client, carol: User) -> None:
    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/accounts/login/?next=")
    assert sign_in(carol).get("/admin/login/").status_code == 403


def test_verifying_reports_row_by_row(desk: Client, tess: User) -> None:
    assert "Tess Hale: verified." in do(desk, TECHNICIANS, "verify", tess)
    assert Technician.objects.get(pk=tess.pk).is_verified
    assert "Tess Hale is verified already." in do(desk, TECHNICIANS, "verify", tess)
    assert "Tess Hale: unverified." in do(desk, TECHNICIANS, "unverify", tess)
    assert not Technician.objects.get(pk=tess.pk).is_verified
    assert [row.actor.name for row in AccountHistory.objects.all()] == ["Olga Desk", "Olga Desk"]  # type: ignore[union-attr]


def test_closing_accounts_ends_their_sessions_but_never_ones_own(desk: Client, olga: User, carol: User) -> None:
    here = sign_in(carol)
    page = do(desk, USERS, "switch_off", carol, olga)
    assert "Carol Reed: closed." in page and "You cannot close your own account here" in page
    assert orders() == [f"user.{carol.pk}."] and not alive(here) and alive(desk)
    assert "Carol Reed: open again." in do(desk, USERS, "switch_on", carol)
    assert User.objects.get(pk=carol.pk).is_active


@pytest.mark.parametrize("role", ["customer", "driver", "admin"])
def test_roles_are_changed_through_the_action(desk: Client, tess: User, role: str) -> None:
    do(desk, USERS, f"make_{role}", tess)
    user = User.objects.get(pk=tess.pk)
    assert (user.role, user.is_staff) == (role, role == Role.ADMIN)


def test_nobody_becomes_a_technician_without_a_trade(desk: Client, carol: User) -> None:
    assert "has no skills and no area on file" in do(desk, USERS, "make_technician", carol)
    assert User.objects.get(pk=carol.pk).role == Role.CUSTOMER


def new_user(**changes: str) -> dict[str, str]:
    person = {"email": "Nina@Example.org", "name": "Nina", "role": "customer", "time_zone": "UTC"}
    return {
        **person,
        "usable_password": "true",
        "password1": "a long password 1",
        "password2": "a long password 1",
        **changes,
    }


def history_form() -> dict[str, str]:
    return {"history-TOTAL_FORMS": "0", "history-INITIAL_FORMS": "0"}


@pytest.mark.parametrize(("role", "staff"), [("customer", False), ("driver", False), ("admin", True)])
def test_the_desk_adds_people(desk: Client, role: str, staff: bool) -> None:
    response = desk.post(f"{USERS}add/", {**new_user(role=role), **history_form()})
    assert response.status_code == 302, response.content.decode()
    user = User.objects.get(email="nina@example.org")
    assert (user.role, user.is_staff) == (role, staff) and user.check_password("a long password 1")
    assert EmailAddress.objects.get(user=user).verified


def test_a_technician_is_added_in_two_steps(desk: Client) -> None:
    page = desk.post(f"{USERS}add/", {**new_user(role="technician"), **history_form()}).content.decode()
    assert "add the technician" in page and not User.objects.filter(email="nina@example.org").exists()


def test_a_changed_address_signs_in_at_once(desk: Client, carol: User) -> None:
    data = {"email": "c.reed@example.org", "name": "Carol Reed", "phone": "", "time_zone": "Europe/London"}
    response = desk.post(f"{USERS}{carol.pk}/change/", {**data, **history_form()})
    assert response.status_code == 302, response.content.decode()
    carol.refresh_from_db()
    assert carol.email == "c.reed@example.org" and carol.is_active
    assert [a.email for a in EmailAddress.objects.filter(user=carol)] == ["c.reed@example.org"]
    sign_in(carol)


def test_a_form_of_the_admin_neither_closes_nor_promotes(desk: Client, carol: User) -> None:
    data = {
        "email": carol.email,
        "name": "Carol",
        "time_zone": "UTC",
        "role": "admin",
        "is_staff": "on",
        "is_active": "",
    }
    desk.post(f"{USERS}{carol.pk}/change/", {**data, **history_form()})
    carol.refresh_from_db()
    assert (carol.name, carol.role, carol.is_staff, carol.is_active) == ("Carol", Role.CUSTOMER, False, True)


def test_a_password_set_by_the_desk_ends_that_persons_sessions(desk: Client, carol: User) -> None:
    here = sign_in(carol)
    data = {"usable_password": "true", "password1": "set by the desk 1", "password2": "set by the desk 1"}
    assert desk.post(f"{USERS}{carol.pk}/password/", data).status_code == 302
    assert orders() == [f"user.{carol.pk}."] and not alive(here) and alive(desk)


def test_history_is_shown_and_cannot_be_edited(desk: Client, carol: User, olga: User) -> None:
    actions.deactivate(carol, by=olga, reason="Chargebacks")
    page = desk.get(f"{USERS}{carol.pk}/change/").content.decode()
    assert "Chargebacks" in page and 'name="history-0-reason"' not in page


def test_a_trade_is_edited_in_the_admin_without_verifying(desk: Client, tess: User, plumbing: Skill) -> None:
    data = {"skills": [plumbing.pk], "base_label": "Soho", "base_latitude": "51.51", "base_longitude": "-0.13"}
    data |= {
        "radius_km": "5",
        "about": "",
        "hours-TOTAL_FORMS": "0",
        "hours-INITIAL_FORMS": "0",
        "verified_at_0": "2026-01-01",
    }
    response = desk.post(f"{TECHNICIANS}{tess.pk}/change/", data)
    assert response.status_code == 302, response.content.decode()
    technician = Technician.objects.get(pk=tess.pk)
    assert technician.base_label == "Soho" and not technician.is_verified


def test_lists_take_as_many_queries_for_many_as_for_few(desk: Client, tess: User, plumbing: Skill) -> None:
    def cost(page: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(page).status_code == 200
        return len(queries)

    pages = (USERS, TECHNICIANS)
    few = [cost(page) for page in pages]
    for n in range(6):
        actions.sign_up_technician(
            email=f"t{n}@example.org", password=PASSWORD, name=f"T {n}", time_zone="UTC", trade=trade(plumbing)
        )
    assert [cost(page) for page in pages] == few


@pytest.mark.parametrize("verb", ["verify", "unverify"])
def test_a_customer_cannot_reach_an_action_of_the_admin(tess: User, carol: User, verb: str) -> None:
    response = sign_in(carol).post(TECHNICIANS, {"action": verb, "_selected_action": [tess.pk]})
    assert response.status_code == 302 and not Technician.objects.get(pk=tess.pk).is_verified
