"""Documents: which steps there are, who takes them, and what follows for the right to make offers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from accounts import actions, credentials
from accounts.credentials import AS_SENT, SOON, missing, waiting
from accounts.models import AccountHistory, Credential, CredentialKind, CredentialStatus, Technician, User
from accounts.tests.papers import NEXT_YEAR, NOW, document, held, sent, verified
from common.history import HistoryRow
from common.refusals import Conflict, Invalid

IDENTITY, INSURANCE, TRADE = CredentialKind.IDENTITY, CredentialKind.INSURANCE, CredentialKind.TRADE
PENDING, APPROVED, REJECTED, EXPIRED, SUSPENDED = CredentialStatus.values
TODAY = NOW.date()
OVER = NOW + timedelta(days=400)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def steps(row: Credential) -> list[tuple[str, str, str]]:
    return [(step.from_state, step.to_state, step.actor_role) for step in row.history.all()]


def is_verified(user: User) -> bool:
    return Technician.objects.get(pk=user.pk).is_verified


def words(user: User) -> list[tuple[str, str]]:
    return list(AccountHistory.objects.filter(user=user).values_list("to_state", "reason"))


# --- Sending --------------------------------------------------------------------------------------


def test_what_is_sent_waits_with_its_file_and_a_history_row(tess: User, media: Path) -> None:
    row = sent(tess, number="A 123", document=document("my passport.jpg", b"pixels"))
    assert (row.status, row.number, row.name, row.valid_until) == (PENDING, "A 123", "my passport.jpg", NEXT_YEAR)
    assert (media / str(row.file.name)).read_bytes() == b"pixels"
    assert "passport" not in str(row.file.name) and str(row.file.name).endswith(".jpg")
    assert steps(row) == [("", PENDING, "technician")]
    assert list(waiting()) == [row]


def test_of_each_kind_one_waits_at_most(tess: User, media: Path) -> None:
    sent(tess)
    with pytest.raises(Conflict, match="being checked already") as refused:
        sent(tess)
    assert refused.value.next_url == "/accounts/profile/documents/"
    assert len(list(media.rglob("*.jpg"))) == 1  # the second file is not left behind
    assert sent(tess, TRADE).status == PENDING


def test_the_database_holds_that_too(tess: User) -> None:
    row = held(tess)
    for status in (PENDING, APPROVED):
        with pytest.raises(IntegrityError), transaction.atomic():
            Credential(technician=tess.technician, kind=IDENTITY, status=PENDING).save()
            Credential(technician=tess.technician, kind=IDENTITY, status=status).save()
    with pytest.raises(IntegrityError), transaction.atomic():
        Credential(technician=tess.technician, kind=TRADE, status=REJECTED).save()  # without a reason
    assert fresh(row).status == APPROVED


@pytest.mark.parametrize(
    ("kind", "day", "says"),
    [
        (INSURANCE, None, "Say until when"),
        (INSURANCE, TODAY - timedelta(days=1), "is over"),
        (IDENTITY, date(2099, 1, 1), "too far off"),
        ("diploma", NEXT_YEAR, "not a kind"),
    ],
)
def test_a_last_day_that_cannot_be_is_refused(tess: User, kind: str, day: date | None, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        sent(tess, kind, valid_until=day)
    assert not Credential.objects.exists()


@pytest.mark.parametrize(("zone", "fits"), [("Pacific/Kiritimati", False), ("America/Los_Angeles", True)])
def test_a_day_is_over_where_its_technician_is(tess: User, zone: str, fits: bool) -> None:
    tess.time_zone = zone
    tess.save(update_fields=["time_zone"])
    evening = NOW + timedelta(hours=12)  # 21:00 UTC: next day in Kiritimati, still this one in Los Angeles
    if fits:
        assert sent(tess, valid_until=TODAY, now=evening).pk
    else:
        with pytest.raises(Invalid, match="is over"):
            sent(tess, valid_until=TODAY, now=evening)


def test_nobody_sends_or_takes_back_for_another(tess: User, olga: User, carol: User) -> None:
    row = sent(tess)
    for by in (olga, carol):
        with pytest.raises(PermissionDenied):
            credentials.submit_credential(tess.technician, by=by, kind=TRADE, document=document(), now=NOW)
        with pytest.raises(PermissionDenied):
            credentials.withdraw_credential(row, by=by)


def test_taken_back_it_is_gone_with_its_file(
    tess: User, olga: User, media: Path, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    row = sent(tess)
    with django_capture_on_commit_callbacks(execute=True):
        credentials.withdraw_credential(row, by=tess)
    assert not list(media.rglob("*.jpg")) and not waiting().exists()
    with pytest.raises(Conflict, match="has taken this document back"):
        credentials.approve_credential(row, by=olga, now=NOW)
    with pytest.raises(Conflict, match="is at “approved”"):
        credentials.withdraw_credential(held(tess), by=tess)


# --- Deciding -------------------------------------------------------------------------------------

VERBS: dict[str, Callable[[Credential, User], object]] = {
    "approve": lambda row, by: credentials.approve_credential(row, by=by, now=NOW),
    "reject": lambda row, by: credentials.reject_credential(row, by=by, reason="Not readable", now=NOW),
    "suspend": lambda row, by: credentials.suspend_credential(row, by=by, reason="In doubt", now=NOW),
    "expire": lambda row, by: credentials.expire_credential(row, now=OVER),
    "withdraw": lambda row, by: credentials.withdraw_credential(row, by=None),
}
MACHINE = {
    (PENDING, "approve"): APPROVED,
    (PENDING, "reject"): REJECTED,
    (PENDING, "withdraw"): None,
    (APPROVED, "suspend"): SUSPENDED,
    (APPROVED, "expire"): EXPIRED,
}
INTO: dict[str, Callable[[User], Credential]] = {
    PENDING: sent,
    APPROVED: held,
    REJECTED: lambda user: credentials.reject_credential(sent(user), by=None, reason="No", now=NOW),
    EXPIRED: lambda user: credentials.expire_credential(held(user), now=OVER),
    SUSPENDED: lambda user: credentials.suspend_credential(held(user), by=None, reason="No", now=NOW),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("state", CredentialStatus.values)
def test_the_machine_and_no_step_besides(tess: User, olga: User, state: str, verb: str) -> None:
    row = INTO[state](tess)
    before = list(row.history.values_list("pk"))
    if (state, verb) not in MACHINE:
        with pytest.raises(Conflict) as refused:
            VERBS[verb](row, olga)
        assert refused.value.status == 409
        assert fresh(row).status == state and list(row.history.values_list("pk")) == before
        return
    VERBS[verb](row, olga)
    to = MACHINE[state, verb]
    if to is None:
        assert not Credential.objects.filter(pk=row.pk).exists()
        return
    step = row.history.last()
    assert (fresh(row).status, step.from_state, step.to_state) == (to, state, to)
    assert step.actor == (None if verb == "expire" else olga) and step.reason == fresh(row).reason
    assert fresh(row).decided_at == step.at


@pytest.mark.parametrize("verb", ["approve", "reject", "suspend"])
@pytest.mark.parametrize("who", ["carol", "tess", "driver"])
def test_only_the_desk_decides(tess: User, who: str, verb: str, request: pytest.FixtureRequest) -> None:
    row = held(tess) if verb == "suspend" else sent(tess)
    with pytest.raises(PermissionDenied):
        VERBS[verb](row, request.getfixturevalue(who))
    assert fresh(row).status == row.status


@pytest.mark.parametrize("verb", [credentials.reject_credential, credentials.suspend_credential])
def test_a_no_says_why(tess: User, olga: User, verb: Callable[..., object]) -> None:
    row = sent(tess) if verb is credentials.reject_credential else held(tess)
    with pytest.raises(Invalid, match="Say why"):
        verb(row, by=olga, reason="  ", now=NOW)
    assert fresh(row).status == row.status


def test_the_desk_corrects_the_last_day_as_it_approves(tess: User, olga: User) -> None:
    insurance, trade = sent(tess, INSURANCE), sent(tess, TRADE)
    read = date(2027, 9, 30)
    assert credentials.approve_credential(insurance, by=olga, valid_until=read, now=NOW).valid_until == read
    assert credentials.approve_credential(trade, by=olga, valid_until=None, now=NOW).valid_until is None
    assert fresh(insurance).valid_until == read and fresh(trade).valid_until is None


@pytest.mark.parametrize(("kind", "day"), [(INSURANCE, None), (IDENTITY, TODAY - timedelta(days=1))])
def test_what_does_not_hold_cannot_be_approved(tess: User, olga: User, kind: str, day: date | None) -> None:
    row = sent(tess, kind)
    with pytest.raises(Invalid, match="correct it, or refuse"):
        credentials.approve_credential(row, by=olga, valid_until=day, now=NOW)
    with pytest.raises(Invalid, match="correct it, or refuse"):
        credentials.approve_credential(row, by=olga, valid_until=AS_SENT, now=OVER)  # it lay too long
    assert fresh(row).status == PENDING


def test_the_machine_is_the_one_that_is_written_down() -> None:
    moves = {(start, end) for start, ends in credentials.MOVES.items() for end in ends}
    assert moves == {(start, end) for (start, _), end in MACHINE.items() if end}


def test_a_newer_one_takes_the_place_of_the_older(tess: User, olga: User) -> None:
    older = held(tess, valid_until=date(2027, 4, 1))
    newer = sent(tess, now=NOW + timedelta(days=1))
    assert fresh(older).status == APPROVED  # it holds until the newer one is approved
    credentials.approve_credential(newer, by=olga, now=NOW + timedelta(days=2))
    assert (fresh(older).status, fresh(older).reason) == (EXPIRED, credentials.REPLACED)
    assert steps(older)[-1] == (APPROVED, EXPIRED, "admin") and fresh(newer).status == APPROVED


# --- Verified -------------------------------------------------------------------------------------


def test_whoever_holds_all_that_is_needed_is_verified_by_the_last_approval(tess: User, olga: User) -> None:
    assert missing([]) == [IDENTITY, INSURANCE]
    credentials.approve_credential(sent(tess), by=olga, now=NOW)
    credentials.approve_credential(sent(tess, TRADE), by=olga, now=NOW)
    assert not is_verified(tess)
    credentials.approve_credential(sent(tess, INSURANCE), by=olga, now=NOW)
    assert Technician.objects.get(pk=tess.pk).verified_at == NOW
    assert words(tess) == [("verified", "Every document it takes holds.")]


@pytest.mark.parametrize("kind", [IDENTITY, INSURANCE])
def test_losing_a_needed_one_takes_it_away_and_a_new_one_gives_it_back(tess: User, olga: User, kind: str) -> None:
    rows = dict(zip((IDENTITY, INSURANCE), verified(tess), strict=True))
    credentials.suspend_credential(rows[CredentialKind(kind)], by=olga, reason="In doubt.", now=NOW)
    assert not is_verified(tess)
    assert words(tess)[-1] == ("unverified", f"{CredentialKind(kind).label}: In doubt.")
    held(tess, kind)
    assert is_verified(tess) and [word for word, _ in words(tess)] == ["verified", "unverified", "verified"]


def test_what_is_not_needed_changes_nothing(tess: User, olga: User) -> None:
    verified(tess)
    credentials.suspend_credential(held(tess, TRADE), by=olga, reason="In doubt.", now=NOW)
    assert is_verified(tess) and len(words(tess)) == 1


def test_a_refused_newer_one_changes_nothing_while_the_older_holds(tess: User, olga: User) -> None:
    verified(tess)
    credentials.reject_credential(sent(tess, INSURANCE), by=olga, reason="Blurred.", now=NOW)
    assert is_verified(tess)


def test_replacing_one_never_takes_it_away_in_between(tess: User) -> None:
    verified(tess)
    held(tess, INSURANCE, now=NOW + timedelta(days=1))
    assert len(words(tess)) == 1


def test_whoever_was_verified_by_hand_stays_so_until_a_needed_one_is_refused(tess: User, olga: User) -> None:
    actions.verify_technician(tess.technician, by=olga, now=NOW)
    row = sent(tess, INSURANCE)
    held(tess, TRADE)
    assert is_verified(tess)
    credentials.reject_credential(row, by=olga, reason="Not yours.", now=NOW)
    assert not is_verified(tess)


def test_a_closed_account_does_not_wait(tess: User, olga: User) -> None:
    row = sent(tess)
    actions.deactivate(tess, by=olga)
    assert not waiting().exists()
    actions.reactivate(tess, by=olga)
    assert list(waiting()) == [row]


# --- The clock, and forgetting --------------------------------------------------------------------


def test_it_holds_to_the_end_of_its_last_day(tess: User) -> None:
    row = held(tess, valid_until=TODAY)
    with pytest.raises(Conflict, match="holds still"):
        credentials.expire_credential(row, now=NOW + timedelta(hours=14))
    credentials.expire_credential(row, now=NOW + timedelta(hours=15))
    assert steps(row)[-1] == (APPROVED, EXPIRED, "clock")


def test_what_does_not_end_never_expires(tess: User) -> None:
    with pytest.raises(Conflict, match="holds still"):
        credentials.expire_credential(held(tess, valid_until=None), now=OVER)


def test_they_are_told_once_that_it_runs_out(tess: User) -> None:
    row = held(tess)
    credentials.warn_of_end(row, now=NOW + SOON)
    with pytest.raises(Conflict, match="knows already"):
        credentials.warn_of_end(row, now=NOW + SOON)


def test_forgetting_takes_files_numbers_and_names_and_leaves_the_steps(
    tess: User, media: Path, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    row, waits = held(tess, number="A 123"), sent(tess, TRADE)
    with django_capture_on_commit_callbacks(execute=True):
        credentials.forget_documents(tess)
    left = fresh(row)
    assert (bool(left.file), left.number, left.name, left.status) == (False, "", "removed", APPROVED)
    assert len(steps(row)) == 2 and not list(media.rglob("*.jpg"))
    assert not Credential.objects.filter(pk=waits.pk).exists()


def test_replaying_the_history_gives_the_state_of_each(tess: User, olga: User) -> None:
    for make in INTO.values():
        row = make(tess)
        state = ""
        for step in row.history.all():
            assert isinstance(step, HistoryRow) and step.from_state == state
            state = step.to_state
        assert state == fresh(row).status
        Credential.objects.all().delete()
