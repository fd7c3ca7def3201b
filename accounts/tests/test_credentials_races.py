"""Two of the desk, a technician and the clock at the same document at the same moment: one of them decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from accounts import credentials
from accounts.models import Credential, CredentialKind, CredentialStatus, Technician, User
from accounts.tests.papers import NOW, document, held, newcomer, sent, verified
from common.refusals import Conflict
from common.tests.race import at_once, split

pytestmark = pytest.mark.django_db(transaction=True)
OVER = NOW + timedelta(days=400)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def nina() -> User:
    """A technician nobody has verified."""
    return newcomer()


def one_wins(calls: list[Callable[[], object]]) -> None:
    won, refused = split(at_once(calls))
    assert len(won) == 1 and all(isinstance(each, Conflict) for each in refused), refused


def test_of_four_decisions_one_stands(nina: User) -> None:
    row = sent(nina)
    approve = partial(credentials.approve_credential, row, by=None, now=NOW)
    refuse = partial(credentials.reject_credential, row, by=None, reason="Not readable.", now=NOW)
    one_wins([approve, refuse, approve, partial(credentials.withdraw_credential, row, by=None)])
    left = Credential.objects.filter(pk=row.pk).first()
    assert left is None or [step.to_state for step in left.history.all()] == [CredentialStatus.PENDING, left.status]


def test_the_clock_and_the_desk_end_it_once(nina: User) -> None:
    row, _ = verified(nina)
    expire = partial(credentials.expire_credential, row, now=OVER)
    suspend = partial(credentials.suspend_credential, row, by=None, reason="In doubt.", now=OVER)
    one_wins([expire, suspend, expire, suspend])
    assert row.history.count() == 3 and nina.history.count() == 2
    assert not Technician.objects.get(pk=nina.pk).is_verified


def test_of_many_sent_at_once_one_waits_and_no_file_is_left_behind(nina: User, media: Path) -> None:
    held(nina, CredentialKind.INSURANCE)
    calls = [
        partial(
            credentials.submit_credential,
            nina.technician,
            by=nina,
            kind=CredentialKind.IDENTITY,
            document=document(f"{number}.jpg"),
            now=NOW,
        )
        for number in range(4)
    ]
    one_wins(calls)  # type: ignore[arg-type]
    assert len(list(media.rglob("*.jpg"))) == 2


def test_both_that_are_needed_approved_at_once_verify_once(nina: User) -> None:
    rows = [sent(nina), sent(nina, CredentialKind.INSURANCE)]
    won, refused = split(at_once([partial(credentials.approve_credential, row, by=None, now=NOW) for row in rows]))
    assert len(won) == 2 and not refused
    assert [step.to_state for step in nina.history.all()] == ["verified"]
