"""A technician's pages of documents: sending, taking back, opening the file; strangers and wrong roles."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import actions, credentials
from accounts.live import credential, verification
from accounts.models import Credential, CredentialKind, CredentialStatus, Skill, Technician, User
from accounts.papers import load_papers, standings
from accounts.tests.conftest import PASSWORD, trade
from accounts.tests.papers import document, upload
from realtime.models import JournalRow

IDENTITY, INSURANCE, TRADE = CredentialKind.IDENTITY, CredentialKind.INSURANCE, CredentialKind.TRADE


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def day(days: int) -> str:
    return f"{timezone.now().date() + timedelta(days=days):%Y-%m-%d}"


def sent(by: User, kind: str = IDENTITY, days: int = 365, **changes: Any) -> Credential:
    last = timezone.now().date() + timedelta(days=days)
    values = {"document": document(), "valid_until": last, **changes}
    return credentials.submit_credential(by.technician, by=by, kind=kind, **values)


def page(by: User) -> str:
    return browser(by).get(reverse("credentials")).content.decode()


def send(by: User, kind: str = IDENTITY, name: str = "passport.jpg", **typed: str) -> Any:
    data = {"file": upload(name), "number": "A 123", "valid_until": day(365), **typed}
    return browser(by).post(reverse("credential_send", args=[kind]), data)


# --- Sending --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "begins"), [("passport.jpg", b"\xff\xd8"), ("policy.pdf", b"%PDF-")])
def test_a_photo_or_a_pdf_is_sent_and_can_be_opened_again(tess: User, name: str, begins: bytes) -> None:
    response = send(tess, name=name)
    assert (response.status_code, response["Location"]) == (303, reverse("credentials"))
    row = Credential.objects.get()
    assert (row.name, row.number, row.technician_id) == (name, "A 123", tess.pk)
    shown = page(tess)
    assert name in shown and "Being checked" in shown and reverse("credential_withdraw", args=[row.pk]) in shown
    file = browser(tess).get(reverse("credential_file", args=[row.pk]))
    assert file.content.startswith(begins) and file["Cache-Control"] == "private, no-cache"
    assert file["Content-Disposition"].startswith("attachment" if name.endswith("pdf") else "inline")


@pytest.mark.parametrize(
    ("kind", "typed", "says"),
    [
        (INSURANCE, {"valid_until": ""}, "Say until when it holds"),
        (IDENTITY, {"valid_until": "2001-01-01"}, "Its last day is over"),
        (IDENTITY, {"valid_until": "2399-01-01"}, "Check the year"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_typed_is_lost(
    tess: User, media: Path, kind: str, typed: dict[str, str], says: str
) -> None:
    response = send(tess, kind, **typed)
    shown = response.content.decode()
    assert response.status_code == 422 and says in shown and 'value="A 123"' in shown
    assert not Credential.objects.exists() and not list(media.rglob("*.*"))


def test_a_file_that_is_neither_is_refused_by_its_name(tess: User) -> None:
    broken = upload()
    broken.name, broken.file = "passport.exe", type(broken.file)(b"MZ nothing to look at")
    url = reverse("credential_send", args=[IDENTITY])
    for typed, says in (({"file": broken}, "passport.exe: Only photos"), ({"number": ""}, "Choose the file")):
        response = browser(tess).post(url, typed)
        assert response.status_code == 422 and says in response.content.decode()


def test_while_one_is_checked_no_other_can_be_sent_and_the_page_says_what_to_do(tess: User) -> None:
    sent(tess)
    for response in (browser(tess).get(reverse("credential_send", args=[IDENTITY])), send(tess)):
        assert response.status_code == 409 and "Take that one back first" in response.content.decode()
    assert Credential.objects.count() == 1
    assert reverse("credential_send", args=[IDENTITY]) not in page(tess)


def test_a_second_tap_sends_it_once(tess: User) -> None:
    client, typed = browser(tess), {"number": "A 123", "idempotency_key": "once"}
    answers = [
        client.post(reverse("credential_send", args=[IDENTITY]), {**typed, "file": upload()}).status_code
        for _ in range(2)
    ]
    assert answers == [303, 303] and Credential.objects.count() == 1


def test_taken_back_by_its_sender_only_and_only_while_it_is_checked(tess: User, olga: User) -> None:
    row = sent(tess)
    url = reverse("credential_withdraw", args=[row.pk])
    assert "is deleted" in browser(tess).get(url).content.decode()
    assert browser(tess).post(url).status_code == 303 and not Credential.objects.exists()
    row = sent(tess)
    credentials.approve_credential(row, by=olga)
    url = reverse("credential_withdraw", args=[row.pk])
    assert browser(tess).get(url).status_code == browser(tess).post(url).status_code == 409


# --- Who ------------------------------------------------------------------------------------------


def test_strangers_find_nothing(tess: User, carol: User, driver: User, olga: User, plumbing: Skill) -> None:
    row = sent(tess)
    rival = actions.sign_up_technician(
        email="t@example.org", password=PASSWORD, name="Tom", time_zone="UTC", trade=trade(plumbing)
    )
    for who, status in ((carol, 404), (driver, 404), (rival, 404), (olga, 200), (tess, 200)):
        assert browser(who).get(reverse("credential_file", args=[row.pk])).status_code == status, who
    assert browser(rival).post(reverse("credential_withdraw", args=[row.pk])).status_code == 404
    for name, arguments in (("credentials", []), ("credential_send", [IDENTITY]), ("credential_withdraw", [row.pk])):
        for who in (carol, driver, olga):
            assert browser(who).get(reverse(name, args=arguments)).status_code == 403
        assert Client().get(reverse(name, args=arguments)).status_code == 302
    assert Client().get(reverse("credential_file", args=[row.pk])).status_code == 302
    assert browser(tess).get(reverse("credential_send", args=["diploma"])).status_code == 404


def test_a_file_that_was_removed_is_not_there(tess: User) -> None:
    row = sent(tess)
    credentials.approve_credential(row, by=None)
    credentials.forget_documents(tess)
    assert browser(tess).get(reverse("credential_file", args=[row.pk])).status_code == 404
    assert page(tess)


# --- What the page says ---------------------------------------------------------------------------


def words(user: User) -> str:
    key = str(user.pk)
    html = verification.render(key, verification.load([key])[key], f"user.{key}", "1")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html)).strip()


def test_the_notice_follows_what_is_lacking(tess: User, olga: User) -> None:
    assert "Send your proof of identity and liability insurance;" in words(tess)
    identity = sent(tess)
    assert "Send your liability insurance;" in words(tess)
    insurance = sent(tess, INSURANCE)
    assert "Our desk is checking your documents" in words(tess)
    credentials.approve_credential(identity, by=olga)
    credentials.approve_credential(insurance, by=olga)
    assert words(tess) == "Verified. You can bid on jobs."
    credentials.suspend_credential(insurance, by=olga, reason="Cancelled by the insurer.")
    assert "New offers are paused. Liability insurance: Cancelled by the insurer. Send a new one" in words(tess)
    sent(tess, INSURANCE)
    assert "Our desk is checking your documents" in words(tess)


def test_a_card_shows_what_holds_what_waits_and_how_the_last_one_ended(tess: User, olga: User) -> None:
    def card(kind: str = IDENTITY) -> str:
        key = f"{tess.pk}-{kind}"
        return re.sub(r"\s+", " ", credential.render(key, load_papers([key])[key], f"user.{tess.pk}", "1"))

    assert "Not sent" in card() and "Send it" in card()
    first = sent(tess, document=document("first.jpg"))
    credentials.reject_credential(first, by=olga, reason="Not readable.")
    assert "Refused" in card() and "Not readable." in card() and "Send a new one" in card()
    second = sent(tess, document=document("second.jpg"), days=10)
    assert "Not readable." not in card() and "second.jpg" in card()
    credentials.approve_credential(second, by=olga)
    assert "Runs out soon" in card()
    third = sent(tess, document=document("third.jpg"))
    assert "second.jpg" in card() and "third.jpg" in card() and "Runs out soon" not in card()
    credentials.approve_credential(third, by=olga)
    assert "second.jpg" not in card() and "Approved" in card() and "holds no longer" not in card()


# --- Live -----------------------------------------------------------------------------------------


def heard() -> set[tuple[str, str, str]]:
    names = (credential.name, verification.name)
    return set(JournalRow.objects.filter(fragment__in=names).values_list("topic", "fragment", "key"))


def test_each_step_is_heard_on_the_technicians_own_topic_and_on_no_other(tess: User, olga: User) -> None:
    topic, key = f"user.{tess.pk}", f"{tess.pk}-{IDENTITY}"
    expected = {(topic, credential.name, key), (topic, verification.name, str(tess.pk))}
    row = sent(tess)
    assert heard() == expected
    for act in (
        lambda: credentials.approve_credential(row, by=olga),
        lambda: credentials.suspend_credential(row, by=olga, reason="In doubt."),
    ):
        JournalRow.objects.all().delete()
        act()
        assert heard() == expected
    JournalRow.objects.all().delete()
    credentials.withdraw_credential(sent(tess), by=tess)
    assert heard() == expected


def test_many_are_loaded_in_two_queries(tess: User, plumbing: Skill) -> None:
    people = [tess]
    for number in range(3):
        made = {"email": f"t{number}@example.org", "password": None, "name": f"T {number}", "time_zone": "UTC"}
        people.append(actions.sign_up_technician(**made, trade=trade(plumbing)))  # type: ignore[arg-type]
    for person in people:
        sent(person)
    with CaptureQueriesContext(connection) as queries:
        found = load_papers([f"{person.pk}-{IDENTITY}" for person in people])
        assert [paper.runs_out for paper in found.values()] == [False] * 4
    assert len(queries) == 2 and {paper.state for paper in found.values()} == {CredentialStatus.PENDING}
    assert standings([]) == {} and load_papers(["0-identity"]) == {}
    assert Technician.objects.count() == 4
