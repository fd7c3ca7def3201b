"""The pages of accounts as documents: they compile, speak our words, and work with a screen reader, without scripts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.template.loader import get_template
from django.test import Client

from accounts.models import User
from accounts.tests.conftest import sign_in

FOLDERS = ("account", "accounts", "usersessions")
HOME = Path(settings.BASE_DIR) / "templates"
FILES = sorted(str(path.relative_to(HOME)) for folder in FOLDERS for path in (HOME / folder).rglob("*.*"))
FORMS = [
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/signup/technician/",
    "/accounts/password/reset/",
]
OWN_FORMS = [
    "/accounts/profile/edit/",
    "/accounts/profile/trade/",
    "/accounts/profile/email/",
    "/accounts/profile/password/",
    "/accounts/reauthenticate/",
]


@pytest.mark.parametrize("name", FILES)
def test_a_template_compiles(name: str) -> None:
    get_template(name)


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".html")])
def test_a_template_is_short_and_holds_no_script_or_style(name: str) -> None:
    text = (HOME / name).read_text()
    assert len(text.splitlines()) < 80
    assert "<script" not in text and "style=" not in text and "onclick" not in text


def labelled(page: str) -> None:
    """Every control has a label, and every label and description points at something."""
    main = page.split("<main", 1)[1]
    ids = set(re.findall(r'\bid="([^"]+)"', page))
    for tag in re.findall(r"<(?:input|select|textarea)\b[^>]*>", main):
        if 'type="hidden"' in tag:
            continue
        found = re.search(r'\bid="([^"]+)"', tag)
        assert found and f'for="{found[1]}"' in main, tag
    for pointed in re.findall(r'\b(?:for|aria-describedby|aria-labelledby)="([^"]+)"', main):
        assert set(pointed.split()) <= ids, pointed


@pytest.mark.parametrize("page", FORMS)
def test_every_control_of_an_open_form_has_a_label(client: Client, db: None, page: str) -> None:
    labelled(client.get(page).content.decode())
    labelled(client.post(page, {}).content.decode())


@pytest.mark.parametrize("page", OWN_FORMS)
def test_every_control_of_ones_own_forms_has_a_label(tess: User, page: str) -> None:
    client = sign_in(tess)
    labelled(client.get(page).content.decode())
    labelled(client.post(page, {"action_add": ""}).content.decode())


@pytest.mark.parametrize("page", [*FORMS, *OWN_FORMS])
def test_every_form_that_posts_carries_a_token(tess: User, page: str) -> None:
    client = Client() if page in FORMS else sign_in(tess)
    text = client.get(page).content.decode()
    forms = re.findall(r"<form\b.*?</form>", text, re.S)
    posts = [form for form in forms if 'method="post"' in form]
    assert posts and all("csrfmiddlewaretoken" in form for form in posts)


@pytest.mark.parametrize("page", FORMS)
def test_no_page_speaks_like_the_library(client: Client, db: None, page: str) -> None:
    main = client.get(page).content.decode().split("<main", 1)[1]
    assert "placeholder=" not in main
    assert "allauth" not in main and "Remember Me" not in main and "example.com" not in main


def test_a_password_manager_knows_the_fields(client: Client, db: None) -> None:
    page = client.get("/accounts/login/").content.decode()
    assert 'autocomplete="email"' in page and 'autocomplete="current-password"' in page
    page = client.get("/accounts/signup/").content.decode()
    assert 'autocomplete="name"' in page and 'autocomplete="new-password"' in page


def test_a_fresh_sign_up_form_may_start_with_the_browsers_zone_but_a_typed_one_stays(client: Client, db: None) -> None:
    assert "data-guess-zone" in client.get("/accounts/signup/").content.decode()
    page = client.post("/accounts/signup/", {"time_zone": "Asia/Tokyo"}).content.decode()
    assert "data-guess-zone" not in page and '<option value="Asia/Tokyo" selected>' in page


def test_mails_are_ours(client: Client, carol: User) -> None:
    client.post("/accounts/password/reset/", {"email": carol.email})
    client.post("/accounts/password/reset/", {"email": "who@example.org"})
    for letter in mail.outbox:
        assert letter.subject.startswith("Callout: ") and "\n" not in letter.subject
        assert letter.body.rstrip().endswith("Callout, testserver")
        assert "example.com" not in letter.body and "{{" not in letter.body and "&" not in letter.body


def test_a_name_cannot_inject_into_a_page(carol: User) -> None:
    carol.name = '<b>Bold</b> "Carol"'
    carol.save()
    page = sign_in(carol).get("/accounts/profile/").content.decode()
    assert "<b>Bold" not in page and "&lt;b&gt;Bold" in page
