"""Signing in and out, new passwords, rate limits, and what each does to open pages."""

from __future__ import annotations

import re
import time

import pytest
from allauth.core.internal.ratelimit import get_cache_key, get_rates
from allauth.usersessions.models import UserSession
from django.core import mail
from django.core.cache import cache
from django.test import Client, RequestFactory

from accounts import actions
from accounts.models import User
from accounts.tests.conftest import PASSWORD, sign_in
from realtime.journal import ORDERS_TOPIC
from realtime.models import JournalRow

NEW = "another horse battery"


def orders() -> list[str]:
    """What the servers were told to end, in order."""
    return list(JournalRow.objects.filter(topic=ORDERS_TOPIC).order_by("pk").values_list("key", flat=True))


def live_id(client: Client) -> str:
    return str(client.session["live_id"])


def alive(client: Client) -> bool:
    return client.get("/accounts/profile/").status_code == 200


def test_one_signs_in_by_address_in_any_case_and_comes_home(client: Client, carol: User) -> None:
    response = client.post("/accounts/login/", {"login": "Carol@Example.org", "password": PASSWORD})
    assert response["Location"] == "/"
    assert alive(client)


def test_a_wrong_password_says_what_to_do_and_keeps_the_address(client: Client, carol: User) -> None:
    response = client.post("/accounts/login/", {"login": carol.email, "password": "wrong"})
    page = response.content.decode()
    assert "do not belong together" in page and f'value="{carol.email}"' in page
    assert "wrong" not in page.replace("is-wrong", "")
    assert not alive(client)


def test_an_unknown_address_is_told_the_same_as_a_wrong_password(client: Client, db: None) -> None:
    page = client.post("/accounts/login/", {"login": "who@example.org", "password": "x"}).content.decode()
    assert "do not belong together" in page


def test_a_closed_account_cannot_sign_in(client: Client, carol: User, olga: User) -> None:
    actions.deactivate(carol, by=olga)
    response = client.post("/accounts/login/", {"login": carol.email, "password": PASSWORD})
    assert response["Location"] == "/accounts/inactive/"
    assert not alive(client)


def test_signing_in_leads_on_but_never_to_another_site(client: Client, carol: User) -> None:
    data = {"login": carol.email, "password": PASSWORD}
    assert Client().post("/accounts/login/?next=/accounts/profile/", data)["Location"] == "/accounts/profile/"
    assert client.post("/accounts/login/?next=//evil.example/", data)["Location"] == "/"


@pytest.mark.parametrize("demo", [True, False])
def test_the_demo_accounts_stand_on_the_sign_in_page_of_a_demo_alone(
    client: Client, db: None, settings: object, tmp_path: object, demo: bool
) -> None:
    settings.DEMO = demo  # type: ignore[attr-defined]
    folder = tmp_path / "demo"  # type: ignore[operator]
    folder.mkdir()
    (folder / "_accounts.html").write_text("the demo people")
    engine = settings.TEMPLATES[0]  # type: ignore[attr-defined]
    settings.TEMPLATES = [{**engine, "DIRS": [tmp_path, *engine["DIRS"]]}]  # type: ignore[attr-defined]
    assert ("the demo people" in client.get("/accounts/login/").content.decode()) is demo


def wrong(user: User, times: int) -> None:
    for _ in range(times):
        Client().post("/accounts/login/", {"login": user.email, "password": "wrong"})


def right(user: User) -> str:
    return Client().post("/accounts/login/", {"login": user.email, "password": PASSWORD}).content.decode()


def test_five_wrong_passwords_lock_an_account_and_its_owner_is_told_once(carol: User) -> None:
    wrong(carol, 4)
    assert right(carol) == "" and not mail.outbox, "four are no more than clumsy, and a right one is none of them"
    wrong(carol, 3)
    assert "Wait 5 minutes, or set a new password" in right(carol)
    assert [(letter.subject, letter.to) for letter in mail.outbox] == [
        ("Callout: Somebody tries to sign in as you", [carol.email])
    ]
    assert "takes none for 5 minutes" in mail.outbox[0].body


def test_a_locked_account_stays_open_where_it_is_signed_in(carol: User) -> None:
    here = sign_in(carol)
    wrong(carol, 5)
    assert alive(here)


def test_twenty_wrong_passwords_in_an_hour_lock_it_for_the_rest_of_the_hour(carol: User) -> None:
    tries = f"testserver:{carol.email}"
    request = RequestFactory().post("/")
    for rate in get_rates(app="allauth.account", action="login_failed"):
        if rate.per == "key":  # one every two minutes and a half, the last just now
            key = get_cache_key(request, app="allauth.account", action="login_failed", rate=rate, key=tries)
            cache.set(key, [time.time() - 150 * number for number in range(20)], 3600)
    assert "Wait 13 minutes" in right(carol)


def test_nobody_is_told_of_wrong_passwords_for_an_address_without_an_account(db: None) -> None:
    for _ in range(6):
        page = Client().post("/accounts/login/", {"login": "who@example.org", "password": "x"}).content.decode()
    assert "Wait 5 minutes" in page and not mail.outbox


def test_a_password_reset_unlocks_an_account(carol: User) -> None:
    wrong(carol, 5)
    link = reset_link(carol.email)
    client = Client()
    page = client.get(link, follow=True)
    client.post(page.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})
    assert Client().post("/accounts/login/", {"login": carol.email, "password": NEW}).status_code == 302


