"""Documents by the clock: announced two weeks before their end, over when their last day is, and nothing twice."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import actions, credentials, due
from accounts.credentials import expire_credential
from accounts.models import Credential, CredentialKind, CredentialStatus, Technician, User
from accounts.tests.papers import NOW, held, sent, verified

DAY = timedelta(days=1)
LAST = date(2027, 6, 30)
MIDNIGHT = datetime.fromisoformat("2027-06-30T23:00:00+00:00")  # the end of that day in London, in summer


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def status(row: Credential) -> str:
    return Credential.objects.get(pk=row.pk).status


def test_what_is_over_expires_at_midnight_and_pauses_offers(tess: User) -> None:
    row, _ = verified(tess, valid_until=LAST)
    assert due.run_due(MIDNIGHT - DAY) == 2  # they were told
    assert due.run_due(MIDNIGHT - timedelta(seconds=1)) == 0
    assert due.run_due(MIDNIGHT) == 2 and due.run_due(MIDNIGHT) == 0
    assert status(row) == CredentialStatus.EXPIRED and not Technician.objects.get(pk=tess.pk).is_verified
    assert row.history.last().actor_role == "clock"
    assert list(tess.history.values_list("to_state", flat=True)) == ["verified", "unverified"]


def test_they_are_told_once_and_not_while_a_newer_one_is_approved(tess: User) -> None:
    row = held(tess, valid_until=LAST)
    soon = datetime.fromisoformat("2027-06-16T09:00:00+00:00")
    assert due.run_due(soon - DAY) == 0
    assert due.run_due(soon) == 1 and due.run_due(soon) == 0
    assert Credential.objects.get(pk=row.pk).warned_at == soon
    held(tess, now=soon, valid_until=LAST + 300 * DAY)
    assert due.run_due(MIDNIGHT) == 0 and status(row) == CredentialStatus.EXPIRED


def test_what_waits_or_was_refused_is_left_alone(tess: User) -> None:
    waits = sent(tess, valid_until=LAST)
    refused = credentials.reject_credential(
        sent(tess, CredentialKind.TRADE, valid_until=LAST), by=None, reason="No", now=NOW
    )
    held(tess, CredentialKind.BACKGROUND, valid_until=None)
    assert due.run_due(MIDNIGHT + DAY) == 0
    assert (status(waits), status(refused)) == (CredentialStatus.PENDING, CredentialStatus.REJECTED)


def test_nobody_is_warned_in_a_closed_account_but_it_expires(tess: User) -> None:
    row = held(tess, valid_until=LAST)
    actions.deactivate(tess, by=None)
    assert due.run_due(MIDNIGHT - DAY) == 0 and due.run_due(MIDNIGHT) == 1
    assert status(row) == CredentialStatus.EXPIRED


def test_of_two_clocks_one_does_it(tess: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Precondition: both have found the row, and the other one was faster."""
    row = held(tess, valid_until=LAST)
    found = due.over(Credential.objects.filter(status=CredentialStatus.APPROVED), MIDNIGHT)
    expire_credential(row, now=MIDNIGHT)
    assert due.each(found, lambda each: expire_credential(each, now=MIDNIGHT)) == 0
    assert row.history.filter(to_state=CredentialStatus.EXPIRED).count() == 1


def test_one_that_fails_does_not_stop_the_others(
    tess: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = verified(tess, valid_until=LAST)

    def expire(row: Credential, *, now: datetime) -> Credential:
        if row.pk == bad.pk:
            raise RuntimeError("broken")
        return expire_credential(row, now=now)

    monkeypatch.setattr(due, "expire_credential", expire)
    assert due.run_due(MIDNIGHT + 2 * DAY) == 1
    assert (status(bad), status(good)) == (CredentialStatus.APPROVED, CredentialStatus.EXPIRED)
    assert f"document {bad.pk} failed" in caplog.text


def test_a_tick_with_nothing_due_costs_two_queries(tess: User) -> None:
    verified(tess)
    with CaptureQueriesContext(connection) as queries:
        assert due.run_due(NOW) == 0
    assert len(queries) == 2
