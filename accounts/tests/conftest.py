"""People with passwords, who sign in by themselves. Carol and Dan book, Tess repairs (unverified), Olga is the desk."""

from __future__ import annotations

from datetime import time

import pytest
from django.test import Client

from accounts import actions
from accounts.models import Role, Skill, User

PASSWORD = "correct horse battery"


def trade(*skills: Skill, **changes: object) -> actions.Trade:
    """A trade around Camden, weekdays from eight to six."""
    values: dict[str, object] = {
        "skills": list(skills),
        "base_label": "Camden",
        "base_latitude": 51.539,
        "base_longitude": -0.1426,
        "radius_km": 12,
        "hours": [actions.Hours(day, time(8), time(18)) for day in range(5)],
    }
    return actions.Trade(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def plumbing(db: None) -> Skill:
    return Skill.objects.create(slug="test-plumbing", name="Test plumbing")


@pytest.fixture
def carol(db: None) -> User:
    return actions.sign_up_customer(
        email="carol@example.org", password=PASSWORD, name="Carol Reed", time_zone="Europe/London", email_verified=True
    )


@pytest.fixture
def dan(db: None) -> User:
    return actions.sign_up_customer(
        email="dan@example.org", password=PASSWORD, name="Dan Poe", time_zone="Europe/Paris", email_verified=True
    )


@pytest.fixture
def tess(plumbing: Skill) -> User:
    return actions.sign_up_technician(
        email="tess@example.org",
        password=PASSWORD,
        name="Tess Hale",
        time_zone="Europe/London",
        trade=trade(plumbing),
        email_verified=True,
    )


@pytest.fixture
def olga(db: None) -> User:
    return User.objects.create_superuser("olga@example.org", PASSWORD, name="Olga Desk")


@pytest.fixture
def driver(db: None) -> User:
    return User.objects.create_user("dirk@example.org", PASSWORD, name="Dirk Van", role=Role.DRIVER)


def sign_in(user: User, **headers: str) -> Client:
    """A browser in which `user` has typed their password."""
    client = Client(**headers)
    response = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert response.status_code == 302, response.content.decode()[:2000]
    return client
