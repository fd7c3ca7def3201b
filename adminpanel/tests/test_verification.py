"""The desk's queue of documents: its lists, one of them, what is decided, who hears of it, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import actions, credentials
from accounts.models import Credential, CredentialKind, CredentialStatus, Technician, User
from accounts.tests.papers import document, upload
from adminpanel.live.verification import credential_case, credential_row
from adminpanel.queues.verification import credentials_listed, load_cases, load_rows
from bookings.tests import make
from bookings.tests.follow import touched_by
from common.documents import clean_document
from notifications.models import Notification
from realtime import topics
from realtime.models import JournalRow
from realtime.topics import Principal

IDENTITY, INSURANCE, TRADE, BACKGROUND = CredentialKind.values
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def nina(db: None) -> User:
    """A technician nobody has verified."""
    return make.technician("Nina", verified=False)


@pytest.fixture
def desk(frank: User) -> Client:
    """The desk's browser."""
    return browser(frank)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def sent(by: User, kind: str = IDENTITY, *, days: int = 365, ago: timedelta = DAY, **changes: Any) -> Credential:
    now = timezone.now()
    values = {"document": document(), "valid_until": now.date() + days * DAY, **changes}
    return credentials.submit_credential(by.technician, by=by, kind=kind, now=now - ago, **values)


def held(by: User, kind: str = IDENTITY, **changes: Any) -> Credential:
    return credentials.approve_credential(sent(by, kind, **changes), by=None)


def url(name: str, row: Credential) -> str:
    return reverse(f"desk:credential{name}", args=[row.pk])


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def listed(client: Client, show: str = "") -> list[int]:
    """The documents of a list, in its order."""
    html = text(client, reverse("desk:verification") + show)
    return [int(pk) for pk in re.findall(r'id="adminpanel-credential-row-(\d+)"', html)]


def status(row: Credential) -> str:
    return Credential.objects.get(pk=row.pk).status


# --- The lists ------------------------------------------------------------------------------------


def test_what_waits_stands_oldest_first_and_what_is_decided_latest_first(desk: Client, nina: User, dora: User) -> None:
    second, first = sent(nina, ago=2 * DAY), sent(dora, ago=3 * DAY)
    ends, gone = held(dora, TRADE, days=20), held(nina, TRADE, days=90)
    credentials.suspend_credential(gone, by=None, reason="In doubt.")
    assert listed(desk) == [first.pk, second.pk]
    assert listed(desk, "?show=ending") == [ends.pk]
    assert listed(desk, "?show=decided") == [gone.pk, ends.pk]
    assert listed(desk, "?show=nonsense") == [first.pk, second.pk]


def test_closed_accounts_do_not_wait(desk: Client, nina: User) -> None:
    sent(nina)
    held(nina, TRADE, days=20)
    actions.deactivate(nina, by=None)
    assert not listed(desk) and not listed(desk, "?show=ending")


@pytest.mark.parametrize(
    ("show", "says"),
    [("", "Everything is checked"), ("?show=ending", "Nothing runs out"), ("?show=decided", "Nothing decided yet")],
)
def test_an_empty_list_says_what_it_is_for(desk: Client, show: str, says: str) -> None:
    html = text(desk, reverse("desk:verification") + show)
    assert says in html and html.count("<h1") == 1


def test_new_ones_come_in_at_the_end_of_the_last_page_only(monkeypatch: pytest.MonkeyPatch, nina: User) -> None:
    monkeypatch.setattr("adminpanel.queues.piles.PAGE", 1)
    sent(nina)
    assert credentials_listed(QueryDict("")).new == "insert"
    sent(nina, TRADE, ago=DAY / 2)
    assert [credentials_listed(QueryDict(asked)).new for asked in ("", "page=2", "show=decided")] == [
        "pill",
        "insert",
        "pill",
    ]


@pytest.mark.parametrize("page", ["0", "-1", "x", "1" * 9, "²", "\0"])
def test_a_page_that_cannot_be_is_the_first(page: str, nina: User) -> None:
    row = sent(nina)
    assert list(credentials_listed(QueryDict(f"page={quote(page)}")).rows) == [str(row.pk)]


