"""Flags: who has them on, always the same people, and what turning one does."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import waffle
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.core.management import call_command
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts import flags, turning
from accounts.models import DeskAction, Flag, Role
from accounts.turning import Setting, turn_flag
from common.refusals import Conflict
from realtime import transport
from realtime.journal import ORDER
from realtime.models import JournalRow
from realtime.topics import Principal

PEOPLE = 10_000


@pytest.fixture(autouse=True)
def nothing_remembered(db: None) -> Iterator[None]:
    """The table is read."""
    flags.forget()
    yield
    flags.remember({}, math.inf)


def flag(name: str = "live_desk", **fields: Any) -> Flag:
    """The flag, standing so."""
    row, _ = Flag.objects.get_or_create(name=name)
    users, groups = fields.pop("users", ()), fields.pop("groups", ())
    for field, value in ({"everyone": None, "superusers": False} | fields).items():
        setattr(row, field, value)
    row.save()
    row.users.set(users)
    row.groups.set(groups)
    return row


def share(name: str, percent: float) -> set[int]:
    """Who of ten thousand is in a share."""
    return {pk for pk in range(1, PEOPLE + 1) if flags.bucket(name, str(pk)) < Decimal(str(percent)) * 100}


# --- Shares ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*flags.SWITCHES, "new_checkout", "x"])
def test_thirty_percent_of_ten_thousand_people_is_thirty_percent(name):
    assert 0.28 * PEOPLE <= len(share(name, 30)) <= 0.32 * PEOPLE


def test_raising_the_share_only_adds_people():
    shares = [share("live_desk", percent) for percent in (0, 0.1, 1, 10, 30, 30.1, 75, 99.9)]
    assert all(less <= more for less, more in pairwise(shares)) and not shares[0]
    assert len(shares[1]) < len(shares[2]) < PEOPLE / 50 and len(shares[-1]) > PEOPLE * 0.99


def test_two_flags_of_ten_percent_are_not_the_same_tenth():
    both = share("live_desk", 10) & share("live_sockets", 10)
    assert len(both) < 200  # a hundredth of them, if they know nothing of one another


def test_the_same_person_always_gets_the_same_answer(alice):
    row = flag(percent=Decimal("50"))
    first = flags.is_on(row.name, alice)
    for _ in range(20):
        flags.forget()
        random.seed()
        assert flags.is_on(row.name, alice) is first
    assert flags.bucket("live_desk", "7") == flags.bucket("live_desk", "7") == 3276


def test_the_share_is_of_people_who_have_a_name_of_their_own(alice):
    row = flag(percent=Decimal("99.9"))
    inside = next(n for n in range(1, 50) if flags.bucket(row.name, f"link-{n}") < 9990)
    assert flags.answer(row.name, f"link-{inside}").is_on
    assert not flags.is_on(row.name, AnonymousUser()) and not flags.is_on(row.name)


# --- Who has it -----------------------------------------------------------------------------------


def test_a_flag_that_nobody_made_is_on(alice):
    Flag.objects.all().delete()
    assert flags.is_on("no_such_flag", alice) and flags.is_on("live_sockets") and flags.states() == {}
    assert flags.explained("live_sockets", alice) == (True, "nobody has changed it")


def test_for_everybody_wins_over_shares_roles_and_names(alice, frank):
    flag(everyone=False, percent=Decimal("99.9"), roles=[Role.ADMIN], users=[alice], superusers=True)
    assert not flags.is_on("live_desk", alice) and not flags.is_on("live_desk", frank)
    flag(everyone=True)
    assert flags.is_on("live_desk", alice) and flags.is_on("live_desk", AnonymousUser())


def test_it_is_on_for_roles_and_named_people_whatever_the_share(alice, charlie, ed, frank):
    flag(roles=[Role.DRIVER], users=[charlie])
    on = {user.name: flags.explained("live_desk", user) for user in (alice, charlie, ed, frank)}
    assert {name: answer.is_on for name, answer in on.items()} == {
        alice.name: False, charlie.name: True, ed.name: True, frank.name: False,
    }  # fmt: skip
    assert [on[user.name].why for user in (alice, charlie, ed)] == [
        "it is on for others only", "they are named", "it is on for every driver",
    ]  # fmt: skip


def test_waffles_own_kinds_of_people_count(alice, frank):
    group = Group.objects.create(name="testers")
    alice.groups.add(group)
    flag(groups=[group])
    assert flags.is_on("live_desk", alice) and not flags.is_on("live_desk", frank)
    flag(staff=True)
    assert flags.is_on("live_desk", frank) and not flags.is_on("live_desk", alice)
    flag(authenticated=True)
    assert flags.is_on("live_desk", alice) and not flags.is_on("live_desk", AnonymousUser())


def test_what_concerns_drivers_only_is_on_for_everybody_else(alice, ed):
    flag("live_driver_messages", everyone=False)
    assert flags.is_on("live_driver_messages", alice) and flags.is_on("live_driver_messages", AnonymousUser())
    assert not flags.is_on("live_driver_messages", ed)


def test_the_environment_wins(alice, settings):
    flag(everyone=True)
    settings.FLAGS = {"live_desk": False, "new_checkout": False}
    assert flags.explained("live_desk", alice) == (False, "the environment says so")
    assert not flags.is_on("new_checkout", alice)
    settings.FLAGS = {"live_desk": True}
    flag(everyone=False)
    assert flags.is_on("live_desk", alice)


def test_the_environment_is_read_and_a_malformed_one_stops_the_start(monkeypatch):
    from config.settings import switches

    monkeypatch.setenv("FLAGS", "live_sockets=off, live_desk=on")
    assert switches("FLAGS") == {"live_sockets": False, "live_desk": True}
    for wrong in ("live_sockets", "live_sockets=maybe", "=on"):
        monkeypatch.setenv("FLAGS", wrong)
        with pytest.raises(ImproperlyConfigured, match="NAME=on or NAME=off"):
            switches("FLAGS")


def test_waffles_own_questions_get_the_same_answer(alice, charlie):
    flag(users=[alice])
    request = RequestFactory().get("/")
    for user, answer in ((alice, True), (charlie, False)):
        request.user = user
        assert waffle.flag_is_active(request, "live_desk") is answer and not request.__dict__.get("waffles")
    assert waffle.flag_is_active(request, "no_such_flag") is True


# --- What it costs --------------------------------------------------------------------------------


@pytest.fixture
def still(monkeypatch):
    """Time stands: what was read does not grow old while it is counted."""
    monkeypatch.setattr(flags.time, "monotonic", lambda: 100.0)
    flags.forget()
    yield
    flags.forget()


def test_a_thousand_questions_cost_one_reading(alice, still, django_assert_num_queries):
    flag(percent=Decimal("30"), roles=[Role.DRIVER])
    flags.forget()
    with django_assert_num_queries(3):  # the flags, their people, their groups
        assert len({flags.is_on("live_desk", alice) for _ in range(1000)}) == 1


def test_the_mechanism_asks_for_people_only_where_more_than_their_id_decides(
    alice, ed, still, django_assert_num_queries
):
    people = {Principal("user", str(user.pk)): None for user in (alice, ed)}
    link = Principal("link", "token")
    flag(percent=Decimal("30"))
    flag("live_driver_messages", everyone=True)
    flags.states()
    with django_assert_num_queries(0):
        found = flags.off_for(people | {link: None})
    assert {who for who in found if "live_desk" in found[who]} == {
        who for who in (*people, link) if flags.bucket("live_desk", who.id) >= 3000
    }
    flag(roles=[Role.DRIVER])
    flags.states()
    with django_assert_num_queries(2):  # people and their groups
        assert flags.off_for(people) == {Principal("user", str(alice.pk)): {"live_desk"}}
    with django_assert_num_queries(0):
        assert flags.off_for({Principal("user", str(ed.pk)): ed}) == {}
    flag(everyone=True)
    flags.states()
    with django_assert_num_queries(0):
        assert flags.off_for(people) == {}


def test_what_was_read_is_believed_for_a_second(alice, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(flags.time, "monotonic", lambda: clock[0])
    flags.forget()
    assert flags.is_on("live_desk", alice)
    Flag._base_manager.filter(name="live_desk").update(everyone=False)  # another process
    clock[0] += flags.KNOWN_FOR - 0.01
    assert flags.is_on("live_desk", alice)
    clock[0] += 0.02
    assert not flags.is_on("live_desk", alice)


# --- Turning --------------------------------------------------------------------------------------


def orders() -> list[str]:
    """What was told to the processes."""
    return list(JournalRow.objects.filter(fragment=ORDER).values_list("key", flat=True))


def test_the_desk_turns_a_flag_and_it_stays_written_why(alice, frank, django_capture_on_commit_callbacks):
    row = Flag.objects.get(name="live_desk")
    wanted = Setting(percent=Decimal("30"), roles=(Role.ADMIN,), people=(alice,))
    with django_capture_on_commit_callbacks(execute=True):
        turn_flag(row, wanted, by=frank, reason="Trying it out")
    row.refresh_from_db()
    assert turning.setting_of(row) == Setting(None, Decimal("30"), ("admin",), (alice,)) and not row.superusers
    line = DeskAction.objects.get()
    assert (line.actor, line.verb, line.subject_kind, line.subject_id) == (frank, "changed_flag", "flag", row.pk)
    assert (line.label, line.reason) == ("The desk live", "Trying it out")
    assert line.details == {
        "everyone": [True, None], "percent": [0.0, 30.0], "roles": [[], ["admin"]], "people": [[], [alice.email]],
    }  # fmt: skip
    assert set(orders()) == {"transport.live_desk"}
    assert flags.is_on("live_desk", frank) and flags.is_on("live_desk", alice)


def test_only_the_desk_turns_flags_and_only_when_something_changes(alice, frank):
    row = Flag.objects.get(name="live_desk")
    with pytest.raises(PermissionDenied):
        turn_flag(row, Setting(False), by=alice, reason="")
    with pytest.raises(Conflict, match="stands like that already"):
        turn_flag(row, Setting(True), by=frank, reason="")
    assert not DeskAction.objects.exists() and not orders()


def test_whoever_else_turns_one_is_heard_too(alice):
    call_command("waffle_flag", "live_positions", "--deactivate")
    assert not flags.is_on("live_positions", alice) and orders() == ["transport.live_positions"]
    row = Flag.objects.get(name="live_positions")
    row.everyone = None
    row.save()
    row.users.add(alice)
    assert flags.is_on("live_positions", alice) and set(orders()) == {"transport.live_positions"}
    row.delete()
    assert flags.is_on("live_positions")


def test_the_sites_own_flags_are_there_from_the_start_and_stay_as_they_were_turned():
    assert set(Flag.objects.values_list("name", flat=True)) == set(flags.SWITCHES)
    flag("live_desk", everyone=False)
    Flag.objects.filter(name="live_sockets").delete()
    with CaptureQueriesContext(connection):
        turning.make_rows(sender=type("Config", (), {"name": "accounts"}), using="default")
    assert not flags.is_on("live_desk") and Flag.objects.get(name="live_sockets").everyone is True


# --- What needs which -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "needs"),
    [
        ("user.7", set()),
        ("booking.7.customer", set()),
        ("desk.replies", {"live_desk"}),
        ("desk.fleet", {"live_desk", "live_positions"}),
        ("journey.7", {"live_positions"}),
        ("user.7.fixes", set()),
        ("chat.7", {"live_driver_messages"}),
        ("user.7.talks", set()),
        ("user.7.drive", set()),
    ],
)
def test_pages_need_what_they_show(topic, needs):
    assert transport.switches_of_topic(topic) == needs


def test_a_drivers_conversations_ask_while_everybody_elses_are_live(alice, ed):
    flag("live_driver_messages", everyone=False)
    hers, his = (Principal("user", str(user.pk)) for user in (alice, ed))
    assert transport.asks(his, ["chat.7"]) and not transport.asks(his, [f"user.{ed.pk}.drive"])
    assert not transport.asks(hers, ["chat.7"])
