"""The desk's page of flags: what it says, what it turns, and that open pages hear of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from accounts import flags
from accounts.models import DeskAction, Flag, Role, User
from accounts.turning import Setting, turn_flag
from adminpanel.flags import all_flags, joined, load_flags
from realtime.models import JournalRow
from tests.crawl import browser


@pytest.fixture(autouse=True)
def nothing_remembered(db: None) -> Iterator[None]:
    """The table is read."""
    flags.forget()
    yield
    flags.remember({}, math.inf)


@pytest.fixture
def desk(frank: User) -> Client:
    """Frank's browser."""
    return browser(frank)


@pytest.fixture
def row(db: None) -> Flag:
    """The desk's own flag."""
    return Flag.objects.get(name="live_desk")


def shown(flag: Flag) -> str:
    """For whom it is on, in words."""
    return load_flags([str(flag.pk)])[str(flag.pk)].whom


def post(client: Client, name: str, flag: Flag, **data: Any) -> Any:
    """Send a form."""
    return client.post(reverse(name, args=[flag.pk]), {"idempotency_key": uuid4(), **data})


# --- The list -------------------------------------------------------------------------------------


def test_every_flag_is_listed_with_what_it_does(desk, django_assert_max_num_queries):
    Flag.objects.create(name="new_checkout", note="The old checkout is shown.")
    flags.states()
    with django_assert_max_num_queries(11):
        page = desk.get(reverse("desk:flags")).content.decode()
    for switch in flags.SWITCHES.values():
        assert switch.label in page and escape(switch.off) in page
    assert "The old checkout is shown." in page
    names = [row.flag.name for row in all_flags().values()]
    assert names == [*flags.SWITCHES, "new_checkout"]


def test_words_say_for_whom_it_is_on(row, alice, bob, charlie, dora, ed, frank, settings):
    assert shown(row) == "On for everybody"
    turn_flag(row, Setting(False), by=frank, reason="x")
    assert shown(row) == "Off for everybody"
    turn_flag(row, Setting(), by=frank, reason="x")
    assert shown(row) == "On for nobody"
    turn_flag(row, Setting(None, Decimal("30"), ("driver", "admin"), (alice,)), by=frank, reason="x")
    assert shown(row) == f"On for 30 % of people, every admin, every driver and {alice.name}"
    people = (alice, bob, charlie, dora, ed)
    turn_flag(row, Setting(None, Decimal("0.5"), (), people), by=frank, reason="x")
    assert shown(row).startswith("On for 0.5 % of people, ") and shown(row).endswith(" and 2 more")
    settings.FLAGS = {"live_desk": False}
    assert shown(row) == "Off for everybody: the environment says so"
    assert joined(["a"]) == "a" and joined(["a", "b"]) == "a and b"


def test_a_flag_that_the_environment_holds_has_no_buttons(desk, row, settings):
    assert reverse("desk:flag_off", args=[row.pk]) in desk.get(reverse("desk:flags")).content.decode()
    settings.FLAGS = {"live_desk": True}
    assert reverse("desk:flag_off", args=[row.pk]) not in desk.get(reverse("desk:flags")).content.decode()
    assert "holds it on" in desk.get(reverse("desk:flag", args=[row.pk])).content.decode()


# --- Turning --------------------------------------------------------------------------------------


def test_off_and_on_for_everybody_with_a_reason(desk, row, frank):
    asked = desk.get(reverse("desk:flag_off", args=[row.pk])).content.decode()
    assert "Turn “The desk live” off for everybody?" in asked and "Now: On for everybody." in asked
    refused = post(desk, "desk:flag_off", row, reason="")
    assert refused.status_code == 422 and flags.is_on("live_desk", frank)
    assert post(desk, "desk:flag_off", row, reason="Sockets are in trouble").status_code == 303
    assert not flags.is_on("live_desk", frank)
    assert post(desk, "desk:flag_on", row, reason="Fine again").status_code == 303
    assert [line.reason for line in DeskAction.objects.all()] == ["Sockets are in trouble", "Fine again"]