def test_pages_follow_each_other(desk: Client, monkeypatch: pytest.MonkeyPatch, nina: User) -> None:
    monkeypatch.setattr("adminpanel.queues.piles.PAGE", 2)
    rows = [sent(nina, kind, ago=DAY / number) for number, kind in enumerate(CredentialKind.values, 1)]
    assert [listed(desk), listed(desk, "?page=2")] == [[row.pk for row in rows[:2]], [row.pk for row in rows[2:]]]
    assert "page=2" in text(desk, reverse("desk:verification")) and listed(desk, "?page=3") == listed(desk)


def test_opening_the_queue_reads_what_the_bell_told_of_it(desk: Client, frank: User, nina: User) -> None:
    sent(nina)
    assert Notification.objects.get(user=frank).read_at is None
    listed(desk)
    assert Notification.objects.get(user=frank).read_at


def test_a_row_shows_the_photo_of_whose_document_it_is(desk: Client, nina: User) -> None:
    row = sent(nina)
    assert reverse("photo", args=[nina.pk]) not in text(desk, reverse("desk:verification"))
    nina.photo = "photos/nina.jpg"
    touches = touched_by(lambda: nina.save(update_fields=["photo"]))
    assert (credential_row.name, str(row.pk)) in {(touch.fragment, touch.key) for touch in touches}
    assert f'src="{reverse("photo", args=[nina.pk])}"' in text(desk, reverse("desk:verification"))


# --- One ------------------------------------------------------------------------------------------


def test_a_document_is_shown_with_all_that_decides_about_it(desk: Client, nina: User) -> None:
    picture = clean_document(upload("passport.jpg"))
    row = sent(nina, number="A 123", document=picture)
    other = held(nina, INSURANCE)
    html = text(desk, url("", row))
    for words in ("Nina Test", "Proof of identity", "A 123", "Not verified yet", "Sent by Nina Test"):
        assert words in html, words
    assert f'<img src="{reverse("credential_file", args=[row.pk])}"' in html and url("", other) in html
    assert url("_approve", row) in html and url("_reject", row) in html and url("_suspend", row) not in html
    assert html.count("<h1") == 1 and "queue is-chosen" in html


def test_a_pdf_is_only_ever_saved(desk: Client, nina: User) -> None:
    html = text(desk, url("", sent(nina, document=clean_document(upload("policy.pdf")))))
    assert "Save “policy.pdf”" in html and "<img src=" not in html.split("case-file")[1].split("case-facts")[0]


@pytest.mark.parametrize(
    ("state", "verbs"),
    [("pending", {"_approve", "_reject"}), ("approved", {"_suspend"}), ("rejected", set())],
)
def test_only_what_can_be_done_is_offered(desk: Client, nina: User, state: str, verbs: set[str]) -> None:
    row = held(nina) if state == "approved" else sent(nina)
    if state == "rejected":
        credentials.reject_credential(row, by=None, reason="Not readable.")
    html = text(desk, url("", row))
    assert {name for name in ("_approve", "_reject", "_suspend") if url(name, row) in html} == verbs


def test_there_is_none_of_that_number(desk: Client) -> None:
    for name in ("", "_approve", "_reject", "_suspend"):
        assert desk.get(reverse(f"desk:credential{name}", args=[999])).status_code == 404


# --- Deciding -------------------------------------------------------------------------------------


