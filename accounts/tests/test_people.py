"""What the desk does about a person: notes, corrections, sessions. Each has its line, whom it concerns and why."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from accounts import actions, people
from accounts.models import AccountHistory, AccountNote, DeskAction, Role, User
from accounts.tests.conftest import sign_in
from common.refusals import Conflict, Invalid


def told(person: User) -> list[tuple[str, str]]:
    """What the audit says was done to somebody, and why."""
    return list(DeskAction.objects.filter(person=person).values_list("verb", "reason"))


VERBS: dict[str, Any] = {
    "add_note": lambda who, by: people.add_note(who, by=by, text="Rings twice."),
    "remove_note": lambda who, by: people.remove_note(AccountNote(user=who), by=by),
    "correct": lambda who, by: people.correct_person(who, by=by, name="X", phone="", time_zone="UTC", reason="Typo"),
    "end_sessions": lambda who, by: people.end_every_session(who, by=by, reason="Lost phone"),
    "export": lambda who, by: people.export_person(who, by=by, reason="They asked"),
    "erase": lambda who, by: people.erase_person(who, by=by, reason="They asked"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_only_an_active_admin_does_it(carol, dan, olga, verb):
    olga.is_active = False
    for by in (dan, olga):
        with pytest.raises(PermissionDenied):
            VERBS[verb](carol, by)
    assert not DeskAction.objects.exists() and not AccountNote.objects.exists()


# --- Notes ----------------------------------------------------------------------------------------


def test_a_note_is_kept_and_taken_away_and_both_leave_a_line_without_its_words(carol, olga):
    note = people.add_note(carol, by=olga, text="  Prefers mornings. ")
    assert (note.text, note.author, note.user) == ("Prefers mornings.", olga, carol)
    people.remove_note(note, by=olga)
    assert not AccountNote.objects.exists()
    assert told(carol) == [("noted", ""), ("removed_note", "")]
    assert "mornings" not in str(list(DeskAction.objects.values()))


def test_an_empty_note_is_refused_and_one_is_removed_once(carol, olga):
    with pytest.raises(Invalid, match="Write what the desk should know"):
        people.add_note(carol, by=olga, text="  ")
    note = people.add_note(carol, by=olga, text="Hello")
    kept = AccountNote.objects.get()
    people.remove_note(note, by=olga)
    with pytest.raises(Conflict, match="a moment ago"):
        people.remove_note(kept, by=olga)


# --- Corrections ----------------------------------------------------------------------------------


def test_a_correction_says_what_it_changed_and_why(carol, olga):
    values = {"phone": "+44 20 7946 0000", "time_zone": carol.time_zone, "name": carol.name}
    people.correct_person(carol, by=olga, reason="She rang", **values)
    carol.refresh_from_db()
    assert carol.phone == "+44 20 7946 0000"
    done = DeskAction.objects.get()
    assert (done.verb, done.person, done.reason) == ("corrected_person", carol, "She rang")
    assert done.details == {"phone": ["", "+44 20 7946 0000"]}


def test_a_correction_of_nothing_is_refused(carol, olga):
    with pytest.raises(Invalid, match="Nothing is different"):
        people.correct_person(carol, by=olga, name=carol.name, phone="", time_zone=carol.time_zone, reason="?")


# --- Sessions -------------------------------------------------------------------------------------


def test_one_browser_is_signed_out_and_the_other_stays(carol, olga):
    first, second = sign_in(carol), sign_in(carol)
    people.end_one_session(carol.usersession_set.earliest("pk"), by=olga)
    assert first.get("/accounts/profile/").status_code == 302
    assert second.get("/accounts/profile/").status_code == 200
    assert told(carol) == [("ended_session", "")]


def test_all_are_signed_out_but_never_ones_own(carol, olga):
    browser = sign_in(carol)
    people.end_every_session(carol, by=olga, reason="Lost phone")
    assert browser.get("/accounts/profile/").status_code == 302
    assert told(carol) == [("ended_sessions", "Lost phone")]
    with pytest.raises(Invalid, match="your own"):
        people.end_every_session(olga, by=olga, reason="?")


# --- Roles ----------------------------------------------------------------------------------------


def test_a_new_role_keeps_its_reason(carol, olga):
    actions.change_role(carol, by=olga, role=Role.DRIVER, reason="Joined the fleet")
    row = AccountHistory.objects.get(user=carol)
    assert (row.from_state, row.to_state, row.reason, row.actor) == ("customer", "driver", "Joined the fleet", olga)


# --- Erasing the account itself (what the other apps forget: adminpanel/tests/test_erasing.py) -----


def test_nobody_comes_back_into_an_erased_account(tess, olga):
    browser = sign_in(tess)
    people.erase_person(tess, by=olga, reason="She asked")
    tess.refresh_from_db()
    assert browser.get("/accounts/profile/").status_code == 302
    assert (tess.name, tess.email, tess.is_active) == ("Former technician", f"erased-{tess.pk}@invalid", False)
    assert not tess.has_usable_password() and tess.erased_at and not tess.emailaddress_set.exists()
    for verb in (
        lambda: actions.reactivate(tess, by=olga),
        lambda: actions.change_role(tess, by=olga, role=Role.CUSTOMER),
        lambda: people.erase_person(tess, by=olga, reason="Again"),
        lambda: people.correct_person(tess, by=olga, name="Tess", phone="", time_zone="UTC", reason="Back"),
    ):
        with pytest.raises(Conflict, match="erased"):
            verb()
    assert list(tess.history.values_list("from_state", "to_state", "reason")) == [("active", "erased", "She asked")]


def test_a_suspended_account_is_erased_from_there(carol, olga):
    actions.deactivate(carol, by=olga, reason="Abuse")
    people.erase_person(carol, by=olga, reason="Law")
    assert list(carol.history.values_list("from_state", "to_state")) == [("active", "inactive"), ("inactive", "erased")]


def test_nobody_erases_themselves(olga):
    with pytest.raises(Invalid, match="Ask another admin"):
        people.erase_person(olga, by=olga, reason="Bye")
