"""Signing up, by role, as a browser without JavaScript does it."""

from __future__ import annotations

from datetime import time

import pytest
from django.core import mail
from django.test import Client

from accounts.models import Role, Skill, Technician, User
from accounts.tests.conftest import PASSWORD

CUSTOMER = {"name": "Cleo New", "email": "cleo@example.org", "password1": PASSWORD, "time_zone": "Europe/London"}


@pytest.fixture
def technician(plumbing: Skill) -> dict[str, object]:
    hours = {f"day_{n}_{part}": at for n in range(7) for part, at in (("starts", "08:00"), ("ends", "18:00"))}
    return {
        **CUSTOMER,
        "skills": [plumbing.pk],
        "base_label": "Camden",
        "base_latitude": "51.539",
        "base_longitude": "-0.1426",
        "radius_km": "10",
        "day_0": "on",
        "day_2": "on",
        **hours,
    }


def test_a_customer_signs_up_and_is_signed_in(client: Client, db: None) -> None:
    response = client.post("/accounts/signup/", CUSTOMER)
    assert response.status_code == 302 and response["Location"] == "/"
    user = User.objects.get(email="cleo@example.org")
    assert (user.role, user.name, user.is_staff) == (Role.CUSTOMER, "Cleo New", False)
    assert client.get("/accounts/profile/").status_code == 200


def test_the_welcome_mail_holds_the_confirmation_link_and_calls_the_person_by_name(client: Client, db: None) -> None:
    client.post("/accounts/signup/", CUSTOMER)
    [letter] = mail.outbox
    assert letter.subject == "Callout: Welcome to Callout: confirm your e-mail address"
    assert "Hello Cleo" in letter.body and "http://testserver/accounts/confirm-email/" in letter.body
    link = next(word for word in letter.body.split() if "/confirm-email/" in word)
    assert client.get(link).status_code == 200
    client.post(link)
    assert User.objects.get().emailaddress_set.get().verified


def test_signing_up_leads_back_to_where_one_came_from(client: Client, db: None) -> None:
    page = client.get("/accounts/signup/?next=/accounts/profile/").content.decode()
    assert 'name="next" value="/accounts/profile/"' in page
    response = client.post("/accounts/signup/", {**CUSTOMER, "next": "/accounts/profile/"})
    assert response["Location"] == "/accounts/profile/"


def test_nobody_is_led_to_another_site(client: Client, db: None) -> None:
    response = client.post("/accounts/signup/", {**CUSTOMER, "next": "https://evil.example/"})
    assert response["Location"] == "/"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "This field is required."),
        ("email", "cleo", "Enter a valid email address."),
        ("password1", "short", "too short"),
        ("password1", "password1", "too common"),
        ("time_zone", "Europe/Atlantis", "Choose one such as Europe/London."),
        ("time_zone", "", "This field is required."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(
    client: Client, db: None, field: str, value: str, sentence: str
) -> None:
    response = client.post("/accounts/signup/", {**CUSTOMER, field: value})
    page = response.content.decode()
    assert sentence in page and f'id="id_{field}_error"' in page
    assert not User.objects.exists()
    if field != "name":
        assert 'value="Cleo New"' in page
    assert PASSWORD not in page


def test_an_address_in_use_is_refused_with_the_way_on(client: Client, carol: User) -> None:
    page = client.post("/accounts/signup/", {**CUSTOMER, "email": "Carol@Example.org"}).content.decode()
    assert "sign in instead" in page
    assert User.objects.count() == 1


@pytest.mark.parametrize("role", ["role", "is_staff", "is_superuser"])
def test_nobody_promotes_themselves_while_signing_up(client: Client, db: None, role: str) -> None:
    client.post("/accounts/signup/", {**CUSTOMER, role: "admin"})
    user = User.objects.get()
    assert (user.role, user.is_staff, user.is_superuser) == (Role.CUSTOMER, False, False)


def test_a_technician_signs_up_unverified(client: Client, technician: dict[str, object], plumbing: Skill) -> None:
    response = client.post("/accounts/signup/technician/", technician)
    assert response.status_code == 302, response.content.decode()
    person = Technician.objects.get()
    assert person.user.role == Role.TECHNICIAN and not person.is_verified
    assert [row.weekday for row in person.hours.all()] == [0, 2]
    assert person.hours.first().starts == time(8)  # type: ignore[union-attr]
    assert "Not verified yet" in client.get("/accounts/profile/").content.decode()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"skills": []}, "Choose at least one skill"),
        ({"base_latitude": "0", "base_longitude": "0"}, "not a place"),
        ({"base_latitude": "91"}, "less than or equal to 90"),
        ({"base_longitude": ""}, "This field is required."),
        ({"radius_km": "0"}, "greater than or equal to 1"),
        ({"radius_km": "101"}, "less than or equal to 100"),
        ({"day_0_starts": ""}, "Say from when to when you work on Monday"),
        ({"day_2_starts": "19:00"}, "Wednesday ends before it starts"),
        ({"day_0": "", "day_2": ""}, "at least one day"),
        ({"day_0_starts": "noon"}, "Enter a valid time."),
    ],
)
def test_a_technicians_mistake_is_named_and_the_rest_stays(
    client: Client, technician: dict[str, object], changes: dict[str, object], sentence: str
) -> None:
    response = client.post("/accounts/signup/technician/", {**technician, **changes})
    page = response.content.decode()
    assert sentence in page
    assert 'value="Camden"' in page and 'value="cleo@example.org"' in page
    assert not User.objects.exists()


def test_hours_of_a_day_off_do_not_matter(client: Client, technician: dict[str, object]) -> None:
    client.post("/accounts/signup/technician/", {**technician, "day_5_starts": "", "day_6_ends": "01:00"})
    assert Technician.objects.get().hours.count() == 2


def test_drivers_do_not_sign_up_here(client: Client, db: None) -> None:
    for page in ("/accounts/signup/", "/accounts/signup/technician/"):
        assert "driver" not in client.get(page).content.decode().lower()


def test_whoever_is_signed_in_is_sent_home(carol: User) -> None:
    client = Client()
    client.force_login(carol)
    for page in ("/accounts/signup/", "/accounts/signup/technician/", "/accounts/login/"):
        assert client.get(page)["Location"] == "/"