def test_approving_goes_on_to_the_next_that_waits_and_then_to_the_list(
    desk: Client, frank: User, nina: User, dora: User
) -> None:
    first, second = sent(nina, ago=2 * DAY), sent(dora, ago=DAY)
    day = f"{timezone.now().date() + 90 * DAY:%Y-%m-%d}"
    answer = desk.post(url("_approve", second), {"valid_until": day})
    assert (answer.status_code, answer["Location"]) == (303, url("", first))
    answer = desk.post(url("_approve", first), {"valid_until": ""}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (200, reverse("desk:verification"))
    assert "Approved: proof of identity of Nina Test." in text(desk, reverse("desk:verification"))
    assert {status(first), status(second)} == {CredentialStatus.APPROVED}
    assert Credential.objects.get(pk=first.pk).valid_until is None
    assert f"{Credential.objects.get(pk=second.pk).valid_until:%Y-%m-%d}" == day
    assert first.history.last().actor == frank


@pytest.mark.parametrize(
    ("typed", "says"), [({"valid_until": ""}, "Read its last day"), ({"valid_until": "2001-01-01"}, "correct it, or")]
)
def test_an_insurance_needs_a_last_day_that_holds(desk: Client, nina: User, typed: dict[str, str], says: str) -> None:
    row = sent(nina, INSURANCE)
    answer = desk.post(url("_approve", row), typed)
    assert answer.status_code == 422 and says in answer.content.decode() and status(row) == CredentialStatus.PENDING


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ({"choice": "unreadable"}, "It cannot be read. Send a sharper photo or the PDF itself."),
        ({"choice": "name", "words": "It says Nina Tester."}, "The name on it is not the name of your account. "
         "Correct one of the two. It says Nina Tester."),
        ({"choice": "other", "words": "A bill is no passport."}, "A bill is no passport."),
    ],
)  # fmt: skip
def test_a_refusal_has_a_reason(desk: Client, nina: User, typed: dict[str, str], reason: str) -> None:
    row = sent(nina)
    assert desk.post(url("_reject", row), typed).status_code == 303
    assert (status(row), Credential.objects.get(pk=row.pk).reason) == (CredentialStatus.REJECTED, reason)


@pytest.mark.parametrize(
    ("typed", "says"), [({"words": "Hm."}, "Choose why"), ({"choice": "other"}, "Say it in your words")]
)
def test_without_one_nothing_is_refused_and_what_was_typed_stays(
    desk: Client, nina: User, typed: dict[str, str], says: str
) -> None:
    row = sent(nina)
    answer = desk.post(url("_reject", row), typed)
    html = answer.content.decode()
    assert answer.status_code == 422 and says in html and typed.get("words", "") in html
    assert status(row) == CredentialStatus.PENDING


def test_suspending_stays_on_the_document_and_says_what_it_takes_away(desk: Client, nina: User) -> None:
    row = held(nina)
    held(nina, INSURANCE)
    assert "no new offers until another one is approved" in text(desk, url("_suspend", row))
    answer = desk.post(url("_suspend", row), {"choice": "doubt"})
    assert (answer.status_code, answer["Location"]) == (303, url("", row))
    assert status(row) == CredentialStatus.SUSPENDED and not Technician.objects.get(pk=nina.pk).is_verified


@pytest.mark.parametrize("name", ["_approve", "_reject", "_suspend"])
def test_what_is_decided_cannot_be_decided_again(desk: Client, nina: User, name: str) -> None:
    row = sent(nina)
    credentials.reject_credential(row, by=None, reason="Not readable.")
    typed = {"choice": "doubt", "valid_until": f"{timezone.now().date() + DAY:%Y-%m-%d}"}
    typed |= {"choice": "name"} if name == "_reject" else {}
    for answer in (desk.get(url(name, row)), desk.post(url(name, row), typed)):
        assert answer.status_code == 409 and "refused" in answer.content.decode()
    assert row.history.count() == 2


def test_a_second_tap_decides_once(desk: Client, nina: User, frank: User) -> None:
    row = sent(nina)
    typed = {"choice": "unreadable", "idempotency_key": "once"}
    answers = [desk.post(url("_reject", row), typed).status_code for _ in range(2)]
    assert answers == [303, 303] and row.history.count() == 2


@pytest.mark.parametrize("name", ["", "_approve", "_reject", "_suspend"])
@pytest.mark.parametrize("who", ["alice", "nina", "ed"])
def test_it_is_for_the_desk(who: str, name: str, nina: User, request: pytest.FixtureRequest) -> None:
    row, client = sent(nina), browser(request.getfixturevalue(who))
    for answer in (client.get(url(name, row)), client.post(url(name, row), {"choice": "name"})):
        assert answer.status_code in ({403, 405} if not name else {403})
    assert client.get(reverse("desk:verification")).status_code == 403
    assert Client().get(url(name, row)).status_code == 302 and status(row) == CredentialStatus.PENDING