@pytest.mark.parametrize(
    ("page", "data", "most"),
    [
        ("/accounts/login/", {"login": "", "password": ""}, 30),
        ("/accounts/signup/", {}, 20),
        ("/accounts/signup/technician/", {}, 20),
    ],
)
def test_too_many_tries_from_one_address_get_429_and_a_time_to_wait(
    client: Client, db: None, page: str, data: dict[str, str], most: int
) -> None:
    for _ in range(most):
        assert client.post(page, data).status_code == 200
    response = client.post(page, data)
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 60
    text = response.content.decode()
    assert re.search(r"Try again in \d+ seconds", text) and text.count("<h1") == 1
    assert client.get(page).status_code == 200, "looking is not trying"
    cache.clear()
    assert client.post(page, data).status_code == 200


def test_too_many_reset_mails_for_one_address_get_429(client: Client, carol: User) -> None:
    for _ in range(5):
        assert client.post("/accounts/password/reset/", {"email": carol.email}).status_code == 302
    response = client.post("/accounts/password/reset/", {"email": carol.email})
    assert response.status_code == 429 and response["Retry-After"] == "60"
    assert len(mail.outbox) == 5


def test_signing_out_asks_first_and_ends_that_sessions_sockets_alone(carol: User) -> None:
    here, there = sign_in(carol), sign_in(carol)
    ours = live_id(here)
    assert "Sign out" in here.get("/accounts/logout/").content.decode() and orders() == []
    assert here.post("/accounts/logout/")["Location"] == "/accounts/login/"
    assert orders() == [f"session.{ours}"]
    assert not alive(here) and alive(there)
    assert UserSession.objects.filter(user=carol).count() == 1


def test_a_new_password_keeps_this_browser_and_ends_all_others(carol: User) -> None:
    here, there = sign_in(carol), sign_in(carol)
    ours = live_id(here)
    data = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert here.post("/accounts/profile/password/", data).status_code == 302
    assert orders() == [f"user.{carol.pk}.{ours}"]
    assert alive(here) and not alive(there)
    assert live_id(here) == ours, "the pages that are open here go on"
    assert [letter.subject for letter in mail.outbox] == ["Callout: Your password was changed"]
    assert User.objects.get(pk=carol.pk).check_password(NEW)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"oldpassword": "wrong"}, "not your current password"),
        ({"password2": "different battery"}, "same password each time"),
        ({"password1": "carolreed", "password2": "carolreed"}, "too similar"),
    ],
)
def test_a_new_password_is_refused_with_a_reason_and_ends_nothing(
    carol: User, changes: dict[str, str], sentence: str
) -> None:
    here = sign_in(carol)
    data = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW, **changes}
    assert sentence in here.post("/accounts/profile/password/", data).content.decode()
    assert orders() == [] and User.objects.get(pk=carol.pk).check_password(PASSWORD)


def reset_link(email: str) -> str:
    Client().post("/accounts/password/reset/", {"email": email})
    return next(word for word in mail.outbox[-1].body.split() if "/password/reset/key/" in word)


def test_a_password_is_reset_by_mail_once_and_ends_every_session(carol: User) -> None:
    before, client = sign_in(carol), Client()
    page = client.get(reset_link(carol.email), follow=True)
    assert "Choose a new password" in page.content.decode()
    form = page.redirect_chain[-1][0]
    assert "key/" in form and carol.email not in form, "the key is not in the address of the form"
    done = client.post(form, {"password1": NEW, "password2": NEW}, follow=True)
    assert "Your new password is set" in done.content.decode()
    assert not alive(before)
    assert orders()[-1] == f"user.{carol.pk}."
    assert User.objects.get(pk=carol.pk).check_password(NEW)
    link = next(word for word in mail.outbox[0].body.split() if "/password/reset/key/" in word)
    assert "no longer works" in Client().get(link, follow=True).content.decode()


def test_a_reset_in_a_signed_in_browser_ends_that_session_too(carol: User) -> None:
    here = sign_in(carol)
    form = here.get(reset_link(carol.email), follow=True).redirect_chain[-1][0]
    here.post(form, {"password1": NEW, "password2": NEW})
    assert orders()[-1] == f"user.{carol.pk}." and not alive(here)


def test_asking_for_a_reset_tells_nobody_who_has_an_account(client: Client, carol: User) -> None:
    known = client.post("/accounts/password/reset/", {"email": carol.email}, follow=True)
    unknown = Client().post("/accounts/password/reset/", {"email": "who@example.org"}, follow=True)
    token = re.compile(rb'"X-CSRFToken": "\w+"')
    assert token.sub(b"", known.content) == token.sub(b"", unknown.content)
    assert mail.outbox[1].subject == "Callout: No account with this address"


def test_who_has_no_password_may_set_one(db: None) -> None:
    user = actions.sign_up_customer(email="a@example.org", password=None, name="Ann", time_zone="UTC")
    client = Client()
    client.force_login(user)
    assert client.get("/accounts/profile/password/")["Location"] == "/accounts/profile/password/set/"
    client.post("/accounts/profile/password/set/", {"password1": NEW, "password2": NEW})
    assert User.objects.get(pk=user.pk).check_password(NEW) and alive(client)


def test_a_stronger_hash_at_sign_in_ends_nothing(carol: User, settings: object) -> None:
    sign_in(carol)
    hashers = settings.PASSWORD_HASHERS  # type: ignore[attr-defined]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher", *hashers]  # type: ignore[attr-defined]
    there = sign_in(carol)
    assert User.objects.get(pk=carol.pk).password.startswith("pbkdf2_sha1")
    assert orders() == [] and alive(there)
