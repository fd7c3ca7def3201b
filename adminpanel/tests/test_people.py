"""The desk's people: the list and what finds whom, the page of one, and every verb on it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import actions, people
from accounts.models import AccountHistory, AccountNote, DeskAction, Role, User
from adminpanel.people import PAGE, Found
from bookings.models import Dispute, Review
from bookings.tests import make
from bookings.tests.make import DAY, HOUR
from chat.actions import desk_conversation, send_message
from tests.crawl import browser


@pytest.fixture
def desk(client: Client, frank: User) -> Client:
    """Frank's browser."""
    client.force_login(frank)
    return client


def url(name: str, *args: int) -> str:
    """An address of the desk's."""
    return reverse(f"desk:{name}", args=args)


def text(response: Any) -> str:
    """A page without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def found(query: str = "") -> list[str]:
    """Whom a search brings, by first name."""
    return [user.first_name for user in Found(QueryDict(query)).rows]


# --- Finding --------------------------------------------------------------------------------------


def test_everybody_stands_in_the_list_the_newest_first(alice, bob, charlie):
    assert found() == ["Charlie", "Bob", "Alice"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=ali", ["Alice"]),
        ("q=BOB@example", ["Bob"]),
        ("q=alice+test", ["Alice"]),
        ("q=alice+bob", []),
        ("q=07700+900321", ["Alice"]),
        ("q=%2B44+7700+900+321", ["Alice"]),
        ("q=0321", ["Alice"]),
        ("q=%00", ["Ed", "Bob", "Alice"]),
        ("q=%25", []),
        ("role=technician", ["Bob"]),
        ("role=nonsense&state=nonsense", ["Ed", "Bob", "Alice"]),
        ("role=driver&q=alice", []),
        ("before=nonsense", ["Ed", "Bob", "Alice"]),
        ("before=" + "9" * 30, ["Ed", "Bob", "Alice"]),
    ],
)
def test_a_search_finds_by_name_address_and_number(alice, bob, ed, query, names):
    alice.phone = "+44 7700 900321"
    alice.save()
    assert found(query) == names


def test_states_are_found(alice, bob, charlie, frank):
    dora = make.technician("Dora", verified=False)
    actions.deactivate(charlie, by=frank, reason="Abuse")
    people.erase_person(alice, by=frank, reason="Law")
    assert found("state=suspended") == ["Charlie"] and found("state=erased") == ["Former"]
    assert found("state=unverified") == [dora.first_name]
    assert found("state=active") == ["Dora", "Frank", "Bob"]


def test_pages_follow_each_other_without_gap_or_overlap(db, frank):
    for number in range(PAGE + 5):
        make.person(f"Person{number}")
    first = Found(QueryDict("role=customer"))
    second = Found(QueryDict(first.older))
    assert [len(first.shown), len(second.shown), second.older] == [PAGE, 5, ""]
    assert not set(first.shown) & set(second.shown)
    assert "role=customer" in first.older and second.new == "pill"


def test_the_list_and_a_page_take_few_queries_whatever_there_is(desk, frank, alice, bob, ed):
    def queries(address: str) -> int:
        desk.get(address)
        with CaptureQueriesContext(connection) as seen:
            assert desk.get(address).status_code == 200
        return len(seen)

    pages = [url("people"), *(url("person", who.pk) for who in (alice, bob, ed))]
    few = [queries(page) for page in pages]
    assert max(few) < 12, dict(zip(pages, few, strict=True))
    for number in range(12):
        make.technician(f"T{number}")
        people.add_note(alice, by=frank, text=f"Note {number}")
        Client().force_login(alice)
        make.visit(
            alice, bob, window_start=make.NOW + (number + 2) * DAY, window_end=make.NOW + (number + 2) * DAY + 4 * HOUR
        )
    assert [queries(page) for page in pages] == few


# --- The page -------------------------------------------------------------------------------------


def test_the_page_says_who_they_are_and_what_they_have_in_hand(desk, alice, bob, frank):
    visit = make.visit(alice, bob)
    people.add_note(alice, by=frank, text="Rings <twice>.")
    page = desk.get(url("person", alice.pk))
    assert "alice@example.org" in text(page) and "Kitchen tap leaks" in text(page)
    assert "Rings &lt;twice&gt;." in page.content.decode()
    theirs = text(desk.get(url("person", bob.pk)))
    assert "Their visits" in theirs and "£60.00" in theirs and "km around Camden" in theirs
    assert visit.booking.title in theirs


def test_a_stranger_to_the_database_has_no_page(desk):
    assert desk.get(url("person", 4711)).status_code == 404


# --- Verbs ----------------------------------------------------------------------------------------

REASON = {"reason": "They asked for it"}
DEEDS = [
    ("person_suspend", REASON),
    ("person_role", {**REASON, "role": "driver"}),
    ("person_change", {**REASON, "name": "Alicia Test", "phone": "+44 20 7946 0018", "time_zone": "Europe/London"}),
    ("person_sessions_end", REASON),
    ("note_add", {"text": "Rings twice."}),
    ("person_export", REASON),
    ("person_erase", {**REASON, "sure": "on"}),
]


@pytest.mark.parametrize(("name", "typed"), DEEDS, ids=[name for name, _ in DEEDS])
def test_every_verb_asks_first_and_leaves_its_line(desk, frank, alice, name, typed):
    address = url(name, alice.pk)
    assert desk.get(address).status_code == 200
    assert not DeskAction.objects.exists() and not AccountHistory.objects.exists()
    answer = desk.post(address, typed)
    assert answer.status_code in (200, 303)
    b"".join(answer) if answer.streaming else None
    lines = [*DeskAction.objects.filter(person=alice), *AccountHistory.objects.filter(user=alice)]
    assert [line.actor for line in lines] == [frank]
    assert name == "note_add" or lines[0].reason == REASON["reason"]


@pytest.mark.parametrize(("name", "typed"), DEEDS, ids=[name for name, _ in DEEDS])
def test_without_a_reason_nothing_happens_and_what_was_typed_stays(desk, alice, name, typed):
    rest = {key: value for key, value in typed.items() if key not in ("reason", "text")}
    answer = desk.post(url(name, alice.pk), {**rest, "sent": "yes"})
    assert answer.status_code == 422
    assert not DeskAction.objects.exists() and not AccountHistory.objects.exists()
    for value in rest.values():
        assert value == "on" or value in answer.content.decode()


def test_suspending_and_lifting(desk, alice):
    theirs = Client()
    theirs.force_login(alice)
    desk.post(url("person_suspend", alice.pk), REASON)
    assert theirs.get("/").status_code == 200 and "Sign in" in text(theirs.get("/"))
    assert "Suspended" in text(desk.get(url("person", alice.pk)))
    again = desk.post(url("person_suspend", alice.pk), {"reason": "Twice"})
    assert again.status_code == 409 and "switched off already" in text(again)
    desk.post(url("person_lift", alice.pk), {"reason": "Cleared"})
    assert make.fresh(alice).is_active
    assert desk.post(url("person_lift", alice.pk), {"reason": "Twice"}).status_code == 409


def test_the_desk_can_neither_suspend_erase_nor_demote_itself(desk, frank):
    for name, typed in (("person_suspend", {}), ("person_erase", {"sure": "on"}), ("person_role", {"role": "driver"})):
        answer = desk.post(url(name, frank.pk), {**REASON, **typed})
        assert answer.status_code == 422 and "Ask another admin" in text(answer)
    assert make.fresh(frank).role == Role.ADMIN


def test_only_whoever_has_a_trade_can_be_made_a_technician(desk, alice, bob):
    assert "they sign up as one" in text(desk.get(url("person_role", alice.pk)))
    assert desk.post(url("person_role", alice.pk), {**REASON, "role": "technician"}).status_code == 422
    desk.post(url("person_role", bob.pk), {**REASON, "role": "driver"})
    desk.post(url("person_role", bob.pk), {**REASON, "role": "technician"})
    assert list(bob.history.values_list("to_state", flat=True)) == ["driver", "technician"]


def test_one_browser_is_signed_out(desk, alice):
    theirs, other = browser(alice), browser(alice)
    row = alice.usersession_set.latest("pk")
    assert desk.get(url("person_session_end", alice.pk, row.pk)).status_code == 200
    desk.post(url("person_session_end", alice.pk, row.pk), REASON)
    assert other.get(reverse("profile")).status_code == 302 and theirs.get(reverse("profile")).status_code == 200
    assert desk.get(url("person_session_end", alice.pk, row.pk)).status_code == 409


def test_a_session_of_somebody_else_is_not_ended_on_the_wrong_page(desk, alice, charlie):
    theirs = browser(charlie)
    row = charlie.usersession_set.get()
    assert desk.post(url("person_session_end", alice.pk, row.pk), REASON).status_code == 409
    assert theirs.get(reverse("profile")).status_code == 200


def test_a_note_is_removed_once(desk, alice, frank):
    note = people.add_note(alice, by=frank, text="Rings twice.")
    assert "Rings twice." in text(desk.get(url("note_remove", note.pk)))
    assert desk.post(url("note_remove", note.pk)).status_code == 303
    assert not AccountNote.objects.exists()
    assert desk.post(url("note_remove", note.pk)).status_code == 404


def test_an_erased_person_has_a_page_and_no_verbs(desk, alice, frank):
    people.erase_person(alice, by=frank, reason="Law")
    page = desk.get(url("person", alice.pk)).content.decode()
    assert "Former customer" in page and "invalid" not in page and "suspend/" not in page and "erase/" not in page
    for name, typed in DEEDS:
        assert desk.post(url(name, alice.pk), typed).status_code == 409


def test_nobody_with_something_running_is_erased_and_the_page_says_what(desk, alice, bob):
    make.visit(alice, bob)
    address = url("person_erase", alice.pk)
    page = text(desk.get(address))
    assert "cannot be erased yet" in page and "1 job of theirs goes on." in page
    assert "Erase" not in re.findall(r"<button[^>]*>([^<]*)", desk.get(address).content.decode())
    answer = desk.post(address, {**REASON, "sure": "on"})
    assert answer.status_code == 409 and make.fresh(alice).erased_at is None
    assert "1 visit is theirs." in text(desk.get(url("person_erase", bob.pk)))


# --- The copy -------------------------------------------------------------------------------------


def test_the_copy_holds_what_is_theirs_and_nothing_of_others(desk, media, alice, bob, frank):
    now = timezone.now()
    visit = make.finished(
        make.visit(alice, bob, now=now - 2 * DAY, window_start=now - DAY, window_end=now - DAY + 4 * HOUR)
    )
    people.add_note(alice, by=frank, text="Rings twice.")
    answer = desk.post(url("person_export", alice.pk), REASON)
    assert answer["Content-Type"] == "application/zip" and "alice-test-" in answer["Content-Disposition"]
    copy = zipfile.ZipFile(io.BytesIO(b"".join(answer)))
    names = copy.namelist()
    assert {"README.txt", "accounts/account.json", "bookings/jobs.json", "chat/messages.json"} <= set(names)
    assert len(names) == len(set(names))
    everything = {name: json.loads(copy.read(name)) for name in names if name.endswith(".json")}
    assert everything["bookings/jobs.json"][0]["address_line1"] == "12 Inverness Street"
    assert everything["accounts/notes_of_the_desk.json"][0]["text"] == "Rings twice."
    assert [step["to_state"] for step in everything["bookings/job_history.json"]][-1] == "completed"
    assert "bob@example.org" not in str(everything) and visit.start_code not in str(everything["bookings/visits.json"])


def test_a_copy_names_no_folder_of_a_sender(desk, media, alice, bob):
    """A file that its sender called ../../etc lies in its own folder, under a name."""
    send_message(
        desk_conversation(alice, by=alice), by=alice, id=uuid4(), text="Look", files=[make.picture("..\\..\\evil.jpg")]
    )
    copy = zipfile.ZipFile(io.BytesIO(b"".join(desk.post(url("person_export", alice.pk), REASON))))
    sent = [name for name in copy.namelist() if name.startswith("files/messages/")]
    assert len(sent) == 1 and sent[0].endswith("-evil.jpg") and ".." not in sent[0]


def test_a_sealed_review_is_in_nobodys_copy(desk, alice, bob):
    booking = make.finished(make.visit(alice, bob)).booking
    Review.objects.create(
        booking=booking, author=alice, about=bob, party="customer", stars=1, text="Secret", opens_at=make.NOW
    )
    theirs = b"".join(desk.post(url("person_export", bob.pk), REASON))
    copy = zipfile.ZipFile(io.BytesIO(theirs))
    assert json.loads(copy.read("bookings/reviews_received.json")) == []
    own = zipfile.ZipFile(io.BytesIO(b"".join(desk.post(url("person_export", alice.pk), REASON))))
    assert json.loads(own.read("bookings/reviews_written.json")) == [], "it is the desk that makes the copy"


def test_a_complaint_of_which_somebody_was_not_told_is_not_in_their_copy(desk, alice, bob):
    booking = make.finished(make.visit(alice, bob)).booking
    complaint = Dispute.objects.create(
        booking=booking, opened_by=alice, against=bob, party="customer", reason="quality", statement="Still drips"
    )

    def told() -> list[str]:
        copy = zipfile.ZipFile(io.BytesIO(b"".join(desk.post(url("person_export", bob.pk), REASON))))
        return [row["statement"] for row in json.loads(copy.read("bookings/disputes.json"))]

    assert told() == []
    complaint.answer_by = make.NOW + 2 * DAY
    complaint.save()
    assert told() == ["Still drips"]