# --- Live -----------------------------------------------------------------------------------------


def heard(fragment: Any) -> set[tuple[str, str]]:
    return set(JournalRow.objects.filter(fragment=fragment.name).values_list("topic", "key"))


def lists(row: Credential, *names: str) -> set[tuple[str, str]]:
    return {(f"desk.verification.{name}", str(row.pk)) for name in names}


def test_each_list_hears_of_those_that_come_and_go(nina: User) -> None:
    row = sent(nina, days=20)
    assert heard(credential_row) == lists(row, "waiting")
    acts: list[tuple[Callable[[], object], tuple[str, ...]]] = [
        (lambda: credentials.approve_credential(row, by=None), ("waiting", "decided", "ending")),
        (lambda: credentials.suspend_credential(row, by=None, reason="In doubt."), ("decided", "ending")),
        (lambda: actions.deactivate(nina, by=None), ("waiting", "decided", "ending")),
    ]
    for act, names in acts:
        JournalRow.objects.all().delete()
        act()
        assert heard(credential_row) == lists(row, *names)


def test_what_is_taken_back_goes_from_the_list(nina: User) -> None:
    row = sent(nina)
    JournalRow.objects.all().delete()
    credentials.withdraw_credential(row, by=nina)
    assert heard(credential_row) == lists(row, "waiting")
    assert (f"desk.credential.{row.pk}", str(row.pk)) in heard(credential_case)
    assert not load_rows([str(row.pk)]) and not load_cases([str(row.pk)])


def test_a_row_stands_where_it_belongs(nina: User) -> None:
    rows = [sent(nina), held(nina, TRADE, days=20), held(nina, BACKGROUND, days=300)]
    loaded = load_rows([str(row.pk) for row in rows])
    stands = [[topic.rpartition(".")[2] for topic in credential_row.topics(loaded[str(row.pk)])] for row in rows]
    assert stands == [["waiting"], ["decided", "ending"], ["decided"]]
    nina.is_active = False
    nina.save(update_fields=["is_active"])
    loaded = load_rows([str(row.pk) for row in rows])
    assert [len(list(credential_row.topics(loaded[str(row.pk)]))) for row in rows] == [0, 1, 1]


def test_an_open_document_hears_of_those_beside_it_and_of_its_technician(nina: User) -> None:
    row, other = sent(nina), sent(nina, INSURANCE)
    both = {(f"desk.credential.{each.pk}", str(each.pk)) for each in (row, other)}
    for act in (
        lambda: credentials.approve_credential(other, by=None),
        lambda: actions.verify_technician(nina.technician, by=None),
        lambda: actions.update_profile(nina, by=nina, name="Nina Moss", phone="", time_zone="UTC"),
    ):
        JournalRow.objects.all().delete()
        act()
        assert heard(credential_case) == both


def test_topics_are_for_the_desk(frank: User, nina: User, alice: User) -> None:
    row = sent(nina)
    everybody = {Principal("user", str(user.pk)) for user in (frank, nina, alice)}
    for name in ("desk.verification.waiting", f"desk.credential.{row.pk}"):
        assert topics.members(name, everybody) == {Principal("user", str(frank.pk))}
    assert not topics.members("desk.verification.nonsense", everybody)


# --- Cost -----------------------------------------------------------------------------------------


def cost(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_pages_cost_the_same_for_many_rows_as_for_few(desk: Client) -> None:
    def more(number: int) -> Credential:
        person = make.technician(f"Tom{number}", verified=False)
        held(person, TRADE, days=20)
        credentials.reject_credential(sent(person, BACKGROUND), by=None, reason="No.")
        return sent(person)

    first, _ = more(0), more(1)
    pages = [reverse("desk:verification") + show for show in ("", "?show=ending", "?show=decided")]
    pages.append(url("", first))
    few = [cost(desk, page) for page in pages]
    for number in range(2, 12):
        more(number)
    assert [cost(desk, page) for page in pages] == few
    assert max(few) < 12, few