def test_turning_what_stands_like_that_is_refused_and_keeps_what_was_typed(desk, row):
    answer = post(desk, "desk:flag_on", row, reason="Just to be sure")
    page = answer.content.decode()
    assert answer.status_code == 409 and "stands like that already" in page and "Just to be sure" in page
    assert not DeskAction.objects.exists()


def test_the_same_form_twice_turns_once(desk, row):
    key = uuid4()
    for _ in range(2):
        assert post(desk, "desk:flag_off", row, reason="Trouble", idempotency_key=key).status_code == 303
    assert DeskAction.objects.count() == 1


def test_for_some_by_the_form(desk, row, alice, ed, charlie):
    said = {
        "mode": "some",
        "percent": "0",
        "roles": ["driver"],
        "people": f" {alice.email.upper()},\n",
        "reason": "Trial",
    }
    answer = post(desk, "desk:flag", row, **said)
    assert (answer.status_code, answer["Location"]) == (303, reverse("desk:flags"))
    assert flags.is_on("live_desk", alice) and flags.is_on("live_desk", ed) and not flags.is_on("live_desk", charlie)
    page = desk.get(reverse("desk:flag", args=[row.pk])).content.decode()
    assert alice.email in page and "Trial" not in page


def test_a_choice_for_everybody_leaves_nobody_behind(desk, row, alice, frank):
    turn_flag(row, Setting(None, Decimal("5"), ("driver",), (alice,)), by=frank, reason="x")
    answer = post(desk, "desk:flag", row, mode="off", percent="5", roles=["driver"], people=alice.email, reason="Off")
    row.refresh_from_db()
    assert answer.status_code == 303 and row.everyone is False
    assert (row.percent, row.roles, row.users.count()) == (None, [], 0)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"mode": "some"}, "Say for whom"),
        ({"mode": "some", "percent": "100"}, "less than or equal to 99.9"),
        ({"mode": "some", "percent": "1.25"}, "1 decimal place"),
        ({"mode": "some", "roles": ["king"]}, "Select a valid choice"),
        ({"mode": "some", "people": "nobody@example.org"}, "Nobody has the address nobody@example.org"),
        ({"mode": "some", "people": " ".join(f"{n}@x.org" for n in range(201))}, "At most 200 people"),
        ({"mode": "perhaps"}, "Select a valid choice"),
        ({"mode": "off", "reason": ""}, "This field is required"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(desk, row, said, sentence):
    answer = post(desk, "desk:flag", row, **{"reason": "My reason", **said})
    page = answer.content.decode()
    assert answer.status_code == 422 and sentence in page
    assert said.get("people", "") in page and (said.get("reason") == "" or "My reason" in page)
    row.refresh_from_db()
    assert row.everyone is True and not DeskAction.objects.exists()


def test_one_can_ask_whether_somebody_has_it(desk, row, alice, frank):
    address = reverse("desk:flag", args=[row.pk])
    turn_flag(row, Setting(None, roles=(Role.ADMIN,)), by=frank, reason="x")
    said = desk.get(address, {"who": f" {alice.email} "}).content.decode()
    assert f"It is off for {alice.name}, because it is on for others only." in said
    said = desk.get(address, {"who": frank.email}).content.decode()
    assert f"It is on for {frank.name}, because it is on for every admin." in said
    assert "Nobody has the address x@y.z\ufffd"[:-1] in desk.get(address, {"who": "x@y.z\0"}).content.decode()


# --- Live -----------------------------------------------------------------------------------------


def touched() -> set[tuple[str, str]]:
    """What the desk's pages were told to look at again."""
    return set(JournalRow.objects.filter(fragment="adminpanel.flag").values_list("topic", "key"))


def test_open_pages_hear_of_flags_and_of_the_people_they_name(row, alice, frank):
    turn_flag(row, Setting(None, people=(alice,)), by=frank, reason="x")
    mine = {("desk.flags", str(row.pk))}
    assert touched() == mine
    QuerySet(JournalRow).delete()
    alice.name = "Alice Cooper"
    alice.save(update_fields=["name"])
    assert touched() == mine and "Alice Cooper" in shown(row)
    QuerySet(JournalRow).delete()
    row.users.clear()
    assert touched() == mine
